"""The nouns: frozen, comparable, and errors that say where, what and what to do."""

import pytest
from msgspec import structs

from gateway.model.errors import ConfigError, Fault, LetterClass, RecordError
from gateway.model.event import Outcome, OutcomeKind
from gateway.model.letter import ParkEntry
from gateway.model.record import RawRecord
from gateway.model.values import MISSING, UNREADABLE, UNSENT


def test_unavailable_has_no_truth_value() -> None:
    for reason in (UNSENT, MISSING, UNREADABLE):
        with pytest.raises(TypeError, match="truth"):
            bool(reason)


def test_a_record_names_its_place_and_cannot_be_changed() -> None:
    record = RawRecord("raw", 3, 17, 0, None, None)
    assert record.place == "raw[3]@17"
    with pytest.raises(AttributeError):
        record.offset = 18  # type: ignore[misc]
    assert structs.replace(record, offset=18) != record


def test_outcomes_are_equal_by_kind_and_reason() -> None:
    assert len({Outcome(OutcomeKind.IGNORED, "noise"), Outcome(OutcomeKind.IGNORED, "noise")}) == 1


def test_an_error_says_where_what_and_what_to_do() -> None:
    error = RecordError(LetterClass.DECODE, "no JSON", where="raw[0]@1", hint="look at the record")
    assert str(error) == "raw[0]@1: no JSON (look at the record)"
    fault = Fault("a.yaml", 3, 5, "unknown key", "did you mean `as`?", "    ass: x")
    assert str(ConfigError("1 fault", faults=(fault,))).splitlines() == [
        "1 fault",
        "a.yaml:3:5: unknown key",
        "        ass: x",
        "        ^",
        "    did you mean `as`?",
    ]


def test_a_park_entry_grows_at_its_end() -> None:
    entry = ParkEntry(5, 7, 2, 1, LetterClass.RULE, dlq_from=3).behind(12, 4)
    assert (entry.head, entry.last, entry.letters, entry.dlq_from) == (5, 12, 6, 3)
