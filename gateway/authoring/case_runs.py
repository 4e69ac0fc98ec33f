"""All cases of one mapping run, with the time each took; for people, for machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.authoring.case_files import cases_beside, read_cases
from gateway.authoring.case_hints import hints
from gateway.authoring.cases import CaseResult, run_case
from gateway.authoring.offline import books_of
from gateway.mapping.compiled import CompiledMapping

__all__ = ["MappingRun", "TimedCase", "run_mapping"]


@dataclass(frozen=True, slots=True)
class TimedCase:
    """A case that ran, the seconds it took, and for each of its steps what may help where it failed."""

    result: CaseResult
    seconds: float
    hints: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class MappingRun:
    """The cases of a mapping that ran. ``path`` None: there is no such file. ``only``: what their names contain."""

    mapping: CompiledMapping
    path: Path | None
    results: tuple[TimedCase, ...] = ()
    only: str = ""

    @property
    def failed(self) -> list[TimedCase]:
        """Those that gave anything else than they say."""
        return [timed for timed in self.results if timed.result.differences]

    @property
    def unfired(self) -> list[str]:
        """Rules and noise rules that no case fires."""
        fired = frozenset[str]().union(*(timed.result.fired for timed in self.results))
        return sorted({rule.name for rule in self.mapping.rules} - fired)

    def as_object(self) -> dict[str, object]:
        """For machines."""
        return {
            "mapping": self.mapping.name,
            "file": None if self.path is None else str(self.path),
            "unfired": self.unfired,
            "cases": [_case_object(timed) for timed in self.results],
        }


def run_mapping(folder: Path, mapping: CompiledMapping, only: str, clock: Callable[[], float]) -> MappingRun:
    """Run the cases whose name contains ``only``. ``clock`` gives seconds. ConfigError: faults in the case file."""
    path = cases_beside(folder, mapping.file)
    if not path.exists():
        return MappingRun(mapping, None, (), only)
    book = books_of([mapping])[mapping.name]
    timed = []
    for case in read_cases(path):
        if only.casefold() not in case.name.casefold():
            continue
        start = clock()
        result = run_case(case, mapping, book)
        seconds = clock() - start
        timed.append(TimedCase(result, seconds, tuple(hints(step, case, mapping, book) for step in result.steps)))
    return MappingRun(mapping, path, tuple(timed), only)


def _case_object(timed: TimedCase) -> dict[str, object]:
    result = timed.result
    return {
        "case": result.case.name,
        "line": result.case.line,
        "passed": not result.differences,
        "seconds": round(timed.seconds, 6),
        "differences": list(result.differences),
        "hints": [hint for step in timed.hints for hint in step],
    }
