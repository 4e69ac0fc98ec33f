"""What is committed: no machine's paths, no registries' hosts; a house that says what it is for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SPLIT = "".join  # hosts and paths are put together here, or this file would find itself
HOSTS = [
    SPLIT(("py", r"pi\.org")),
    SPLIT(("pythonhosted", r"\.org")),
    SPLIT(("npm", r"js\.org")),
    SPLIT(("maven", r"\.org")),
    SPLIT(("proxy.go", r"lang\.org")),
    SPLIT(("index", "-url")),
]
PATHS = [SPLIT(("/wo", "rk/")), SPLIT(("/ro", "ot/")), SPLIT(("/tmp/", "demo")), SPLIT(("/ho", r"me/\w"))]


def committed() -> list[Path]:
    """Text files of the repository as git lists them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in found if path.suffix not in (".gz", ".png", ".jar") and path.is_file()]


@pytest.mark.parametrize(
    ("what", "patterns"), [("a host of a package registry", HOSTS), ("a path of a machine", PATHS)]
)
def test_nothing_committed_names(what: str, patterns: list[str]) -> None:
    pattern = re.compile("|".join(patterns))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in committed()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], what


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("README.md", ["make demo", "make test", "Two commands", "Where to go next", "Debezium", "─►"]),
        ("ARCHITECTURE.md", ["## Rooms", "## Invariants", "docs/adr/", "docs/acceptance.md"]),
        ("CONTRIBUTING.md", ["make test"]),
        ("CHANGELOG.md", ["## [Unreleased]"]),
        ("LICENSE", ["Apache License", "Version 2.0"]),
        ("docs/performance.md", ["passthrough_ratio", "cpu_multiple", "make bench"]),
    ],
)
def test_the_papers_are_there_and_say(name: str, says: list[str]) -> None:
    text = (ROOT / name).read_text()
    assert [word for word in says if word not in text] == []


def test_what_it_is_for_stands_first_in_three_sentences_and_a_picture() -> None:
    _, purpose, picture, *_ = (ROOT / "README.md").read_text().split("\n\n")
    assert len(re.findall(r"[.!?](?:\s|$)", purpose)) == 3
    assert picture.startswith("```")


def test_every_decision_has_a_number_and_a_reason() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    assert len(decisions) >= 2
    assert all(len(path.read_text().split()) > 60 for path in decisions)


def test_links_between_papers_lead_somewhere() -> None:
    broken = []
    for paper in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", paper.read_text()):
            if not (paper.parent / target).exists():
                broken.append(f"{paper.relative_to(ROOT)}: {target}")
    assert broken == []
