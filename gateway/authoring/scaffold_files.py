"""The files of a draft as text: a commented mapping, a contract for each event, and the first test cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from gateway.authoring.scaffold_draft import Draft, DraftColumn, DraftTable
from gateway.authoring.scaffold_events import DraftEvent, contract, events_of
from gateway.authoring.scaffold_rows import cases
from gateway.authoring.scaffold_words import flow, wrapped
from gateway.mapping.lints.formatting import formatted
from gateway.mapping.schema import MODELINE

__all__ = ["files_of"]


def files_of(draft: Draft, source: str) -> Mapping[PurePosixPath, str]:
    """Path within the mappings folder → text. ``source``: what it was made from, in words."""
    folder, events = PurePosixPath(draft.name), events_of(draft)
    found = {folder / f"{draft.name}.yaml": formatted("\n".join(_mapping(draft, events, source)) + "\n")}
    found |= {folder / "events" / f"{one.name}.v1.avsc": contract(draft, one) for one in events}
    found[folder / f"{draft.name}_test.yaml"] = cases(draft, events)
    return found


def _mapping(draft: Draft, events: tuple[DraftEvent, ...], source: str) -> Iterator[str]:
    yield f"{MODELINE}../../schema/mapping.schema.json"
    yield f"# A beginning, made from {source}. What is marked `guess:` was guessed: look at it, then delete the remark."
    yield "# The rules say one event for each table and operation. What a change *means* is for you to tell: put more"
    yield "# telling rules above them (the first that fits takes the change), and delete what nobody needs."
    yield f"mapping: {draft.name}"
    for line in draft.why:
        yield from wrapped(f"guess: {line}", "")
    yield f"source: {{topics: [{draft.topic}], unit: transaction}}"
    yield f"aggregate: {{type: {draft.type}, key: {flow(draft.key)}}}"
    yield "tables:"
    for table in draft.tables:
        yield from _table(table)
    yield "events:"
    yield from (f"  {event.name}: {{version: 1}}" for event in events)
    yield "rules:"
    for table in draft.tables:
        yield from _hints(draft, table)
        for event in events:
            if event.table is table:
                yield from _rule(draft, event)


def _table(table: DraftTable) -> Iterator[str]:
    yield f"  {table.shape.name}:"
    if table.shape.comment:
        yield from wrapped(table.shape.comment, "    ")
    for line in table.why:
        yield from wrapped(f"guess: {line}", "    ")
    yield f"    as: {table.name}"
    yield f"    row: {flow(table.row)}"
    yield "    columns:"
    width = max(len(quoted(column.guess.raw)) for column in table.columns) + 1
    for column in table.columns:
        yield from _column(column, width)


def _column(column: DraftColumn, width: int) -> Iterator[str]:
    guess = column.guess
    if guess.comment:
        yield from wrapped(guess.comment, "      ")
    if guess.why:
        yield from wrapped(f"guess: {'; '.join(guess.why)}", "      ")
    parts: dict[str, object] = {}
    if column.name != guess.raw:
        parts["as"] = column.name
    if guess.decode is not None:
        parts["decode"] = guess.decode
    elif guess.type:
        parts["type"] = guess.type
    if guess.null_when:
        parts["null_when"] = list(guess.null_when)
    if guess.pii:
        parts["pii"] = True
    if guess.bookkeeping:
        parts["bookkeeping"] = True
    yield f"      {quoted(guess.raw) + ':':<{width}} {flow(parts)}"


def quoted(raw: str) -> str:
    """A legacy column's name as a YAML key."""
    return flow(raw)


def _hints(draft: Draft, table: DraftTable) -> Iterator[str]:
    """What more telling rules might look like, commented out."""
    coded = [one for one in table.facts if any(value is not None for value in (one.guess.decode or {}).values())]
    if not coded:
        return
    deleting = next((one for one in coded if one.guess.deletes), None)
    column = deleting or coded[0]
    if deleting is not None:
        yield f"  # guess: `{column.name}` marks rows that count as deleted. Then say so, above the other rules:"
    else:
        yield from wrapped(f"A turn of a code may be a fact of its own ({', '.join(one.name for one in coded)}):", "  ")
    symbols = [value for value in (column.guess.decode or {}).values() if value is not None]
    yield f"  # - rule: {table.name}-{column.name}".lower()
    yield f"  #   event: {draft.type}…"
    yield f"  #   each: {{table: {table.name}, where: {{{column.name}: {{to: {flow(symbols[0])}}}}}}}"


def _rule(draft: Draft, event: DraftEvent) -> Iterator[str]:
    yield f"  - rule: {event.rule}"
    yield f"    event: {event.name}"
    if event.op == "update":
        yield f"    each: {{table: {event.table.name}, changed: {flow([one.name for one in event.table.facts])}}}"
    else:
        yield f"    each: {{table: {event.table.name}, op: {event.op}}}"
    image = "before" if event.op == "delete" else "after"
    yield f"    data: {{$from: {image}, $take: {flow([one.name for one in event.columns])}}}"
