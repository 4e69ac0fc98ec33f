"""What one measured process says about itself: seconds and CPU from its first record to its last settled one."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Meter", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One run: raw records settled, records written, wall and CPU seconds (all threads, user and system), peak memory.

    ``startup_cpu_s`` is what the process used before its first record (imports, compiling), outside ``cpu_s``.
    """

    records: int
    written: int
    written_bytes: int
    commits: int
    seconds: float
    cpu_s: float
    startup_cpu_s: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Raw records a second."""
        return self.records / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for a million raw records."""
        return self.cpu_s / self.records * 1e6

    @classmethod
    def read(cls, output: str) -> Reading:
        """From the last line that a measured process printed."""
        return cls(**json.loads(output.strip().splitlines()[-1]))


class Meter:
    """Runs from ``start`` (the first record is there; later calls change nothing) to ``stop``."""

    def __init__(self) -> None:
        self._wall = 0.0
        self._cpu = 0.0

    def start(self) -> None:
        """The first record is there."""
        if not self._wall:
            self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, records: int, written: int, written_bytes: int, commits: int) -> Reading:
        """The last record is settled."""
        return Reading(
            records,
            written,
            written_bytes,
            commits,
            round(time.perf_counter() - self._wall, 4),
            round(time.process_time() - self._cpu, 4),
            round(self._cpu, 3),
            round(_peak_kb() / 1024, 1),
        )


def _peak_kb() -> int:
    """Largest resident size so far. Linux counts the parent's into getrusage's figure, so its own word goes first."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tell(reading: Reading) -> None:
    """Print a reading as the process's last line."""
    sys.stdout.write(json.dumps(asdict(reading)) + "\n")
