"""Every kind of change to a contract is accepted or refused, as a table says."""

import json
from pathlib import Path

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from gateway.mapping.compatibility import ChangeKind, compare, subject_name
from gateway.services.schemas_positions import positions
from tests.unit.schemas.changes import CASES, EARLIER, Case

each = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@each
def test_a_change_is_refused_by_kind_and_field_or_accepted(case: Case) -> None:
    found = compare(EARLIER, case.later)
    if case.kind is None:
        assert found == ()
    else:
        assert (case.kind, case.field) in [(fault.kind, fault.field) for fault in found]
        assert all(fault.what for fault in found)


@each
def test_what_avro_itself_refuses_is_refused_here(case: Case) -> None:
    """The ``avro`` package's checker agrees with the table, and nothing it refuses is accepted here."""
    earlier, later = (avro.schema.parse(json.dumps(schema)) for schema in (EARLIER, case.later))
    ways = [
        ReaderWriterCompatibilityChecker().get_compatibility(*pair) for pair in ((later, earlier), (earlier, later))
    ]
    assert all(way.compatibility is SchemaCompatibilityType.compatible for way in ways) == case.avro
    assert case.avro or case.kind is not None


@each
def test_each_fault_has_a_place_in_the_later_file(case: Case) -> None:
    places = positions(json.dumps(case.later, indent=2))
    assert all(fault.path in places for fault in compare(EARLIER, case.later))


def test_the_table_has_at_least_fourteen_refused_and_fourteen_accepted_changes() -> None:
    refused = [case for case in CASES if case.kind]
    assert len(refused) >= 14
    assert len(CASES) - len(refused) >= 10
    assert {case.kind for case in refused} == set(ChangeKind)


def test_a_default_that_was_taken_away_is_missed_by_the_version_before_the_field() -> None:
    """FULL_TRANSITIVE: pairwise fine, but the oldest version lacks the field."""
    field = {"name": "x", "type": "int", "default": 0}
    first, second, third = EARLIER, {**EARLIER, "fields": [*EARLIER["fields"], field]}, None
    third = {**EARLIER, "fields": [*EARLIER["fields"], {"name": "x", "type": "int"}]}
    assert compare(first, second) == compare(second, third) == ()
    assert [fault.kind for fault in compare(first, third)] == [ChangeKind.FIELD_ADDED]


def test_a_record_that_contains_itself_is_compared_to_its_end() -> None:
    def tree(kind: str) -> dict[str, object]:
        fields = [{"name": "value", "type": kind}, {"name": "next", "type": ["null", "Tree"], "default": None}]
        return {"type": "record", "name": "Tree", "namespace": "a", "fields": fields}

    assert compare(tree("int"), tree("int")) == ()
    assert [fault.field for fault in compare(tree("int"), tree("string"))] == ["value"]


def test_the_subject_has_the_topic_and_the_record() -> None:
    assert subject_name("p.customer.events", "insurer.customer.v1.Moved") == (
        "p.customer.events-insurer.customer.v1.Moved"
    )


def test_places_are_those_of_keys_and_items_in_any_layout() -> None:
    text = '{"a" :\t[1,\r\n  {"b": "x\\"}"}],\n "c": {}, "d": []}'
    assert positions(text) == {
        (): (1, 1),
        ("a",): (1, 2),
        ("a", 0): (1, 9),
        ("a", 1): (2, 3),
        ("a", 1, "b"): (2, 4),
        ("c",): (3, 2),
        ("d",): (3, 11),
    }


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1 column"):
        positions("{")


def test_places_of_a_real_contract_are_those_an_editor_shows(tmp_path: Path) -> None:
    text = json.dumps(EARLIER, indent=2)
    lines = text.splitlines()
    for path, (line, column) in positions(text).items():
        if path and isinstance(path[-1], str):
            assert lines[line - 1][column - 1 :].startswith(f'"{path[-1]}"')
