"""What a lint is: declared once with its code, why it matters, how to mend it and an example; the register of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.mapping.nodes import Mark

if TYPE_CHECKING:
    from gateway.mapping.lints.subject import House, Subject

__all__ = ["LINTS", "Finding", "Fix", "Found", "Lint", "Severity", "declared", "house_lint", "lint"]


class Severity(StrEnum):
    """How bad it is. ``error``: events will be wrong or missing; ``warning``: they may be; ``note``: untidy."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Fix:
    """A safe change of the text: ``item`` takes an item out of a list on one line, ``entry`` a key with its value."""

    kind: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a lint holds. ``file`` (relative to the folder) where it is not the mapping itself."""

    mark: Mark
    what: str
    fix: Fix | None = None
    file: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Lint:
    """A named rule. ``why``: one line; ``example``: a few lines of YAML that have it; ``fixable``: ``--fix`` mends."""

    code: str
    name: str
    severity: Severity
    why: str
    mend: str
    example: str
    fixable: bool = False
    needs: str = ""
    """``schema``: looks at nothing without a recorded or live one; ``cases``: at nothing without test cases."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lint found: a place in a file of the folder (line and column from 1), with the line for people."""

    lint: Lint
    file: str
    line: int
    column: int
    what: str
    mend: str
    excerpt: str = ""
    fix: Fix | None = None


LINTS: dict[str, Lint] = {}
"""All lints by code; complete once ``gateway.mapping.lints.catalogue`` is imported."""
CHECKS: list[tuple[Lint, Callable[[Subject], Iterator[Found]]]] = []
HOUSE_CHECKS: list[tuple[Lint, Callable[[House], Iterator[tuple[Subject | None, Found]]]]] = []

Check = Callable[["Subject"], Iterator[Found]]
HouseCheck = Callable[["House"], Iterator[tuple["Subject | None", Found]]]


def declared(lint_: Lint) -> Lint:
    """Put a lint into the register; each code and name stands there once."""
    assert lint_.code not in LINTS and all(each.name != lint_.name for each in LINTS.values()), lint_
    LINTS[lint_.code] = lint_
    return lint_


def lint(lint_: Lint) -> Callable[[Check], Check]:
    """Declare a lint that looks at one mapping file (without load errors)."""

    def register(check: Check) -> Check:
        CHECKS.append((declared(lint_), check))
        return check

    return register


def house_lint(lint_: Lint) -> Callable[[HouseCheck], HouseCheck]:
    """Declare a lint that looks at all files of a folder together."""

    def register(check: HouseCheck) -> HouseCheck:
        HOUSE_CHECKS.append((declared(lint_), check))
        return check

    return register
