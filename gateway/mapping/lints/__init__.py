"""Named rules about mappings: each declared once, in a small file; pure functions of what the loader read."""
