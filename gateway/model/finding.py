"""Something about the data that a person should know, and what he can do about it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Finding", "FindingKind"]


class FindingKind(StrEnum):
    """What was found, in the words that the finding begins with."""

    MISSING = "missing column"
    """The mapping declares it, and a record does not have it: dropped or renamed."""
    UNDECLARED = "undeclared column"
    """A record has it, and the mapping does not know it: added, or the new name of another."""
    UNREADABLE = "unreadable column"
    """A value does not decode as the mapping declares: retyped, or one bad value."""
    RETYPED = "retyped column"
    """Values come in another form of JSON than before: text for numbers, numbers for text."""
    UNDECLARED_TABLE = "undeclared table"
    FORMAT_ONLY = "format only"
    CAPTURE_RESTARTED = "capture_restarted_in_transaction"


class Finding(str):
    """A finding reads as its text: kind, then ``schema.table.column`` (or the table, or the transaction).

    ``detail``: the declared type of what is unreadable, the forms of what is retyped, columns that the mapping does not
    know beside one that is missing.
    """

    __slots__ = ("column", "detail", "kind", "table")

    kind: FindingKind
    table: str
    column: str
    detail: str

    def __new__(cls, kind: FindingKind, table: str, column: str = "", detail: str = "") -> Finding:
        """A finding of ``kind``; equal to another of the same text."""
        made = super().__new__(cls, f"{kind} {table}.{column}" if column else f"{kind} {table}")
        made.kind, made.table, made.column, made.detail = kind, table, column, detail
        return made

    def __getnewargs__(self) -> tuple[FindingKind, str, str, str]:  # type: ignore[override]
        """For copies and for other processes."""
        return self.kind, self.table, self.column, self.detail

    def advice(self, file: str) -> str:
        """What it means and what mends it; ``file`` is the mapping's. Empty where nothing needs to be done."""
        place, doctor = f"`{self.table}` in {file}", "`gateway doctor --only mappings` compares all tables"
        match self.kind:
            case FindingKind.MISSING:
                renamed = f" (perhaps it was renamed: {self.detail} came beside it)" if self.detail else ""
                return (
                    f"dropped or renamed in the database{renamed}; rules that need it park their changes, others go "
                    f"on: write its new name, or take `{self.column}` out, under {place}; {doctor}"
                )
            case FindingKind.UNDECLARED:
                return (
                    f"new in the database; no rule sees it, others go on: declare `{self.column}` under {place}, or "
                    f"say `undeclared: ignore` there; {doctor}"
                )
            case FindingKind.UNREADABLE:
                return (
                    f"a value does not decode as {self.detail}; changes of it park: if the column was retyped, give it "
                    f"its new type under {place}; a wrong value or a new code is mended or listed there; {doctor}"
                )
            case FindingKind.RETYPED:
                return f"values came as {self.detail}: check its type, and its unit, under {place}; {doctor}"
            case FindingKind.UNDECLARED_TABLE:
                return f"its changes are reported and no rule sees them: declare it under `tables:` in {file}"
            case _:
                return ""
