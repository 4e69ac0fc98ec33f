"""Strangler thinking, pure: commands, barriers."""
