"""A mapping to begin with: what is guessed, that it says so, and that what is written loads, lints and passes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.adapters.ddl import tables_of
from gateway.adapters.files import RecordingHeader, write_recording
from gateway.authoring.scaffold_draft import DraftTable, draft
from gateway.authoring.scaffold_files import files_of
from gateway.authoring.scaffold_guess import Guess, camel, guess_column
from gateway.authoring.scaffold_records import shapes_of
from gateway.cli.fmt import app as fmt
from gateway.cli.lint import app as lint
from gateway.cli.scaffold import app
from gateway.cli.test import app as cases_app
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.model.shape import ColumnShape, TableShape
from tests.unit.authoring.scaffold_world import OWNER, PET, VISIT, practice, records

EXAMPLE = Path(__file__).parents[3] / "gateway/authoring/project_files/mappings"


def guessed(name: str, kind: str, values: list[object], **more: object) -> Guess:
    column = ColumnShape(name, kind, **more)  # type: ignore[arg-type]
    return guess_column(TableShape("a.b", (column,), rows=tuple({name: value} for value in values)), column)


@pytest.mark.parametrize(
    ("name", "kind", "values", "type_", "nulls"),
    [
        ("dob", "integer", [20200131, 19991231, 0], "date(yyyymmdd)", ("0",)),
        ("val_to", "integer", [99991231, 20240101], "date(yyyymmdd)", ("99991231",)),
        ("val_to", "character(8)", ["99991231", "20240101"], "date(yyyymmdd)", ("99991231",)),
        ("chg_dt", "integer", [31122020, 1012021, 15062019], "int", ()),
        ("evt_dat", "character(6)", ["200131", "991231"], "date(yymmdd)", ()),
        ("amount", "integer", [20200131, 500, 70], "int", ()),
        ("amount", "numeric(9,2)", ["1.00"], "decimal(9,2)", ()),
        ("amount", "numeric", ["1.005"], "decimal(18,3)", ()),
        ("seen", "timestamp with time zone", [], "timestamp", ()),
        ("seen", "text", ["2026-01-31T08:30:00Z"], "timestamp", ()),
        ("on", "date", [], "date", ()),
        ("ok", "boolean", [True], "bool", ()),
        ("photo", "bytea", [], "bytes", ()),
        ("u", "uuid", [], "", ()),
        ("words", "text", ["some words"], "", ()),
        ("empty", "text", [], "", ()),
    ],
)
def test_types_are_guessed_of_database_types_and_values(
    name: str, kind: str, values: list[object], type_: str, nulls: tuple[str, ...]
) -> None:
    found = guessed(name, kind, values)
    assert (found.type, found.null_when) == (type_, nulls)


def test_codes_carry_the_values_seen_and_are_marked_as_a_guess() -> None:
    found = guessed("sts", "character(2)", ["A "] * 5 + ["X "] * 3 + ["  "])
    assert found.decode == {"A": "a", "X": "x", "": None}
    assert "A 5×, X 3×, blank 1×" in found.why[0]


def test_codes_of_a_check_constraint_count_although_none_was_seen() -> None:
    assert guessed("art", "character(2)", [], allowed=("HD", "KA")).decode == {"HD": "hd", "KA": "ka"}


@pytest.mark.parametrize("values", [["Y", "N", "Y", "N"] * 3, ["J", "N"] * 5, ["1", "0"] * 5])
def test_flags_become_true_and_false(values: list[object]) -> None:
    assert set((guessed("flg", "character(1)", values).decode or {}).values()) == {True, False}


def test_of_one_value_alone_no_code_is_guessed_for_the_next_one_would_be_a_dead_letter() -> None:
    found = guessed("hk", "character(1)", ["N"] * 182)
    assert found.decode is None
    assert "only one value was seen: N 182×" in found.why[0]


def test_a_flag_of_which_one_code_was_seen_beside_blank_says_so() -> None:
    found = guessed("prt", "character(1)", ["Y", " "] * 9)
    assert found.decode == {"Y": True, "N": False, "": None}
    assert "N was not seen" in found.why[0] and "a code that is not listed is a dead letter" in found.why[0]


def test_many_values_or_long_ones_are_no_codes() -> None:
    assert guessed("ref", "character(4)", [f"{n:04d}" for n in range(40)]).decode is None
    assert guessed("city", "character(30)", ["Bern", "Zürich"] * 20).decode is None


@pytest.mark.parametrize("name", ["upd_ts", "upd_usr", "lst_chg_pgm", "modified_at", "created_by", "row_version"])
def test_bookkeeping_is_known_by_its_name(name: str) -> None:
    assert guessed(name, "text", ["x"]).bookkeeping


@pytest.mark.parametrize("name", ["cons_dt", "status", "change_reason", "update_policy_no"])
def test_what_only_sounds_like_it_is_none(name: str) -> None:
    assert not guessed(name, "text", ["x"]).bookkeeping


@pytest.mark.parametrize(("name", "personal"), [("nm", True), ("e_mail", True), ("iban", True), ("addr_id", False),
                                                ("addr_typ", False), ("amount", False)])  # fmt: skip
def test_personal_data_is_guessed(name: str, personal: bool) -> None:
    assert guessed(name, "character varying(40)", ["abc", "de"]).pii is personal


def test_packed_columns_are_pointed_out_by_their_pattern_never_by_their_values() -> None:
    told = "; ".join(guessed("merkm", "character(24)", [f"RAUH{n:06d}BRAUN JN" for n in range(20)]).why)
    assert "perhaps packed" in told and "AAAA999999AAAAA AA" in told and "RAUH" not in told


def test_packed_columns_are_pointed_out_where_their_numbers_are_padded_with_blanks() -> None:
    values = [f"{'HPF'[n % 3]}{(25, 80, 100)[n % 3]:>3}PY{n:02d}{n * 7 % 9000:04d}" for n in range(20)]
    told = "; ".join(guessed("pk", "character(12)", values).why)
    assert "20 of 20 values look like 'A999AA999999'" in told and "some are blank" in told


def test_free_text_that_fills_its_width_is_not_taken_for_packed() -> None:
    values = [f"{name} {n}"[:12] for n in range(90, 110) for name in ("Kirchplatz", "Am Hang Nord", "Seeblick Süd")]
    assert not any("packed" in line for line in guessed("rem", "character(12)", values).why)


@pytest.mark.parametrize(("raw", "name"), [("CUST_NO", "custNo"), ("cust_addr", "custAddr"), ("kundenNr", "kundenNr"),
                                           ("2nd_nm", "c2ndNm"), ("_x", "x")])  # fmt: skip
def test_names(raw: str, name: str) -> None:
    assert camel(raw) == name


# -- the aggregate ----


def table(name: str, tables: tuple[DraftTable, ...]) -> DraftTable:
    return next(one for one in tables if one.shape.name == name)


def test_the_key_is_that_of_the_table_others_refer_to_under_one_name_in_all_of_them() -> None:
    made = draft("owner", list(reversed(practice())), "owner.raw")
    assert made.key == ("clinNo", "ownNo")
    assert made.tables[0].shape.name == OWNER
    visit = table(VISIT, made.tables)
    assert {one.guess.raw: one.name for one in visit.columns if one.name in made.key} == {
        "clin_no": "clinNo",
        "hlt_no": "ownNo",
    }
    assert table(PET, made.tables).row == ("clinNo", "ownNo", "trLfd")
    assert "its primary key" in made.why[0]


def test_a_key_that_is_said_wins_and_one_that_is_nowhere_is_refused() -> None:
    owner, pet, _ = practice()
    assert draft("clinic", [owner, pet], "x", ["clin_no"]).key == ("clinNo",)
    with pytest.raises(ConfigError, match="not every table has the columns nope"):
        draft("clinic", [owner, pet], "x", ["nope"])


def test_tables_without_a_common_key_are_refused_with_the_keys_they_have() -> None:
    alone = TableShape("a.x", (ColumnShape("k", "integer"),), key=("k",))
    with pytest.raises(ConfigError) as caught:
        draft("x", [practice()[0], alone], "x")
    assert "vet.own: clin_no, own_no; a.x: k" in str(caught.value)


def test_parents_and_children_left_out_are_told() -> None:
    pet = practice()[1]
    assert any("it refers to vet.own" in line for line in draft("pet", [pet], "x").why)


# -- records ----


def test_records_show_columns_keys_values_and_what_tells_rows_apart() -> None:
    found = {one.name: one for one in shapes_of(records(practice()))}
    assert list(found) == [OWNER, PET, VISIT]
    assert set(found[OWNER].key) == {"clin_no", "own_no"}
    assert found[VISIT].key == ("bes_id",)
    assert found[OWNER].record_key == {"clin_no": "clinNo", "own_no": "ownNo"}
    assert found[VISIT].column("ts").type == "text"


@pytest.mark.parametrize(("value", "told"), [(b"\x00\x00\x00\x00\x01x", "Avro"), (b"not json", "no JSON")])
def test_records_that_cannot_be_read_are_told_with_their_place(value: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        shapes_of([RawRecord("raw", 3, 7, 0, None, value)])
    assert "raw[3]@7" in str(caught.value)


def test_a_table_without_records_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no record of a\.b"):
        shapes_of(records(practice()), ["a.b"])


# -- what is written ----


def write(folder: Path, files: object) -> None:
    for name, text in files.items():  # type: ignore[attr-defined]
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_what_is_written_loads_lints_is_formatted_and_passes_its_cases(tmp_path: Path) -> None:
    write(tmp_path, files_of(draft("owner", practice(), "owner.raw"), "the live tables"))
    for command, arguments in ((lint, []), (cases_app, [])):
        done = CliRunner().invoke(command, [*arguments, "--mappings", str(tmp_path)])
        assert done.exit_code == 0, done.output
    assert "9 of 9 cases pass" in done.output
    assert CliRunner().invoke(fmt, ["--check", str(tmp_path)]).exit_code == 0


def test_guesses_are_marked_and_no_value_but_codes_is_written(tmp_path: Path) -> None:
    files = files_of(draft("owner", practice(), "owner.raw"), "the live tables")
    text = "\n".join(files.values())
    mapping = next(one for name, one in files.items() if name.name == "owner.yaml")
    assert mapping.count("# guess: ") >= 8
    assert "Halter" not in text and "example.org" not in text and "RAUH" not in text
    contract = json.loads(next(one for name, one in files.items() if name.name == "OwnerCreated.v1.avsc"))
    fields = {one["name"]: one for one in contract["fields"]}
    assert fields["mail"]["pii"] is True and "Personal data." in fields["mail"]["doc"]
    assert fields["clinNo"]["type"] == "long"
    assert fields["anlDat"]["type"] == ["null", {"type": "int", "logicalType": "date"}]


def test_the_command_makes_it_of_a_recording_and_writes_over_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_recording(tmp_path / "week.jsonl.gz", records(practice()), RecordingHeader())
    arguments = ["mapping", "owner", "--recording", "week.jsonl.gz", "--table", OWNER, "--table", PET, "--out", "m"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "m/owner/owner.yaml" in done.stderr
    text = (tmp_path / "m/owner/owner.yaml").read_text()
    assert "source: {topics: [owners.raw], unit: transaction}" in text
    (tmp_path / "m/owner/owner.yaml").write_text("mine")
    again = CliRunner().invoke(app, arguments)
    assert (again.exit_code, "already" in again.stderr) == (2, True)
    assert (tmp_path / "m/owner/owner.yaml").read_text() == "mine"
    assert CliRunner().invoke(app, [*arguments, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mapping", "Owner", "--recording", "w.gz"], "lower case"),
        (["mapping", "owner"], "--url"),
        (["mapping", "owner", "--recording", "none.gz"], "none.gz"),
        (["mapping", "owner", "--aggregate", "owner", "--table", "a.b"], "--aggregate"),
        (["mapping", "owner", "--url", "no dsn", "--table", "a.b"], "no connection string"),
    ],
)
def test_bad_input_is_told_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_LEGACY_DSN", raising=False)
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, told in done.stderr) == (2, True), done.output


# -- a context table ----


def test_a_context_table_put_where_it_says_gives_events_their_reason(tmp_path: Path) -> None:
    example = Path(shutil.copytree(EXAMPLE, tmp_path / "mappings")) / "person"
    done = CliRunner().invoke(
        app, ["context-table", "person", "--ddl", str(EXAMPLE.parent / "legacy.sql"), "-o", "json"],
        env={"GATEWAY_MAPPINGS": str(tmp_path / "mappings")},
    )  # fmt: skip
    made = json.loads(done.stdout)
    text = (example / "person.yaml").read_text()
    text = text.replace("events:\n", f"{made['table']}\nevents:\n", 1)
    moved = "    each: {table: person, changed: [place]}\n    data:\n"
    assert moved in text
    text = text.replace(moved, f"    each: {{table: person, changed: [place]}}\n{made['companion']}\n    data:\n", 1)
    text = text.replace("old: {$from: before", 'reason: "{{ why.after.reason }}"\n      old: {$from: before', 1)
    (example / "person.yaml").write_text(f"{text}{made['noise']}\n")
    contract = json.loads((example / "events/PersonMoved.v1.avsc").read_text())
    contract["fields"].append({"name": "reason", "type": ["null", "string"], "doc": "Why.", "default": None})
    (example / "events/PersonMoved.v1.avsc").write_text(json.dumps(contract))
    (example / "person_test.yaml").write_text(SAID)
    told = CliRunner().invoke(cases_app, ["--mappings", str(tmp_path / "mappings")])
    assert (told.exit_code, "2 of 2 cases pass" in told.output) == (0, True), told.output


SAID = """cases:
  - case: somebody says why
    given:
      - table: crm.person
        op: update
        before: {prs_id: 1, nm: L, city: A, str: x, zip: y, sts: A, upd_pgm: CRM}
        after: {city: B}
      - {table: crm.person_context, op: insert, after: {context_id: 9, prs_id: 1, reason: moved house, actor: lia}}
    events:
      - {event: PersonMoved, data: {reason: moved house}}
  - case: nobody does, and that is fine
    given:
      - table: crm.person
        op: update
        before: {prs_id: 1, nm: L, city: A, str: x, zip: y, sts: A, upd_pgm: CRM}
        after: {city: B}
    events:
      - {event: PersonMoved, data: {reason: null}}
"""


def test_the_keys_type_is_a_guess_that_says_so_where_nobody_knows_it() -> None:
    settings = {"GATEWAY_MAPPINGS": str(EXAMPLE)}
    guessed_ = CliRunner().invoke(app, ["context-table", "person"], env=settings).stdout
    assert "prs_id integer NOT NULL,  -- a guess: it must be of the very type of crm.person.prs_id" in guessed_
    known = (
        CliRunner()
        .invoke(
            app,
            ["context-table", "person", "--ddl", str(EXAMPLE.parent / "legacy.sql"), "--table", "crm.why"],
            env=settings,
        )
        .stdout
    )
    assert "CREATE TABLE crm.why (" in known and "a guess" not in known
    assert set(tables_of(known)["crm.why"].columns) == {"context_id", "prs_id", "reason", "actor", "said_at"}


def test_an_unknown_mapping_is_told_with_those_that_there_are() -> None:
    done = CliRunner().invoke(app, ["context-table", "persn"], env={"GATEWAY_MAPPINGS": str(EXAMPLE)})
    assert (done.exit_code, "person" in done.stderr) == (2, True)
