"""The distribution: its name, its command, its extras, and requirements that are locked by hash and name no index."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points, metadata, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements" / "all.txt").read_text()
ENTRY = re.compile(r"^([A-Za-z0-9._-]+(?:\[[^\]]*\])?)==([^\s;]+)([^\n]*)\n((?: {4}.*\n?)*)", re.MULTILINE)


def wanted() -> dict[str, Requirement]:
    """Requirements of the project and of its extras, by name."""
    texts = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]
    return {canonicalize_name(one.name): one for one in map(Requirement, texts)}


def locked() -> dict[str, str]:
    """Versions of the lock by name."""
    return {canonicalize_name(name.split("[")[0]): version for name, version, _, _ in ENTRY.findall(LOCK)}


def test_the_distribution_is_installed_under_its_name_with_its_licence() -> None:
    found = metadata("strangler-gateway")
    assert found["Name"] == PROJECT["name"] == "strangler-gateway"
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == ">=3.11"


def test_the_command_gateway_is_the_command_line() -> None:
    (script,) = entry_points(group="console_scripts", name="gateway")
    assert script.dist is not None
    assert script.dist.name == "strangler-gateway"
    assert callable(script.load())


def test_there_are_the_extras_stack_console_and_dev() -> None:
    extras = {
        one.split("extra == ")[1].strip("'\" ") for one in requires("strangler-gateway") or () if "extra ==" in one
    }
    assert extras == set(PROJECT["optional-dependencies"]) == {"stack", "console", "dev"}


def test_every_locked_package_has_a_version_and_hashes() -> None:
    lines = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    entries = ENTRY.findall(LOCK)
    assert len(entries) == len(lines) > 40
    assert [name for name, _, _, rest in entries if "--hash=sha256:" not in rest] == []


def test_the_lock_names_no_index() -> None:
    assert not re.search(r"^\s*(-i|--index|--extra-index|--find-links|--trusted-host)|https?://", LOCK, re.MULTILINE)


def test_the_lock_fulfils_the_project() -> None:
    versions = locked()
    assert [name for name in wanted() if name not in versions] == []
    broken = [f"{one} is {versions[name]}" for name, one in wanted().items() if versions[name] not in one.specifier]
    assert broken == []
