"""`make test` begins with style, types and import rules, and these would find a fault."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def steps(target: str) -> list[str]:
    make = shutil.which("make")
    assert make is not None
    told = subprocess.run([make, "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if re.search(r"ruff|mypy|lint-imports|pytest", line)]


def test_make_test_checks_style_types_and_imports_and_then_every_test_against_the_promises() -> None:
    style, layout, types, imports, tests = steps("test")
    assert ("ruff check ." in style, "ruff format --check ." in layout) == (True, True)
    assert types.endswith("mypy")
    assert "lint-imports" in imports
    assert "pytest" in tests
    assert "--acceptance" in tests


def test_types_are_strict_everywhere() -> None:
    settings = PROJECT["tool"]["mypy"]
    assert settings["strict"] is True
    assert {"gateway", "legacy_db"} <= set(settings["packages"])
    assert all(not set(one) - {"module", "ignore_missing_imports"} for one in settings["overrides"])


def test_an_untyped_function_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "loose.py").write_text("def loose(value):\n    return value\n")
    command = [BIN / "mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", tmp_path / "cache"]
    found = subprocess.run([*command, tmp_path / "loose.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "no-untyped-def" in found.stdout


def test_a_fault_of_style_would_be_found(tmp_path: Path) -> None:
    """An unused import, an undocumented function, an error that is swallowed."""
    text = "import os\n\n\ndef undocumented():\n    try:\n        pass\n    except Exception:\n        pass\n"
    (tmp_path / "loose.py").write_text(text)
    command = [BIN / "ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml", tmp_path / "loose.py"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert all(code in found.stdout for code in ("F401", "D103", "BLE001"))
