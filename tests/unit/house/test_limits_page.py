"""The page of limits tells the truth about the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs/operations/limits.md").read_text(encoding="utf-8")
UNITS = {"": 1, "MB": 1024 * 1024, "GB": 1024**3}
NAMES = [
    name for name in Settings.model_fields if "_max_" in name or name in ("commit_interval_ms", "unit_memory_bytes")
]


def told() -> dict[str, int]:
    """Settings of the table with their defaults."""
    found: dict[str, int] = {}
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            names, defaults = (cell.strip() for cell in line.split("|")[1:3])
            values = re.split(r", (?=\d)", defaults)
            for name, value in zip(re.findall(r"`(\w+)`", names), values, strict=False):
                number, _, unit = value.partition(" ")
                found[name] = int(number.replace(",", "")) * UNITS[unit] if number[:1].isdigit() else -1
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_of_the_settings_stands_in_the_table_with_its_default(name: str) -> None:
    assert told().get(name) == Settings.model_fields[name].default
