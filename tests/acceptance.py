"""pytest plugin: with ``--acceptance``, each test that docs/acceptance.md names must have run and passed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REFERENCE = re.compile(r"`(tests/[\w/]+\.py::[\w:]+)`")
DOCUMENT = Path(__file__).parent.parent / "docs" / "acceptance.md"
_passed: set[str] = set()
_failed: set[str] = set()


def references(text: str) -> set[str]:
    """Test ids named in the document, without parameters."""
    return set(REFERENCE.findall(text))


def lines_without_test(text: str) -> list[str]:
    """Table rows of the document whose last cell names no test."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| line", "| ---"))]
    return [row for row in rows if not REFERENCE.search(row)]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--acceptance`` turns the check on (make test does)."""
    parser.addoption("--acceptance", action="store_true", help="check docs/acceptance.md against what ran")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what passed and what did not, over setup, call and teardown."""
    name = report.nodeid.split("[", 1)[0].split("@", 1)[0]  # behind @ stands the group of pytest-xdist
    if report.when == "call" and report.passed:
        _passed.add(name)
    elif report.failed or report.skipped:
        _failed.add(name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session when a promised test did not run and pass."""
    if not session.config.getoption("--acceptance") or hasattr(session.config, "workerinput"):
        return  # with several processes, the one that hears of all tests decides
    text = DOCUMENT.read_text()
    absent = sorted(references(text) - (_passed - _failed))
    bare = lines_without_test(text)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    broken = [f"promised, but did not run and pass: {name}" for name in absent]
    for line in broken + [f"names no test: {row}" for row in bare]:
        if reporter is not None:
            reporter.write_line(f"docs/acceptance.md: {line}", red=True)
    if absent or bare:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
