"""Companions: counts with unknown rows, `same`, absent rows, lists, witnesses (language.md 4)."""

from collections.abc import Callable

import pytest

from gateway.mapping.compiled import Count
from gateway.model.event import Interpretation
from gateway.model.values import MISSING, UNREADABLE
from gateway.model.values import UNSENT as UNSENT_VALUE
from gateway.pipeline import match
from gateway.pipeline.match import count_truth
from tests.unit.pipeline.interpreted import (
    ADDRESS,
    RENAMED,
    UNSENT,
    Row,
    address,
    events,
    inserted,
    interpreted,
    lacking,
    mapped,
    noise,
    reasons,
    told,
)

EACH = "each: {table: customer, changed: [name]}"
LEGAL = "where: {kind: legal}"
SURE = {"typ": "LEG"}
NOT = {"typ": "RES"}


def closed(number: int, **more: object) -> Row:
    """An update whose kind may be unsent, so unknown."""
    return (ADDRESS, "u", address(addr_id=number, **more), address(addr_id=number, str="New 2", **more))


def letter(read: Interpretation) -> str:
    assert read.failure is not None
    return str(read.failure.letter_class)


@pytest.mark.parametrize("count", list(Count))
@pytest.mark.parametrize("sure", range(4))
@pytest.mark.parametrize("unknown", range(4))
def test_a_count_is_known_where_all_numbers_of_rows_from_t_to_t_plus_u_agree(
    count: Count, sure: int, unknown: int
) -> None:
    holds: dict[Count, Callable[[int], bool]] = {
        Count.ONE: lambda rows: rows == 1,
        Count.AT_MOST_ONE: lambda rows: rows <= 1,
        Count.AT_LEAST_ONE: lambda rows: rows >= 1,
        Count.NONE: lambda rows: rows == 0,
        Count.ANY: lambda rows: True,
    }
    possible = {holds[count](rows) for rows in range(sure, sure + unknown + 1)}
    certain = len(possible) == 1 and not (count is Count.ANY and unknown)
    assert count_truth(count, sure, unknown, MISSING) is (possible.pop() if certain else MISSING)


@pytest.mark.parametrize(
    ("count", "kinds", "outcome"),
    [
        ("one", [], "no"),
        ("one", ["LEG"], "yes"),
        ("one", ["LEG", "RES"], "yes"),
        ("one", ["LEG", "LEG"], "no"),
        ("one", [UNSENT], "doubt"),
        ("one", ["LEG", UNSENT], "doubt"),
        ("one", ["LEG", "LEG", UNSENT], "no"),
        ("at most one", [], "yes"),
        ("at most one", ["LEG", "LEG"], "no"),
        ("at most one", [UNSENT], "yes"),
        ("at most one", [UNSENT, UNSENT], "doubt"),
        ("at least one", [], "no"),
        ("at least one", ["LEG", "LEG"], "yes"),
        ("at least one", ["LEG", UNSENT], "yes"),
        ("at least one", [UNSENT], "doubt"),
        ("none", [], "yes"),
        ("none", ["RES"], "yes"),
        ("none", ["LEG"], "no"),
        ("none", [UNSENT], "doubt"),
        ("any", [], "yes"),
        ("any", ["LEG", "LEG"], "yes"),
        ("any", [UNSENT], "doubt"),
    ],
)
def test_counts_decide_whether_a_rule_fires(count: str, kinds: list[object], outcome: str) -> None:
    pattern = f"{{table: address, changed: [street], {LEGAL}, count: {count}}}"
    mapping = mapped(told("r", f"{EACH}\n    with: {{rows: {pattern}}}"))
    read = interpreted(mapping, RENAMED, *(closed(number, typ=kind) for number, kind in enumerate(kinds)))
    if outcome == "doubt":
        assert letter(read) == "rule"
    else:
        assert events(read) == ([("r", "x")] if outcome == "yes" else [])


def test_the_graver_of_several_doubts_gives_the_letter_its_class() -> None:
    mapping = mapped(
        told("r", f"{EACH}\n    with: {{rows: {{table: address, changed: [street], {LEGAL}, count: any}}}}")
    )
    unsent, missing, unreadable = closed(1, typ=UNSENT), closed(2, typ="LEG"), closed(3, typ="?")
    missing = (ADDRESS, "u", lacking(address(addr_id=2), "typ"), lacking(address(addr_id=2, str="New 2"), "typ"))
    for rows, expected in (
        ((unsent, missing), "drift"),
        ((missing, unsent), "drift"),
        ((unreadable, missing, unsent), "decode"),
        ((unsent, missing, unreadable), "decode"),
    ):
        assert letter(interpreted(mapping, RENAMED, *rows)) == expected
    assert match.both(UNSENT_VALUE, UNREADABLE) is UNREADABLE


def test_same_is_an_equality_of_null_too() -> None:
    mapping = mapped(
        told(
            "r",
            "each: {table: address, op: insert}\n    with: {old: {table: address, op: delete, same: [kind]}}",
            "{{ old.before.street }}",
        )
        + noise("rest", "each: {table: address, op: [insert, delete]}")
    )
    gone = (ADDRESS, "d", address(addr_id=1, typ=None, str="Old"), None)
    assert events(interpreted(mapping, gone, inserted(2, typ=None), inserted(3, typ="RES"))) == [("r", "Old")]


def test_same_takes_groups_of_columns() -> None:
    """Groups are usable in any list of columns."""
    mapping = mapped(
        told("r", "each: {table: address, op: insert}\n    with: {old: {table: address, op: delete, same: [place]}}")
    )
    gone = (ADDRESS, "d", address(addr_id=1), None)
    assert events(interpreted(mapping, gone, inserted(2))) == [("r", "x")]
    assert events(interpreted(mapping, gone, inserted(2, city="Ulm"))) == []


SAME_TWO = "with: {old: {table: address, changed: [street], same: [kind, city]}}"


def test_a_row_that_differs_in_one_column_of_same_is_none_though_the_other_is_unknown() -> None:
    """False and unknown is false."""
    mapping = mapped(told("r", f"each: {{table: address, op: insert}}\n    {SAME_TWO}"))
    assert events(interpreted(mapping, inserted(1, city="Ulm"), closed(2, typ=UNSENT, city="Bonn"))) == []
    assert letter(interpreted(mapping, inserted(1, city="Ulm"), closed(2, typ=UNSENT, city="Ulm"))) == "rule"


def test_an_anchor_that_differs_in_one_column_of_same_has_no_companion_though_its_other_is_unknown() -> None:
    mapping = mapped(
        told("r", "each: {table: address, changed: [street], explains: nothing}\n    "
             "with: {new: {table: address, op: insert, same: [kind, city]}}")
    )  # fmt: skip
    assert events(interpreted(mapping, inserted(1, city="Ulm"), closed(2, typ=UNSENT, city="Bonn"))) == []
    assert letter(interpreted(mapping, inserted(1, city="Ulm"), closed(2, typ=UNSENT, city="Ulm"))) == "rule"


def test_an_anchor_is_not_its_own_companion() -> None:
    mapping = mapped(told("r", "each: {table: address, op: insert}\n    with: {more: {table: address, op: insert}}"))
    assert events(interpreted(mapping, inserted(1))) == []
    assert events(interpreted(mapping, inserted(1), inserted(2))) == [("r", "x")]
    assert events(interpreted(mapping, inserted(1), inserted(2), inserted(3))) == []


def test_columns_of_an_absent_row_are_null_and_is_present_tells() -> None:
    mapping = mapped(
        told(
            "r",
            f"{EACH}\n    with: {{new: {{table: address, op: insert, count: at most one}}}}",
            "{{ 'with ' ~ new.after.street if new is present else 'without ' ~ (new.after.street | default('any')) }}",
        )
    )
    assert events(interpreted(mapping, RENAMED)) == [("r", "without any")]
    assert events(interpreted(mapping, RENAMED, inserted(1))) == [("r", "with Elm 1")]


def test_a_companion_of_unknown_count_is_unavailable_and_not_present() -> None:
    pattern = f"{{table: address, changed: [street], {LEGAL}, count: at most one}}"
    mapping = mapped(
        told("r", f"{EACH}\n    with: {{old: {pattern}}}", "{{ 'there' if old is present else 'not there' }}",
             more="    when: old is unavailable and not (old is present)\n")
    )  # fmt: skip
    assert events(interpreted(mapping, RENAMED, closed(1, typ=UNSENT))) == [("r", "not there")]
    reading = mapped(told("r", f"{EACH}\n    with: {{old: {pattern}}}", "{{ old.after.street }}"))
    assert letter(interpreted(reading, RENAMED, closed(1, typ=UNSENT))) == "rule"


def test_lists_are_in_first_record_order_and_their_length_is_known() -> None:
    mapping = mapped(
        "  - rule: r\n    event: Told\n    "
        + EACH
        + "\n    with: {rows: {table: address, op: insert, count: any}}\n"
        '    data: {what: "{{ rows | length }}", list: {$each: rows, $item: "{{ item.after.street }}"}}\n'.replace(
            "| length", "| length | text"
        )
    )
    read = interpreted(
        mapping, inserted(3, str="c"), inserted(1, str="a"), RENAMED, inserted(2, str="b"),
        (ADDRESS, "u", address(addr_id=3, str="c"), address(addr_id=3, str="z")),
    )  # fmt: skip
    assert events(read) == [("r", "3")]
    assert read.events[0].data["list"] == ["z", "a", "b"]


ONCE = "once: {rows: {table: address, changed: [street], where: {kind: legal}, count: at most one}}"


@pytest.mark.parametrize(("kinds", "outcome"), [([], "no"), (["RES"], "no"), (["LEG"], "yes"), ([UNSENT], "doubt")])
def test_a_once_rule_fires_only_if_it_takes_something_for_certain(kinds: list[object], outcome: str) -> None:
    read = interpreted(
        mapped(told("r", ONCE)), RENAMED, *(closed(number, typ=kind) for number, kind in enumerate(kinds))
    )
    if outcome == "doubt":
        assert letter(read) == "rule"
    else:
        assert events(read) == ([("r", "x")] if outcome == "yes" else [])


def test_a_once_rule_may_have_a_witness_beside_a_list_that_takes() -> None:
    """A load error is only: only witnesses, or only `any` and `none`."""
    match_ = (
        "once: {proof: {table: customer, changed: [name], explains: nothing},"
        " rows: {table: address, op: insert, count: any}}"
    )
    mapping = mapped(told("r", match_) + noise("n", "each: {table: customer, changed: [name]}"))
    assert events(interpreted(mapping, RENAMED)) == []
    read = interpreted(mapping, RENAMED, inserted(1))
    assert (events(read), reasons(read)) == ([("r", "x")], ["noise", "published"])


@pytest.mark.parametrize(
    "patterns",
    [
        "a: {table: address, op: insert, explains: nothing}",
        "a: {table: address, op: insert, count: any}, b: {table: address, op: delete, count: none}",
        "a: {table: address, op: insert, explains: nothing}, b: {table: address, op: delete, count: none}",
    ],
)
def test_a_once_rule_that_can_take_nothing_is_a_load_error(patterns: str) -> None:
    from gateway.model.errors import ConfigError

    with pytest.raises(ConfigError, match="takes nothing"):
        mapped(told("r", f"once: {{{patterns}}}"))


def test_a_row_may_serve_two_names_and_is_taken_once() -> None:
    match_ = (
        "once: {a: {table: address, op: insert, count: at least one},"
        " b: {table: address, op: insert, where: {kind: legal}}}"
    )
    read = interpreted(mapped(told("r", match_)), inserted(1, typ="LEG"), inserted(2))
    assert (events(read), read.accounting.by_event, read.accounting.units) == ([("r", "x")], 2, 2)


def test_a_rules_work_is_linear_in_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that fit, but too many of them, are not tried anew for every anchor: with `same` and without."""
    from gateway.pipeline import firing

    tried = 0

    def counting(*given: object) -> object:
        nonlocal tried
        tried += 1
        return match.fits(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(firing, "fits", counting)
    size = 60
    for same in ("", ", same: [kind]", ", same: [city]"):
        mapping = mapped(
            told("r", f"each: {{table: address, op: insert}}\n    with: {{old: {{table: address, op: delete{same}}}}}")
        )
        rows: list[Row] = [(ADDRESS, "d", address(addr_id=number, city=UNSENT), None) for number in range(size)]
        tried = 0
        read = interpreted(mapping, *rows, *(inserted(1000 + number) for number in range(size)))
        assert read.failure is None or letter(read) == "rule"
        assert tried <= 4 * size, same
