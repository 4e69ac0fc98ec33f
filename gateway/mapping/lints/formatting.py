"""`gateway fmt`: keys in the grammar's order, expressions in quotes, even blanks; comments and flow style stay.

Printed from the text's own layout: a library's round trip keeps comments but loses aligned columns (docs/adr).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.mapping.canonical import canonical
from gateway.mapping.forms import Anything, Form, ListOf, MapOf, OneOrMore, Shapes
from gateway.mapping.grammar import MAPPING, SHARED
from gateway.mapping.lints.layout import Entry, Layout, Piece
from gateway.mapping.reader import read_text
from gateway.mapping.records import Record
from gateway.model.errors import ConfigError

__all__ = ["formatted"]

_WIDTH = 120
_SPECIAL = ("$when", "$record", "$each", "$key", "$item", "$from", "$take")
_BARE = frozenset({"when", "$when"})


def formatted(text: str, where: str = "", *, shared: bool = False) -> str:
    """The text in its one form. ConfigError: it cannot be read, or formatting would change what it says."""
    before, faults = read_text(text, where)
    if before is None or faults.found:
        raise ConfigError("not formatted: it cannot be read", where=where, faults=faults.sorted())
    layout = Layout.of(text.replace("\r\n", "\n").removeprefix("\ufeff"))
    if layout is None:
        raise ConfigError("not formatted: it cannot be laid out", where=where, hint="gateway lint says what is wrong")
    grammar = SHARED if shared else MAPPING
    result = _Printer(layout).whole(grammar)
    after, again = read_text(result, where)
    printed = Layout.of(result)
    kept = sorted(_comments(layout)) == sorted(_comments(printed))
    kept = kept and printed is not None and _Printer(printed).whole(grammar) == result
    if after is None or again.found or canonical(after) != canonical(before) or not kept:
        raise ConfigError("not formatted: it would change what the file says", where=where, hint="format it by hand")
    return result


def _comments(layout: Layout | None) -> Iterable[str]:
    """The comments of a text: what begins with # outside its scalars."""
    if layout is None:
        return
    place = 0
    for start, end in [*sorted(_leaves(layout.root)), (len(layout.text), len(layout.text))]:
        for match in re.finditer(r"(?:^|(?<=\s))#[^\n]*", layout.text[place:start], re.M):
            yield match[0].rstrip()
        place = end


def _leaves(piece: Piece) -> Iterable[tuple[int, int]]:
    if piece.kind == "scalar":
        yield piece.start, piece.end
    for entry in piece.entries:
        if entry.key is not None:
            yield entry.key.start, entry.key.end
        yield from _leaves(entry.value)


class _Printer:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.out: list[str] = []
        self.leads = _leads(layout)

    def whole(self, grammar: Record) -> str:
        self.block(self.layout.root, grammar, 0, "")
        last = self.layout.line_of(max(self.layout.root.end - 1, 0))
        lines = [self.layout.line_text(line).strip() for line in range(last + 1, self.layout.text.count("\n") + 2)]
        self.out += _tidy(lines, first=False)
        while self.out and not self.out[-1]:
            self.out.pop()
        return "\n".join(self.out) + "\n"

    def block(self, piece: Piece, form: object, indent: int, name: str, dash: int = -1) -> None:
        """Print a block map or list. ``dash``: column of a dash before the first entry, or -1."""
        entries = self._ordered(piece, form) if piece.kind == "map" else piece.entries
        width = self._width(entries, name)
        for number, entry in enumerate(entries):
            of_item = dash >= 0 and entry.start == piece.start
            lead = [] if of_item else self.leads.get(entry.start, [])
            at_dash = dash >= 0 and number == 0
            blank = indent if not at_dash else dash
            first = number == 0 and (at_dash or not self.out or name != "")
            self.out += [f"{' ' * blank}{line}" if line else "" for line in (lead if not first else _no_blank(lead))]
            prefix = " " * dash + "- " if at_dash else " " * indent
            if entry.key is None:
                self._item(entry, _item_form(form), indent, prefix)
            else:
                self._entry(entry, _value_form(form, entry.key.value), indent, prefix, width, name)

    def _item(self, entry: Entry, form: object, indent: int, prefix: str) -> None:
        value = entry.value
        if value.kind != "scalar" and not value.flow and value.kind == "map":
            self.block(value, form, indent + 2, "-", dash=len(prefix) if prefix.strip() else indent)
            return
        self._put(prefix + "- ", value, form, indent, "", value)

    def _entry(self, entry: Entry, form: object, indent: int, prefix: str, width: int, name: str) -> None:
        assert entry.key is not None
        head = f"{prefix}{self._scalar(entry.key, '')}:"
        expression = name == "conditions" or entry.key.value in _BARE
        self._put(head, entry.value, form, indent, entry.key.value, entry.key, width + len(prefix), expression)

    def _put(
        self,
        head: str,
        value: Piece,
        form: object,
        indent: int,
        name: str,
        before: Piece,
        width: int = 0,
        expression: bool = False,
    ) -> None:
        """Print a key or dash with its value, on one line where that fits and nothing speaks against it."""
        flat = self._flat(value, form, name, expression)
        if flat is not None:
            line = f"{head.rstrip(' ') if name else head}"
            line = (line + " ").ljust(width) + flat if name else line + flat
            if len(line) <= _WIDTH or value.kind == "scalar" or not value.entries:
                self.out.append(self._with_tail(line, value.end))
                return
        if value.kind == "scalar":
            self._block_scalar(head, value, indent)
            return
        self.out.append(self._with_tail(head.rstrip(" "), before.end, key_only=True))
        self.block(value, form, indent + 2, name or "-")

    def _block_scalar(self, head: str, value: Piece, indent: int) -> None:
        lines = self.layout.text[value.start : value.end].rstrip("\n").split("\n")
        body = lines[1:]
        least = min((len(line) - len(line.lstrip()) for line in body if line.strip()), default=0)
        self.out.append(f"{head} {lines[0].strip()}")
        self.out += [" " * (indent + 2) + line[least:] if line.strip() else "" for line in body]

    def _flat(self, piece: Piece, form: object, name: str, expression: bool = False) -> str | None:
        """A value on one line; None for block collections, block scalars, and where comments stand inside."""
        if piece.kind == "scalar":
            return None if piece.style in ("|", ">") else self._scalar(piece, "expression" if expression else "")
        inside = self.layout.text[piece.start : piece.end]
        if not piece.flow or ("#" in inside and any(piece.start <= at < piece.end for at in self._comment_places())):
            return None
        parts = []
        for entry in self._ordered(piece, form) if piece.kind == "map" else piece.entries:
            inner = _item_form(form) if entry.key is None else _value_form(form, entry.key.value)
            key = "" if entry.key is None else entry.key.value
            flat = self._flat(entry.value, inner, key, name == "conditions" or key in _BARE)
            if flat is None:
                return None
            parts.append(flat if entry.key is None else f"{self._scalar(entry.key, '')}: {flat}")
        joined = ", ".join(parts)
        return f"{{{joined}}}" if piece.kind == "map" else f"[{joined}]"

    def _comment_places(self) -> list[int]:
        places, place = [], 0
        for start, end in sorted(_leaves(self.layout.root)):
            gap = self.layout.text[place:start]
            places += [place + match.start() for match in re.finditer(r"(?:^|(?<=\s))#", gap, re.M)]
            place = end
        return places

    def _scalar(self, piece: Piece, kind: str) -> str:
        """A scalar as it was written, but expressions and templates in double quotes."""
        written = self.layout.text[piece.start : piece.end]
        bare = re.fullmatch(r"[A-Za-z_]\w*", piece.value) is not None
        wanted = "{{" in piece.value or (kind == "expression" and not bare)
        if kind == "expression" and bare and piece.style == "":
            return written
        if wanted and piece.style != '"' and '"' not in piece.value and "\\" not in piece.value:
            return f'"{piece.value}"' if "\n" not in piece.value else written
        if wanted and piece.style == "":
            return "'" + piece.value.replace("'", "''") + "'"
        if "\n" in written:
            return self._joined(piece)
        return written

    @staticmethod
    def _joined(piece: Piece) -> str:
        if piece.style == "" and "\n" not in piece.value:
            return piece.value
        escaped = piece.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'

    def _with_tail(self, line: str, end: int, *, key_only: bool = False) -> str:
        """The line with the comment that stands behind the value (or key) in the source, not left of where it stood."""
        number = self.layout.line_of(max(end - 1, 0))
        rest = self.layout.text[end : self.layout.line_start(number + 1)].rstrip("\r\n")
        match = re.match(r"^[\s:,\]}]*?\s(#.*)$" if not key_only else r"^\s*:\s+(#.*)$", rest)
        if match is None:
            return line
        column = end - self.layout.line_start(number) + match.start(1)
        return line.ljust(max(column, len(line) + 2)) + match[1].rstrip()

    def _ordered(self, piece: Piece, form: object) -> list[Entry]:
        """Entries in the grammar's order; those of a map of names, and fields of data, as they were written."""
        order: list[str] = []
        if isinstance(form, Record):
            order = [key.name for key in form.keys]
        elif isinstance(form, Anything):
            order = list(_SPECIAL)
        places = {name: number for number, name in enumerate(order)}
        return sorted(piece.entries, key=lambda each: places.get(each.key.value if each.key else "", len(order)))

    def _width(self, entries: list[Entry], name: str) -> int:
        """Where values begin in aligned columns: as in the source if they all do so there, else behind the longest."""
        if name not in ("columns", "parts"):
            return 0
        single = [each for each in entries if each.key is not None and (each.value.flow or each.value.kind == "scalar")]
        if not single:
            return 0
        longest = max(each.key.end - each.key.start for each in single if each.key is not None) + 2
        found = {each.value.start - each.start for each in single}
        return max(longest, found.pop()) if len(found) == 1 else longest


def _leads(layout: Layout) -> dict[int, list[str]]:
    """Comments and blank lines before each block entry, by where it begins: the lines since the last leaf."""
    found: dict[int, list[str]] = {}
    last = 0

    def visit(piece: Piece) -> None:
        nonlocal last
        for entry in piece.entries:
            first = layout.line_of(entry.start)
            if not piece.flow and first > last:
                lines = [layout.line_text(line).strip() for line in range(last + 1, first)]
                found.setdefault(entry.start, _tidy([line.removeprefix("- ") for line in lines], first=False))
            if entry.key is not None:
                last = max(last, layout.line_of(entry.key.end - 1))
            if entry.value.kind == "scalar" or entry.value.flow:
                last = max(last, layout.line_of(max(entry.value.end - 1, entry.value.start)))
            if not entry.value.flow:
                visit(entry.value)

    visit(layout.root)
    return found


def _tidy(lines: list[str], *, first: bool) -> list[str]:
    """At most one blank line in a row."""
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]) or (not found and not first):
            found.append(line)
    return found


def _no_blank(lines: list[str]) -> list[str]:
    while lines and not lines[0]:
        lines = lines[1:]
    return lines


def _value_form(form: object, key: str) -> object:
    if isinstance(form, Record):
        return next((each.form for each in form.keys if each.name == key), None)
    if isinstance(form, MapOf):
        return form.value
    if isinstance(form, (Shapes, OneOrMore)):
        return _value_form(form.map if isinstance(form, Shapes) else form.item, key)
    return form if isinstance(form, Anything) else None


def _item_form(form: object) -> Form | object:
    if isinstance(form, (ListOf, OneOrMore)):
        return form.item
    if isinstance(form, Shapes):
        return _item_form(form.seq)
    return form if isinstance(form, Anything) else None
