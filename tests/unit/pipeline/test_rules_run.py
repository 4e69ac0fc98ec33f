"""How rules run: order, what is taken, witnesses, doubt, policies, outcomes (language.md 4, 7, 8)."""

import pytest

from gateway.model.event import Interpretation
from tests.unit.pipeline.interpreted import (
    ADDRESS,
    CUSTOMER,
    RENAMED,
    UNSENT,
    Row,
    address,
    customer,
    events,
    inserted,
    interpreted,
    lacking,
    mapped,
    noise,
    reasons,
    replayed,
    told,
)

NAME = "each: {table: customer, changed: [name]}"
BOTH: Row = (CUSTOMER, "u", customer(), customer(nm="Bob", amt="2.00"))


def letter(read: Interpretation) -> str:
    assert read.failure is not None
    assert read.events == ()
    return str(read.failure.letter_class)


def test_the_first_rule_that_fits_takes_a_column_and_later_ones_fire_on_what_is_left() -> None:
    mapping = mapped(told("a", NAME) + told("b", "each: {table: customer, changed: [name, amount]}") + told("c", NAME))
    read = interpreted(mapping, BOTH)
    assert (events(read), read.accounting.by_event, reasons(read)) == ([("a", "x"), ("b", "x")], 2, ["published"])
    assert events(interpreted(mapping, RENAMED)) == [("a", "x")]


def test_from_and_to_on_a_taken_column_do_not_match_and_values_are_always_visible() -> None:
    mapping = mapped(
        told("a", NAME)
        + told("b", "each: {table: customer, where: {name: {to: Bob}}}")
        + told("c", "each: {table: customer, changed: [amount], where: {name: Bob}}")
    )
    assert events(interpreted(mapping, BOTH)) == [("a", "x"), ("c", "x")]


def test_explains_takes_more_columns_if_they_changed() -> None:
    mapping = mapped(
        told("a", "each: {table: customer, changed: [name], explains: [amount]}")
        + told("b", "each: {table: customer, changed: [amount]}")
    )
    assert events(interpreted(mapping, BOTH)) == [("a", "x")]
    assert interpreted(mapping, RENAMED).accounting.by_event == 1


def test_a_witness_sees_taken_changes_and_takes_none() -> None:
    mapping = mapped(
        told("a", "each: {table: customer, changed: [name], explains: nothing}")
        + noise("n", NAME)
        + told("b", "each: {table: customer, where: {name: {from: Ann}}, explains: nothing}")
        + told("c", "each: {table: address, op: insert, explains: nothing}")
    )
    read = interpreted(mapping, RENAMED)
    assert (events(read), reasons(read)) == ([("a", "x"), ("b", "x")], ["noise"])
    assert (read.accounting.by_event, read.accounting.by_noise) == (0, 1)
    assert reasons(interpreted(mapping, inserted(1))) == ["unexplained"]


def test_a_rule_runs_row_by_row_in_first_record_order_and_takes_at_once() -> None:
    """The first anchor takes the only companion; the second finds none."""
    mapping = mapped(
        told("a", "each: {table: address, op: insert}\n    with: {gone: {table: address, op: delete}}",
             "{{ after.street }}")
        + told("b", "each: {table: address, op: insert}", "{{ after.street }}")
    )  # fmt: skip
    gone: Row = (ADDRESS, "d", address(addr_id=9), None)
    read = interpreted(mapping, inserted(2, str="second"), gone, inserted(1, str="first"))
    assert events(read) == [("a", "second"), ("b", "first")]


def test_events_come_in_firing_order_not_in_record_order() -> None:
    mapping = mapped(told("a", NAME) + told("b", "each: {table: address, op: insert}"))
    assert events(interpreted(mapping, inserted(1), RENAMED)) == [("a", "x"), ("b", "x")]


def test_is_changed_tells_the_net_change_taken_or_not_and_false_outside_updates() -> None:
    mapping = mapped(
        noise("n", NAME)
        + told("a", "each: {table: customer, changed: [amount]}", more="    when: row.name is changed\n")
        + told("b", "each: {table: customer, op: insert}", more="    when: not (row.name is changed)\n")
    )
    assert events(interpreted(mapping, BOTH)) == [("a", "x")]
    assert events(interpreted(mapping, (CUSTOMER, "c", None, customer()))) == [("b", "x")]


DOUBT = "each: {table: customer, changed: [amount], where: {name: Ann}}"
IN_DOUBT: Row = (CUSTOMER, "u", customer(nm=UNSENT), customer(nm=UNSENT, amt="2.00"))


def test_an_undecided_rule_is_a_dead_letter_unless_it_is_skipped() -> None:
    rest = noise("n", "each: {table: customer, changed: [amount]}")
    assert letter(interpreted(mapped(told("a", DOUBT) + rest), IN_DOUBT)) == "rule"
    skipping = mapped(told("a", DOUBT, more="    undecided: skip\n") + rest)
    assert reasons(interpreted(skipping, IN_DOUBT)) == ["noise"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (customer(nm=UNSENT), "rule"),
        (lacking(customer(), "nm"), "drift"),
        (customer(sts="?", nm="Ann"), "decode"),
    ],
)
def test_the_reason_of_a_doubt_gives_the_letter_its_class(image: dict[str, object], expected: str) -> None:
    rule = told("a", "each: {table: customer, changed: [amount], where: {name: Ann, status: active}}")
    assert letter(interpreted(mapped(rule), (CUSTOMER, "u", image, {**image, "amt": "2.00"}))) == expected


@pytest.mark.parametrize(
    "rule",
    [
        told("a", "each: {table: customer, changed: [amount], where: {name: Ann, status: merged}}"),
        told("a", DOUBT, more="    when: after.status == 'merged'\n"),
        told("a", f"{DOUBT}\n    with: {{rows: {{table: address, op: insert}}}}"),
        told("a", "each: {table: customer, changed: [amount]}", more="    when: row.name == 'x' and row.amount == 0\n"),
        told("a", "each: {table: customer, where: {name: {to: Ann}}}"),
    ],
)
def test_unknowns_in_a_rule_that_is_false_anyway_do_no_harm(rule: str) -> None:
    read = interpreted(mapped(rule), IN_DOUBT)
    assert (events(read), reasons(read)) == ([], ["unexplained"])


def test_a_test_for_is_unavailable_decides() -> None:
    mapping = mapped(
        told("a", "each: {table: customer, changed: [amount]}", more="    when: row.name is unavailable\n")
    )
    assert events(interpreted(mapping, IN_DOUBT)) == [("a", "x")]


def test_from_an_image_that_is_not_known_is_undecided() -> None:
    mapping = mapped(told("a", "each: {table: customer, where: {name: {from: Ann}}}"))
    assert letter(interpreted(mapping, (CUSTOMER, "u", customer(nm=UNSENT), customer(nm="Bob")))) == "rule"


def test_on_insert_only_to_is_tested_and_on_delete_only_from() -> None:
    mapping = mapped(
        told("a", "each: {table: customer, op: [insert, update, delete], where: {status: {from: active, to: merged}}}")
    )
    assert events(interpreted(mapping, (CUSTOMER, "c", None, customer(sts="M")))) == [("a", "x")]
    assert events(interpreted(mapping, (CUSTOMER, "c", None, customer(sts="A")))) == []
    assert events(interpreted(mapping, (CUSTOMER, "d", customer(sts="A"), None))) == [("a", "x")]
    assert events(interpreted(mapping, (CUSTOMER, "d", customer(sts="M"), None))) == []
    assert events(interpreted(mapping, (CUSTOMER, "u", customer(), customer(sts="M")))) == [("a", "x")]


@pytest.mark.parametrize(
    ("test", "status", "fires"),
    [
        ("active", "A", True),
        ("active", None, False),
        ("[active, merged]", "M", True),
        ("null", None, True),
        ("null", "", True),
        ("null", "A", False),
        ("[merged, null]", None, True),
        ("{not: active}", None, True),
        ("{not: active}", "A", False),
        ("{not: [active, null]}", None, False),
        ("{not: null}", "A", True),
        ("{not: null}", None, False),
    ],
)
def test_a_test_of_where_is_equality_of_null_too(test: str, status: str | None, fires: bool) -> None:
    mapping = mapped(told("a", f"each: {{table: customer, op: insert, where: {{status: {test}}}}}"))
    assert bool(events(interpreted(mapping, (CUSTOMER, "c", None, customer(sts=status))))) is fires


def test_a_second_equal_id_is_a_dead_letter_at_run_time() -> None:
    """Two firings of one event, slot and row that loading could not tell: different changes of one row."""
    one = "  - rule: a\n    event: Told\n    each: {table: customer, changed: [name]}\n    data: {what: x}\n"
    assert letter_of_clash(one + one.replace("rule: a", "rule: b").replace("[name]", "[amount]")) == "load"


def letter_of_clash(rules: str) -> str:
    from gateway.model.errors import ConfigError

    try:
        return letter(interpreted(mapped(rules), BOTH))
    except ConfigError:
        return "load"


# -- policies and outcomes ----


@pytest.mark.parametrize(
    ("more", "table_says", "expected"),
    [
        ("", "", ""),
        ("unexplained: park\n", "", "unexplained"),
        ("unexplained: park\n", "report", ""),
        ("", "park", "unexplained"),
    ],
)
def test_unexplained_is_decided_by_the_table_then_by_the_mapping(more: str, table_says: str, expected: str) -> None:
    read = interpreted(policed(more, "unexplained", table_says), BOTH)
    if expected:
        assert letter(read) == expected
    else:
        assert [unit.column for unit in read.unexplained] == ["amount"]
        assert reasons(read) == ["unexplained"]


@pytest.mark.parametrize(
    ("more", "table_says", "expected"),
    [
        ("", "", "undeclared"),
        ("undeclared: park\n", "", "drift"),
        ("undeclared: ignore\n", "", "noise"),
        ("undeclared: park\n", "ignore", "noise"),
        ("undeclared: ignore\n", "report", "undeclared"),
        ("", "park", "drift"),
    ],
)
def test_undeclared_is_decided_by_the_table_then_by_the_mapping(more: str, table_says: str, expected: str) -> None:
    row: Row = (CUSTOMER, "u", customer(memo="a"), customer(memo="b", nm="Bob"))
    read = interpreted(policed(more, "undeclared", table_says), row)
    assert (letter(read) if read.failure is not None else reasons(read)[0]) == expected
    assert "undeclared column crm.cust.memo" in read.findings


def policed(more: str, policy: str, table_says: str):
    from tests.unit.pipeline.interpreted import TABLES

    said = f"    row: [customerId]\n    {policy}: {table_says}\n" if table_says else "    row: [customerId]\n"
    return mapped(noise("n", NAME), TABLES.replace("    row: [customerId]\n", said), more)


@pytest.mark.parametrize(
    ("policy", "expected"), [("report", "undeclared"), ("ignore", "undeclared"), ("park", "drift")]
)
def test_a_table_that_no_mapping_knows_is_judged_by_the_mapping(policy: str, expected: str) -> None:
    unknown: Row = ("crm.new", "c", None, {"cust_id": 7})
    mapping = mapped(noise("n", NAME), more=f"undeclared: {policy}\n")
    for rows in ([unknown], [unknown, RENAMED]):
        read = interpreted(mapping, *rows)
        assert (letter(read) if read.failure is not None else reasons(read)[0]) == expected
        assert ("undeclared table crm.new" in read.findings) == (policy == "report")


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        ({"nm": "Bob", "amt": "2.00", "sts": "M", "memo": "x", "upd_pgm": "X"}, "published"),
        ({"nm": "Bob", "amt": "2.00", "memo": "x", "upd_pgm": "X"}, "unexplained"),
        ({"nm": "Bob", "memo": "x", "upd_pgm": "X"}, "undeclared"),
        ({"nm": "Bob", "sts": "A ", "upd_pgm": "X"}, "noise"),
        ({"sts": "A ", "upd_pgm": "X"}, "format-only"),
        ({"upd_pgm": "X"}, "bookkeeping"),
        ({}, "no-change"),
    ],
)
def test_a_records_outcome_is_the_first_that_applies(after: dict[str, object], outcome: str) -> None:
    mapping = mapped(noise("n", NAME) + told("s", "each: {table: customer, changed: [status]}"))
    read = interpreted(mapping, (CUSTOMER, "u", customer(), customer(**after)))
    assert reasons(read) == [outcome]
    account = read.accounting
    assert account.units == account.by_event + account.by_noise + account.bookkeeping + account.unexplained


def test_all_records_of_a_row_share_its_outcome_and_a_failure_is_the_whole_sets() -> None:
    mapping = mapped(told("a", NAME) + told("b", "each: {table: address, op: insert}", "{{ after.street }}"))
    second: Row = (CUSTOMER, "u", customer(nm="Bob"), customer(nm="Cid"))
    assert reasons(interpreted(mapping, RENAMED, inserted(1), second)) == ["published"] * 3
    assert reasons(interpreted(mapping, RENAMED, inserted(1, typ="?"), second)) == ["dead_lettered"] * 3


# -- snapshot, truncate, contract ----

STATE = told("s", "each: {table: customer, op: snapshot}", "{{ after.name }}", more="    intent: state\n")


def test_snapshot_rows_say_nothing_but_by_a_state_rule() -> None:
    row: Row = (CUSTOMER, "r", None, customer())
    assert reasons(interpreted(mapped(told("a", "each: {table: customer, op: insert}")), row)) == ["snapshot"]
    read = interpreted(mapped(STATE), row)
    assert (events(read), reasons(read), read.accounting.units) == ([("s", "Ann")], ["published"], 0)
    assert reasons(interpreted(mapped(STATE), (ADDRESS, "r", None, address(typ="?")))) == ["snapshot"]


def test_snapshot_rows_are_never_assembled_and_an_undecodable_one_parks_nothing() -> None:
    result = replayed(mapped(STATE), [(CUSTOMER, "r", None, customer()), (CUSTOMER, "r", None, customer(sts="?"))])
    assert [len(read.outcomes) for read in result.interpretations] == [1, 1]
    assert [str(each.letter_class) for each in result.letters] == ["decode"]
    assert (len(result.events), result.parked) == (1, {})


@pytest.mark.parametrize(("policy", "kind"), [("drift", "dead_lettered"), ("ignore", "ignored")])
def test_a_truncate_is_drift_unless_its_table_ignores_it(policy: str, kind: str) -> None:
    from tests.unit.pipeline.interpreted import TABLES

    tables = TABLES.replace("    row: [customerId]\n", f"    row: [customerId]\n    truncate: {policy}\n")
    from gateway.authoring.forge import Forge, Position
    from gateway.authoring.offline import assemble, replay

    mapping = mapped(noise("n", NAME), tables)
    place = Position(749, 1000, 1010, 1_767_225_600_000)
    record = Forge("legacy.customer.raw").change((0, 0), None, CUSTOMER, "t", None, None, place)
    result = replay(assemble([record], [mapping]), [mapping])
    assert [str(outcome.kind) for outcome in result.outcomes.values()] == [kind]
    assert [str(each.letter_class) for each in result.letters] == (["drift"] if policy == "drift" else [])


def test_null_where_the_contract_has_none_is_a_contract_letter_and_doubt_in_data_is_as_undecided() -> None:
    data = '{{list: {{$each: rows, $item: "{{{{ item.after.street }}}}"}}}}'
    one_list = f"  - rule: a\n    event: Told\n    {{match}}\n    data: {data}\n"
    mapping = mapped(one_list.format(match=f"{NAME}\n    with: {{rows: {{table: address, op: insert, count: any}}}}"))
    assert letter(interpreted(mapping, RENAMED, inserted(1, str=""))) == "contract"
    unread = mapped(told("a", "each: {table: customer, changed: [amount]}", "{{ after.name }}"))
    assert letter(interpreted(unread, IN_DOUBT)) == "rule"
