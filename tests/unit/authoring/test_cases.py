"""Test cases: steps in time, rows that carry over, what is compared, and faults with their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_worlds import run_all, shop

from gateway.model.errors import ConfigError

HEAD = """defaults:
  s.cust: {born: 0, sts: A}
background:
  s.cust: [{id: 7, nm: Meier}]
  s.addr: [{aid: 1, id: 7, str: Gasse 1, cty: Bern, geo: a}]
cases:
"""


def differences(folder: Path, cases: str) -> list[tuple[str, ...]]:
    return [result.differences for result in run_all(shop(folder, cases))]


STEPS = """  - case: moved, renamed, moved again
    steps:
      - step: she moves
        given: [{table: s.addr, op: update, after: {aid: 1, str: Gata 2}}]
        then:
          - {event: Moved, key: 7, exactly: {customerId: 7, street: Gata 2, city: Bern}}
      - step: the register answers
        at: 2026-03-01
        given:
          - {table: s.addr, op: update, after: {aid: 1, geo: b}}
          - {table: s.cust, op: update, after: {id: 7, nm: Huber}}
        then:
          events: [{event: Renamed, data: {name: Huber, was: Meier}}]
          outcomes: [noise, published]
      - step: another town
        given: [{table: s.addr, op: update, after: {aid: 1, cty: Oslo}}]
        then: [{event: Moved, data: {street: Gata 2, city: Oslo}}]
      - step: nothing new
        given: [{table: s.addr, op: update, after: {aid: 1, cty: Oslo}}]
        then: none
"""


def test_rows_carry_over_from_the_background_and_from_step_to_step(tmp_path: Path) -> None:
    assert differences(tmp_path, HEAD + STEPS) == [()]


def test_a_row_that_a_step_made_can_be_changed_and_deleted_by_its_key(tmp_path: Path) -> None:
    cases = (
        HEAD
        + """  - case: a life
    steps:
      - given: [{table: s.cust, op: insert, after: {id: 8, nm: Ny}}]
        then: [{event: Registered, exactly: {customerId: 8, name: Ny, birthDate: null, homes: []}}]
      - given: [{table: s.cust, op: update, after: {id: 8, nm: Na}}]
        then: [{event: Renamed, data: {was: Ny}}]
      - given: [{table: s.cust, op: delete, before: {id: 8}}]
        then: {unexplained: [customer]}
"""
    )
    assert differences(tmp_path, cases) == [()]


def test_rows_of_a_case_differ_from_the_background_only_in_what_they_name(tmp_path: Path) -> None:
    cases = (
        HEAD
        + """  - case: a stranger
    rows: {s.cust: [{id: 7, born: 19900131}]}
    given: [{table: s.cust, op: update, after: {id: 7, nm: Na}}]
    then: [{event: Renamed, data: {was: Meier}}]
"""
    )
    assert differences(tmp_path, cases) == [()]


def test_a_change_behind_a_dead_letter_of_an_earlier_step_is_parked(tmp_path: Path) -> None:
    cases = (
        HEAD
        + """  - case: an unknown code, then a move
    steps:
      - given: [{table: s.cust, op: update, after: {id: 7, sts: Q}}]
        then: {letter: decode}
      - given: [{table: s.addr, op: update, after: {aid: 1, cty: Oslo}}]
        then: {letter: order-blocked, outcomes: [parked]}
  - case: the same, not told
    steps:
      - given: [{table: s.cust, op: update, after: {id: 7, sts: Q}}]
        then: {letter: decode}
      - given: [{table: s.addr, op: update, after: {aid: 1, cty: Oslo}}]
        then: none
"""
    )
    assert differences(tmp_path, cases) == [(), ("step 2: dead letter order-blocked",)]


TWO = """    given:
      - {table: s.cust, op: update, after: {id: 7, nm: Na}}
      - {table: s.addr, op: update, after: {aid: 1, cty: Oslo}}
"""


def test_events_are_compared_in_their_order_unless_any_will_do(tmp_path: Path) -> None:
    events = "[{event: Moved}, {event: Renamed}]"
    cases = f"{HEAD}  - case: a\n{TWO}    events: {events}\n  - case: b\n{TWO}    order: any\n    events: {events}\n"
    assert differences(tmp_path, cases) == [("event 1 (Moved): came in another place, as number 2",), ()]


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("[{event: Moved, intent: correction}]", "event 1 (Moved).intent: expected 'correction', got 'fact'"),
        ("[{event: Moved, key: 8}]", "event 1 (Moved).key: expected '8', got '7'"),
        ("[{event: Moved, data: {city: Rom}}]", "event 1 (Moved).data.city: expected 'Rom', got 'Oslo'"),
        ("[{event: Moved, data: {town: x}}]", "event 1 (Moved).data.town: there is no such field"),
        ("[{event: Moved, exactly: {customerId: 7, city: Oslo}}]", "data.street: not expected: 'Gasse 1'"),
        ("[{event: Renamed}]", "event 1: expected Renamed, nearest is Moved by rule moved"),
        ("none", "event 1: not expected: Moved (fact) by rule moved"),
        ("{events: [{event: Moved}], outcomes: [noise]}", "outcomes: expected ['noise'], got ['published']"),
        ("{events: [{event: Moved}], letter: rule}", "expected a dead letter rule, got none"),
        ("{events: [{event: Moved}], unexplained: [address]}", "unexplained: expected ['address'], got []"),
    ],
)
def test_a_difference_is_told(tmp_path: Path, then: str, told: str) -> None:
    given = "[{table: s.addr, op: update, after: {aid: 1, cty: Oslo}}]"
    [found] = differences(tmp_path, f"{HEAD}  - case: a\n    given: {given}\n    then: {then}\n")
    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("{case: a, givn: []}", "did you mean `given`"),
        ("{case: a}", "`given` is missing"),
        ("{case: a, given: [{table: s.addr, op: updat}]}", "did you mean `update`"),
        ("{case: a, given: [{table: s.addr, op: insert}]}", "insert needs `after`"),
        ("{case: a, given: [], events: [], then: none}", "`events` beside `then`"),
        ("{case: a, given: [], steps: []}", "`given` beside `steps`"),
        ("{case: a, given: [], events: [{event: A, data: {}, exactly: {}}]}", "both `data` and `exactly`"),
        ("{case: a, given: [], at: soon}", "`soon` is no time"),
        ("{case: a, given: [], letter: lost}", "`lost` is not a dead letter's class"),
        ("{case: a, given: [], then: nothing}", "`nothing` is not `none`"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, case: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run_all(shop(tmp_path, f"cases:\n  - {case}\n"))
    assert told in str(caught.value)
    assert "shop_test.yaml:2:" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{table: s.addr, op: update, after: {aid: 9, cty: Rom}}", "no row of s.addr with this key stands here"),
        ("{table: s.addr, op: insert, after: {aid: 9}}", "lacks its aggregate's key: id"),
    ],
)
def test_a_row_that_cannot_be_made_whole_is_told_with_its_line(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run_all(shop(tmp_path, f"cases:\n  - case: a\n    given:\n      - {row}\n"))
    assert told in str(caught.value)
    assert "shop_test.yaml:4:9" in str(caught.value)
