"""Records of reference topics as entries: keys in words, columns as text, what is unreadable, what it all takes."""

import pytest

from gateway.model.errors import LetterClass, LookupMissed, RecordError
from gateway.model.lookup import LookupUse, ReferenceEntry
from gateway.model.record import RawRecord
from gateway.pipeline.lookups import LookupDesk, lineage_of, uses_in
from gateway.pipeline.reference import ReferenceTable, entry_of, key_of

COLUMNS = frozenset({"name", "rate", "value"})


def record(value: bytes | None, key: bytes | None = b"B1", offset: int = 0) -> RawRecord:
    return RawRecord("ref.branch", 0, offset, 1_000, key, value, ())


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"B1", "B1"),
        (b'"B1"', "B1"),
        (b"012", "012"),
        (b"1.50", "1.50"),
        (b'{"id":"B|1"}', "B|1"),
        (b'{"country":"CH","id":"B|1"}', "CH|B\\|1"),
        (b'["CH",12]', "CH|12"),
        (b'{"schema":{"type":"string"},"payload":"B1"}', "B1"),
        (b"{not json", "{not json"),
        (b"", ""),
        (b"\xff", None),
        (None, None),
    ],
)
def test_a_key_is_text_a_json_text_or_the_values_of_an_object_joined(raw: bytes | None, key: str | None) -> None:
    assert key_of(raw) == key


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b'{"name": "Bern", "rate": 1.50, "other": 1}', {"name": "Bern", "rate": "1.50"}),
        (b'{"name": null, "rate": true}', {"name": None, "rate": "true"}),
        (b'{"schema": {}, "payload": {"name": "Bern"}}', {"name": "Bern"}),
        (b'{"name": {"de": "Bern"}}', {"name": '{"de": "Bern"}'}),
        (b"Bern", {"value": "Bern"}),
        (b'"Bern"', {"value": "Bern"}),
        (b"12", {"value": "12"}),
        (b"{}", {}),
        (b'{"name": "Be', None),
        (b"\xff", None),
    ],
)
def test_a_value_is_an_object_of_columns_or_one_column_called_value(raw: bytes, values: object) -> None:
    assert entry_of(record(raw), COLUMNS).values == values


def test_a_table_holds_the_last_entry_of_each_key_and_knows_its_size() -> None:
    table = ReferenceTable(COLUMNS)
    table.take(record(b'{"name": "Bern"}'))
    once = table.size_bytes
    table.take(record(b'{"name": "Rome"}', offset=1))
    assert (table.size_bytes, table.entries["B1"].values, table.entries["B1"].offset) == (once, {"name": "Rome"}, 1)
    table.take(record(None, offset=2))
    assert (table.size_bytes, dict(table.entries)) == (0, {})
    table.take(record(None, offset=3))
    table.take(record(b"x", key=b"\xff"))
    assert (table.size_bytes, table.unreadable_keys) == (0, 1)


class Entries:
    """Reference data of one lookup."""

    def __init__(self, **values: str | None) -> None:
        self._values = values

    def find(self, lookup: str, key: str) -> ReferenceEntry | None:
        return ReferenceEntry(self._values, "ref.branch", 1, 42) if key == "B1" else None

    def as_of(self, timestamp_ms: int) -> "Entries":
        return self

    def awaits(self, lookup: str, key: str) -> bool:
        return False


def test_what_was_used_is_noted_once_in_the_order_it_was_asked_for() -> None:
    desk = LookupDesk(Entries(name="Bern", code="2"))
    assert [desk.value("branch", "B1", column) for column in ("name", "code", "name")] == ["Bern", "2", "Bern"]
    assert lineage_of(desk.uses) == "branch/B1/name:Bern@ref.branch/1/42;branch/B1/code:2@ref.branch/1/42"


def test_a_long_value_stands_in_the_lineage_as_a_hash_and_null_as_a_sign() -> None:
    desk = LookupDesk(Entries(long="x" * 65, none=None, sign="~"))
    for column in ("long", "none", "sign"):
        desk.value("branch", "B1", column)
    long, none, sign = (part.partition(":")[2].partition("@")[0] for part in lineage_of(desk.uses).split(";"))
    assert (len(long), none, len(sign)) == (17, "~", 17)
    assert [use.value for use in uses_in(f"intent=fact,lookup={lineage_of(desk.uses)},tx=7")] == [long, none, sign]


def test_a_lineage_is_read_back_whatever_stands_in_it() -> None:
    use = LookupUse("branch", "a/b:c,d;e=f@g", "näme", "x, y; ~z%", "m.ref", 3, 9)
    assert list(uses_in(f"a=b,lookup={lineage_of([use])}")) == [use]
    assert list(uses_in("intent=fact,lookup=what;is/this")) == list(uses_in("intent=fact")) == []


def test_no_entry_no_column_and_no_tables_are_errors_of_class_lookup() -> None:
    with pytest.raises(LookupMissed):
        LookupDesk(Entries()).value("branch", "B2", "name")
    with pytest.raises(LookupMissed):
        LookupDesk(None).value("branch", "B1", "name")
    with pytest.raises(RecordError, match="has no column `name`") as caught:
        LookupDesk(Entries()).value("branch", "B1", "name")
    assert (caught.value.letter_class, caught.value.where) == (LetterClass.LOOKUP, "ref.branch[1]@42")
