"""`gateway diff`: versions from folders and git revisions, outputs, budgets, exit status; faults are told."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.authoring.diff_budget import Allowance, parse_budget, spend
from gateway.cli import diff
from gateway.model.errors import ConfigError
from tests.unit.authoring.planted import MAPPINGS, RECORDING, old_events, plant

RUNNER = CliRunner()
TERMINAL = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
NOBODY = (
    "customer/customer.yaml",
    "- rule: merged\n    event: CustomerMerged\n",
    "- rule: merged\n    event: CustomerMerged\n    when: after.customerId < 0\n",
)


def run(*arguments: object) -> Result:
    return RUNNER.invoke(diff.app, [str(each) for each in arguments])


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The shipped mappings, in which nobody is merged any more."""
    return plant(tmp_path, *NOBODY)


def test_text_names_the_edit_the_types_the_rule_and_shows_an_example(edited: Path) -> None:
    result = run(MAPPINGS, edited, "--recording", RECORDING)
    lost = len(list(old_events("merged")))
    assert result.exit_code == 0, result.output
    assert f"{lost} gone" in result.stdout
    assert "rule merged edited (when)" in result.stdout
    assert "customer/merged → unexplained" in result.stdout
    assert "update crm.cust: " in result.stdout
    assert "sts 'A' → 'M'" in result.stdout


def test_json_is_all_that_stands_on_stdout(edited: Path) -> None:
    result = run(MAPPINGS, edited, "--recording", RECORDING, "-o", "json", "--examples", "1")
    report = json.loads(result.stdout)
    assert report["summary"]["gone"] == len(list(old_events("merged")))
    (finding,) = report["events"]
    assert (finding["kind"], finding["old"]["event"], finding["new"]) == ("gone", "CustomerMerged", None)
    assert len(finding["examples"]) == 1
    row = finding["examples"][0]["rows"][0]
    assert (row["table"], row["before"]["sts"], row["after"]["sts"]) == ("crm.cust", "A", "M")
    by_type = {one["event"]: one for one in report["by_type"]}
    assert by_type["CustomerMerged"]["gone"] == report["summary"]["gone"]
    assert {one["id"] for one in report["by_aggregate"]} == {str(one["customerId"]) for one in old_events("merged")}


@pytest.mark.parametrize(
    ("budget", "status"),
    [
        (["--budget", "gone=0.1%"], 1),
        (["--budget", "gone=100,added=0", "--max-changed", "0.1%"], 0),
    ],
)
def test_a_budget_decides_the_exit_status(edited: Path, budget: list[str], status: int) -> None:
    result = run(MAPPINGS, edited, "--recording", RECORDING, *budget)
    assert result.exit_code == status, result.output
    assert ("budget exceeded" if status else "budget kept") in result.stdout


def test_a_share_is_of_the_old_events_and_exact_at_its_limit() -> None:
    (allowance,) = parse_budget("changed=0.1%")
    assert allowance == Allowance("changed", 0.1, percent=True)
    assert spend((allowance,), {"changed": 1}, 1000)[0].kept
    assert not spend((allowance,), {"changed": 2}, 1000)[0].kept
    assert spend(parse_budget("changed=0%"), {"changed": 0}, 0)[0].kept
    found = {"added": 0, "gone": 3, "changed": 1, "letters": 0, "unexplained": 2}
    spent = spend(parse_budget("changed=0,gone=3, unexplained=1,letters=0"), found, 1000)
    assert [one.name for one in spent if not one.kept] == ["changed", "unexplained"]


def test_markdown_and_page_are_written_and_say_the_same_figures(edited: Path, tmp_path: Path) -> None:
    comment, page = tmp_path / "comment.md", tmp_path / "diff.html"
    result = run(
        MAPPINGS, edited, "--recording", RECORDING, "--markdown", comment, "--html", page, "--budget", "gone=0"
    )
    assert result.exit_code == 1
    lost = len(list(old_events("merged")))
    text = comment.read_text()
    assert text.startswith("### ❌ Mappings: ")
    assert f"Of {354} events {lost} gone" in text.replace("\n", " ") or f"{lost} gone" in text
    assert "| `CustomerMerged` | " in text
    assert "<b>- " in text and "customer/merged → unexplained" in text
    html = page.read_text()
    assert "customer/merged → unexplained" in html
    assert "<script" not in html


def test_markdown_on_stdout_stands_there_alone(edited: Path) -> None:
    result = run(MAPPINGS, edited, "--recording", RECORDING, "--markdown", "-")
    assert result.stdout.startswith("### Mappings: ")
    assert "edited:" not in result.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository whose first commit has the shipped mappings."""
    root = tmp_path_factory.mktemp("git") / "project"
    shutil.copytree(MAPPINGS, root / "mappings")
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], [*name, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *arguments], check=True, cwd=root)
    return root


@pytest.fixture
def repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The repository as the working directory, its files as committed at first and afterwards."""
    monkeypatch.chdir(project)
    yield project
    subprocess.run(["git", "checkout", "-q", "."], check=True, cwd=project)


def test_a_revision_is_compared_with_the_working_tree(repository: Path) -> None:
    file, old, new = NOBODY
    path = repository / "mappings" / file
    path.write_text(path.read_text().replace(old, new))
    result = run("main", "--recording", RECORDING, "-o", "json")
    report = json.loads(result.stdout)
    assert (report["old"], report["new"]) == ("main", "working tree")
    assert report["summary"]["gone"] == len(list(old_events("merged")))


def test_a_revision_is_found_from_a_folder_inside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "mappings")
    result = run("HEAD:.", "main:.", "--recording", RECORDING)
    assert result.exit_code == 0, result.output
    assert "No difference" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "mappings", "--recording", RECORDING], "nowhere: neither a folder nor a git revision"),
        (["main:elsewhere", "mappings", "--recording", RECORDING], "main:elsewhere: git has no such folder"),
        (["main:../outside", "mappings", "--recording", RECORDING], "is outside the repository"),
        (["main"], "no records to compare over"),
        (["main", "--recording", RECORDING, "--live"], "both a recording and topics"),
        (["main", "--recording", "missing.gz"], "cannot open the recording"),
        (["main", "--recording", RECORDING, "--budget", "moved=1"], "a budget has no `moved`"),
        (["main", "--recording", RECORDING, "--budget", "gone=few"], "`few` is no amount"),
        (["main", "--recording", RECORDING, "--max-changed", "1.5"], "`1.5` is no amount"),
        (["main", "--recording", RECORDING, "--html", "no/such/folder/x.html"], "cannot be written"),
    ],
)
def test_bad_input_is_told_with_its_place_and_status_2(repository: Path, arguments: list[object], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_faults_of_a_version_name_the_version(repository: Path) -> None:
    path = repository / "mappings" / "claim" / "claim.yaml"
    path.write_text(path.read_text().replace("table: claim,", "table: clam,", 1))
    result = run("main", "--recording", RECORDING)
    assert result.exit_code == 2
    assert "working tree: " in result.stderr
    assert "claim/claim.yaml:" in result.stderr


def test_budgets_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ConfigError, match="a budget has no `x`"):
        parse_budget("x=1")


def test_a_bar_counts_the_records_on_a_terminal_and_two_processes_say_the_same_as_one(edited: Path) -> None:
    seen, told = os.openpty()
    gateway = Path(sys.executable).with_name("gateway")
    command = [gateway, "diff", MAPPINGS, edited, "--recording", RECORDING, "--jobs", "2", "-o", "json"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=told, env=TERMINAL) as process:
        os.close(told)
        drawn = b"".join(iter(lambda: _drawn(seen), b"")).decode()
        printed, _ = process.communicate(timeout=120)
    os.close(seen)
    report = json.loads(printed)
    records = report["summary"]["records"]
    assert "reading" in drawn
    counted = [int(count) for count, total in re.findall(r"comparing .*?(\d+)/(\d+)", drawn) if int(total) == records]
    assert counted == sorted(counted)
    assert counted[-1] == records
    alone = json.loads(run(MAPPINGS, edited, "--recording", RECORDING, "--jobs", "1", "-o", "json").stdout)
    assert report["summary"] == alone["summary"]


def _drawn(terminal: int) -> bytes:
    """What was drawn since; nothing once the other end is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
