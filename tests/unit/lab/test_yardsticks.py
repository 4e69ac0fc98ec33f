"""The laboratory's own instruments, each against output that is wrong in one way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.lab.reference import Expected, translate
from tests.faults.lab.verdict import Event, Verdict, judge

CREATED, ADDED = ("ThingCreated", 0, 4), ("PartAdded", 11, 2)


@dataclass
class Raw:
    offset: int
    key: bytes | None
    value: bytes | None
    partition: int = 0


def row(
    tx: int, lsn: int, table: str, thing: int, before: Any, after: dict[str, Any], snapshot: str = "false"
) -> tuple[bytes, bytes]:
    source = {"txId": tx, "lsn": lsn, "ts_ms": tx, "table": table, "snapshot": snapshot}
    full = {f"{table}_id": thing if table == "thing" else 11, **after}
    old = None if before is None else {**full, **before}
    value = {"before": old, "after": full, "source": source}
    return json.dumps({"thingId": thing}).encode(), json.dumps(value).encode()


def raw(*rows: tuple[bytes | None, bytes | None]) -> list[Raw]:
    return [Raw(offset, key, value) for offset, (key, value) in enumerate(rows)]


CREATE = row(7, 10, "thing", 1, None, {"val": 4, "cod": "A"})
ADD = row(7, 11, "part", 1, None, {"qty": 2})
CHANGE = row(8, 20, "thing", 1, {"val": 4}, {"val": 5, "cod": "A"})


def test_rows_of_a_transaction_are_one_set_and_a_row_told_twice_is_a_duplicate():
    expected = translate(raw(CREATE, ADD, CREATE, CHANGE))
    assert dict(expected.sets) == {1: [(7, (CREATED, ADDED)), (8, (("ThingChanged", 0, 5),))]}
    assert (expected.duplicates, expected.letters) == (1, [])


def test_what_cannot_be_read_holds_its_thing_back_with_all_its_rows():
    expected = translate(raw(CREATE, (CREATE[0], b"{"), ADD, CHANGE))
    assert dict(expected.sets) == {}
    assert sorted(expected.letters) == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_what_cannot_be_read_and_has_no_key_holds_nobody_back():
    expected = translate(raw(CREATE, (None, b"{"), ADD))
    assert dict(expected.sets) == {1: [(7, (CREATED, ADDED))]}
    assert expected.letters == [(0, 1)]


def test_a_statement_amid_a_transaction_is_older_than_it_and_one_behind_it_is_not():
    stated = row(0, 5, "thing", 1, None, {"val": 9, "cod": "A"}, snapshot="true")
    fact = (0, (("ThingStated", 0, 9),))
    assert translate(raw(CREATE, stated, ADD)).sets[1] == [fact, (7, (CREATED, ADDED))]
    assert translate(raw(CREATE, ADD, stated)).sets[1] == [(7, (CREATED, ADDED)), fact]


def event(place: int, fact: tuple[str, int, int], identity: str = "", sequence: str = "") -> Event:
    return Event((0, place), 1, 7, fact, identity or f"id{place}", sequence or f"{place:03}", "digest")


def verdict(committed: list[Event], written: list[Event] | None = None, **seen: Any) -> Verdict:
    expected = Expected()
    expected.sets[1] = [(7, (CREATED, ADDED))]
    everything = committed if written is None else written
    return judge(expected, committed, everything, seen.get("seen", {}), seen.get("torn", ()))


RIGHT = [event(0, CREATED), event(1, ADDED)]


def test_right_output_is_good():
    assert verdict(RIGHT, seen={(0, 0): "id0"}).good


@pytest.mark.parametrize(
    ("wrong", "committed", "written", "watched"),
    [
        ("missing", [], None, {}),
        ("torn", RIGHT[:1], None, {}),
        ("extra", [*RIGHT, event(2, ADDED)], None, {}),
        ("reordered", [event(0, ADDED), event(1, CREATED)], None, {}),
        ("reordered", [event(0, CREATED, sequence="2"), event(1, ADDED, sequence="1")], None, {}),
        ("ids", [event(0, CREATED, "same"), event(1, ADDED, "same")], None, {}),
        ("ids", RIGHT, [event(5, CREATED, "other", "000"), *RIGHT], {}),
        ("unstable", RIGHT, None, {"seen": {(0, 4): "gone"}}),
        ("torn", RIGHT, None, {"torn": [(7, 1)]}),
    ],
)
def test_each_wrong_is_told_by_its_name(wrong, committed, written, watched):
    found = verdict(committed, written, **watched)
    assert getattr(found, wrong) > 0
    assert not found.good
    assert found.told


def test_a_set_whose_end_another_open_transaction_hid_is_not_torn():
    stranger = Event((0, 1), 2, 9, CREATED, "idx", "1", "digest")
    events = [event(0, CREATED), stranger, event(2, ADDED)]
    expected = Expected()
    expected.sets[1] = [(7, (CREATED, ADDED))]
    expected.sets[2] = [(9, (CREATED,))]
    assert judge(expected, events, events, {}, [(7, 1)]).torn == 0


@pytest.mark.parametrize("name", ["lab/reference", "lab/verdict", "lab/watcher", "lab/source", "lab/wire", "source"])
def test_what_judges_and_what_tells_import_nothing_of_the_gateway(name):
    """The wire's broker is the stack's, which is none of what is judged."""
    text = (Path(__file__).parents[2] / "faults" / f"{name}.py").read_text()
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    judged = {one for one in imported if one.startswith("gateway") and not one.startswith("gateway.stack")}
    assert judged == set()
