"""What became of a fault, and the file that keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Result", "keep", "passed", "read"]


@dataclass
class Result:
    """What became of one fault. ``failed``: why it counts as failed, empty if it does not."""

    fault: str
    number: str
    what: str
    seed: int
    wanted: int
    strikes: int = 0
    records: int = 0
    aborted: int = 0
    fenced: int = 0
    raw_duplicates: int = 0
    missing: int = 0
    extra: int = 0
    reordered: int = 0
    torn: int = 0
    others: int = 0
    worst_recovery_s: float = 0.0
    seconds: float = 0.0
    commit: str = ""
    notes: list[str] = field(default_factory=list)
    failed: str = ""


def read(path: Path) -> list[Result]:
    """The newest result of each fault, in the order in which they were first tried."""
    results = (Result(**json.loads(line)) for line in path.read_text().splitlines() if line)
    return list({one.fault: one for one in results}.values())


def passed(path: Path | None) -> dict[str, Result]:
    """Those that need not be tried again."""
    return {one.fault: one for one in read(path) if not one.failed} if path is not None and path.exists() else {}


def keep(path: Path | None, result: Result) -> None:
    """Add a result to the file."""
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")
