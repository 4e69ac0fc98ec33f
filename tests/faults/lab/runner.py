"""``python -m tests.faults.lab``: fault after fault, a table, and one JSON object as the last line."""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from gateway.stack import Stack

from ..installation import ROOT, Installation
from . import (
    faults_of_capture,
    faults_of_records,
    faults_of_rules,
    faults_of_servers,
    faults_of_state,
    faults_of_the_wire,
    faults_of_time,
    faults_of_workers,
)
from .bench import Bench
from .registry import FAULTS, Fault
from .report import HEAD, line, page, row, total
from .results import Result, keep, passed, read
from .verdict import Verdict

__all__ = ["main", "strike"]

_ = (  # they enter themselves
    faults_of_capture, faults_of_records, faults_of_rules, faults_of_servers, faults_of_state, faults_of_the_wire,
    faults_of_time, faults_of_workers,
)  # fmt: skip


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
    return [FAULTS[name] for name in names]


def main(arguments: list[str] | None = None) -> int:
    """Run the faults; the exit status is 1 if any failed."""
    parser = argparse.ArgumentParser(prog="tests.faults.lab", description=__doc__)
    parser.add_argument("faults", nargs="*", help="names of faults; all of them without")
    parser.add_argument("--full", action="store_true", help="every count of the tables instead of a short one")
    parser.add_argument("--seed", type=int, help="where strikes fall; printed, so that a run can be had again")
    parser.add_argument("--strikes", type=int, help="so many instead")
    parser.add_argument("--results", type=Path, help="file of results; what passed there is not run again")
    parser.add_argument("--bug", default="", help="plant a bug in the gateway: the run must fail")
    parser.add_argument("--table", action="store_true", help="only print the results of that file, as Markdown")
    given = parser.parse_args(arguments)
    if given.table:
        print(page(read(given.results)))
        return 0
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    known = passed(given.results)
    print(f"seed {seed}\n{line(HEAD)}", flush=True)
    results: list[Result] = []
    with _stack() as stack, tempfile.TemporaryDirectory(prefix="strikes-") as folder:
        for one in _chosen(given.faults) or [one for one in FAULTS.values() if given.full or one.chaos]:
            result = known.get(one.name)
            if result is None:
                strikes = given.strikes or (one.full if given.full else one.chaos)
                with redirect_stdout(sys.stderr):
                    result = strike(stack, one, strikes, seed, Path(folder), given.bug)
                result.commit = _commit()
                keep(given.results, result)
            results.append(result)
            print(row(result), flush=True)
            for note in result.notes if result.failed else ():
                print(f"    {note}", flush=True)
    summed = total(results)
    print(json.dumps(summed), flush=True)
    return 1 if summed["failed"] else 0


def _commit() -> str:
    """Of the code that was tried; with a plus where files differ from it."""
    ask = ["git", "describe", "--always", "--abbrev=7", "--dirty=+"]
    return subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
