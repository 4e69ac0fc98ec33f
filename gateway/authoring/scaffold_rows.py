"""First test cases of a draft: invented rows, never those that were seen, since these hold personal data."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.authoring.scaffold_draft import Draft, DraftColumn, DraftTable
from gateway.authoring.scaffold_events import DraftEvent
from gateway.authoring.scaffold_words import flow
from gateway.mapping.schema import MODELINE

__all__ = ["cases"]

_DATES = {"yyyymmdd": ("20260131", "20260228"), "yymmdd": ("260131", "260228"), "ddmmyyyy": ("31012026", "28022026")}
_PLAIN = {
    "int": (11, 12),
    "bool": (True, False),
    "bytes": ("AQ==", "Ag=="),
    "date": ("2026-01-31Z", "2026-02-28Z"),
    "timestamp": ("2026-01-31T08:30:00Z", "2026-02-28T08:30:00Z"),
}


def cases(draft: Draft, events: tuple[DraftEvent, ...]) -> str:
    """A case for each event: ``gateway test`` passes at once."""
    lines = [
        f"{MODELINE}../../schema/cases.schema.json",
        "# Invented rows: write those that your applications write, and what they mean.",
        "cases:",
    ]
    for event in events:
        lines += _case(draft, event)
    return "\n".join(lines) + "\n"


def _case(draft: Draft, event: DraftEvent) -> Iterator[str]:
    table = event.table
    changing = next((one for one in table.facts), None)
    before = {one.guess.raw: _value(table, one, 0) for one in table.columns}
    after = {one.guess.raw: _value(table, one, int(one is changing)) for one in table.columns}
    done = {"insert": "a new row", "update": f"{changing.name if changing else ''} changes", "delete": "a row goes"}
    yield f"  - case: {table.name}, {done[event.op]}"
    yield "    given:"
    yield f"      - table: {flow(table.shape.name)}"
    yield f"        op: {event.op}"
    if event.op != "insert":
        yield f"        before: {flow(before)}"
    if event.op != "delete":
        yield f"        after: {flow(after if event.op == 'update' else before)}"
    yield "    events:"
    yield f"      - event: {event.name}"
    identity = {one.name: _read(one, _value(table, one, 0)) for one in table.columns if one.name in draft.key}
    yield f"        data: {flow(identity)}"


def _value(table: DraftTable, column: DraftColumn, number: int) -> object:
    """An invented raw value, as the connector sends it; ``number``: one of two that differ."""
    guess = column.guess
    if guess.decode is not None:
        codes = [code for code, symbol in guess.decode.items() if symbol is not None]
        return codes[min(number, len(codes) - 1)] if number else codes[0]
    if guess.type.startswith("decimal"):
        scale = int(guess.type.rstrip(")").rpartition(",")[2])
        return f"{number + 1}.{'5'.ljust(scale, '0')}" if scale else str(number + 1)
    if guess.type.startswith("date("):
        return _digits(table, column, number)
    if guess.type in _PLAIN:
        return _PLAIN[guess.type][number]
    text = ("A text", "Another")[number]
    return text[: guess.sized] if guess.sized else text


def _digits(table: DraftTable, column: DraftColumn, number: int) -> object:
    form = column.guess.type[5:-1]
    text = _DATES.get(form, ("2026031", "2026059"))[number]
    kind = table.shape.column(column.guess.raw).type
    return int(text) if kind.startswith(("int", "small", "big")) else text


def _read(column: DraftColumn, raw: object) -> object:
    """What the event says of it: keys are numbers or texts, seldom dates."""
    if column.guess.type.startswith("date("):
        text = str(raw)
        return {"yyyymmdd": f"{text[:4]}-{text[4:6]}-{text[6:]}"}.get(column.guess.type[5:-1], "2026-01-31")
    if column.guess.type == "date":
        return str(raw).rstrip("Z")
    return raw
