"""Every public module, class and function says what it is for, and which of our errors it raises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import gateway.model.errors as errors
from gateway.ports import InDoubt, MustAbort

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "gateway", ROOT / "legacy-db" / "legacy_db")
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))
OURS = {
    name: {base.__name__ for base in found.__mro__}
    for name, found in {**vars(errors), "InDoubt": InDoubt, "MustAbort": MustAbort}.items()
    if isinstance(found, type) and issubclass(found, Exception)
}
"""Our errors by name, with what they are kinds of: a docstring may name the family."""


@dataclass(frozen=True)
class Public:
    """A public definition: its place, its docstring, and that of its class."""

    place: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    text: str
    around: str


def public(path: Path) -> Iterator[Public]:
    """Public classes and functions, methods of public classes included; overloads are described once."""

    def within(body: list[ast.stmt], around: str) -> Iterator[Public]:
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name[0] == "_":
                continue
            if any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list):
                continue
            text = ast.get_docstring(node) or ""
            yield Public(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node, text, around)
            if isinstance(node, ast.ClassDef):
                yield from within(node.body, text)

    yield from within(ast.parse(path.read_text()).body, "")


def raised(node: ast.AST) -> set[str]:
    """Our errors that a function raises with its own words, those of functions inside it included."""
    calls = [one.exc for one in ast.walk(node) if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call)]
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)} & OURS.keys()


EVERYTHING = [one for path in FILES for one in public(path)]


def test_every_module_says_what_is_in_it() -> None:
    def silent(path: Path) -> bool:
        return (
            path.read_text().strip() != "" and len((ast.get_docstring(ast.parse(path.read_text())) or "").split()) < 3
        )

    assert [str(path.relative_to(ROOT)) for path in FILES if silent(path)] == []


def test_every_public_class_and_function_says_what_it_is() -> None:
    """More than its own name in other words: at least two words, the first line a sentence."""
    trivial = [one.place for one in EVERYTHING if len(one.text.split()) < 2]
    unfinished = [
        one.place for one in EVERYTHING if one.text and one.text.split("\n\n")[0].rstrip()[-1] not in ".:!?`)"
    ]
    echoed = [
        one.place for one in EVERYTHING if one.text.lower().strip(". ") == one.node.name.replace("_", " ").lower()
    ]
    assert (trivial, unfinished, echoed) == ([], [], [])


def test_what_is_raised_is_said() -> None:
    """A function that raises one of our errors names it or its family; a class may say it for its methods."""
    silent = [
        f"{one.place} raises {name}"
        for one in EVERYTHING
        if isinstance(one.node, ast.FunctionDef) and "/cli/" not in one.place  # a command's docstring is its help
        for name in raised(one.node)
        if not any(kind in one.text + one.around for kind in OURS[name]) and not one.text.startswith("See ``")
    ]
    assert silent == []


def test_the_check_itself_finds_what_is_missing(tmp_path: Path) -> None:
    node = ast.parse("def f():\n    raise ConfigError('x')\n").body[0]
    assert raised(node) == {"ConfigError"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_four_hundred_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
