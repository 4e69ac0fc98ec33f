"""Pushing contracts in order, and refusing by field, kind and line what would break a reader."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.memory_registry import MemoryRegistry
from gateway.mapping.compiled import EventType
from gateway.model.errors import ConfigError, DependencyError
from gateway.services.schemas import COMPATIBILITY, Contract, Push, check_files, check_registered, contracts_of, push
from tests.unit.capture.samples import aggregate
from tests.unit.schemas.changes import CASES, EARLIER, Case

SUBJECT = "p.customer.events-insurer.customer.v1.AddressChanged"


def write(folder: Path, current: dict[str, Any], *history: dict[str, Any]) -> tuple[Contract, ...]:
    """The contract ``current`` with earlier minor versions beside it, as the commands read them."""
    (folder / "history").mkdir(exist_ok=True)
    file = folder / "AddressChanged.v1.avsc"
    file.write_text(json.dumps(current, indent=2))
    for minor, schema in enumerate(history):
        (folder / "history" / f"AddressChanged.v1.{minor}.avsc").write_text(json.dumps(schema, indent=2))
    full = "insurer.customer.v1.AddressChanged"
    event = EventType("AddressChanged", 1, full, "customer.events", "customer", current, str(file))
    mapping = aggregate("Customer", "legacy.customer.raw", ("customerId",), {}, (event,))
    return contracts_of([mapping], lambda topic: f"p.{topic}")


def wider(*names: str) -> dict[str, Any]:
    schema = copy.deepcopy(EARLIER)
    schema["fields"] += [{"name": name, "type": "int", "default": 0} for name in names]
    return schema


def test_earlier_versions_are_pushed_first_and_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    history = [wider(*(f"f{number}" for number in range(count))) for count in range(11)]
    registry, contracts = MemoryRegistry(), write(tmp_path, wider(*(f"f{number}" for number in range(11))), *history)
    done = push(registry, contracts)
    assert [version.label for _, version, _ in done] == [*(f"1.{minor}" for minor in range(11)), "1"]
    assert {result for _, _, result in done} == {Push.REGISTERED}
    assert list(registry.versions(SUBJECT).values()) == [*history, contracts[0].current.schema]
    assert registry.compatibility(SUBJECT) == COMPATIBILITY


def test_pushing_again_changes_nothing(tmp_path: Path) -> None:
    registry, contracts = MemoryRegistry(), write(tmp_path, wider("x"), EARLIER)
    push(registry, contracts)
    assert {result for _, _, result in push(registry, contracts)} == {Push.UNCHANGED}
    assert len(registry.versions(SUBJECT)) == 2


def test_a_level_that_somebody_loosened_is_set_again(tmp_path: Path) -> None:
    registry, contracts = MemoryRegistry(), write(tmp_path, EARLIER)
    push(registry, contracts)
    registry.set_compatibility(SUBJECT, "NONE")
    push(registry, contracts)
    assert registry.compatibility(SUBJECT) == COMPATIBILITY


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_check_names_kind_field_and_line_of_the_file(case: Case, tmp_path: Path) -> None:
    """Offline, against the history beside the contract."""
    contracts = write(tmp_path, case.later, EARLIER)
    faults = check_files(contracts)
    assert bool(faults) == bool(case.kind)
    if case.kind is None:
        return
    (fault,) = [one for one in faults if one.what.startswith(f"{case.kind}: {case.field or case.later['name']}: ")]
    assert fault.file == str(contracts[0].current.file)
    assert "version 1.0" in fault.hint
    line = contracts[0].current.file.read_text().splitlines()[fault.line - 1]
    assert fault.excerpt == line
    assert line[fault.column - 1 :].strip()


def test_the_line_is_the_one_of_the_field_itself(tmp_path: Path) -> None:
    later = copy.deepcopy(EARLIER)
    later["fields"].append({"name": "needed", "type": "int"})
    (fault,) = check_files(write(tmp_path, later, EARLIER))
    lines = (tmp_path / "AddressChanged.v1.avsc").read_text().splitlines()
    assert lines[fault.line - 1].strip() == "{"
    assert lines[fault.line].strip() == '"name": "needed",'


def test_check_against_the_registry_finds_what_files_no_longer_know(tmp_path: Path) -> None:
    registry = MemoryRegistry()
    push(registry, write(tmp_path, EARLIER))
    broken = copy.deepcopy(EARLIER)
    broken["fields"][0]["type"] = "string"
    contracts = write(tmp_path, broken)
    assert check_files(contracts) == ()
    (fault,) = check_registered(registry, contracts)
    assert fault.what.startswith("type changed: customerId: ")
    assert "registered version 1" in fault.hint


def test_nothing_is_pushed_while_anything_is_wrong(tmp_path: Path) -> None:
    registry = MemoryRegistry()
    broken = copy.deepcopy(EARLIER)
    del broken["fields"][0]
    with pytest.raises(ConfigError, match=r"nothing was pushed(?s:.*)AddressChanged\.v1\.avsc:\d+:\d+: field without"):
        push(registry, write(tmp_path, broken, EARLIER))
    assert registry.versions(SUBJECT) == {}


def test_what_the_registry_alone_refuses_is_told_too(tmp_path: Path) -> None:
    class Strict(MemoryRegistry):
        def accepts(self, subject: str, schema: object) -> bool:
            return False

    registry = Strict()
    registry._schemas, registry._subjects = [EARLIER], {SUBJECT: [1]}
    (fault,) = check_registered(registry, write(tmp_path, wider("x")))
    assert "the registry refuses it" in fault.what


def test_a_registry_that_is_away_is_no_verdict(tmp_path: Path) -> None:
    registry = MemoryRegistry()
    registry.away = True
    with pytest.raises(DependencyError):
        check_registered(registry, write(tmp_path, EARLIER))


def test_a_history_file_without_a_number_is_refused(tmp_path: Path) -> None:
    write(tmp_path, EARLIER)
    (tmp_path / "history" / "AddressChanged.v1.old.avsc").write_text("{}")
    with pytest.raises(ConfigError, match="old is no minor version"):
        write(tmp_path, EARLIER)


@pytest.mark.parametrize("text", ["{", "[]", '"string"'])
def test_a_history_file_that_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, EARLIER)
    (tmp_path / "history" / "AddressChanged.v1.0.avsc").write_text(text)
    with pytest.raises(ConfigError, match=r"AddressChanged\.v1\.0\.avsc"):
        write(tmp_path, EARLIER)
