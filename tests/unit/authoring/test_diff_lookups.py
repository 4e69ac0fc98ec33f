"""`gateway diff` where events take values from reference data: what an edit changes in them, from recorded entries."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from gateway.adapters.files import write_recording
from gateway.cli.diff import app
from gateway.model.record import RawRecord
from tests.unit.authoring.test_lookups_offline import FOLDER, opened, said

OPENED = [opened(1, "B1", 100), opened(2, "B1", 200), opened(3, "B9", 300)]
BRANCHES = [said("Bern", 50, 0), said("Rome", 150, 1)]


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The mappings, in which another column of the branch is told."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "edited"))
    file = folder / "account" / "account.yaml"
    text = file.read_text()
    assert text.count("lookup('branch', 'name')") == 1
    file.write_text(text.replace("lookup('branch', 'name')", "lookup('branch', 'city')"))
    return folder


def record(path: Path, records: Iterable[RawRecord]) -> Path:
    write_recording(path, records)
    return path


def compared(new: Path, recording: Path, *more: object) -> dict[str, Any]:
    words = [FOLDER, new, "--recording", recording, "-o", "json", *more]
    result = CliRunner().invoke(app, [str(one) for one in words])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def with_city(record: RawRecord, city: str) -> RawRecord:
    """The same entry with one more column."""
    return replace(record, value=json.dumps({**json.loads(record.value or b""), "city": city}).encode())


def test_another_column_of_the_entry_changes_exactly_that_field_each_as_of_its_time(
    edited: Path, tmp_path: Path
) -> None:
    entries = [
        with_city(BRANCHES[0], "Capital"),
        with_city(BRANCHES[1], "Eternal"),
        replace(said("Basel", 0, 2), key=b"B9"),
    ]
    report = compared(edited, record(tmp_path / "recording.jsonl", [*OPENED, *entries]))
    changed = [one for one in report["events"] if one["kind"] == "changed"]
    assert {(one["old"]["version"], one["count"]) for one in changed} == {(2, 2), (1, 2)}
    told = {(d["path"], d["old"], d["new"]) for one in changed for e in one["examples"] for d in e["differences"]}
    assert {("branch", "Bern", "Capital"), ("branch", "Rome", "Eternal")} <= told
    (letter,) = report["letters"]
    assert (letter["kind"], letter["new"], letter["count"]) == ("added", "lookup", 1)


def test_unchanged_mappings_differ_in_nothing_whatever_the_entries_say(tmp_path: Path) -> None:
    report = compared(FOLDER, record(tmp_path / "recording.jsonl", [*OPENED, *BRANCHES]))
    assert report["summary"]["events_old"] == report["summary"]["events_new"] == 4
    assert (report["events"], report["letters"]) == ([], [])


def test_records_without_reference_data_take_it_from_a_recording_beside_them(edited: Path, tmp_path: Path) -> None:
    records = record(tmp_path / "recording.jsonl", OPENED[:1])
    assert compared(edited, records)["summary"]["events_old"] == 0
    entries = record(tmp_path / "reference.jsonl", [with_city(BRANCHES[0], "Capital")])
    report = compared(edited, records, "--lookups", entries)
    assert report["summary"]["events_old"] == report["summary"]["changed"] == 2
