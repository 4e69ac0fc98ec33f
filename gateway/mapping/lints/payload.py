"""What rules fill: every leaf of `data` with the contract's type at its place, and what it is filled from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.mapping.contract import ArrayOf, Avro, Contract, MapOfValues, Plain, RecordOf, branches_of
from gateway.mapping.expressions.names import Names, RowShape
from gateway.mapping.lints.spoken import SIDES, Ref, Spoken, in_template, speak, within
from gateway.mapping.nodes import Map, Mark, Node, Scalar, Seq
from gateway.mapping.patterns import Context
from gateway.mapping.rules import Compiled
from gateway.mapping.templates import is_template

__all__ = ["Leaf", "leaves_of", "tagged_fields"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field that a rule fills. ``avro``: its type; one of ``parts`` (a template), ``taken`` or ``constant`` is set.

    ``joined``: text around the expression, or several of them. ``guards``: the `$when` of the maps around it.
    ``path`` as in ``addresses[].address.street``; ``record``: full name of the record it stands in.
    """

    rule: Compiled
    path: str
    avro: Avro
    mark: Mark
    record: str
    parts: tuple[Spoken, ...] = ()
    joined: bool = False
    taken: Ref | None = None
    constant: Scalar | None = None
    guards: tuple[Spoken, ...] = ()

    @property
    def nullable(self) -> bool:
        """Whether the contract allows null."""
        return branches_of(self.avro)[1]


def leaves_of(
    rules: tuple[Compiled, ...], contracts: Mapping[str, Contract | None], context: Context
) -> Iterator[Leaf]:
    """Every leaf of every rule's `data`."""
    for compiled in rules:
        contract = contracts.get(compiled.rule.event or "")
        data = compiled.section.node("data")
        if contract is not None and isinstance(data, Map):
            yield from _Walk(compiled, context).record(data, contract.record, "", compiled.names, ())


@dataclass(frozen=True, slots=True)
class _Walk:
    rule: Compiled
    context: Context

    def record(
        self, node: Map, record: RecordOf, path: str, names: Names, guards: tuple[Spoken, ...]
    ) -> Iterator[Leaf]:
        yield from self._taken(node, record, path, names, guards)
        for key, value in node.entries:
            if key.text in record.fields:
                inner = f"{path}.{key.text}" if path else key.text
                yield from self.value(value, record.fields[key.text][0], inner, names, guards, record.full_name)

    def value(
        self, node: Node, avro: Avro, path: str, names: Names, guards: tuple[Spoken, ...], record: str
    ) -> Iterator[Leaf]:
        if isinstance(node, Scalar):
            yield self._scalar(node, avro, path, names, guards, record)
        elif isinstance(node, Map):
            inner = within(node, names)
            when = node.get("$when")
            if isinstance(when, Scalar):
                more = {"rule": self.rule, "pattern": self.rule.rule.anchor}
                guards = (*guards, *speak("when", when, inner, **more))
            branches, _ = branches_of(avro)
            if node.get("$each") is not None:
                yield from self._each(node, branches, path, inner, guards, record)
            else:
                yield from self._record(node, branches, path, inner, guards)

    def _record(
        self, node: Map, branches: tuple[Avro, ...], path: str, names: Names, guards: tuple[Spoken, ...]
    ) -> Iterator[Leaf]:
        records = [branch for branch in branches if isinstance(branch, RecordOf)]
        wanted = node.get("$record")
        if isinstance(wanted, Scalar):
            records = [each for each in records if wanted.text in (each.name, each.full_name)]
        if records:
            yield from self.record(node, records[0], path, names, guards)

    def _each(
        self, node: Map, branches: tuple[Avro, ...], path: str, names: Names, guards: tuple[Spoken, ...], record: str
    ) -> Iterator[Leaf]:
        wanted = MapOfValues if node.get("$key") is not None else ArrayOf
        target = next((branch for branch in branches if isinstance(branch, wanted)), None)
        if target is None:
            return
        item: Avro = target.values if isinstance(target, MapOfValues) else target.items
        key, scalar = node.get("$key"), node.get("$item")
        if key is not None:
            yield from self.value(key, Plain("string"), f"{path}{{}}", names, guards, record)
        if scalar is not None:
            yield from self.value(scalar, item, f"{path}[]", names, guards, record)
        else:
            yield from self._record(node, branches_of(item)[0], f"{path}[]", names, guards)

    def _scalar(
        self, node: Scalar, avro: Avro, path: str, names: Names, guards: tuple[Spoken, ...], record: str
    ) -> Leaf:
        leaf = Leaf(self.rule, path, avro, node.mark, record, guards=guards)
        if not is_template(node):
            return replace(leaf, constant=node)
        more = {"rule": self.rule, "pattern": self.rule.rule.anchor}
        parts = tuple(in_template("data", node, names, **more))
        whole = node.text.strip() == node.text and node.text.startswith("{{") and node.text.endswith("}}")
        return replace(leaf, parts=parts, joined=len(parts) > 1 or not whole)

    def _taken(
        self, node: Map, record: RecordOf, path: str, names: Names, guards: tuple[Spoken, ...]
    ) -> Iterator[Leaf]:
        source, take = node.get("$from"), node.get("$take")
        if not isinstance(source, Scalar) or not isinstance(take, (Seq, Scalar)):
            return
        found = _image(source.text, names)
        if found is None:
            return
        root, side, shape = found
        groups = self.context.tables[shape.table].table.groups
        for item in take.items if isinstance(take, Seq) else (take,):
            assert isinstance(item, Scalar)
            for column in groups.get(item.text, (item.text,)):
                if column in record.fields and column in shape.columns:
                    ref = Ref(shape.table, column, root, side, item.mark, self.rule)
                    inner = f"{path}.{column}" if path else column
                    avro = record.fields[column][0]
                    yield Leaf(self.rule, inner, avro, item.mark, record.full_name, taken=ref, guards=guards)


def _image(text: str, names: Names) -> tuple[str, str, RowShape] | None:
    """Root, side and row of an image's name."""
    root, _, side = text.strip().rpartition(".")
    if side not in SIDES:
        return None
    if not root:
        return None if names.anchor is None else ("", side, names.anchor)
    if root == "item":
        return None if names.item is None else (root, side, names.item)
    return (root, side, names.companions[root].shape) if root in names.companions else None


def tagged_fields(schema: Any) -> Mapping[tuple[str, str], bool]:
    """Whether a field is tagged as personal data, by (full name of its record, field).

    It is where its JSON, or that of its record, has ``"pii": true``, or its doc holds "personal data".
    """
    found: dict[tuple[str, str], bool] = {}
    _tags(schema, "", found)
    return found


def _says(part: Any) -> bool:
    return part.get("pii") is True or "personal data" in str(part.get("doc", "")).lower()


def _tags(schema: Any, namespace: str, found: dict[tuple[str, str], bool]) -> None:
    if isinstance(schema, list):
        for branch in schema:
            _tags(branch, namespace, found)
    elif isinstance(schema, dict):
        kind = schema.get("type")
        if kind == "record":
            namespace = schema.get("namespace", namespace)
            name = schema["name"] if "." in schema["name"] or not namespace else f"{namespace}.{schema['name']}"
            for each in schema["fields"]:
                found[name, each["name"]] = _says(each) or schema.get("pii") is True
                _tags(each["type"], name.rpartition(".")[0], found)
        else:
            for inner in (kind, schema.get("items"), schema.get("values")):
                _tags(inner, namespace, found)
