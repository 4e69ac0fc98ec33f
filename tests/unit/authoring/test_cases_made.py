"""Cases made of recorded records: every one passes, says what the recording says, and names no person."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from case_worlds import run_all, shop
from typer.testing import CliRunner

from gateway.adapters.files import read_recording, write_recording
from gateway.authoring.case_files import parse_cases
from gateway.authoring.case_making import MadeCase, Recorded, Wanted, make_case, recorded
from gateway.authoring.case_writing import added
from gateway.authoring.cases import run_case
from gateway.authoring.forge import Forge, Position
from gateway.authoring.lookups import Recorded as Reference
from gateway.authoring.offline import assemble, books_of, replay
from gateway.cli import recording as commands
from gateway.cli import test as testing
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from gateway.pipeline.rulebook import Rulebook

ROOT = Path(__file__).parents[3]
LOOKING = load(ROOT / "tests" / "golden" / "lookups" / "mappings")
RECORDING = ROOT / "tests" / "e2e" / "recording.jsonl.gz"


@cache
def demo() -> tuple[tuple[CompiledMapping, ...], dict[str, Rulebook], list[Unit]]:
    mappings = load(ROOT / "mappings")
    return mappings, books_of(mappings), assemble(read_recording(RECORDING), mappings)


def found(wanted: Wanted) -> list[Recorded]:
    mappings, books, units = demo()
    return list(recorded(units, mappings, books, wanted))


def made(changes: Sequence[Recorded]) -> list[MadeCase]:
    return [make_case(each, demo()[1][each.mapping.name], masked=True) for each in changes]


def test_the_cases_of_a_whole_recording_give_its_events_by_the_same_rules() -> None:
    mappings, books, units = demo()
    said = sorted((e.source.place, e.event.name, e.event.rule) for e in replay(units, mappings, books).events)
    again = []
    for change, case in zip(found(Wanted()), made(found(Wanted())), strict=True):
        entries = [change.unit.entries[place].record.place for place in change.group.places]
        for event in case.result.events:
            again.append((entries[event.source.offset], event.event.name, event.event.rule))
    assert sorted(again) == said


def test_one_case_of_each_kind_in_the_recording_passes_as_it_is_written() -> None:
    cases = made(found(Wanted(distinct=True)))
    assert len(cases) > 50
    for mapping in demo()[0]:
        own = [case for case in cases if case.mapping is mapping]
        for exact in (False, True):
            text, count = added("", own, "made_test.yaml", exact=exact)
            read = parse_cases(text, "made_test.yaml")
            assert len(read) == count == len(own)
            results = [run_case(case, mapping, demo()[1][mapping.name]) for case in read]
            assert [result.differences for result in results] == [()] * count


def test_the_same_records_always_make_the_same_text() -> None:
    changes = found(Wanted(event="CustomerAddressChanged"))[:2]
    assert added("", made(changes), "x", exact=True) == added("", made(changes), "x", exact=True)


def person(folder: Path) -> tuple[Path, list[MadeCase]]:
    """A recording of one registration with an address, and the case made of it."""
    at = Position(700, 100, 110, 1_700_000_000_000)
    forge = Forge("shop.raw")
    cust = {"id": 7, "nm": "Meier", "born": 19900131, "sts": "A", "internal": "x"}
    addr = {"aid": 1, "id": 7, "str": "Meier Gasse 1", "cty": "Bern", "geo": None}
    records = [
        forge.change((0, 3), {"customerId": 7}, "s.cust", "c", None, cust, at),
        forge.change((0, 4), {"customerId": 7}, "s.addr", "c", None, addr, Position(700, 100, 120, at.ts_ms, 2)),
    ]
    write_recording(folder / "r.jsonl", records)
    mappings = load(shop(folder / "mappings"))
    books = books_of(mappings)
    changes = recorded(assemble(records, mappings), mappings, books, Wanted())
    return folder / "r.jsonl", [make_case(each, books["shop"], masked=True) for each in changes]


def test_a_case_holds_declared_columns_only_masked_alike_in_rows_and_events(tmp_path: Path) -> None:
    _, [case] = person(tmp_path)
    text, _ = added("", [case], "x", exact=True)
    cust = case.case.given[0].after or {}
    assert cust.keys() == {"id", "nm", "born", "sts"}
    assert f"name: {cust['nm']}" in text
    assert "Meier" not in text and "19900131" not in text and "1990-01-31" not in text
    taken = (
        "# Taken from shop.raw[0]@3-4, transaction 700, committed 2023-11-14T22:13:20.000Z; personal data is masked."
    )
    assert text.splitlines()[1].strip() == taken


def test_cases_are_added_at_the_end_of_a_file_as_far_in_as_its_own_and_once_only(tmp_path: Path) -> None:
    _, cases = person(tmp_path)
    text = "# ours\ncases:\n- case: own   # kept\n  given: []\n"
    new, count = added(text, cases, "x", exact=False)
    assert count == 1
    assert new.startswith(text + "\n# Taken from")
    assert added(new, cases, "x", exact=False) == (new, 0)
    assert [result.differences for result in run_all(shop(tmp_path / "mappings", new))] == [(), ()]


def test_cases_are_not_added_where_they_would_not_be_cases(tmp_path: Path) -> None:
    _, cases = person(tmp_path)
    with pytest.raises(ConfigError, match="not the last key"):
        added("cases: []\nbackground: {}\n", cases, "x", exact=False)


def run(*arguments: object):
    return CliRunner().invoke(commands.app, ["cases", *map(str, arguments)])


def test_the_command_writes_cases_that_pass_into_the_case_files(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    chosen = (RECORDING, "--event", "CustomerAddressChanged", "--mappings", tmp_path / "mappings", "--write")
    result = run(*chosen, "--limit", 2)
    assert result.exit_code == 0, result.output
    assert "customer_test.yaml: 2 cases added" in result.stderr
    assert "0 cases added, 2 stand there already" in run(*chosen, "--limit", 2).stderr
    tested = CliRunner().invoke(testing.app, ["--mappings", str(tmp_path / "mappings"), "-k", "as at legacy.customer"])
    assert tested.exit_code == 0, tested.output
    assert "2 of 2 cases pass" in tested.output


def test_a_record_is_asked_for_by_its_place_and_printed_as_json(tmp_path: Path) -> None:
    file, _ = person(tmp_path)
    result = run(file, "--at", "shop.raw[0]@4", "-o", "json", "--mappings", tmp_path / "mappings")
    [told] = json.loads(result.stdout)
    assert (told["mapping"], told["place"]) == ("shop", "shop.raw[0]@3-4")
    assert "Meier" not in told["text"]
    plain = run(file, "--no-mask", "--key", "7", "--mappings", tmp_path / "mappings")
    assert "nm: Meier" in plain.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("--key", "8"), 1, "no record is what is wanted"),
        (("--at", "shop.raw@3"), 2, "write 'topic[partition]@offset'"),
        (("--at", "other.raw[0]@3"), 2, "no mapping reads topic other.raw"),
        (("--event", "Move"), 2, "known: Moved, Registered, Renamed"),
        (("--mapping", "stop"), 2, "known: shop"),
    ],
)
def test_what_cannot_be_found_is_told(tmp_path: Path, arguments: tuple[str, ...], status: int, told: str) -> None:
    file, _ = person(tmp_path)
    result = run(file, *arguments, "--mappings", tmp_path / "mappings")
    assert result.exit_code == status
    assert told in result.stderr


def test_a_case_brings_the_entries_of_reference_data_that_its_events_took() -> None:
    entry = RawRecord("p.ref.branch", 0, 0, 50, b"B1", b'{"name":"Bern"}')
    row = {"id": 1, "br": "B1", "cur": None}
    opened = Forge("p.account.raw").change(
        (0, 0), {"accountId": 1}, "bank.acct", "c", None, row, Position(1, 100, 110, 90)
    )
    records = [entry, opened]
    reference = Reference(LOOKING)
    units = assemble(reference.passing(records), LOOKING)
    books = books_of(LOOKING, lookups=reference.tables())
    [change] = recorded(units, LOOKING, books, Wanted())
    text, _ = added("", [make_case(change, books["account"], masked=True)], "x", exact=True)
    assert "lookups: {branch: {B1: {name: Bern}}}" in text
    [case] = parse_cases(text, "x")
    assert run_case(case, LOOKING[0], books_of(LOOKING)["account"]).differences == ()
