"""Reading YAML: scalars stay text with their places; what surprises people, and what attacks, is refused."""

from pathlib import Path

import pytest

from gateway.mapping.nodes import Map, Mark, Scalar
from gateway.mapping.reader import _Builder, _PureParser, read_file, read_text


def scalars(text: str) -> dict[str, Scalar]:
    root, faults = read_text(text, "x.yaml")
    assert not faults.found
    assert isinstance(root, Map)
    return {key.text: value for key, value in root.entries if isinstance(value, Scalar)}


def whats(text: str) -> list[str]:
    return [fault.what for fault in read_text(text, "x.yaml")[1].sorted()]


@pytest.mark.parametrize("word", ["on", "NO", "012", "1:30", "1_000", "2026-01-02", "1e3", "0x1F", "~", "true", ".5"])
def test_a_plain_scalar_is_the_text_that_stands_there(word: str) -> None:
    assert scalars(f"a: {word}")["a"].text == word


def test_plain_null_is_null_and_quoted_null_is_text() -> None:
    found = scalars("a: null\nb: 'null'\nc: \"null\"")
    assert [found[name].is_null for name in "abc"] == [True, False, False]


def test_scalars_know_line_and_column_also_inside_quotes() -> None:
    found = scalars("a: x\nbc:   'yz'")
    assert found["a"].mark == Mark(1, 4)
    assert found["bc"].at(1) == Mark(2, 9)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: &x 1", "an anchor (&x)"),
        ("a: *x", "an alias (*x)"),
        ("a: !!python/object:os.system x", "a tag (tag:yaml.org,2002:python/object:os.system)"),
        ("a: !secret x", "a tag (!secret)"),
        ("a: {<<: b}", "a merge key (<<)"),
        ("a: 1\na: 2", "the key `a` stands here twice"),
        ("a: 1\n---\nb: 2", "a second document in one file"),
        ("a:\tx", "a tab"),
        ("a: {{ x }}", "`{{` without quotes"),
        ("a: b {{ x }}", "`{{` without quotes"),
        ("? [a]\n: b", "a list or map as a key"),
        ("a:", "nothing is written here"),
        ("- a", "a mapping file is a map of keys"),
        ("", "the file is empty"),
        ("%YAML 1.1\n---\na: b", "a YAML directive"),
    ],
)
def test_what_surprises_people_is_refused(text: str, what: str) -> None:
    assert whats(text) == [what]


def test_all_refusals_of_a_file_are_reported_together() -> None:
    assert whats("a: &x 1\nb: *x\nc: !t 1\na: 2") == [
        "an anchor (&x)",
        "an alias (*x)",
        "a tag (!t)",
        "the key `a` stands here twice",
    ]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]" for n in range(12)
)


@pytest.mark.parametrize(
    "text",
    [BOMB, "a: " + "[" * 500_000, "a: " + "{a: " * 200_000, "- " * 400_000, "a: '" + "x" * 900_000, "x" * 10_000_000],
    ids=["bomb", "deep-list", "deep-map", "deep-block", "quotes", "ten-megabytes"],
)
def test_hostile_files_are_refused_without_work(text: str) -> None:
    _, faults = read_text(text, "x.yaml")  # the bomb would expand to 9**12 nodes
    assert 1 <= len(faults.found) <= 200


def test_a_file_of_ten_megabytes_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a: b\n" * 2_000_000)
    _, faults = read_file(path, "big.yaml")
    assert [fault.what for fault in faults.found] == ["the file is larger than 1 MB"]
    assert faults.text == ""


def test_bytes_that_are_no_utf8_are_refused_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: b\nc: é".encode("latin-1"))
    _, faults = read_file(path, "latin.yaml")
    assert [(fault.line, fault.column, fault.what) for fault in faults.found] == [(2, 4, "byte 0xe9 is not UTF-8")]


def test_depth_twenty_is_read_and_twenty_one_is_not() -> None:
    assert whats("a: " + "[" * 19 + "x" + "]" * 19) == []
    assert whats("a: " + "[" * 20 + "x" + "]" * 20) == ["nested deeper than 20"]


def test_the_python_parser_gives_the_same_tree_as_the_c_parser() -> None:
    text = (Path(__file__).parents[2] / "golden/mapping/faults/good.yaml").read_text()
    root, faults = read_text(text, "x.yaml")
    builder = _Builder(faults)
    builder._run(_PureParser(text))
    assert builder.root == root
