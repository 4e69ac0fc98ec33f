"""A legacy insurer: its database, its applications and the truth of what they mean, the oracle that judges events."""

from __future__ import annotations

from legacy_db.system import create_schema, run, seed

__all__ = ["create_schema", "run", "seed"]
