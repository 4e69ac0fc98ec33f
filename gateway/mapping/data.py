"""Data templates: from the tree under ``data:`` and a contract to a function that builds payloads (language.md 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gateway.mapping.branches import BranchKind, watched_test
from gateway.mapping.compiled import DataBuilder, Expression, Scope
from gateway.mapping.constants import constant_of
from gateway.mapping.contract import (
    NO_DEFAULT,
    ArrayOf,
    Avro,
    Contract,
    EnumOf,
    MapOfValues,
    Plain,
    RecordOf,
    UnionOf,
    branches_of,
    native_default,
)
from gateway.mapping.expressions.compiler import Typed, compile_image, compile_test
from gateway.mapping.expressions.names import Names
from gateway.mapping.expressions.references import Image
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.fitting import Misfit, fit
from gateway.mapping.nodes import Faults, Map, Mark, Node, Scalar, Seq, did_you_mean, kind_of
from gateway.mapping.rows_of_data import array_of, map_of, unavailable
from gateway.mapping.templates import compile_template, is_template
from gateway.model.values import Unavailable

__all__ = ["compile_data", "compile_field"]

Build = Callable[[Scope], object]
_SPECIAL = ("$from", "$take", "$each", "$item", "$key", "$when", "$record")


def compile_data(
    node: Node,
    contract: Contract,
    names: Names,
    groups: Mapping[str, Mapping[str, tuple[str, ...]]],
    rule: str,
    faults: Faults,
) -> DataBuilder | None:
    """The builder of a rule's payload; None after faults. ``groups``: table's domain name to its groups."""
    before = len(faults.found)
    if not isinstance(node, Map):
        if not node.faulty:
            faults.add(
                node.mark, f"`data` is a map of fields, not {kind_of(node)}", "one entry for each contract field"
            )
        return None
    build = _Payload(names, groups, rule, faults).record(node, contract.record, "")
    if build is None or len(faults.found) > before:
        return None
    whole = build

    def run(scope: Scope) -> dict[str, object]:
        payload = whole(scope)
        assert isinstance(payload, dict)
        return payload

    return run


def compile_field(node: Node, avro: Avro, path: str, names: Names, faults: Faults) -> Build | None:
    """The builder of one field, for an older version's ``set``; None after faults. Its errors name no rule."""
    return _Payload(names, {}, "", faults).value(node, avro, path)


@dataclass(frozen=True, slots=True)
class _Payload:
    """Compiles the trees of one payload; ``names`` is what expressions see at this place."""

    names: Names
    groups: Mapping[str, Mapping[str, tuple[str, ...]]]
    rule: str
    faults: Faults
    in_each: bool = False

    def value(self, node: Node, avro: Avro, path: str) -> Build | None:
        """A field's value of any shape."""
        if node.faulty:
            return None
        if isinstance(node, Scalar):
            return self._scalar(node, avro, path)
        if isinstance(node, Seq):
            self.faults.add(node.mark, f"a list for `{path}`", "arrays come from rows: {$each: NAME, …}")
            return None
        return self._map(node, avro, path)

    def _fault(self, scalar: Scalar, fault: ExpressionFault) -> None:
        if not fault.silent:
            self.faults.add(scalar.at(fault.offset), fault.what, fault.hint)

    def _scalar(self, node: Scalar, avro: Avro, path: str) -> Build | None:
        if not is_template(node):
            return self._constant(node, avro, path)
        try:
            typed = compile_template(node.text, self.names.within(node, path))
        except ExpressionFault as fault:
            self._fault(node, fault)
            return None
        return self._typed(node.mark, typed, avro, path)

    def _typed(self, mark: Mark, typed: Typed, avro: Avro, path: str) -> Build | None:
        found = fit(avro, typed.type)
        if isinstance(found, str):
            self.faults.add(
                mark, f"`{path}`: {found}", "convert it with a filter or a code table, or mend the contract"
            )
            return None
        run, rule = typed.run, self.rule
        return lambda scope: found.value(run(scope), rule, path)

    def _constant(self, node: Scalar, avro: Avro, path: str) -> Build | None:
        branches, nullable = branches_of(avro)
        if node.is_null:
            if nullable:
                return lambda scope: None
            self.faults.add(node.mark, f"`{path}`: null, where the contract wants {avro}")
            return None
        reason = f"`{node.text[:60]}` is no {avro}"
        for branch in branches:
            found = constant_of(branch, node)
            if isinstance(found, Misfit):
                reason = str(found) or reason
                continue
            return lambda scope: found
        hint = did_you_mean(node.text, branches[0].symbols) if branches and isinstance(branches[0], EnumOf) else ""
        self.faults.add(node.mark, f"`{path}`: {reason}", hint)
        return None

    def _map(self, node: Map, avro: Avro, path: str) -> Build | None:
        if not self._special_keys(node):
            return None
        branches, nullable = branches_of(avro)
        build = self._each(node, avro, path) if node.get("$each") is not None else self._of_record(node, branches, path)
        condition = node.get("$when")
        if build is None or condition is None:
            return build
        return self._when(condition, build, nullable, avro, path)

    def _special_keys(self, node: Map) -> bool:
        good = True
        for key, _ in node.entries:
            if key.text.startswith("$") and key.text not in _SPECIAL:
                self.faults.add(key.mark, f"there is no `{key.text}`", did_you_mean(key.text, _SPECIAL))
                good = False
        each = node.get("$each") is not None
        for name in ("$item", "$key"):
            if node.get(name) is not None and not each:
                self.faults.add(_key(node, name), f"`{name}` without `$each`", "name the rows: $each: NAME")
                good = False
        for name, other in (("$from", "$take"), ("$take", "$from")):
            if node.get(name) is not None and node.get(other) is None:
                self.faults.add(_key(node, name), f"`{name}` without `{other}`", "write $from: after, $take: [columns]")
                good = False
        return good

    def _when(self, condition: Node, build: Build, nullable: bool, avro: Avro, path: str) -> Build | None:
        if not isinstance(condition, Scalar):
            if not condition.faulty:
                self.faults.add(condition.mark, f"`$when` is an expression, not {kind_of(condition)}")
            return None
        if not nullable:
            self.faults.add(condition.mark, f"`$when` gives null, but `{path}` is {avro}", "make the field nullable")
            return None
        try:
            test = self._test(condition, path)
        except ExpressionFault as fault:
            self._fault(condition, fault)
            return None
        rule = self.rule

        def run(scope: Scope) -> object:
            truth = test(scope)
            if isinstance(truth, Unavailable):
                raise unavailable(truth, f"the test $when of `{path}`", rule, path)
            return build(scope) if truth is True else None

        return run

    def _test(self, condition: Scalar, path: str) -> Expression:
        names = self.names.within(condition, path)
        run = compile_test(condition.text, names).run
        if names.watch is None:
            return run
        return watched_test(run, names.watch.branch(BranchKind.WHEN, condition.text))

    def _of_record(self, node: Map, branches: tuple[Avro, ...], path: str) -> Build | None:
        records = [branch for branch in branches if isinstance(branch, RecordOf)]
        wanted = node.get("$record")
        mark = node.mark
        if not records:
            hint = "write a template, or $each for an array"
            self.faults.add(mark, f"a map for `{path}`, where the contract wants {_union_words(branches)}", hint)
            return None
        if wanted is not None:
            return self._branch(wanted, records, node, len(branches) > 1, path)
        if len(records) > 1:
            names = ", ".join(record.name for record in records)
            self.faults.add(mark, f"`{path}` is one of several records", f"choose one: $record: {names}")
            return None
        return self.record(node, records[0], path)

    def _branch(self, wanted: Node, records: list[RecordOf], node: Map, tagged: bool, path: str) -> Build | None:
        name = wanted.text if isinstance(wanted, Scalar) else ""
        chosen = next((record for record in records if name in (record.name, record.full_name)), None)
        if chosen is None:
            hint = did_you_mean(name, [record.name for record in records])
            self.faults.add(wanted.mark, f"`{path}` has no record `{name}`", hint)
            return None
        build = self.record(node, chosen, path)
        if build is None or not tagged:
            return build
        inner, full_name = build, chosen.full_name
        return lambda scope: (full_name, inner(scope))

    def record(self, node: Map, record: RecordOf, path: str) -> Build | None:
        """A record from a map of fields: copied, written and defaulted ones. None after a fault."""
        fields: dict[str, Build | None] = {}
        if node.get("$from") is not None and node.get("$take") is not None:
            self._taken(node, record, path, fields)
        for key, value in node.entries:
            if key.text.startswith("$"):
                continue
            inner = f"{path}.{key.text}" if path else key.text
            if key.text in fields:
                self.faults.add(key.mark, f"`{inner}` is taken by $take already", "leave one of them out")
            elif key.text not in record.fields:
                self._no_field(key, record)
                fields[key.text] = None
            else:
                fields[key.text] = self.value(value, record.fields[key.text][0], inner)
        self._left_out(node.mark, record, path, fields)
        if any(build is None for build in fields.values()) or set(fields) < set(record.fields):
            return None
        builders = tuple((name, build) for name in record.fields if (build := fields[name]) is not None)
        return lambda scope: {name: build(scope) for name, build in builders}

    def _no_field(self, key: Scalar, record: RecordOf) -> None:
        what = f"the contract's {record} has no field `{key.text}`"
        self.faults.add(key.mark, what, did_you_mean(key.text, record.fields))

    def _left_out(self, mark: Mark, record: RecordOf, path: str, fields: dict[str, Build | None]) -> None:
        for name, (avro, default) in record.fields.items():
            if name in fields:
                continue
            inner = f"{path}.{name}" if path else name
            if default is NO_DEFAULT:
                self.faults.add(mark, f"the field `{inner}` is left out and has no default", f"add {name}: ({avro})")
                fields[name] = None
                continue
            try:
                native_default(avro, default)
            except ValueError as error:
                self.faults.add(mark, f"`{inner}`: {error}", "mend the contract")
                fields[name] = None
            else:
                fields[name] = _default(avro, default)

    def _taken(self, node: Map, record: RecordOf, path: str, fields: dict[str, Build | None]) -> None:
        source, take = node.get("$from"), node.get("$take")
        items = take.items if isinstance(take, Seq) else (take,)
        if not isinstance(source, Scalar) or not all(isinstance(item, Scalar) for item in items):
            self.faults.add(node.mark, "`$from` names an image and `$take` columns", "$from: after, $take: [columns]")
            fields.update(dict.fromkeys(record.fields))
            return
        try:
            image = compile_image(source.text, self.names)
        except ExpressionFault as fault:
            self._fault(source, fault)
            fields.update(dict.fromkeys(record.fields))
            return
        good = not image.shape.lost and image.shape.lost is not None
        for item in items:
            assert isinstance(item, Scalar)
            columns = self._columns(item, image)
            good &= bool(columns)
            for column in columns:
                self._take(item, column, image, record, path, fields)
        written = {key.text for key, _ in node.entries}
        if not good:
            fields.update({name: None for name in record.fields if name not in fields and name not in written})

    def _columns(self, item: Scalar, image: Image) -> tuple[str, ...]:
        groups = self.groups.get(image.shape.table, {})
        if item.text in groups:
            return groups[item.text]
        if item.text in image.shape.columns:
            return (item.text,)
        if not image.shape.hides(item.text) and not item.faulty:
            hint = did_you_mean(item.text, [*image.shape.columns, *groups])
            self.faults.add(item.mark, f"the table `{image.shape.table}` has no column `{item.text}`", hint)
        return ()

    def _take(
        self, item: Scalar, column: str, image: Image, record: RecordOf, path: str, fields: dict[str, Build | None]
    ) -> None:
        inner = f"{path}.{column}" if path else column
        if column in fields:
            self.faults.add(item.mark, f"`{inner}` is taken twice", "leave one of them out")
        elif column not in record.fields:
            what = f"the contract's {record} has no field `{column}`"
            self.faults.add(item.mark, what, did_you_mean(column, record.fields))
            fields[column] = None
        else:
            found = image.column(column)
            fields[column] = self._typed(item.mark, Typed(found.type, found.run), record.fields[column][0], inner)

    def _each(self, node: Map, avro: Avro, path: str) -> Build | None:
        name = node.get("$each")
        rows = self.names.companions.get(name.text) if isinstance(name, Scalar) else None
        if self.in_each:
            self.faults.add(_key(node, "$each"), "`$each` inside `$each`", "rows are not nested")
            return None
        if not isinstance(name, Scalar) or rows is None or not rows.is_list:
            self._not_a_list(node, name)
            return None
        inside = replace(self, names=replace(self.names, item=rows.shape), in_each=True)
        branches, _ = branches_of(avro)
        wanted = MapOfValues if node.get("$key") is not None else ArrayOf
        target = next((branch for branch in branches if isinstance(branch, wanted)), None)
        if target is None:
            kind = "a map" if wanted is MapOfValues else "an array"
            self.faults.add(node.mark, f"{kind} for `{path}`, where the contract wants {avro}", "$key makes a map")
            return None
        item = target.values if isinstance(target, MapOfValues) else target.items
        build = inside.item(node, item, f"{path}[]")
        if wanted is ArrayOf:
            return None if build is None else array_of(name.text, build, self.rule, path)
        key = inside.value(node.get("$key") or node, Plain("string"), f"{path}{{}}")
        return None if build is None or key is None else map_of(name.text, key, build, self.rule, path)

    def _not_a_list(self, node: Map, name: Node | None) -> None:
        place = name.mark if name is not None else node.mark
        if name is not None and name.faulty:
            return
        lists = [known for known, companion in self.names.companions.items() if companion.is_list]
        word = name.text if isinstance(name, Scalar) else "this"
        if word in self.names.companions:
            self.faults.add(place, f"`{word}` is one row, not a list", "count: any or at least one makes a list")
        elif not self.names.doubtful:
            self.faults.add(place, f"there is no list of rows `{word}`", did_you_mean(word, lists))

    def item(self, node: Map, avro: Avro, path: str) -> Build | None:
        """One element of ``$each``: ``$item`` or a record of the rest of the map."""
        scalar = node.get("$item")
        if scalar is not None:
            rest = [key for key, _ in node.entries if key.text not in ("$each", "$item", "$key", "$when")]
            if rest:
                self.faults.add(rest[0].mark, f"`{rest[0].text}` beside `$item`", "$item is the whole element")
                return None
            return self.value(scalar, avro, path)
        return self._of_record(node, branches_of(avro)[0], path)


def _key(node: Map, name: str) -> Mark:
    return next((key.mark for key, _ in node.entries if key.text == name), node.mark)


def _union_words(branches: tuple[Avro, ...]) -> str:
    return str(UnionOf(branches))


def _default(avro: Avro, default: object) -> Build:
    if isinstance(default, (dict, list)):
        return lambda scope: native_default(avro, default)
    value = native_default(avro, default)
    return lambda scope: value
