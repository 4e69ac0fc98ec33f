"""`gateway lint` and `gateway fmt` as commands: places, reasons, remedies; SARIF, annotations, fixes, live tables."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from gateway.cli.fmt import app as fmt
from gateway.cli.lint import app as lint
from gateway.mapping.lints.catalogue import all_lints
from gateway.mapping.loader import load

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SQL = "CREATE TABLE shop.ord (ord_id int PRIMARY KEY, nm text, scor int, upd_pgm text);"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The base of the planted faults with two of them: an unused column that may go, and one that is unknown."""
    shutil.copytree(HERE / "base", tmp_path, dirs_exist_ok=True)
    return tmp_path


def edit(folder: Path, old: str, new: str) -> Path:
    path = folder / "shop/order.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def unused(folder: Path) -> Path:
    """A condition that nothing uses."""
    text = (folder / "shop/order.yaml").read_text()
    rules = "rules:\n"
    assert rules in text
    added = "  nobody: \"row.status == 'sent'\"\n"
    if "conditions:\n" in text:
        return edit(folder, "conditions:\n", f"conditions:\n{added}")
    return edit(folder, rules, f"conditions:\n{added}{rules}")


def linted(folder: Path, *arguments: str, status: int = 1) -> str:
    done = CliRunner().invoke(lint, ["--mappings", str(folder), *arguments])
    assert done.exit_code == status, done.output
    return done.stdout


def test_text_has_place_line_reason_and_remedy(folder: Path) -> None:
    unused(folder)
    lines = linted(folder).splitlines()
    head = next(line for line in lines if "nobody" in line and ": " in line)
    assert "shop/order.yaml:" in head and " GW" in head
    assert any(line.strip() == "^" for line in lines)
    assert any(line.strip().startswith("why: ") for line in lines)
    assert any(line.strip().startswith("mend: ") for line in lines)


def test_names_that_break_one_rule_are_told_once_with_a_line_for_each_and_no_consequences(folder: Path) -> None:
    """Every place is an error still; the columns that are lost by it are no errors of their own."""
    path = folder / "shop/order.yaml"
    text, count = re.subn(
        r"as: ([a-z]+)([A-Z])([a-z]+)", lambda m: f"as: {m[1]}_{m[2].lower()}{m[3]}", path.read_text()
    )
    assert count > 2
    path.write_text(text)
    shown = linted(folder)
    assert shown.count("GW003 wrong-shape") == 1
    assert "no underscore or hyphen" in shown
    assert shown.count("    also: `") >= 1
    assert shown.rstrip().endswith(f"\n{count} errors")
    assert len(json.loads(linted(folder, "-o", "json"))) == count


def test_json_has_the_same(folder: Path) -> None:
    unused(folder)
    [found, *_] = json.loads(linted(folder, "-o", "json"))
    assert {"file", "line", "column", "code", "name", "severity", "what"} <= set(found)


def test_sarif_is_valid_by_the_specifications_own_schema(folder: Path) -> None:
    unused(folder)
    log = json.loads(linted(folder, "-o", "sarif"))
    schema = json.loads((HERE / "sarif-schema-2.1.0.json").read_text())
    assert not list(Draft7Validator(schema).iter_errors(log))
    [run] = log["runs"]
    assert len(run["tool"]["driver"]["rules"]) == len(all_lints())
    assert run["results"]


def test_annotations_name_file_line_and_column(folder: Path) -> None:
    unused(folder)
    assert any(
        line.startswith(("::warning file=", "::error file=")) and ",line=" in line and ",col=" in line
        for line in linted(folder, "-o", "github").splitlines()
    )


def test_fix_takes_out_what_can_go_and_the_mapping_still_loads(folder: Path) -> None:
    path = unused(folder)
    linted(folder, "--fix", status=0)
    assert "nobody" not in path.read_text()
    assert load(folder)


def test_a_finding_that_is_meant_is_accepted_with_a_reason(folder: Path) -> None:
    path = unused(folder)
    [found, *_] = json.loads(linted(folder, "-o", "json"))
    lines = path.read_text().splitlines()
    lines.insert(found["line"] - 1, f"  # lint: ignore {found['code']} because it is used by a script")
    path.write_text("\n".join(lines) + "\n")
    assert found["code"] not in linted(folder, status=0)


def test_codes_are_chosen_and_left_out(folder: Path) -> None:
    unused(folder)
    [found, *_] = json.loads(linted(folder, "-o", "json"))
    linted(folder, "--ignore", found["code"], status=0)
    assert all(
        one["code"].startswith("GW9") for one in json.loads(linted(folder, "--select", "GW9", "-o", "json", status=0))
    )


def test_an_acceptance_is_in_vain_only_where_its_code_was_looked_for(folder: Path) -> None:
    edit(folder, "city:    {pii: true}", "city:    {pii: true}   # lint: ignore GW107, GW105 because it was")
    for arguments in (["--ignore", "GW107"], ["--select", "GW9"], []):
        linted(folder, *arguments, status=0)
        assert "GW902" not in linted(folder, *arguments, status=0), "nobody looks for GW105 without a schema"
    assert "GW902" in linted(folder, "--schema", str(HERE / "schema.json"), status=0)


def test_tables_of_a_script_show_columns_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "legacy.sql"
    script.write_text(SQL)
    assert "GW101" in linted(folder, "--schema", str(script))


def test_each_code_is_explained(folder: Path) -> None:
    for one in all_lints():
        done = CliRunner().invoke(lint, ["--explain", one.code])
        assert (done.exit_code, one.name in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--explain", "GW999"], "there is no lint"),
        (["--select", "GX1"], "no lint's code"),
        (["--schema", "none.gz"], "none.gz"),
        (["--mappings", "nowhere"], "nowhere"),
        (["--save-schema", "x.json"], "--schema"),
    ],
)
def test_bad_input_is_told_with_status_2(arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(lint, arguments, env={"GATEWAY_MAPPINGS": str(ROOT / "mappings")})
    assert (done.exit_code, told in done.stderr) == (2, True), done.output


def test_a_file_that_is_not_there_or_not_of_the_folder_is_told_and_never_passes(folder: Path) -> None:
    for path in (folder / "shop/ordre.yaml", ROOT / "mappings"):
        done = CliRunner().invoke(lint, [str(path), "--mappings", str(folder)])
        assert (done.exit_code, path.name in done.stderr) == (2, True), done.output
    assert linted(folder, str(folder / "shop/order.yaml"), status=0) == "nothing found\n"


def test_a_case_file_that_cannot_be_read_is_found(folder: Path) -> None:
    (folder / "shop/order_test.yaml").write_bytes(b"\xff")
    found = json.loads(linted(folder, "-o", "json"))
    assert ("GW001", "shop/order_test.yaml") in {
        (one["code"], one["file"][-len("shop/order_test.yaml") :]) for one in found
    }


def test_fix_keeps_the_ends_of_lines(folder: Path) -> None:
    path = unused(folder)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    linted(folder, "--fix", status=0)
    assert b"nobody" not in path.read_bytes()
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n") > 0


# -- fmt ----

UNTIDY = """# first of all
mapping: order
aggregate: {key: [orderId], type: Order}   # turned round
use: [../shared/codes.yaml]
source: {unit: transaction,   topics: [shop.order.raw]}
"""


def test_keys_get_their_order_and_comments_stay(folder: Path) -> None:
    path = folder / "shop/order.yaml"
    text = path.read_text()
    start = text.index("tables:")
    path.write_text(UNTIDY + text[start:])
    digest = load(folder)[0].digest
    done = CliRunner().invoke(fmt, ["--check", str(folder)])
    assert (done.exit_code, "would change" in done.stdout) == (1, True)
    assert "-source" in CliRunner().invoke(fmt, ["--diff", str(folder)]).stdout
    assert path.read_text() == UNTIDY + text[start:], "nothing is written so far"
    assert CliRunner().invoke(fmt, [str(folder)]).exit_code == 0
    tidy = path.read_text()
    assert "# first of all" in tidy and "# turned round" in tidy
    assert tidy.index("source:") < tidy.index("aggregate:")
    assert load(folder)[0].digest == digest, "what it says is the same"
    assert CliRunner().invoke(fmt, ["--check", str(folder)]).exit_code == 0, "once more changes nothing"


def test_what_is_shipped_is_in_its_form() -> None:
    for mappings in (ROOT / "mappings", ROOT / "gateway/authoring/project_files/mappings"):
        assert CliRunner().invoke(fmt, ["--check", str(mappings)]).exit_code == 0


def test_what_cannot_be_formatted_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("mapping: [")
    done = CliRunner().invoke(fmt, [str(path)])
    assert (done.exit_code, "broken.yaml" in done.stderr) == (2, True)
    assert path.read_text() == "mapping: ["
    assert CliRunner().invoke(fmt, [str(tmp_path / "none.yaml")]).exit_code == 2
