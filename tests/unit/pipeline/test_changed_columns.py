"""The table of language.md 3: what counts as changed, for every pair of states; format-only, undeclared, missing."""

import pytest

from gateway.model.event import Interpretation
from tests.unit.pipeline.interpreted import (
    ADDRESS,
    CUSTOMER,
    TABLES,
    UNSENT,
    address,
    customer,
    events,
    interpreted,
    lacking,
    mapped,
    noise,
    reasons,
    told,
)

NAME = mapped(noise("name", "each: {table: customer, changed: [name]}"))
STATUS = mapped(noise("status", "each: {table: customer, changed: [status]}"))
MISSING = object()
CHANGED, SAME, LETTER = "noise", "same", "dead_lettered"


def state(read: Interpretation) -> str:
    """Whether the one column changed, or the change set failed."""
    if read.failure is not None:
        return LETTER
    return CHANGED if read.accounting.by_noise else SAME


def image(column: str, value: object) -> dict[str, object]:
    return lacking(customer(), column) if value is MISSING else customer(**{column: value})


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ("A", "A", SAME),
        ("A", "M", CHANGED),
        ("A", None, CHANGED),
        (None, "A", CHANGED),
        (None, None, SAME),
        (None, "", SAME),
        ("A", "A ", SAME),
        ("A", UNSENT, SAME),
        (None, UNSENT, SAME),
        (UNSENT, UNSENT, SAME),
        (MISSING, UNSENT, SAME),
        ("?", UNSENT, SAME),
        (UNSENT, "A", CHANGED),
        (UNSENT, None, CHANGED),
        (MISSING, "A", CHANGED),
        (MISSING, None, SAME),
        (MISSING, "", SAME),
        ("?", "A", CHANGED),
        ("?", None, CHANGED),
        ("A", "?", LETTER),
        (None, "?", LETTER),
        (UNSENT, "?", LETTER),
        (MISSING, "?", LETTER),
        ("!", "?", LETTER),
        ("?", "?", SAME),
        ("A", MISSING, SAME),
        (None, MISSING, SAME),
        (UNSENT, MISSING, SAME),
        ("?", MISSING, SAME),
        (MISSING, MISSING, SAME),
    ],
)
def test_every_pair_of_states_of_a_coded_column(before: object, after: object, outcome: str) -> None:
    read = interpreted(STATUS, (CUSTOMER, "u", image("sts", before), image("sts", after)))
    assert state(read) == outcome
    if read.failure is not None:
        assert read.failure.letter_class == "decode"
    assert any("missing column crm.cust.sts" in each for each in read.findings) == (
        after is MISSING and outcome == SAME
    )


@pytest.mark.parametrize(
    ("before", "after", "outcome", "reason"),
    [
        ("Ann", "Ann  ", SAME, "format-only"),
        ("", None, SAME, "format-only"),
        ("Ann", UNSENT, SAME, "no-change"),
        (MISSING, UNSENT, SAME, "no-change"),
        (UNSENT, MISSING, SAME, "no-change"),
        (MISSING, None, SAME, "no-change"),
        ("Ann", MISSING, SAME, "no-change"),
        ("Ann", "ann", CHANGED, "noise"),
        ("Ann", " Ann", CHANGED, "noise"),
    ],
)
def test_padding_is_format_only_and_what_is_not_known_is_no_change(
    before: object, after: object, outcome: str, reason: str
) -> None:
    read = interpreted(NAME, (CUSTOMER, "u", image("nm", before), image("nm", after)))
    assert (state(read), reasons(read)) == (outcome, [reason])
    assert read.accounting.format_only == (reason == "format-only")


@pytest.mark.parametrize(("before", "after"), [("12", MISSING), (MISSING, UNSENT), (UNSENT, MISSING), ("12", UNSENT)])
def test_a_packed_column_that_is_not_known_is_not_format_only(before: object, after: object) -> None:
    read = interpreted(NAME, (CUSTOMER, "u", image("ref_no", before), image("ref_no", after)))
    assert (reasons(read), read.accounting.format_only) == (["no-change"], 0)


def test_padding_of_a_packed_column_is_format_only() -> None:
    read = interpreted(NAME, (CUSTOMER, "u", customer(ref_no="12"), customer(ref_no="12  ")))
    assert (reasons(read), read.accounting.format_only) == (["format-only"], 1)


PARTS = mapped(
    told("policy", "each: {table: customer, where: {policyId: {to: null}}}")
    + noise("parts", "each: {table: customer, changed: [policyId, claimNo, refKind]}")
)


def test_a_part_of_the_other_kind_is_null_though_the_packed_value_is_unsent() -> None:
    """Situation 20: what the kind decides alone is certain; only the part that reads the value is in doubt."""
    decided = mapped(
        told("claim", "each: {table: customer, changed: [name], where: {policyId: null}}")
        + told("policy", "each: {table: customer, changed: [name], where: {claimNo: null}}")
    )
    before, after = (customer(ref_kd="C", ref_no=UNSENT, nm=name) for name in ("Ann", "Bob"))
    assert events(interpreted(decided, (CUSTOMER, "u", before, after))) == [("claim", "x")]
    before, after = (customer(ref_kd="P", ref_no=UNSENT, nm=name) for name in ("Ann", "Bob"))
    failure = interpreted(decided, (CUSTOMER, "u", before, after)).failure
    assert failure is not None
    assert failure.letter_class == "rule"


def test_a_table_and_a_row_read_parts_alike() -> None:
    from gateway.model.values import UNSENT as UNSENT_VALUE
    from gateway.pipeline.columns import Columns, TablePlan

    table = PARTS.tables[CUSTOMER]
    plan = TablePlan(table)
    for kind in ("P", "C", None, "?", UNSENT_VALUE):
        for value in ("12", "x", None, UNSENT_VALUE, MISSING):
            raw = image("ref_no", value) | {"ref_kd": kind}
            assert dict(Columns(plan, raw).items()) == table.read(raw), (kind, value)
            assert dict(plan.read_whole(raw).items()) == table.read(raw), (kind, value)


def test_a_part_that_becomes_unreadable_by_its_kind_alone_is_a_dead_letter() -> None:
    """The packed raw value is equal, what it means is not: null became a number that no one can read."""
    before, after = customer(ref_kd="C", ref_no="abc"), customer(ref_kd="P", ref_no="abc")
    failure = interpreted(PARTS, (CUSTOMER, "u", before, after)).failure
    assert failure is not None
    assert failure.letter_class == "decode"


def test_a_part_that_stays_unreadable_though_what_it_reads_changed_is_a_dead_letter() -> None:
    """Its raw values are those of the columns that it reads: the kind was unreadable, now it is known."""
    before, after = customer(ref_kd="?", ref_no="abc"), customer(ref_kd="P", ref_no="abc")
    failure = interpreted(PARTS, (CUSTOMER, "u", before, after)).failure
    assert failure is not None
    assert failure.letter_class == "decode"


def test_a_part_that_stays_unreadable_does_no_harm() -> None:
    before, after = customer(ref_no="abc"), customer(ref_no="abc", nm="Bob")
    assert interpreted(NAME, (CUSTOMER, "u", before, after)).failure is None


def test_parts_without_a_type_are_text_so_blanks_at_the_end_are_cut_and_all_blank_is_null() -> None:
    tables = TABLES.replace("{{ value if row.refKind == 'claim' else null }}", "{{ value | chars(1, 4) }}")
    mapping = mapped(
        told("r", "each: {table: customer, op: insert}", "{{ after.claimNo | default('nothing') }}"), tables
    )
    assert events(interpreted(mapping, (CUSTOMER, "c", None, customer(ref_no="ab  cd", ref_kd="C")))) == [("r", "ab")]
    assert events(interpreted(mapping, (CUSTOMER, "c", None, customer(ref_no="    cd", ref_kd="C")))) == [
        ("r", "nothing")
    ]


def test_an_undeclared_column_that_is_unsent_has_not_changed() -> None:
    mapping = mapped(noise("n", "each: {table: customer, changed: [name]}"), more="undeclared: park\n")
    read = interpreted(mapping, (CUSTOMER, "u", customer(), customer(nm="Bob", memo=UNSENT)))
    assert read.failure is None
    assert read.accounting.undeclared == 0
    assert "undeclared column crm.cust.memo" in read.findings


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("a", "b", 1),
        ("a", "a", 0),
        (MISSING, "a", 1),
        (MISSING, None, 0),
        ("a", UNSENT, 0),
        (UNSENT, "a", 1),
        ("a", MISSING, 0),
    ],
)
def test_an_undeclared_column_counts_where_it_changed(before: object, after: object, changed: int) -> None:
    images = [lacking(customer(), "memo") if value is MISSING else customer(memo=value) for value in (before, after)]
    read = interpreted(NAME, (CUSTOMER, "u", images[0], images[1]))
    assert (read.accounting.undeclared, reasons(read)) == (changed, ["undeclared" if changed else "no-change"])


@pytest.mark.parametrize("op", ["u", "d"])
def test_an_update_or_delete_without_its_image_before_is_drift(op: str) -> None:
    read = interpreted(NAME, (CUSTOMER, op, None, customer() if op == "u" else None))
    assert read.failure is not None
    assert read.failure.letter_class == "drift"


def test_bookkeeping_may_be_unreadable_and_is_changed() -> None:
    tables = TABLES.replace(
        "upd_pgm: {as: changedBy, bookkeeping: true}", "upd_pgm: {as: changedBy, type: int, bookkeeping: true}"
    )
    mapping = mapped(noise("n", "each: {table: customer, changed: [name]}"), tables)
    read = interpreted(mapping, (CUSTOMER, "u", customer(upd_pgm=1), customer(upd_pgm="x")))
    assert (reasons(read), read.accounting.bookkeeping) == (["bookkeeping"], 1)
    assert interpreted(mapping, (ADDRESS, "c", None, address(upd_pgm="x"))).failure is None


def test_an_unreadable_value_on_insert_is_a_dead_letter_and_on_delete_is_not() -> None:
    mapping = mapped(noise("n", "each: {table: customer, op: [insert, delete]}"))
    assert interpreted(mapping, (CUSTOMER, "d", customer(sts="?"), None)).failure is None
    failure = interpreted(mapping, (CUSTOMER, "c", None, customer(sts="?"))).failure
    assert failure is not None
    assert failure.letter_class == "decode"
