"""``python -m tests.faults.lab``: fault after fault, a table, and one JSON object as the last line."""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gateway.stack import Stack

from ..installation import Installation
from . import faults_of_capture, faults_of_records, faults_of_servers, faults_of_workers
from .bench import Bench
from .registry import FAULTS, Fault
from .verdict import Verdict

__all__ = ["Result", "main", "strike"]

_ = (faults_of_capture, faults_of_records, faults_of_servers, faults_of_workers)  # they enter themselves


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
    notes: list[str] = field(default_factory=list)
    failed: str = ""


def strike(stack: Stack, one: Fault, strikes: int, seed: int, folder: Path, bug: str = "") -> Result:
    """Try one fault on a bench of its own. With ``bug`` the gateway has that bug planted in it."""
    result = Result(one.name, one.number, one.what, seed, strikes)
    begun = time.monotonic()
    installation = Installation(stack.endpoints.bootstrap, stack.endpoints.registry_url, f"t{secrets.token_hex(3)}.")
    bench = None
    if bug:
        installation.extra["GATEWAY_LAB_BUG"] = bug
    try:
        bench = Bench(stack, installation, folder / f"{one.name}-{secrets.token_hex(2)}", seed)
        one.strike(bench, strikes)
        _note(result, bench, bench.concluded or bench.verdict())
    except Exception as error:  # noqa: BLE001 - a fault that cannot be tried is a failed one, and the next has its turn
        result.failed = f"{type(error).__name__}: {error}"[:4000] or "failed"
        result.notes.append("".join(traceback.format_exception(error))[-3000:])
        if bench is not None:
            result.strikes, result.fenced = bench.strikes, bench.fenced()
    finally:
        installation.close()
        if bench is not None:
            bench.watcher.stop()
    result.seconds = round(time.monotonic() - begun, 1)
    return result


def _note(result: Result, bench: Bench, verdict: Verdict) -> None:
    result.strikes, result.fenced = bench.strikes, bench.fenced()
    result.records, result.raw_duplicates = bench.truth.rows, bench.raw_duplicates
    result.aborted = verdict.aborted
    result.missing, result.extra = verdict.missing, verdict.extra
    result.reordered, result.torn = verdict.reordered, verdict.torn
    result.others = verdict.ids + verdict.unstable + verdict.letters + bool(verdict.accounts)
    result.worst_recovery_s = round(max(bench.recoveries, default=0.0), 2)
    result.notes += [*bench.notes, *verdict.told, *([verdict.accounts] if verdict.accounts else [])]
    if not verdict.good:
        result.failed = "the output is wrong"
    elif result.strikes < result.wanted:
        result.failed = f"only {result.strikes} of {result.wanted} strikes are proven"


# -- the command ------------------------------------------------------------------------------------------------------

_HEAD = ("fault", "tables", "strikes", "records", "aborted", "fenced", "raw dup", "missing", "extra", "reord", "torn",
         "other", "worst s", "took s")  # fmt: skip


def _row(result: Result) -> str:
    cells = (
        result.fault, result.number, result.strikes, result.records, result.aborted, result.fenced,
        result.raw_duplicates, result.missing, result.extra, result.reordered, result.torn, result.others,
        f"{result.worst_recovery_s:.1f}", f"{result.seconds:.0f}",
    )  # fmt: skip
    return _line(cells) + ("" if not result.failed else f"  FAILED: {result.failed.splitlines()[0][:160]}")


def _line(cells: tuple[object, ...]) -> str:
    widths = (26, 10, 8, 8, 8, 7, 8, 8, 6, 6, 5, 6, 8, 7)
    first, second, *rest = (str(cell) for cell in cells)
    return f"{first:<26} {second:<10} " + " ".join(
        f"{cell:>{width}}" for cell, width in zip(rest, widths[2:], strict=True)
    )


def _total(results: list[Result]) -> dict[str, object]:
    summed = ("strikes", "records", "aborted", "fenced", "raw_duplicates", "missing", "extra", "reordered", "torn")
    return {
        "faults": len(results),
        **{name: sum(getattr(one, name) for one in results) for name in summed},
        "other": sum(one.others for one in results),
        "failed": [one.fault for one in results if one.failed],
        "worst_recovery_s": max((one.worst_recovery_s for one in results), default=0.0),
    }


@contextmanager
def _stack() -> Iterator[Stack]:
    """A stack for this run alone; GATEWAY_TEST_STACK lends another."""
    if state := os.environ.get("GATEWAY_TEST_STACK"):
        lent = Stack(state)
        lent.up()
        yield lent
        return
    with tempfile.TemporaryDirectory(prefix="laboratory-") as folder:
        own = Stack(folder)
        own.up(lambda step: print(f"  {step.service}: {step.state}", file=sys.stderr), detached=False)
        try:
            yield own
        finally:
            own.down(wipe=True)


def _chosen(names: list[str]) -> list[Fault]:
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise SystemExit(f"no such fault: {', '.join(unknown)}. There are: {', '.join(FAULTS)}")
    return [FAULTS[name] for name in names] or list(FAULTS.values())


def main(arguments: list[str] | None = None) -> int:
    """Run the faults; the exit status is 1 if any failed."""
    parser = argparse.ArgumentParser(prog="tests.faults.lab", description=__doc__)
    parser.add_argument("faults", nargs="*", help="names of faults; all of them without")
    parser.add_argument("--full", action="store_true", help="every count of the tables instead of a short one")
    parser.add_argument("--seed", type=int, help="where strikes fall; printed, so that a run can be had again")
    parser.add_argument("--strikes", type=int, help="so many instead")
    parser.add_argument("--results", type=Path, help="file of results; what passed there is not run again")
    parser.add_argument("--bug", default="", help="plant a bug in the gateway: the run must fail")
    given = parser.parse_args(arguments)
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    known = _known(given.results)
    print(f"seed {seed}\n{_line(_HEAD)}", flush=True)
    results: list[Result] = []
    with _stack() as stack, tempfile.TemporaryDirectory(prefix="strikes-") as folder:
        for one in _chosen(given.faults):
            result = known.get(one.name)
            if result is None:
                strikes = given.strikes or (one.full if given.full else one.chaos)
                result = strike(stack, one, strikes, seed, Path(folder), given.bug)
                _keep(given.results, result)
            results.append(result)
            print(_row(result), flush=True)
            for note in result.notes if result.failed else ():
                print(f"    {note}", flush=True)
    total = _total(results)
    print(json.dumps(total), flush=True)
    return 1 if total["failed"] else 0


def _known(path: Path | None) -> dict[str, Result]:
    if path is None or not path.exists():
        return {}
    results = (Result(**json.loads(line)) for line in path.read_text().splitlines() if line)
    return {one.fault: one for one in results if not one.failed}


def _keep(path: Path | None, result: Result) -> None:
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")
