"""Writes what came out into a case file: only expectations that fail are touched, comments and spelling stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from gateway.authoring.case_compare import ABSENT, Difference, FieldDifference
from gateway.authoring.case_yaml import dump, load, merged, node, settle
from gateway.authoring.cases import CaseResult, StepResult
from gateway.authoring.shown import plain
from gateway.model.errors import ConfigError
from gateway.model.event import EncodedEvent

__all__ = ["event_node", "updated"]


def updated(text: str, results: Sequence[CaseResult]) -> str:
    """The case file's text with the expectations of these results as they came out.

    ConfigError: the results are not those of this text.
    """
    tree = load(text)
    base = dump(tree)
    cases = {tree["cases"].lc.item(index)[0] + 1: case for index, case in enumerate(tree["cases"])}
    for result in results:
        case = cases.get(result.case.line)
        if case is None:
            raise ConfigError("the file changed meanwhile", where=result.case.place.file, hint="run it again")
        for number, step in enumerate(result.steps):
            if step.differences:
                _write_step(case["steps"][number] if "steps" in case else case, step, nested="steps" in case)
    return merged(text, base, dump(tree))


def event_node(encoded: EncodedEvent, *, exact: bool = False) -> CommentedMap:
    """An event as a case expects it: its name, intent and whole payload; ``exact``: nothing else may be in it."""
    event = encoded.event
    made = CommentedMap(event=event.name, intent=str(event.intent))
    made["exactly" if exact else "data"] = node(plain(event.data))
    return made


def _write_step(holder: Any, result: StepResult, *, nested: bool) -> None:
    """``holder``: the step, or the case that is one; what it means may stand in it or under ``then``."""
    by_kind: dict[str, list[Difference]] = {}
    for difference in result.differences:
        by_kind.setdefault(difference.what, []).append(difference)
    meaning = _meaning(holder, nested=nested, only_events=not by_kind.keys() & {"letter", "unexplained", "outcomes"})
    if isinstance(meaning, CommentedSeq):
        _write_events(meaning, result)
        return
    if by_kind.keys() & {"event", "missing", "unexpected", "order"}:
        _write_events(_events(meaning), result)
    if "letter" in by_kind:
        _set(meaning, "letter", result.classes[0] if len(result.classes) == 1 else result.classes)
    if "unexplained" in by_kind:
        _set(meaning, "unexplained", result.unexplained)
    if "outcomes" in by_kind:
        _set(meaning, "outcomes", result.outcomes)


def _meaning(holder: Any, *, nested: bool, only_events: bool) -> Any:
    """The map or list in which the expectations stand, made where there is none."""
    if "then" not in holder:
        if not nested:
            return holder
        holder["then"] = CommentedSeq() if only_events else CommentedMap()
    then = holder["then"]
    if isinstance(then, str):
        holder["then"] = CommentedSeq() if only_events else CommentedMap()
    elif isinstance(then, CommentedSeq) and not only_events:
        holder["then"] = CommentedMap(events=then)
    return holder["then"]


def _events(meaning: Any) -> CommentedSeq:
    if not isinstance(meaning.get("events"), CommentedSeq):
        keys = list(meaning)
        place = keys.index("given") + 1 if "given" in keys and "events" not in keys else None
        if place is None:
            meaning["events"] = CommentedSeq()
        else:
            meaning.insert(place, "events", CommentedSeq())
    events: CommentedSeq = meaning["events"]
    return events


def _set(meaning: Any, key: str, value: object) -> None:
    if value:
        meaning[key] = node(value)
    else:
        meaning.pop(key, None)


def _write_events(events: CommentedSeq, result: StepResult) -> None:
    """Change, insert and remove until the list says what came out, in its order."""
    kept: dict[int, Any] = {}
    gone: list[int] = []
    for difference in result.differences:
        if difference.what == "event" and difference.number is not None:
            _write_fields(events[difference.number], difference.fields)
        elif difference.what == "order" and difference.number is not None and difference.came is not None:
            kept[difference.came] = events[difference.number]
            gone.append(difference.number)
        elif difference.what == "missing" and difference.number is not None:
            gone.append(difference.number)
    for place in sorted(gone, reverse=True):
        del events[place]
    new = sorted({d.came for d in result.differences if d.what in ("unexpected", "order") and d.came is not None})
    if new:
        events.fa.set_block_style()
    for came in new:
        made = kept.get(came) or event_node(result.events[came])
        events.insert(min(came, len(events)), made)
    if not events:
        events.fa.set_flow_style()


def _write_fields(event: Any, fields: Sequence[FieldDifference]) -> None:
    for field in fields:
        if field.at[0] != "data":
            event[field.at[0]] = node(field.actual)
            continue
        parent, path = event, ("exactly" if "exactly" in event else "data", *field.at[1:])
        for part in path[:-1]:
            parent = parent[part]
        if field.actual is ABSENT:
            del parent[path[-1]]
        else:
            parent[path[-1]] = node(field.actual)
            if parent.fa.flow_style():
                settle(parent)
