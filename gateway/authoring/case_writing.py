"""Cases that were made, as text of a case file, and added to one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from gateway.authoring.case_files import parse_cases
from gateway.authoring.case_making import MadeCase
from gateway.authoring.case_nouns import GivenRow
from gateway.authoring.case_update import event_node
from gateway.authoring.case_yaml import dump, node
from gateway.mapping.nodes import Map, Seq
from gateway.mapping.reader import read_text
from gateway.model.errors import ConfigError

__all__ = ["added", "case_text"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INDENT = 2


def case_text(made: MadeCase, *, exact: bool) -> str:
    """The case as an item of ``cases``, with a comment that says where it comes from. ``exact``: payloads whole."""
    tree = CommentedMap(cases=CommentedSeq([_case_node(made, exact=exact)]))
    lines = dump(tree).splitlines(keepends=True)[1:]
    return f"{' ' * _INDENT}# {made.taken}\n" + "".join(lines)


def added(text: str, cases: Iterable[MadeCase], shown: str, *, exact: bool) -> tuple[str, int]:
    """The text of a case file with cases added at its end, and how many: those taken from there before are left out.

    ``text`` empty: a new file. ConfigError: faults in the file, or ``cases`` is not its last key.
    """
    new = [made for made in cases if f"# Taken from {made.place}," not in text]
    if not new:
        return text, 0
    indent = _indent(text, shown) if text.strip() else _INDENT
    head = text.rstrip() if text.strip() else "cases:"
    if head.endswith("cases: []"):
        head = head.removesuffix(" []")
    blocks = [_indented(case_text(made, exact=exact), indent) for made in new]
    whole = head + "\n" + ("" if head.endswith("cases:") else "\n") + "\n".join(blocks)
    parse_cases(whole, shown)
    return whole, len(new)


def _indent(text: str, shown: str) -> int:
    """How far in the items of ``cases`` stand."""
    parse_cases(text, shown)
    root, _ = read_text(text, shown)
    assert isinstance(root, Map)
    name, cases = root.entries[-1]
    if name.text != "cases":
        hint = "move it there; cases are added at the end of the file"
        raise ConfigError("`cases` is not the last key", where=f"{shown}:{name.mark.line}", hint=hint)
    assert isinstance(cases, Seq)
    if not cases.items:
        return _INDENT
    line = text.splitlines()[cases.items[0].mark.line - 1]
    return len(line) - len(line.lstrip(" "))


def _indented(text: str, indent: int) -> str:
    pad = " " * indent
    return "".join(pad + line[_INDENT:] if line.strip() else line for line in text.splitlines(keepends=True))


def _case_node(made: MadeCase, *, exact: bool) -> CommentedMap:
    case, result = made.case, made.result
    step = case.steps[0]
    written = CommentedMap(case=case.name)
    if step.at_ms is not None:
        written["at"] = (_EPOCH + dt.timedelta(milliseconds=step.at_ms)).isoformat().replace("+00:00", "Z")
    if case.lookups:
        written["lookups"] = node(case.lookups)
    written["given"] = CommentedSeq(_row_node(row) for row in step.given)
    if result.events or not result.classes:
        events = CommentedSeq(event_node(each, exact=exact) for each in result.events)
        written["events"] = events if result.events else "none"
    if result.classes:
        written["letter"] = result.classes[0] if len(result.classes) == 1 else node(result.classes)
    if result.unexplained:
        written["unexplained"] = node(result.unexplained)
    if set(result.outcomes) != {"published"} and not result.classes:
        written["outcomes"] = node(result.outcomes)
    return written


def _row_node(row: GivenRow) -> CommentedMap:
    """The row; of an update's ``after`` only what differs."""
    after = row.after
    if row.before is not None and after is not None:
        after = {name: value for name, value in after.items() if name not in row.before or row.before[name] != value}
    images = {"before": row.before, "after": after, "other": row.other}
    plain = {
        "table": row.table,
        "op": row.op,
        **{name: dict(image) for name, image in images.items() if image is not None},
    }
    made: CommentedMap = node(plain)
    return made
