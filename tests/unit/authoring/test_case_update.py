"""`--update`: only what fails is written anew, comments and spelling stay, and then all pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_worlds import run_all, shop

from gateway.authoring.case_update import updated
from gateway.model.errors import ConfigError

FILE = """# cases of a shop
defaults:
  s.cust: { born: 0,   sts: A }   # spelled as somebody likes it
background:
  s.cust: [{id: 7, nm: Meier}]
  s.addr: [{aid: 1, id: 7, str: Gasse 1, cty: Bern, geo: a}]
cases:
  - case: this one passes
    given: [ {table: s.addr, op: update, after: {aid: 1, cty: Oslo}} ]
    events: [ {event: Moved,   data: {city: Oslo}} ]   # as it is

  - case: this one fails
    given:
      # somebody moves
      - {table: s.addr, op: update, after: {aid: 1, cty: 'Oslo'}}
EVENTS

  # the last of all
  - case: two steps
    steps:
      - given: [{table: s.cust, op: update, after: {id: 7, nm: "0150"}}]
        then: THEN
"""
MOVED = "      - event: Moved\n        data: {city: Oslo}"
RENAMED = "[{event: Renamed}]"


def write_anew(folder: Path, events: str, then: str) -> str:
    """The text as updated; asserts that all its cases pass, and that updating again changes nothing."""
    text = FILE.replace("EVENTS", events).replace("THEN", then)
    failed = [result for result in run_all(shop(folder, text)) if result.differences]
    assert failed
    new = updated(text, failed)
    assert [result.differences for result in run_all(shop(folder, new))] == [(), (), ()]
    return new


def written(events: str, then: str) -> str:
    return FILE.replace("EVENTS", events).replace("THEN", then)


def test_a_field_is_written_in_its_place(tmp_path: Path) -> None:
    events = "    events:\n      - event: Moved   # why\n        intent: pending\n        data: {city: Rom}  # where"
    right = "    events:\n      - event: Moved   # why\n        intent: fact\n        data: {city: Oslo} # where"
    assert write_anew(tmp_path, events, RENAMED) == written(right, RENAMED)


def test_an_event_that_nobody_expects_is_added_and_one_that_does_not_come_is_removed(tmp_path: Path) -> None:
    new = write_anew(tmp_path, "    events:\n      - event: Registered   # no", "none")
    event = "      - event: Moved\n        intent: fact\n        data: {customerId: 7, street: Gasse 1, city: Oslo}"
    data = "data: {customerId: 7, name: 0150, was: Meier}"
    renamed = f"\n          - event: Renamed\n            intent: fact\n            {data}"
    assert new == written(f"    events:\n{event}", renamed).replace("then: \n", "then:\n")


def test_events_are_written_where_none_stood(tmp_path: Path) -> None:
    new = write_anew(tmp_path, "    outcomes: [noise]", RENAMED)
    event = "      - event: Moved\n        intent: fact\n        data: {customerId: 7, street: Gasse 1, city: Oslo}"
    assert new == written(f"    events:\n{event}\n    outcomes: [published]", RENAMED)


def test_letters_and_unexplained_changes_are_removed_and_written(tmp_path: Path) -> None:
    events = f"    events:\n{MOVED}\n    letter: rule\n    unexplained: [address.city]"
    then = "{events: [{event: Renamed}], unexplained: [x]}"
    right = "{events: [{event: Renamed}]}"
    assert write_anew(tmp_path, events, then) == written(f"    events:\n{MOVED}", right)


def test_an_order_is_put_right_and_keeps_what_is_written(tmp_path: Path) -> None:
    text = (
        FILE.split("  - case: this one fails")[0]
        + """  - case: two
    given:
      - {table: s.cust, op: update, after: {id: 7, nm: Na}}
      - {table: s.addr, op: update, after: {aid: 1, cty: Oslo}}
    events:
      - event: Moved
        data: {city: Oslo}
      - event: Renamed
        data: {name: Na}
"""
    )
    new = updated(text, [each for each in run_all(shop(tmp_path, text)) if each.differences])
    assert [each.differences for each in run_all(shop(tmp_path, new))] == [(), ()]
    assert new.endswith("    events:\n      - event: Renamed\n        data: {name: Na}\n" + MOVED + "\n")


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    text = written("    events: []", RENAMED)
    failed = [result for result in run_all(shop(tmp_path, text)) if result.differences]
    with pytest.raises(ConfigError, match="changed meanwhile"):
        updated("# a line more\n" + text, failed)
