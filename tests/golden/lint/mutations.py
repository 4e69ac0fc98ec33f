"""What a rule author could get wrong, one thing at a time: mutants of mapping files, by operator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.mapping.nodes import Map, Node, Scalar, Seq
from tests.golden.lint.trees import Path, at, plain, quoted, replaced, scalars, written

__all__ = ["Mutant", "mutants"]


@dataclass(frozen=True)
class Mutant:
    """A changed tree; ``operator``: what kind of mistake; ``where``: the place in words."""

    operator: str
    where: str
    root: Node


def mutants(root: Map) -> Iterator[Mutant]:
    """Every mutant of a mapping file."""
    yield from _rules(root)
    yield from _columns(root)
    for path, node in _conditions(root):
        yield from _tests(root, path, node)
    for table, _ in _entries(at(root, ("tables",))):
        for group, members in _entries(at(root, ("tables", table, "groups"))):
            yield from _without_items(root, ("tables", table, "groups", group), members, "group loses a column")
        row = at(root, ("tables", table, "row"))
        yield from _without_items(root, ("tables", table, "row"), row, "row loses a column")


def _mutant(operator: str, root: Node, path: Path, new: Node | None) -> Mutant:
    what = "-" if new is None else new.text if isinstance(new, Scalar) else "…"
    return Mutant(operator, f"{'.'.join(map(str, path))} = {what}", replaced(root, path, new))


def _entries(node: Node | None) -> tuple[tuple[str, Node], ...]:
    return tuple((key.text, value) for key, value in node.entries) if isinstance(node, Map) else ()


def _items(node: Node | None) -> tuple[Scalar, ...]:
    if isinstance(node, Scalar):
        return (node,)
    return tuple(item for item in node.items if isinstance(item, Scalar)) if isinstance(node, Seq) else ()


def _without_items(root: Node, path: Path, node: Node | None, operator: str) -> Iterator[Mutant]:
    items = _items(node)
    for number in range(len(items)):
        if isinstance(node, Seq) and len(items) > 1:
            yield _mutant(operator, root, (*path, number), None)


def _rules(root: Map) -> Iterator[Mutant]:
    rules = at(root, ("rules",))
    assert isinstance(rules, Seq)
    for number, rule in enumerate(rules.items):
        path: Path = ("rules", number)
        assert isinstance(rule, Map)
        yield _mutant("rule dropped", root, path, None)
        for place, special in enumerate(rules.items[:number]):
            if _asked(rule) & _asked(special) and _tests_of(rule) < _tests_of(special):
                moved = [*rules.items[:number], *rules.items[number + 1 :]]
                moved.insert(place, rule)
                what = f"{_name(rule)} before the more special rule in place {place}"
                yield Mutant("rule moved", what, replaced(root, ("rules",), Seq(tuple(moved), rules.mark)))
                break
        yield from _rule(root, rule, path)


def _asked(rule: Node) -> set[tuple[str, str]]:
    """Table and operation, or table and column, of the rows that make a rule fire: others are no rivals."""
    each = rule.get("each") if isinstance(rule, Map) else None
    table = each.get("table") if isinstance(each, Map) else None
    if not isinstance(each, Map) or not isinstance(table, Scalar):
        return set()
    words = [*_items(each.get("op")), *_items(each.get("changed"))]
    return {(table.text, word.text) for word in words if word.text != "update"}


def _tests_of(rule: Node) -> set[tuple[str, ...]]:
    """What a rule asks of its row and of companions, beside tables and columns."""
    assert isinstance(rule, Map)
    found = {("when",)} if rule.get("when") is not None else set()
    patterns = [rule.get("each"), *(pattern for _, pattern in _entries(rule.get("with")))]
    for pattern in patterns:
        table = pattern.get("table") if isinstance(pattern, Map) else None
        if isinstance(pattern, Map) and isinstance(table, Scalar):
            needed = pattern.get("count") is None and pattern is not rule.get("each")
            found |= {("needs", table.text)} if needed else set()
            for column, test in _entries(pattern.get("where")):
                words = ",".join(scalar.text for _, scalar in scalars(test))
                found.add(("where", table.text, column, words))
    return found


def _name(rule: Map) -> str:
    name = rule.get("rule") or rule.get("noise")
    return name.text if isinstance(name, Scalar) else "?"


def _rule(root: Map, rule: Map, path: Path) -> Iterator[Mutant]:
    if rule.get("rule") is not None and rule.get("intent") is None:
        yield _mutant("intent changed", root, (*path, "intent"), plain("correction"))
    elif rule.get("intent") is not None and not _is(rule.get("intent"), "state"):
        yield _mutant("intent changed", root, (*path, "intent"), None)
    when = rule.get("when")
    if isinstance(when, Scalar):
        yield _mutant("when dropped", root, (*path, "when"), None)
        yield _mutant("when negated", root, (*path, "when"), quoted(f"not ({when.text})"))
        yield from _tests(root, (*path, "when"), when)
    patterns = [((*path, "each"), rule.get("each"))] if rule.get("each") is not None else []
    for key in ("with", "once"):
        for name, pattern in _entries(rule.get(key)):
            yield _mutant("companion dropped", root, (*path, key, name), None)
            patterns.append(((*path, key, name), pattern))
    for place, pattern in patterns:
        if isinstance(pattern, Map):
            yield from _pattern(root, pattern, place)
    if rule.get("data") is not None:
        yield from _data(root, rule.get("data"), (*path, "data"))


def _is(node: Node | None, text: str) -> bool:
    return isinstance(node, Scalar) and node.text == text


def _table_of(root: Map, name: str) -> Map | None:
    for _, table in _entries(at(root, ("tables",))):
        if isinstance(table, Map) and _is(table.get("as"), name):
            return table
    return None


def _names(table: Map | None) -> list[str]:
    """Domain names of a table's ordinary columns."""
    names = []
    for raw, column in _entries(table.get("columns") if table else None):
        if not isinstance(column, Map) or column.get("bookkeeping") is not None:
            continue
        alias = column.get("as")
        parts = [name for name, _ in _entries(column.get("parts"))]
        names += parts or [alias.text if isinstance(alias, Scalar) else raw]
    return names


def _next(names: list[str], name: str) -> str | None:
    return None if name not in names or len(names) < 2 else names[(names.index(name) + 1) % len(names)]


def _pattern(root: Map, pattern: Map, path: Path) -> Iterator[Mutant]:
    table = pattern.get("table")
    names = _names(_table_of(root, table.text)) if isinstance(table, Scalar) else []
    op = pattern.get("op")
    for number, item in enumerate(_items(op)):
        other = {"insert": "delete", "delete": "insert", "leaves": "delete", "arrives": "insert"}.get(item.text)
        if other:
            yield _mutant(
                "op changed", root, (*path, "op", number) if isinstance(op, Seq) else (*path, "op"), plain(other)
            )
    for key in ("changed", "explains"):
        listed = pattern.get(key)
        yield from _without_items(root, (*path, key), listed, f"{key} loses a column")
        if key == "explains" and listed is not None:
            yield _mutant("explains dropped", root, (*path, key), None)
        for number, item in enumerate(_items(listed)):
            other = _next(names, item.text)
            if other and isinstance(listed, Seq):
                yield _mutant(f"{key} names another column", root, (*path, key, number), plain(other))
    for column, test in _entries(pattern.get("where")):
        yield from _where(root, test, (*path, "where", column))
    for key in ("same",):
        if pattern.get(key) is not None:
            yield _mutant("same dropped", root, (*path, key), None)
    count = pattern.get("count")
    if path[-1] != "each":
        counts = {"": "at least one", "any": "at least one", "at most one": "one", "at least one": "any"}
        new = counts.get(count.text if isinstance(count, Scalar) else "")
        if new:
            yield _mutant("count changed", root, (*path, "count"), plain(new))


def _where(root: Map, test: Node, path: Path) -> Iterator[Mutant]:
    yield _mutant("where dropped", root, path, None)
    if isinstance(test, Scalar):
        yield _mutant("where negated", root, path, Map(((plain("not"), test),), test.mark))
    if isinstance(test, Map):
        for key, value in _entries(test):
            if len(test.entries) > 1:
                yield _mutant(f"{key} dropped", root, (*path, key), None)
            elif key in ("from", "to"):
                other = "to" if key == "from" else "from"
                yield _mutant("from and to confused", root, path, Map(((plain(other), value),), test.mark))
    for inner, value in [(path, test)] if isinstance(test, Scalar) else [((*path, k), v) for k, v in _entries(test)]:
        if isinstance(value, Scalar):
            for other in _values_beside(root, path, value.text):
                yield _mutant("where names another value", root, inner, plain(other))


def _values_beside(root: Map, path: Path, value: str) -> list[str]:
    """Another value of the column, where a decode beside it lists one."""
    found: dict[str, None] = {}
    for _, table in _entries(at(root, ("tables",))):
        for _, column in _entries(table.get("columns") if isinstance(table, Map) else None):
            values = [
                one.text
                for _, one in _entries(column.get("decode") if isinstance(column, Map) else None)
                if isinstance(one, Scalar)
            ]
            if value in values:
                found.update(dict.fromkeys(one for one in values if one not in (value, "null")))
    flipped = {"true": ["false"], "false": ["true"]}.get(value)
    return flipped or list(found)[:1]


_ROOTS = re.compile(r"\b(before|after)\.")


def _data(root: Map, node: Node | None, path: Path) -> Iterator[Mutant]:
    if isinstance(node, Map):
        for key, value in _entries(node):
            inner = (*path, key)
            if not key.startswith("$") and len(node.entries) > 1:
                yield _mutant("field dropped", root, inner, None)
            if key == "$take":
                yield from _without_items(root, inner, value, "take loses a column")
            elif key == "$when":
                yield _mutant("when of data dropped", root, inner, None)
            else:
                yield from _data(root, value, inner)
    elif isinstance(node, Scalar):
        yield from _text(root, node, path)


def _text(root: Map, node: Scalar, path: Path) -> Iterator[Mutant]:
    text = node.text
    if _ROOTS.search(text + "."):
        other = re.sub(r"\b(before|after)\b", lambda m: "after" if m[1] == "before" else "before", text)
        yield _mutant("before and after confused", root, path, Scalar(other, node.mark, node.style))
    for table in [value for _, value in _entries(at(root, ("tables",))) if isinstance(value, Map)]:
        names = _names(table)
        match = re.search(r"(?:before|after|row)\.(\w+)", text)
        other_name = _next(names, match[1]) if match else None
        if match and other_name:
            yield _mutant(
                "another column read",
                root,
                path,
                Scalar(text.replace(f".{match[1]}", f".{other_name}"), node.mark, node.style),
            )
            break
    if "{{" not in text and path[-1] not in ("$from", "$each", "$record"):
        yield _mutant("constant changed", root, path, quoted(f"{text}x") if not node.is_null else plain("0"))
    if "| default" in text:
        yield _mutant("default dropped", root, path, Scalar(re.sub(r" *\| default\([^)]*\)", "", text), node.mark, '"'))


def _conditions(root: Map) -> Iterator[tuple[Path, Scalar]]:
    for name, node in _entries(at(root, ("conditions",))):
        if isinstance(node, Scalar):
            yield ("conditions", name), node


_SWAPS = (
    ("==", "!="),
    (" and ", " or "),
    (" or ", " and "),
    (" is not null", " is null"),
    (" is changed", " is not changed"),
)


def _tests(root: Map, path: Path, node: Scalar) -> Iterator[Mutant]:
    for old, new in _SWAPS:
        if old in node.text:
            yield _mutant(f"`{old.strip()}` changed", root, path, quoted(node.text.replace(old, new, 1)))
    for match in re.finditer(r"'([^']+)'", node.text):
        yield _mutant("literal changed", root, path, quoted(node.text.replace(match[0], f"'{match[1]}x'", 1)))


def _domain(raw: str, column: Map) -> str:
    alias = column.get("as")
    return alias.text if isinstance(alias, Scalar) else raw


def _updated(root: Map, section: Node) -> bool:
    """Whether rules speak of updates of the table: else its rows are only taken whole."""
    name = section.get("as") if isinstance(section, Map) else None
    for path, scalar in scalars(at(root, ("rules",)) or section):
        if path[-1] == "table" and isinstance(name, Scalar) and scalar.text == name.text:
            pattern = at(root, ("rules", *path[:-1]))
            if isinstance(pattern, Map) and (pattern.get("changed") is not None or " from " in f" {written(pattern)} "):
                return True
    return False


def _read(root: Map, section: Node) -> set[str]:
    """Columns whose value can make a difference: of keys, tests, expressions, and fields.

    Of the others rules only know that they changed, or that their row is there: any reading of them is as good.
    """
    words: set[str] = set()
    for path, scalar in scalars(root):
        listed = any(step in ("changed", "explains") for step in path)
        if (not listed and path[0] in ("rules", "aggregate", "conditions")) or "is" in path or "row" in path:
            words.update(re.findall(r"\w+", scalar.text))
        words.update(str(step) for number, step in enumerate(path) if number and path[number - 1] == "where")
    for group, members in _entries(section.get("groups") if isinstance(section, Map) else None):
        if group in words:
            words.update(item.text for item in _items(members))
    return words


_TYPES = {"int": "text", "date(yyyymmdd)": "date(ddmmyyyy)", "text": "int", "decimal(11,2)": "decimal(11,1)"}


def _columns(root: Map) -> Iterator[Mutant]:
    for table, section in _entries(at(root, ("tables",))):
        read, updated = _read(root, section), _updated(root, section)
        base: Path = ("tables", table, "columns")
        columns = _entries(section.get("columns") if isinstance(section, Map) else None)
        for raw, column in columns:
            if not isinstance(column, Map):
                continue
            path = (*base, raw)
            yield Mutant("legacy name misspelt", f"{table}.{raw}", _renamed(root, base, raw, raw + "x"))
            yield _mutant("column dropped", root, path, None)
            names = {_domain(raw, column), *(name for name, _ in _entries(column.get("parts")))}
            if column.get("bookkeeping") is None and column.get("parts") is None and updated:
                yield _mutant("bookkeeping added", root, (*path, "bookkeeping"), plain("true"))
            if not names & read:
                continue
            yield from _column(root, column, path)
            for name, part in _entries(column.get("parts")):
                if isinstance(part, Map):
                    yield from _column(root, part, (*path, "parts", name))
                    yield from _part(root, part, (*path, "parts", name, "is"))
            yield from _alias_swapped(root, base, columns, raw, column)


def _alias_swapped(
    root: Map, base: Path, columns: tuple[tuple[str, Node], ...], raw: str, column: Map
) -> Iterator[Mutant]:
    names = [name for name, one in columns if isinstance(one, Map) and one.get("as") is not None]
    other = _next(names, raw)
    if other is None:
        return
    mine, theirs = column.get("as"), at(root, (*base, other, "as"))
    assert mine is not None and theirs is not None
    swapped = replaced(replaced(root, (*base, raw, "as"), theirs), (*base, other, "as"), mine)
    yield Mutant("names of two columns swapped", f"{raw} and {other}", swapped)


def _renamed(root: Map, base: Path, old: str, new: str) -> Node:
    columns = at(root, base)
    assert isinstance(columns, Map)
    entries = tuple((plain(new) if key.text == old else key, value) for key, value in columns.entries)
    return replaced(root, base, Map(entries, columns.mark))


def _column(root: Map, column: Map, path: Path) -> Iterator[Mutant]:
    type_ = column.get("type")
    if isinstance(type_, Scalar):
        if type_.text != "text":
            yield _mutant("type dropped", root, (*path, "type"), None)
        if type_.text in _TYPES:
            yield _mutant("type changed", root, (*path, "type"), plain(_TYPES[type_.text]))
    for key in ("null_when", "pii", "bookkeeping", "decode"):
        if column.get(key) is not None:
            yield _mutant(f"{key} dropped", root, (*path, key), None)
    decode = column.get("decode")
    if isinstance(decode, Map) and len(decode.entries) > 1:
        yield from _codes(root, decode, (*path, "decode"))


def _codes(root: Node, decode: Map, path: Path) -> Iterator[Mutant]:
    for number, (key, value) in enumerate(decode.entries):
        yield _mutant("code dropped", root, (*path, key.text), None)
        other, theirs = decode.entries[(number + 1) % len(decode.entries)]
        if isinstance(value, Scalar) and isinstance(theirs, Scalar) and value.text != theirs.text:
            yield Mutant(
                "codes confused",
                f"{'.'.join(map(str, path))}: {key.text} and {other.text}",
                replaced(replaced(root, (*path, key.text), theirs), (*path, other.text), value),
            )


def _part(root: Map, part: Map, path: Path) -> Iterator[Mutant]:
    node = part.get("is")
    if not isinstance(node, Scalar):
        return
    for match in re.finditer(r"chars\((\d+), (\d+)\)", node.text):
        first, last = int(match[1]), int(match[2])
        for changed in (f"chars({first + 1}, {last})", f"chars({first}, {last - 1})" if last > first else ""):
            if changed:
                yield _mutant("place of a part changed", root, path, quoted(node.text.replace(match[0], changed)))
    yield from _tests(root, path, node)
