"""The worker against a pass-through of the same records, in the same run (docs/performance.md)."""
