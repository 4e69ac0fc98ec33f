"""The gate: what a change of tables, rules, contracts or consumers breaks, by whose rule, and for whom."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli.check import app
from tests.unit.cli.test_help import options_of

ROOT = Path(__file__).parents[3]
DDL = ROOT / "legacy-db" / "legacy_db" / "schema.sql"
CI = ROOT / "examples" / "ci"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the shipped mappings and their legacy DDL, committed in a repository of its own."""
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    shutil.copy(DDL, tmp_path / "legacy.sql")
    monkeypatch.chdir(tmp_path)
    for name in ("GATEWAY_MAPPINGS", "GATEWAY_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "begun"],
    ):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{old} is not in {path}"
    path.write_text(text.replace(old, new, 1))


def checked(*arguments: str, status: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "-o", "json"])
    assert done.exit_code == status, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_shipped_fits_layer_by_layer(project: Path) -> None:
    found = checked("--ddl", "legacy.sql", "--against", "main")
    assert (found["broken"], found["breaks"], found["unseen"]) == (False, [], [])
    assert len(found["checked"]) == 4


def test_layers_that_nobody_gave_are_named_with_the_option_that_gives_them(project: Path) -> None:
    (project / "mappings/consumers.yaml").unlink()
    told = " ".join(one["told"] for one in checked()["unseen"])
    assert "--ddl" in told and "--against" in told and "consumers.yaml" in told


def test_a_dropped_column_names_declaration_rules_fields_and_consumers(project: Path) -> None:
    edit(project / "legacy.sql", "  str      char(40)      NOT NULL,\n", "")
    [found] = [
        one for one in checked("--ddl", "legacy.sql", status=1)["breaks"] if one["concerned"] == "crm.cust_addr.str"
    ]
    line = (project / "mappings/customer/customer.yaml").read_text().splitlines()[found["line"] - 1]
    assert line[found["column"] - 1 :].startswith("str:")
    [rule] = [one for one in found["rules"] if one["name"] == "address-moved"]
    at = line_of(project / "mappings/customer/customer.yaml", "- rule: address-moved")
    assert rule["place"].startswith(f"mappings/customer/customer.yaml:{at}:")
    assert {"CustomerAddressChanged.address.street"} <= set(found["fields"])
    assert {"letters", "customer-portal"} <= set(found["consumers"])
    assert "tax-reporting" in found["consumers"], "a legal domicile has a street, too"
    assert "receivables" not in found["consumers"]


def test_a_renamed_column_is_recognised(project: Path) -> None:
    edit(project / "legacy.sql", "  str      char(40)", "  str_1    char(40)")
    [found] = checked("--ddl", "legacy.sql", status=1)["breaks"]
    assert "perhaps it was renamed to str_1" in found["what"]


def test_a_retyped_column_is_a_break_where_no_value_decodes_and_a_warning_where_some_do_not(project: Path) -> None:
    edit(project / "legacy.sql", "lat      numeric(9,6)", "lat      boolean")
    edit(project / "legacy.sql", "lon      numeric(9,6)", "lon      numeric(12,8)")
    found = {one["concerned"]: one["warning"] for one in checked("--ddl", "legacy.sql", status=1)["breaks"]}
    assert found == {"crm.cust_addr.lat": False, "crm.cust_addr.lon": True}


def test_a_dropped_table_names_all_that_hangs_on_it(project: Path) -> None:
    edit(
        project / "legacy.sql",
        "CREATE TABLE IF NOT EXISTS crm.cust_addr (",
        "CREATE TABLE IF NOT EXISTS crm.addresses (",
    )
    found = next(
        one for one in checked("--ddl", "legacy.sql", status=1)["breaks"] if one["concerned"] == "crm.cust_addr"
    )
    assert "CustomerAddressChanged.address.street" in found["fields"]
    assert "letters" in found["consumers"]


def test_migrations_are_read_in_the_order_of_their_names(project: Path) -> None:
    folder = project / "migrations"
    folder.mkdir()
    shutil.move(project / "legacy.sql", folder / "001.sql")
    (folder / "002.sql").write_text("ALTER TABLE crm.cust_addr DROP COLUMN city;")
    assert "crm.cust_addr.city" in {one["concerned"] for one in checked("--ddl", "migrations", status=1)["breaks"]}


def test_a_rule_that_no_longer_fills_its_contract_is_named_with_its_readers(project: Path) -> None:
    contract = project / "mappings/customer/events/CustomerMerged.v1.avsc"
    schema = json.loads(contract.read_text())
    schema["fields"].append({"name": "clerk", "type": "string", "doc": "Who did it."})
    contract.write_text(json.dumps(schema))
    found = checked(status=1)["breaks"]
    assert {one["concerned"] for one in found} == {"CustomerMerged"}
    assert all("clerk" in one["what"] for one in found)
    assert {name for one in found for name in one["consumers"]} == {"customer-portal", "tax-reporting"}
    assert all(one["rules"] and one["file"].endswith("customer.yaml") for one in found)


def test_a_contract_that_earlier_readers_cannot_read_names_field_rule_and_readers(project: Path) -> None:
    contract = project / "mappings/customer/events/CustomerMerged.v1.avsc"
    edit(contract, '"name": "mergedOn"', '"name": "joinedOn"')
    edit(project / "mappings/customer/customer.yaml", "      mergedOn: ", "      joinedOn: ")
    edit(project / "mappings/consumers.yaml", "[customerId, survivorId]", "[customerId, survivorId, joinedOn]")
    shutil.rmtree(project / "mappings/customer/events/history")
    found = [one for one in checked("--against", "main", status=1)["breaks"] if "CONTRACT" in one["layer"].upper()]
    [added] = [one for one in found if one["concerned"] == "CustomerMerged.joinedOn"]
    assert "earlier events lack it" in added["what"]
    assert [one["name"] for one in added["rules"]] == ["merged"]
    assert added["consumers"] == ["customer-portal"]
    [removed] = [one for one in found if one["concerned"] == "CustomerMerged.mergedOn"]
    assert "earlier readers want it" in removed["what"]


def test_an_event_that_nobody_publishes_any_more_is_a_break_if_somebody_reads_it(project: Path) -> None:
    rules = yaml.safe_load((project / "mappings/claim/claim.yaml").read_text())
    rules["rules"] = [one for one in rules["rules"] if one.get("event") != "ClaimStatusChanged"]
    rules["events"].pop("ClaimStatusChanged", None)
    (project / "mappings/claim/claim.yaml").write_text(yaml.safe_dump(rules, sort_keys=False))
    found = [
        one for one in checked("--against", "main", status=1)["breaks"] if one["concerned"] == "ClaimStatusChanged"
    ]
    assert any(one["consumers"] == ["claims-desk"] and not one["warning"] for one in found)


def test_schemas_exported_from_a_registry_count_as_known(project: Path) -> None:
    folder = project / "registered"
    folder.mkdir()
    schema = json.loads((project / "mappings/customer/events/CustomerMerged.v1.avsc").read_text())
    schema["fields"].append({"name": "clerk", "type": "string"})
    (folder / "merged.json").write_text(json.dumps({"subject": "x", "version": 3, "schema": json.dumps(schema)}))
    [found] = checked("--registered", "registered", status=1)["breaks"]
    assert (found["concerned"], "merged.json" in found["what"]) == ("CustomerMerged.clerk", True)


def test_a_consumer_of_what_does_not_exist_is_found_with_its_place(project: Path) -> None:
    edit(project / "mappings/consumers.yaml", "[customerId, survivorId]", "[customerId, survivor]")
    [found] = checked(status=1)["breaks"]
    assert "has no field `survivor`" in found["what"]
    assert (found["concerned"], found["consumers"]) == ("CustomerMerged", ["customer-portal"])
    assert (found["file"], found["line"] > 1) == ("mappings/consumers.yaml", True)


def test_text_and_annotations_name_place_rule_field_and_consumer(project: Path) -> None:
    edit(project / "legacy.sql", "  str      char(40)      NOT NULL,\n", "")
    text = CliRunner().invoke(app, ["--ddl", "legacy.sql"]).stdout
    for part in (
        "mappings/customer/customer.yaml:",
        "address-moved",
        "CustomerAddressChanged.address.street",
        "letters (Output",
    ):
        assert part in text, text
    [line] = [
        one for one in CliRunner().invoke(app, ["--ddl", "legacy.sql", "-o", "github"]).stdout.splitlines() if one
    ]
    assert line.startswith("::error file=mappings/customer/customer.yaml,line=")
    assert "%0Aconsumers: " in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ddl", "nothing.sql"], "nothing.sql"),
        (["--ddl", "legacy.sql", "--live"], "--live"),
        (["--live"], "legacy_dsn"),
        (["--against", "no-such-branch"], "no-such-branch"),
        (["--registered", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_tried_is_told_with_its_place_and_status_2(
    project: Path, arguments: list[str], told: str
) -> None:
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, told in done.stderr) == (2, True), done.output


def test_a_version_that_nobody_reads_may_go_and_one_that_is_read_may_not(project: Path) -> None:
    """Two versions are published side by side, then the older one ends."""
    events = project / "mappings/claim/events"
    newer = json.loads((events / "ClaimStatusChanged.v1.avsc").read_text())
    newer["namespace"] = newer["namespace"].replace(".v1", ".v2")
    (events / "ClaimStatusChanged.v2.avsc").write_text(json.dumps(newer))
    mapping = project / "mappings/claim/claim.yaml"
    alone = mapping.read_text()
    entry = re.search(r"^  ClaimStatusChanged: .*$", alone, re.MULTILINE)
    versions = "  ClaimStatusChanged: {version: 2, also: {1: {sunset: 2027-06-30}}}"
    alone = alone.replace(entry[0], versions) if entry else alone.replace("events:\n", f"events:\n{versions}\n", 1)
    mapping.write_text(alone)
    commit("both")
    mapping.write_text(alone.replace(", also: {1: {sunset: 2027-06-30}}", ""))
    [gone] = checked("--against", "main")["breaks"]
    assert (gone["concerned"], gone["warning"], gone["consumers"]) == ("ClaimStatusChanged", True, [])
    edit(
        project / "mappings/consumers.yaml",
        "ClaimStatusChanged: {fields: [claimId, status, changedOn]}",
        "ClaimStatusChanged: {version: 1, fields: [claimId]}",
    )
    found = [one for one in checked("--against", "main", status=1)["breaks"] if "known versions" in one["layer"]]
    assert [(one["warning"], one["consumers"]) for one in found] == [(False, ["claims-desk"])]
    place = (found[0]["file"], found[0]["line"])
    assert place == ("mappings/consumers.yaml", line_of(project / "mappings/consumers.yaml", "ClaimStatusChanged:"))


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def commit(said: str) -> None:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", *author, "commit", "-q", "-m", said], check=True)


def test_a_base_with_faults_of_its_own_is_named(project: Path) -> None:
    edit(project / "mappings/claim/claim.yaml", "rules:\n", "rulez:\n")
    commit("broken")
    shutil.copytree(project / "mappings", project / "mended")
    edit(project / "mended/claim/claim.yaml", "rulez:\n", "rules:\n")
    done = CliRunner().invoke(app, ["--against", "main"], env={"GATEWAY_MAPPINGS": "mended"})
    assert done.exit_code == 2, done.output
    done = CliRunner().invoke(app, ["--against", "main:mappings"], env={"GATEWAY_MAPPINGS": "mended"})
    assert done.exit_code == 2, done.output
    assert "main:mappings cannot be compared with" in done.stderr and "claim.yaml" in done.stderr


@pytest.mark.parametrize(
    "content", ["[", "{", '{"schema": "{"}', '{"type": "record"}', '{"schema": ""string""}x', "[1]", "null", '"x"']
)
def test_an_exported_schema_that_is_none_is_told_with_its_file(project: Path, content: str) -> None:
    (project / "registered").mkdir()
    (project / "registered" / "merged.json").write_text(content)
    done = CliRunner().invoke(app, ["--registered", "registered"])
    assert done.exit_code == 2, done.output
    assert "merged.json" in done.stderr


def test_an_earlier_version_beside_a_contract_that_is_no_schema_is_told_with_its_file(project: Path) -> None:
    earlier = project / "mappings/customer/events/history/CustomerMerged.v1.0.avsc"
    schema = json.loads(earlier.read_text())
    del schema["fields"][0]["type"]
    earlier.write_text(json.dumps(schema))
    done = CliRunner().invoke(app, [])
    assert (done.exit_code, "CustomerMerged.v1.0.avsc" in done.stderr) == (2, True), done.output


def test_legacy_names_in_capitals_a_search_path_and_a_dump_are_the_same_tables(project: Path) -> None:
    script = (project / "legacy.sql").read_text()
    (project / "legacy.sql").write_text("\\restrict x\n" + re.sub(r"\bcrm\.cust_addr\b", "CRM.CUST_ADDR", script))
    assert checked("--ddl", "legacy.sql")["breaks"] == []


# -- examples for CI systems ----


def commands(text: str) -> list[list[str]]:
    """Every `gateway …` that a file runs."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))]
    called = re.findall(r"\bgateway ([a-z]+[^,'\n]*)", "\n".join(lines))
    return [one.replace('"', " ").split() for one in called]


@pytest.mark.parametrize("name", ["check.sh", "github.yml", "gitlab.yml", "Jenkinsfile", "pre-commit.yml"])
def test_each_example_calls_commands_and_options_that_exist(name: str) -> None:
    called = commands((CI / name).read_text())
    assert called
    for words in called:
        known = options_of(words)
        asked = {word for word in words if word.startswith("-")}
        assert asked <= known, f"{name}: {words}"


@pytest.mark.parametrize(("name", "schema"), [("github.yml", "github-workflows"), ("gitlab.yml", "gitlab-ci")])
def test_each_example_is_valid_by_its_systems_own_schema(name: str, schema: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(CI / name)]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_script_passes_on_a_project_that_fits(project: Path) -> None:
    bin_folder = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "BASE": "main", "LEGACY": "legacy.sql"}
    done = subprocess.run(["sh", str(CI / "check.sh")], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "catalogue/index.html").exists()
