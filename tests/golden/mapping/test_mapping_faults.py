"""Each faulty mapping of the corpus ends with the faults it must show: line, column, what is wrong, how to mend it."""

import re
from pathlib import Path

import pytest

from gateway.mapping.loader import load_text
from gateway.model.errors import ConfigError

FOLDER = Path(__file__).parent / "faults"
FAULTY = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "good.yaml")


def expected(text: str) -> list[str]:
    return re.findall(r"^# expect (.*)$", text, re.M)


def test_the_mapping_that_all_faulty_ones_are_made_from_loads() -> None:
    assert load_text((FOLDER / "good.yaml").read_text(), FOLDER, "good.yaml").name == "customer"


def test_the_corpus_is_large_enough() -> None:
    assert len(FAULTY) >= 100


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_a_faulty_mapping_shows_exactly_its_faults_with_place_and_remedy(path: Path) -> None:
    text = path.read_text()
    with pytest.raises(ConfigError) as caught:
        load_text(text, FOLDER, path.name)
    shown = [
        f"{'' if fault.file == path.name else fault.file + ' '}{fault.line}:{fault.column} {fault.what} | {fault.hint}"
        for fault in caught.value.faults
    ]
    assert shown == expected(text)
    for fault in caught.value.faults:
        assert fault.hint
        source = (FOLDER / fault.file).read_text().split("\n")
        assert fault.excerpt == source[fault.line - 1].replace("\t", "·")[:160]
