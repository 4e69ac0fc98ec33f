"""Branches within data and columns: which way each went, named with its place; each kind alone and all together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.adapters.files import read_recording, write_recording
from gateway.authoring.coverage import cover
from gateway.authoring.coverage_page import page
from gateway.authoring.coverage_report import BranchLine, Report, Share, report_of
from gateway.authoring.coverage_text import as_json, text
from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import assemble, books_of, replay
from gateway.cli.coverage import app
from gateway.mapping.branches import Branches
from gateway.mapping.loader import load
from gateway.model.record import RawRecord

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "tests/e2e/recording.jsonl.gz"
MAPPING = """\
mapping: loan
source: {topics: [legacy.loan.raw]}
aggregate: {type: Loan, key: [loanId]}
tables:
  lib.loan:
    as: loan
    row: [loanId]
    columns:
      id: {as: loanId, type: int}
      nm: {as: name}
      sum: {as: amount, type: int}
      sts: {as: status, decode: {A: active}, otherwise: unknown}
      knd: {as: kind, decode: {B: book, M: map}}
      ref:
        parts:
          book: {is: "{{ value if row.kind == 'book' else null }}"}
          shelf: {is: "{{ value | chars(1, 1) }}", decode: {S: south, '': null}, otherwise: north}
      gone: {as: late, type: bool}
  lib.fee:
    as: fee
    row: [feeId]
    columns:
      id: {as: feeId, type: int}
      loan: {as: loanId, type: int}
      eur: {as: euros, type: int}
conditions:
  costly: "row.amount > (100 if row.kind == 'map' else 10)"
events:
  Lent: {version: 2, also: {1: {set: {word: "{{ 'old' if data.name == 'Ann' else 'new' }}"}}}}
rules:
  - rule: lent
    event: Lent
    each: {table: loan, op: insert}
    with: {fees: {table: fee, op: insert, count: any}}
    data:
      name: "{{ after.name }}"
      told: "for {{ after.name }}: {{ 'much' if after.amount > 5 and not after.name is null else 'little' }}"
      extra: {$when: costly, of: "{{ after.book }}"}
      fees: {$each: fees, $item: "{{ 'high' if item.row.euros >= 9 else 'low' }}"}
      late: "{{ 'yes' if after.late else 'no' }}"
  - rule: returned
    event: Lent
    slot: back
    each: {table: loan, op: delete}
    when: (true if before.kind == 'book' else true)
    data: {name: "{{ before.name if before.kind == 'book' else 'none' }}"}
"""
NULLABLE = ["null", "string"]


def contract(version: int, **fields: Any) -> str:
    listed = [{"name": name, "type": of, "default": None} for name, of in fields.items()]
    return json.dumps({"type": "record", "name": "Lent", "namespace": f"lib.loan.v{version}", "fields": listed})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The mapping in a folder, with its contracts."""
    events = tmp_path / "mappings/loan/events"
    events.mkdir(parents=True)
    (events.parent / "loan.yaml").write_text(MAPPING)
    extra = ["null", {"type": "record", "name": "Extra", "fields": [{"name": "of", "type": NULLABLE}]}]
    plain = {"name": NULLABLE, "told": NULLABLE, "extra": extra, "fees": ["null", {"type": "array", "items": "string"}]}
    (events / "Lent.v2.avsc").write_text(contract(2, **plain, late=NULLABLE))
    (events / "Lent.v1.avsc").write_text(contract(1, **plain, late=NULLABLE, word=NULLABLE))
    return tmp_path / "mappings"


def lent(number: int, *fees: int, op: str = "c", **changed: object) -> list[RawRecord]:
    """One transaction: a loan that begins (or ends, ``op`` d) with its fees."""
    row = {"id": number, "nm": "Ann", "sum": 7, "sts": "A", "knd": "B", "ref": "S1", "gone": False, **changed}
    rows = [("lib.loan", row), *(("lib.fee", {"id": fee, "loan": number, "eur": fee}) for fee in fees)]
    forge, found = Forge("p.legacy.loan.raw"), []
    for order, (table, image) in enumerate(rows, 1):
        place = Position(number, number * 100, number * 100 + order, 1_767_225_600_000 + number, order)
        before, after = (image, None) if op == "d" else (None, image)
        found.append(forge.change((0, number * 10 + order), {"loanId": number}, table, op, before, after, place))
    return found


def reported(folder: Path, *sets: list[RawRecord]) -> Report:
    """The report of these transactions."""
    branches = Branches()
    mappings = load(folder, branches=branches)
    units = assemble([record for one in sets for record in one], mappings)
    return report_of(cover(units, mappings, books_of(mappings), branches=branches), "rows")


def branch(report: Report, words: str) -> BranchLine:
    """The one branch whose text has these words."""
    [found] = [one for one in report.mappings[0].branches if words in one.text]
    return found


def place(words: str, more: str = "") -> str:
    """Where these words stand in the mapping; ``more``: those from which they are sought on."""
    start = MAPPING.index(words, MAPPING.index(more))
    line = MAPPING.count("\n", 0, start)
    return f"loan/loan.yaml:{line + 1}:{start - MAPPING.rfind(chr(10), 0, start)}"


def test_every_branch_point_has_its_place_text_and_owner(folder: Path) -> None:
    found = {(one.place, one.text, one.whose) for one in reported(folder).mappings[0].branches}
    told = "after.amount > 5 and not after.name is null"
    assert found == {
        (place("unknown"), "otherwise: unknown", "loan.status"),
        (place("row.kind == 'book'"), "if row.kind == 'book'", "loan.book"),
        (place("north"), "otherwise: north", "loan.shelf"),
        (place("data.name =="), "if data.name == 'Ann'", "Lent v1, word"),
        (place(told), f"if {told}", "rule lent, told"),
        (place("costly,"), "$when costly", "rule lent, extra"),
        (place("costly,"), "if row.kind == 'map'", "rule lent, extra"),
        (place("item.row.euros"), "if item.row.euros >= 9", "rule lent, fees[]"),
        (place("after.late"), "if after.late", "rule lent, late"),
        (place("before.kind == 'book'", "data: {name"), "if before.kind == 'book'", "rule returned, name"),
    }


ONE_WAY = [
    ("otherwise: unknown", lent(1), "false", "otherwise never needed"),
    ("otherwise: unknown", lent(1, sts="Z"), "true", "otherwise always needed"),
    ("otherwise: north", lent(1), "false", "otherwise never needed"),
    ("otherwise: north", lent(1, ref="N7"), "true", "otherwise always needed"),
    ("if row.kind == 'book'", lent(1), "true", "branch never false"),
    ("if row.kind == 'book'", lent(1, knd="M"), "false", "branch never true"),
    ("if data.name", lent(1), "true", "branch never false"),
    ("if data.name", lent(1, nm="Bob"), "false", "branch never true"),
    ("if after.amount > 5", lent(1), "true", "branch never false"),
    ("if after.amount > 5", lent(1, sum=2), "false", "branch never true"),
    ("$when costly", lent(1), "false", "branch never true"),
    ("$when costly", lent(1, sum=11), "true", "branch never false"),
    ("if row.kind == 'map'", lent(1), "false", "branch never true"),
    ("if row.kind == 'map'", lent(1, knd="M"), "true", "branch never false"),
    ("if item.row.euros", lent(1, 9, 10), "true", "branch never false"),
    ("if item.row.euros", lent(1, 1, 2), "false", "branch never true"),
    ("if item.row.euros", lent(1), "never", "branch never asked"),
    ("if after.late", lent(1, gone=None), "false", "branch never true"),
]


@pytest.mark.parametrize(("words", "records", "seen", "lack"), ONE_WAY)
def test_a_branch_that_went_one_way_only_is_named_with_its_place(
    folder: Path, words: str, records: list[RawRecord], seen: str, lack: str
) -> None:
    report = reported(folder, records)
    found = branch(report, words)
    assert found.seen == seen
    told = f"{found.whose} ({found.place}): {found.text}"
    assert (lack, told) in report.mappings[0].lacks
    assert any(lack in line and told in line for line in text(report))
    assert any((one["place"], one["seen"]) == (found.place, seen) for one in plain_branches(report))
    html = page(report)
    assert found.place in html and found.verdict in html


def plain_branches(report: Report) -> list[Any]:
    return json.loads(json.dumps(as_json(report)))["mappings"][0]["branches"]  # type: ignore[no-any-return]


def test_both_ways_is_no_lack_and_is_counted(folder: Path) -> None:
    report = reported(folder, lent(1, 1, 9), lent(2, sum=2, sts="Z", ref="N1"), lent(3, sum=11, nm="Bob", knd="M"))
    seen = {one.text: one.seen for one in report.mappings[0].branches}
    assert [words for words, way in seen.items() if way != "both"] == [
        "$when costly",
        "if after.late",
        "if before.kind == 'book'",
    ]
    assert report.taken == Share(len(seen) - 3, len(seen))
    assert branch(report, "euros").true == branch(report, "euros").false == 1, "each set counts once"
    assert "otherwise never needed" not in {word for word, _ in report.mappings[0].lacks}


def test_codes_are_counted_once_each_and_null_is_none(folder: Path) -> None:
    rows = [lent(number, sts=code) for number, code in enumerate(("A", "A ", "X", "Y", "X", None), 1)]
    found = branch(reported(folder, *rows), "otherwise: unknown")
    assert (found.true, found.false) == (2, 1)


def test_unavailable_is_neither_true_nor_false(folder: Path) -> None:
    unsent = "__debezium_unavailable_value"
    report = reported(folder, lent(1, gone=unsent))
    assert branch(report, "if after.late").seen == "never"
    assert report.failed == 1, "the set is a dead letter, and the branches before it were taken all the same"
    assert branch(report, "if after.amount > 5").seen == "true"


def test_what_a_rule_that_never_fired_would_do_is_no_news_of_its_own(folder: Path) -> None:
    report = reported(folder, lent(1))
    assert branch(report, "before.kind").seen == "never"
    assert not any("before.kind" in where for word, where in report.mappings[0].lacks if word.startswith("branch"))
    assert branch(reported(folder, lent(1, op="d")), "before.kind").seen == "true"


def test_a_branch_within_the_when_of_a_rule_is_one_of_its_tests(folder: Path) -> None:
    [rule] = [one for one in reported(folder, lent(1, op="d")).mappings[0].rules if one.rule == "returned"]
    assert any(test.text == "before.kind == 'book'" and test.verdict == "never false" for test in rule.tests)


def test_branches_are_a_share_of_their_own(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "week.jsonl.gz"
    write_recording(file, lent(1))
    settings = {"GATEWAY_PREFIX": "p.", "GATEWAY_MAPPINGS": str(folder)}
    for wanted, status in (("branches=1", 1), ("branches=0", 0), ("tests=0,branches=0", 0)):
        arguments = ["--recording", str(file), "--fail-under", wanted, "-o", "json"]
        done = CliRunner().invoke(app, arguments, env=settings)
        assert done.exit_code == status, done.output
        assert [one["share"] for one in json.loads(done.stdout)["missed"]] == ["branches"] * status


# -- the shipped mappings over a recording ----


@pytest.fixture(scope="module")
def shipped() -> Report:
    branches = Branches()
    mappings = load(ROOT / "mappings", branches=branches)
    units = assemble(read_recording(RECORDING), mappings)
    return report_of(cover(units, mappings, books_of(mappings), branches=branches), "recording")


def test_the_branches_of_the_shipped_mappings_are_seen(shipped: Report) -> None:
    found = [one for each in shipped.mappings for one in each.branches]
    for one in found:
        file, line, column = one.place.rsplit(":", 2)
        written = (ROOT / "mappings" / file).read_text().splitlines()[int(line) - 1]
        assert written[int(column) - 1 :].startswith(one.text.partition(" ")[2]) or one.text.startswith("$when")
    seen = {one.field or one.column: one.seen for one in found}
    parts = dict.fromkeys(("shipping", "contactChannel", "policyId", "customerId"), "both")
    assert seen == {**parts, "previousAddress": seen["previousAddress"]}
    assert seen["previousAddress"] in ("false", "both"), "most addresses have no former one"


def test_watching_changes_no_event(shipped: Report) -> None:
    watched, plain = load(ROOT / "mappings", branches=Branches()), load(ROOT / "mappings")
    units = assemble(read_recording(RECORDING), plain)
    assert [one.value for one in replay(units, watched).events] == [one.value for one in replay(units, plain).events]
    assert [one.digest for one in watched] == [one.digest for one in plain]


def test_without_a_watcher_nothing_is_compiled_in(folder: Path) -> None:
    [plain], [watched] = load(folder), load(folder, branches=Branches())
    readers = [mapping.tables["lib.loan"].columns["status"].read.__qualname__ for mapping in (plain, watched)]
    assert readers == ["decoding.<locals>.read", "watched_decoding.<locals>.watching"]
    parts = [mapping.tables["lib.loan"].columns["book"].part for mapping in (plain, watched)]
    tests = [part.__closure__[part.__code__.co_freevars.index("when")].cell_contents for part in parts]  # type: ignore
    assert [test.__qualname__.partition(".")[0] for test in tests] == ["_Compiler", "watched_test"]
