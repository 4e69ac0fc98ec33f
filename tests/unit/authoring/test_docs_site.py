"""docs/ is a site: it builds without a warning, asks nothing of the network, and leaves no page out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_builds_strictly_and_asks_nothing_of_the_network(site: Path) -> None:
    loads = re.compile(r"<(?:script|link|img)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
    asked = {
        found for page in site.rglob("*.html") for found in loads.findall(page.read_text()) if "canonical" not in found
    }
    assert asked == set()


def test_every_page_is_reached_from_the_navigation(site: Path) -> None:
    front = (site / "index.html").read_text()
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert [
        str(page) for page in pages if f'href="{page.with_suffix(".html")}"' not in front and page.stem != "index"
    ] == []


def test_the_page_of_commands_tells_the_help_of_each(site: Path) -> None:
    page = (site / "reference" / "commands.html").read_text()
    assert [name for name in COMMANDS if f"gateway {name}" not in page] == []


def test_the_pages_name_no_command_that_there_is_not() -> None:
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "acceptance.md" and "adr" not in path.parts]
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in pages
        for name in re.findall(r"(?:^|`|\n|\()gateway ([a-z][a-z-]*)", page.read_text())
    }
    assert sorted(each for each in named if each[1] not in COMMANDS) == []
    assert len(named) > 20


def test_the_site_keeps_the_schemas_and_the_tutorials_files(site: Path) -> None:
    for name in ("schema/mapping.schema.json", "tutorial/loans.jsonl.gz", "tutorial/loans.sql"):
        assert (site / name).is_file()
