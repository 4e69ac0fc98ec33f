"""make: help comes first, and no recipe needs more than Python, coreutils and a shell."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = ("help", "setup", "demo", "up", "down", "test", "test-newest", "lint", "bench", "dist", "clean")
# what a recipe may call: coreutils, the shell's own words, and programs of the virtual environment
ALLOWED = {"echo", "test", "touch", "rm", "exit", ".venv/bin/python", ".venv/bin/lint-imports"}


@pytest.fixture
def bare_path(tmp_path: Path) -> dict[str, str]:
    """A PATH with nothing but Python and coreutils' handful used here."""
    for name in ("echo", "test", "touch", "rm"):
        (tmp_path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())
    return {"PATH": str(tmp_path)}


def make(*arguments: str, env: dict[str, str]) -> str:
    program = shutil.which("make")
    assert program is not None
    run = subprocess.run((program, *arguments), cwd=ROOT, env=env, text=True, capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_make_alone_prints_the_help_and_every_target_stands_in_it(bare_path: dict[str, str]):
    text = make(env=bare_path)
    assert text == make("help", env=bare_path)
    assert text.startswith("make demo")
    assert all(f"make {target}" in text for target in TARGETS if target != "help")


def test_recipes_call_nothing_beyond_coreutils_and_the_environments_own_programs(bare_path: dict[str, str]):
    dry = "".join(make("--dry-run", "--always-make", target, env=bare_path) for target in TARGETS)
    bare = re.sub(r'"[^"]*"', '""', dry)
    called = {word for line in bare.splitlines() for word in re.findall(r"(?:^|\|\||&&|;|\{)\s*([\w./-]+)", line)}
    assert called - ALLOWED <= {"python3"}
    assert ".venv/bin/python" in called


def test_packages_are_installed_by_hash_and_nothing_is_resolved_anew():
    recipe = (ROOT / "Makefile").read_text()
    installs = [line for line in recipe.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes -r requirements/all.txt" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_continuous_integration_runs_make_test_and_then_the_newest_python():
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("\nmake test\nexec make test-newest")
