"""What `gateway test` shows: the cases that fail, field by field, and a line for each mapping."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gateway.authoring.case_compare import ABSENT, Difference, FieldDifference
from gateway.authoring.case_runs import MappingRun, TimedCase
from gateway.authoring.cases import StepResult

__all__ = ["show_run", "show_update"]

_SLOW = 1.0
"""Seconds of a run above which the slowest cases are named."""
_WIDE = 44
"""Characters of a value above which both stand below each other."""


def show_run(console: Console, run: MappingRun, *, whole: bool) -> None:
    """Show one mapping's run. ``whole``: all its cases ran, so that rules without a case can be named."""
    if run.path is None:
        name = Path(run.mapping.file).stem
        console.print(f"{run.mapping.name}: no cases ({name}_test.yaml is missing)", style="yellow", markup=False)
        return
    for timed in run.failed:
        for line in _case(run.path, timed):
            console.print(line)
    passed = len(run.results) - len(run.failed)
    style = "red" if run.failed else "green"
    console.print(f"{run.mapping.name}: {passed} of {len(run.results)} cases pass", style=style, markup=False)
    if run.unfired and whole:
        console.print(f"  no case fires: {', '.join(run.unfired)}", style="yellow", markup=False)
    if sum(timed.seconds for timed in run.results) > _SLOW:
        slowest = sorted(run.results, key=lambda timed: -timed.seconds)[:3]
        told = ", ".join(f"{timed.result.case.name} {timed.seconds:.2f} s" for timed in slowest)
        console.print(f"  slowest: {told}", style="yellow", markup=False)


def show_update(console: Console, path: Path, old: str, new: str) -> None:
    """Show what `--update` wrote into a file, as a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{path}", f"{path} (updated)", lineterm="", n=3)
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        console.print(Text(line, styles.get(line[:1], "")))


def _case(path: Path, timed: TimedCase) -> Iterator[Text]:
    result = timed.result
    yield Text(f"{path}:{result.case.line}: {result.case.name}", "bold red")
    for number, (step, hints) in enumerate(zip(result.steps, timed.hints, strict=True), 1):
        if not step.differences:
            continue
        if len(result.steps) > 1:
            name = f": {step.step.name}" if step.step.name else ""
            yield Text(f"  step {number}{name} (line {step.step.place.line})", "bold")
        near = {each.came for each in step.differences if each.what == "missing"}
        for difference in step.differences:
            if difference.what == "unexpected" and difference.came in near:
                continue
            yield from _difference(difference, step)
        for hint in hints:
            yield Text.assemble(("    hint: ", "cyan"), hint)


def _difference(difference: Difference, step: StepResult) -> Iterator[Text]:
    text = difference.text
    if difference.what == "event" and difference.came is not None:
        text += f", by rule {step.events[difference.came].event.rule}"
    yield Text(f"    {text}")
    if difference.fields:
        yield from _fields(difference.fields)


def _fields(fields: Sequence[FieldDifference]) -> Iterator[Text]:
    """Expected and actual beside each other; below each other where one is long."""
    rows = [(each.path, _value(each.expected, "nothing"), _value(each.actual, "no such field")) for each in fields]
    narrow = [row for row in rows if len(row[1]) <= _WIDE and len(row[2]) <= _WIDE]
    if narrow:
        first = max(len(row[0]) for row in narrow)
        second = max(len("expected"), *(len(row[1]) for row in narrow))
        yield Text(f"      {'':{first}}  {'expected':{second}}  actual", "dim")
    for path, expected, actual in rows:
        if (path, expected, actual) in narrow:
            yield Text.assemble(f"      {path:{first}}  ", (f"{expected:{second}}", "green"), "  ", (actual, "red"))
        else:
            yield Text(f"      {path}")
            yield Text.assemble("        expected  ", (expected, "green"))
            yield Text.assemble("        actual    ", (actual, "red"))


def _value(value: object, absent: str) -> str:
    return f"({absent})" if value is ABSENT else json.dumps(value, ensure_ascii=False, default=str)
