"""Branch points of a mapping's data and columns, watched: which way each went. Compiled in only where somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.mapping.columns import Reader, decoding, raw_text
from gateway.mapping.compiled import Expression, Scope
from gateway.mapping.nodes import Mark, Scalar
from gateway.model.values import Unavailable, Value

__all__ = ["Branch", "BranchKind", "Branches", "Owner", "Watch", "watched_decoding", "watched_test"]


class BranchKind(StrEnum):
    """What decides: `$when`, the test of ``… if … else …``, or whether a code is listed."""

    WHEN = "$when"
    CHOICE = "if"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose branch it is: a rule's data, a column (of a table), or the ``set`` of an event's older version."""

    file: str
    rule: str = ""
    event: str = ""
    table: str = ""
    column: str = ""

    def __str__(self) -> str:
        """As people are told: ``rule moved``, ``customer.policyId``, ``CustomerMoved v1``."""
        return f"rule {self.rule}" if self.rule else self.event or f"{self.table}.{self.column}"


@dataclass(slots=True, eq=False)
class Branch:
    """One branch point, and how often its test was true and false: an unavailable one is neither.

    Of `otherwise` the different codes are counted: ``true`` those that the code table lacks, ``false`` those it lists.
    """

    whole: Branches
    kind: BranchKind
    owner: Owner
    fills: str
    mark: Mark
    text: str
    true: int = 0
    false: int = 0
    codes: set[str | None] = field(default_factory=set)

    def see(self, truth: Value) -> None:
        """Count what a test said; null is not true."""
        if self.whole.watching and not isinstance(truth, Unavailable):
            self._count(truth is True)

    def code(self, text: str | None, *, listed: bool) -> None:
        """Count a code the first time it comes: readers are pure, and what they gave may be remembered elsewhere."""
        if text not in self.codes:
            self.codes.add(text)
            self._count(not listed)

    def _count(self, truth: bool) -> None:
        self.true += truth
        self.false += not truth


@dataclass(slots=True)
class Branches:
    """All branch points of the mappings that were loaded with it. ``watching``: tests are counted now."""

    found: list[Branch] = field(default_factory=list)
    watching: bool = True

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let the same records be interpreted again without counting tests twice."""
        self.watching, before = False, self.watching
        try:
            yield
        finally:
            self.watching = before


@dataclass(frozen=True, slots=True)
class Watch:
    """What the compiler asks for a branch point: it knows the owner and the place of the text being compiled.

    ``start``: where the expression begins in its scalar; ``pinned``: all that is found stands there.
    """

    branches: Branches
    owner: Owner
    scalar: Scalar | None = None
    fills: str = ""
    start: int = 0
    pinned: bool = False

    def within(self, scalar: Scalar, fills: str = "") -> Watch:
        """The same for the text of a scalar; ``fills``: the event's field that it fills."""
        return replace(self, scalar=scalar, fills=fills)

    def after(self, offset: int, *, pinned: bool = False) -> Watch:
        """The same for what begins so many characters on; ``pinned``: for another text that is named there."""
        return self if self.pinned else replace(self, start=self.start + offset, pinned=pinned)

    def branch(self, kind: BranchKind, text: str, offset: int = 0) -> Branch:
        """A new branch point."""
        assert self.scalar is not None, "within() comes first"
        mark = self.scalar.at(self.start if self.pinned else self.start + offset)
        found = Branch(self.branches, kind, self.owner, self.fills, mark, " ".join(text.split()))
        self.branches.found.append(found)
        return found


def watched_test(test: Expression, branch: Branch) -> Expression:
    """The test, telling each time which way it went."""
    see = branch.see

    def watched(scope: Scope) -> Value:
        truth = test(scope)
        see(truth)
        return truth

    return watched


def watched_decoding(codes: Mapping[str | None, Value], otherwise: Value, branch: Branch) -> Reader:
    """A reader by code table that tells which codes needed ``otherwise``; null is no code, unless it is listed."""
    read = decoding(codes, otherwise)

    def watching(raw: object) -> Value:
        text = raw_text(raw)
        if not isinstance(text, Unavailable) and (text is not None or None in codes):
            branch.code(text, listed=text in codes)
        return read(raw)

    return watching
