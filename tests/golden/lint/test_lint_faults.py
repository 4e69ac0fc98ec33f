"""Every planted fault is found, with its code, line and column, and nothing else is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gateway.mapping.lints.catalogue import all_lints
from gateway.mapping.lints.recorded import schema_from_json
from gateway.mapping.lints.run import Options, lint_folder

HERE = Path(__file__).parent
Places = list[tuple[str, str, int, int]]


@dataclass(frozen=True)
class Planted:
    """``edits``: (file, old text, new text); each § of a new text is where a finding begins, in the codes' order."""

    name: str
    codes: tuple[str, ...]
    edits: tuple[tuple[str, str, str], ...]


def corpus() -> Iterable[Planted]:
    for each in yaml.safe_load((HERE / "faults.yaml").read_text()):
        edits = tuple((edit.get("file", "shop/order.yaml"), edit["old"], edit["new"]) for edit in each["edits"])
        yield Planted(each["fault"], tuple(each["finds"].split()), edits)


FAULTS = tuple(corpus())


def planted(folder: Path, fault: Planted) -> Iterable[tuple[str, int, int]]:
    """Write the base with the fault into a folder; the places of the signs."""
    shutil.copytree(HERE / "base", folder, dirs_exist_ok=True)
    shutil.copy(HERE / "schema.json", folder / "schema.json")
    for name, old, new in fault.edits:
        path = folder / name
        if old == "":
            path.write_text(new)
            continue
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new) if name == "schema.json" else text.replace(old, new, 1))
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "§" in path.read_text():
            text = path.read_text()
            for number, line in enumerate(text.split("\n"), 1):
                while "§" in line:
                    yield path.relative_to(folder).as_posix(), number, line.index("§") + 1
                    line = line.replace("§", "", 1)
            path.write_text(text.replace("§", ""))


def found(folder: Path) -> Places:
    schema = schema_from_json(json.loads((folder / "schema.json").read_text()))
    findings = lint_folder(folder, Options(schema))
    return [(each.lint.code, each.file, each.line, each.column) for each in findings]


def test_nothing_is_found_in_the_base(tmp_path: Path) -> None:
    assert list(planted(tmp_path, Planted("base", (), ()))) == []
    assert found(tmp_path) == []


def test_the_corpus_is_large_and_every_lint_has_a_fault() -> None:
    assert len(FAULTS) >= 40
    unplanted = {lint.code for lint in all_lints()} - {code for fault in FAULTS for code in fault.codes}
    assert unplanted == {"GW009", "GW015", "GW099", "GW303"}, "see tests/golden/mapping; GW303 is below"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_where_it_stands(fault: Planted, tmp_path: Path) -> None:
    places = list(planted(tmp_path, fault))
    assert len(places) == len(fault.codes)
    assert sorted(found(tmp_path)) == sorted((code, *place) for code, place in zip(fault.codes, places, strict=True))


def test_an_event_of_two_mappings_is_found(tmp_path: Path) -> None:
    list(planted(tmp_path, Planted("base", (), ())))
    other = (tmp_path / "shop" / "order.yaml").read_text().replace("mapping: order", "mapping: other")
    other = other.replace("legacy.order.raw", "legacy.other.raw").replace("shop.ord", "other.ord")
    (tmp_path / "shop" / "other.yaml").write_text(other)
    places = [each for each in found(tmp_path) if each[0] == "GW303"]
    assert places[0] == ("GW303", "shop/other.yaml", 47, 12)
    assert len(places) == 6
