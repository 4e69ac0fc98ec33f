"""Drift thinking, pure: two sets of rows compared, and the differences classified."""
