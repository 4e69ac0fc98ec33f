"""Expressions: Jinja2's own parser, an allow-list of nodes, types, and closures over a Scope (language.md 6)."""
