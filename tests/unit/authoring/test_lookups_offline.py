"""Lookups without a broker: from a recording, as of the time of each change; and where values differ from then."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.adapters.files import write_recording
from gateway.authoring.case_files import read_cases
from gateway.authoring.cases import run_case
from gateway.authoring.forge import Forge, Position
from gateway.authoring.lookups import Recorded, given
from gateway.authoring.offline import Replayed, assemble, books_of, replay
from gateway.cli.coverage import app as coverage
from gateway.cli.explain import app as explain
from gateway.cli.translate import app
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.event import EncodedEvent
from gateway.model.record import RawRecord

FOLDER = Path(__file__).parents[2] / "golden/lookups/mappings"
MAPPINGS = load(FOLDER)


def opened(number: int, branch: str, at: int) -> RawRecord:
    """An account opened at a branch; ``at``: the record's time in ms."""
    position = Position(number, number * 100, number * 100 + 10, at - 10)
    row = {"id": number, "br": branch, "cur": None}
    return Forge("p.account.raw").change((0, number), {"accountId": number}, "bank.acct", "c", None, row, position)


def said(name: str | None, at: int, offset: int, topic: str = "p.ref.branch") -> RawRecord:
    """What the reference topic says of branch B1."""
    value = None if name is None else json.dumps({"name": name}).encode()
    return RawRecord(topic, 0, offset, at, b"B1", value, ())


def replayed(records: Iterable[RawRecord]) -> Replayed:
    recorded = Recorded(MAPPINGS)
    units = assemble(recorded.passing(records), MAPPINGS)
    return replay(units, MAPPINGS, books_of(MAPPINGS, lookups=recorded.tables()))


def branches(records: Iterable[RawRecord]) -> list[object]:
    return [one.event.data["branch"] for one in replayed(records).events if one.event.version == 2]


def test_each_event_sees_the_entries_of_its_time_wherever_they_stand_in_the_recording() -> None:
    records = [
        opened(1, "B1", 100),
        opened(2, "B1", 200),
        opened(3, "B1", 300),
        said("Bern", 50, 0),
        said("Rome", 250, 1),
    ]
    assert branches(records) == ["Bern", "Bern", "Rome"]


def test_an_entry_that_comes_later_was_waited_for_and_a_deleted_one_is_missing() -> None:
    assert branches([opened(1, "B1", 100), said("Bern", 900, 0)]) == ["Bern"]
    result = replayed([opened(1, "B1", 100), said("Bern", 10, 0), said(None, 50, 1)])
    assert [letter.letter_class for letter in result.letters] == ["lookup"]


def test_without_reference_records_what_is_looked_up_is_missing() -> None:
    assert [letter.letter_class for letter in replayed([opened(1, "B1", 100)]).letters] == ["lookup"]


def test_coverage_sees_the_recorded_entries(tmp_path: Path) -> None:
    file = tmp_path / "week.jsonl.gz"
    write_recording(file, [opened(1, "B1", 100), said("Bern", 50, 0)])
    settings = {"GATEWAY_PREFIX": "p.", "GATEWAY_MAPPINGS": str(FOLDER)}
    found = json.loads(CliRunner().invoke(coverage, ["--recording", str(file), "-o", "json"], env=settings).stdout)
    assert (found["dead_letters"], found["explained"]["percent"]) == (0, 100.0)


def test_cases_give_entries_and_name_the_older_version() -> None:
    book = books_of(MAPPINGS)["account"]
    for case in read_cases(FOLDER / "account/account_test.yaml"):
        assert run_case(case, MAPPINGS[0], book).differences == ()


def test_a_case_that_gives_a_lookup_nobody_asks_for_is_refused() -> None:
    with pytest.raises(ConfigError, match="no lookup brunch"):
        given(MAPPINGS[0], {"brunch": {}})


def as_published(event: EncodedEvent, offset: int) -> RawRecord:
    return RawRecord(event.topic, 0, offset, 0, event.key, event.value, event.headers)


def run(*arguments: object) -> tuple[list[dict[str, object]], str]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--mappings", str(FOLDER)])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_the_command_tells_what_was_used_and_what_differs_today(tmp_path: Path) -> None:
    then, today = tmp_path / "then.jsonl", tmp_path / "today.jsonl"
    write_recording(then, [said("Bern", 50, 0), opened(1, "B1", 100), opened(2, "B1", 200)])
    write_recording(today, [said("Berne", 900, 7)])
    events, told = run(then, "--lookups", today)
    used = {"lookup": "branch", "key": "B1", "column": "name", "value": "Bern", "record": "p.ref.branch[0]@0"}
    assert [event["lookups"] for event in events] == [[used]] * 4
    assert "looked-up values different today: 1" in told
    assert "branch/B1 name: 'Bern' (p.ref.branch[0]@0), now 'Berne' (p.ref.branch[0]@7), in 4 events" in told


def test_a_recording_without_reference_records_takes_todays_and_tells_what_was_published_otherwise(
    tmp_path: Path,
) -> None:
    published = replayed([said("Bern", 50, 0), opened(1, "B1", 100)]).events
    then, today = tmp_path / "then.jsonl", tmp_path / "today.jsonl"
    write_recording(then, [opened(1, "B1", 100), *map(as_published, published, range(2))])
    write_recording(today, [said("Berne", 900, 7)])
    events, told = run(then, "--lookups", today)
    assert [event["data"] for event in events][1] == {"accountId": 1, "office": "Berne"}
    assert "looked-up values published otherwise: 1" in told
    assert "branch/B1 name: 'Bern' (p.ref.branch[0]@0), now 'Berne' (p.ref.branch[0]@7), in 2 events" in told
    assert "looked-up values different today: 0" in told


def test_explain_sees_the_recorded_entries_and_what_it_prints_gives_the_same_again(tmp_path: Path) -> None:
    file, printed = tmp_path / "recording.jsonl", tmp_path / "explained.json"
    write_recording(file, [opened(1, "B1", 100), said("Bern", 50, 0)])
    where = ["--mappings", str(FOLDER), "-o", "json"]
    first = CliRunner().invoke(explain, ["p.account.raw[0]@1", "--recording", str(file), *where])
    assert first.exit_code == 0, first.output
    printed.write_text(first.stdout)
    again = CliRunner().invoke(explain, [str(printed), *where])
    assert json.loads(again.stdout)["outcome"] == json.loads(first.stdout)["outcome"] == "published"
    assert json.loads(again.stdout)["change_set"]["events"] == json.loads(first.stdout)["change_set"]["events"]


def test_an_entry_that_is_gone_today_is_told(tmp_path: Path) -> None:
    then, today = tmp_path / "then.jsonl", tmp_path / "today.jsonl"
    write_recording(then, [said("Bern", 50, 0), opened(1, "B1", 100)])
    write_recording(today, [said(None, 900, 7)])
    assert "now there is no entry" in run(then, "--lookups", today)[1]
