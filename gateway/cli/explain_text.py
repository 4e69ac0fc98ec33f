"""Explanations as text: what became of the record first, then the rows, the rules, the events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from gateway.authoring.told import ChangeSetTold, CheckTold, ColumnTold, EventTold, Explanation, RowTold, RuleTold
from gateway.authoring.why_not import Miss, Silence

__all__ = ["explanation_shown", "silence_shown"]

_TONES = {"published": "green", "ignored": "yellow", "dead_lettered": "red", "parked": "magenta"}
_MARKS = {"true": ("✓", "green"), "false": ("✗", "red")}


def explanation_shown(console: Console, told: Explanation, *, whole: bool = False) -> None:
    """Print one explanation. ``whole``: every rule with all its tests, every column, every record."""
    head = f"{told.outcome} {told.reason}".strip()
    console.print(Text.assemble((told.record, "bold"), "  ", (head, f"bold {_TONES.get(told.outcome, '')}".strip())))
    console.print(Text(f"  {told.said}"))
    changes = told.change_set
    if told.unit is not None and changes is not None:
        unit = told.unit
        of = f"transaction {unit.transaction}" if unit.transaction is not None else "no transaction"
        size = f"{len(told.records)} of the {unit.records} records of its unit"
        where = f"  {changes.aggregate} {changes.id or '?'}, mapping {changes.mapping}, {of}, {unit.time}; {size}"
        console.print(Text(where, style="dim"))
    for record in told.records if whole or len(told.records) > 1 else ():
        line = f"    {record.place}  {record.table} {record.op}  {record.outcome} {record.reason}"
        console.print(Text(line.rstrip(), style="bold dim" if record.place == told.record else "dim"))
    if changes is not None:
        _failure(console, changes)
        for row in changes.rows:
            _row(console, row, whole)
        _rules(console, changes, whole)
        if len(changes.events) > 1:
            order = ", ".join(dict.fromkeys(event.rule for event in changes.events))
            console.print(Text(f"\nEvents, in the order of the rules in the file: {order}", style="bold"))
        for event in changes.events:
            _event(console, event)
        _rest(console, changes)
    for letter in told.letters:
        console.print(Text(f"  letter {letter.get('place')}: {letter.get('class')}, {letter.get('why')}", style="red"))


def _failure(console: Console, changes: ChangeSetTold) -> None:
    failure = changes.failure
    if failure is not None:
        rule = f", rule {failure.rule}" if failure.rule else ""
        console.print(Text(f"\nDead letter {failure.letter_class} ({failure.stage}{rule})", style="bold red"))
        console.print(Text(f"  {failure.where}: {failure.what}" if failure.where else f"  {failure.what}"))
        if failure.hint:
            console.print(Text(f"  {failure.hint}", style="dim"))


def _row(console: Console, row: RowTold, whole: bool) -> None:
    key = " ".join(f"{name}={_value(value)}" for name, value in row.key.items())
    by = f"  taken by {row.taken_by}" if row.taken_by and row.op != "update" else ""
    console.print(Text.assemble(f"\n{row.name} ", (key, "bold"), f" ({row.table}) {row.op}", (by, "cyan")))
    for column in row.columns:
        if whole or _worth(column, row.op):
            console.print(_column(column, row.op))
    for word, raws in (("format only", row.format_only), ("undeclared", row.undeclared), ("undone", row.undone)):
        if raws:
            console.print(Text(f"  {word}: {', '.join(raws)}", style="dim"))


def _worth(column: ColumnTold, op: str) -> bool:
    if op == "update":
        return column.changed
    return (column.after if op in ("insert", "arrives", "snapshot") else column.before) is not None


def _column(column: ColumnTold, op: str) -> Text:
    name = f"  {column.name}" + (f" ({column.raw})" if column.raw != column.name else "")
    line = Text(f"{name:<34} ")
    if op == "update" and column.changed:
        line.append(_value(column.before), "red").append(" → ").append(_value(column.after), "green")
    else:
        line.append(_value(column.after if column.after is not None else column.before))
    if column.taken_by:
        line.append(f"   {column.taken_by}", "dim" if column.taken_by == "bookkeeping" else "cyan")
    return line


def _rules(console: Console, changes: ChangeSetTold, whole: bool) -> None:
    if not changes.rules:
        return
    console.print(Text(f"\nRules tried ({changes.file})", style="bold"))
    far = 0
    for rule in changes.rules:
        if rule.fired or whole or _near(rule):
            _rule(console, rule, changes.rows, whole)
        else:
            far += 1
    rest = [f"{far} more stopped at the operation or at columns that did not change"] if far else []
    rest += [f"{len(changes.untried)} had no row of their tables"] if changes.untried else []
    if rest:
        console.print(Text(f"  {'; '.join(rest)} (--all)", style="dim"))


def _near(rule: RuleTold) -> bool:
    """Whether the rule got past the operation and past columns that did not change."""
    failed = [check for check in rule.checks if check.truth != "true"]
    return not any(check.kind == "op" or (check.kind == "changed" and not check.takers) for check in failed)


def _rule(console: Console, rule: RuleTold, rows: Sequence[RowTold], whole: bool) -> None:
    mark, tone = ("✓", "green") if rule.fired else ("✗", "red")
    gives = f" → {rule.event} ({rule.intent})" if rule.event else " (noise)"
    line = Text.assemble((f"  {mark} ", tone), (rule.rule, "bold"), gives, (f"  line {rule.line}", "dim"))
    if 0 <= rule.row < len(rows) and len(rows) > 1:
        line.append(f"  on {rows[rule.row].name}", "dim")
    console.print(line)
    if rule.fired:
        took = ", ".join(_took(each, rows) for each in rule.took)
        console.print(Text(f"      took {took or 'nothing'}", style="cyan"))
    for check in rule.checks:
        if whole or rule.fired or check.truth != "true":
            _check(console, check, 3, whole)


def _took(pair: Sequence[object], rows: Sequence[RowTold]) -> str:
    number, column = pair
    name = rows[number].name if isinstance(number, int) and number < len(rows) else str(number)
    return f"the row {name}" if column is None else f"{name}.{column}"


def _check(console: Console, check: CheckTold, depth: int, whole: bool) -> None:
    mark, tone = _MARKS.get(check.truth, ("?", "yellow"))
    line = Text.assemble("  " * depth, (f"{mark} ", tone), check.text)
    if check.truth not in _MARKS:
        line.append(f"  {check.truth}", "yellow")
    if check.why:
        line.append(f"  {check.why}", "yellow")
    elif check.saw and (check.kind != "op"):
        line.append("  " + ", ".join(f"{name} = {_value(value)}" for name, value in check.saw.items()), "dim")
    console.print(line)
    if check.kind in ("when", "part") or check.truth != "true" or whole:
        for part in check.parts:
            _check(console, part, depth + 1, whole)


def _event(console: Console, event: EventTold) -> None:
    name = f"{event.event} v{event.version}"
    console.print(Text.assemble("\n", (name, "bold green"), f" ({event.intent}) by {event.rule}, key {event.key}"))
    console.print(Text(f"  {json.dumps(event.data, ensure_ascii=False)}"))
    console.print(Text(f"  id {event.id}  sequence {event.sequence}  time {event.time}", style="dim"))
    schema = "not looked up" if event.schema_id is None else str(event.schema_id)
    console.print(Text(f"  {event.topic}, subject {event.subject}, schema id {schema}", style="dim"))
    console.print(
        Text(f"  {event.size} bytes: {event.head}{' …' if event.size > len(event.head) // 3 + 1 else ''}", "dim")
    )


def _rest(console: Console, changes: ChangeSetTold) -> None:
    if changes.unexplained:
        console.print(Text(f"\nUnexplained: {', '.join(changes.unexplained)}", style="yellow"))
    for finding in changes.findings:
        console.print(Text(f"Finding: {finding}", style="yellow"))


def silence_shown(console: Console, told: Silence, *, whole: bool = False) -> None:
    """Print why one change set did not give the event; ``whole``: every rule that gives it, not the three nearest."""
    unit = told.unit
    head = f"transaction {unit.transaction}, {unit.time}, {', '.join(told.tables) or 'no rows'}"
    console.print(Text.assemble((told.record, "bold"), f"  {head}"))
    console.print(Text(f"  {told.said}", style="yellow"))
    for failure in (told.failure, told.behind):
        if failure is not None:
            where = f"{told.behind_record}: " if failure is told.behind else ""
            console.print(Text(f"  {where}dead letter {failure.letter_class}: {failure.what}", style="red"))
    misses = told.misses if whole else [miss for miss in told.misses[:3] if miss.distance < 8] or told.misses[:1]
    for miss in misses:
        _miss(console, miss, whole)
    for rule in told.then:
        gone = ", a rule that is not there any more" if rule.rule in told.lost else ""
        console.print(Text(f"  there it was said by {rule.rule} (line {rule.line}){gone}; its tests:", style="cyan"))
        for check in rule.checks:
            _check(console, check, 3, whole)
    if told.instead:
        console.print(Text(f"  fired instead: {', '.join(_names(told.instead))}", style="cyan"))
    if told.unexplained:
        console.print(Text(f"  left unexplained: {', '.join(told.unexplained)}", style="yellow"))
    left = len(told.misses) - len(misses)
    if left or told.absent:
        rest = [f"{left} farther"] if left else []
        rest += [f"without a row of their tables: {', '.join(told.absent)}"] if told.absent else []
        console.print(Text(f"  {'; '.join(rest)} (--all)", style="dim"))


def _miss(console: Console, miss: Miss, whole: bool) -> None:
    rule = miss.rule
    console.print(Text.assemble("    ", (rule.rule, "bold"), (f"  line {rule.line}", "dim")))
    for check in rule.checks if whole else miss.failed:
        _check(console, check, 3, whole)
    for first in miss.first:
        console.print(Text(f"      {first.rule} (line {first.line}) was first; its tests:", style="cyan"))
        for check in first.checks:
            _check(console, check, 4, whole)


def _names(rules: Sequence[RuleTold]) -> Iterator[str]:
    for rule in rules:
        yield f"{rule.rule} → {rule.event}" if rule.event else f"{rule.rule} (noise)"


def _value(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict) and set(value) == {"unavailable"}:
        return f"<{value['unavailable']}>"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(text) if text != text.strip() or not text else text
