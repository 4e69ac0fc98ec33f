"""ARCHITECTURE.md, the import contracts and the folders speak of the same rooms; the contracts hold."""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "gateway"


def existing() -> set[str]:
    """Packages and modules directly under gateway/."""
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    return packages | modules


def listed() -> dict[str, str]:
    """Rooms of ARCHITECTURE.md's table with what they may import."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (`gateway/[^|]*) \| [^|]* \| ([^|]*) \|$", text, re.MULTILINE)
    return {name: allowed.strip() for cell, allowed in rows for name in re.findall(r"`gateway/(\w+)(?:/|\.py)`", cell)}


def layers() -> list[set[str]]:
    """The import contract's layers, upper ones first."""
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    lines = contracts["importlinter:contract:rooms"]["layers"].split("\n")
    return [set(re.findall(r"gateway\.(\w+)", line)) for line in lines if line.strip()]


def test_the_table_lists_the_rooms_that_there_are() -> None:
    assert listed().keys() == existing()


def test_every_room_stands_in_a_layer_of_the_import_contract() -> None:
    named = [room for layer in layers() for room in layer]
    assert sorted(named) == sorted(existing())


def test_what_the_table_allows_stands_below_in_the_contract() -> None:
    """A room named as allowed is never in a layer above; same-layer siblings cannot import each other."""
    level = {room: number for number, layer in enumerate(layers()) for room in layer}
    for room, allowed in listed().items():
        for other in re.findall(r"\b(\w+)\b", allowed):
            if other in level:
                assert level[other] > level[room], f"{room} may import {other}"


def test_the_import_contracts_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_folders_beside_the_package_stand_in_the_table() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for folder in ("mappings", "connect", "legacy-db", "examples/demo", "tests", "benchmarks", "ops"):
        assert (ROOT / folder).is_dir()
        assert f"| `{folder}/`" in text
