"""What may stand under a key: each form reads a node, notes faults, describes itself as JSON Schema and in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.mapping.nodes import Faults, Map, Node, Scalar, Seq, did_you_mean, kind_of

__all__ = [
    "Anything",
    "Choice",
    "Constant",
    "Form",
    "ListOf",
    "MapOf",
    "Number",
    "OneOrMore",
    "Shapes",
    "Text",
    "Word",
]


class Form(Protocol):
    """One kind of value. ``read`` gives None after it has noted a fault."""

    def read(self, node: Node, faults: Faults) -> object | None:
        """The value that stands in ``node``; None, and a fault noted, where it is none of this kind."""
        ...

    def schema(self) -> dict[str, object]:
        """JSON Schema of the values."""
        ...

    def words(self) -> str:
        """What the value is, in words for the reference page."""
        ...


def _scalar(node: Node, faults: Faults, wanted: str) -> Scalar | None:
    if node.faulty:
        return None
    if isinstance(node, Scalar) and not node.is_null:
        return node
    hint = "write 'null' in quotes for the word" if isinstance(node, Scalar) else f"write {wanted}"
    faults.add(node.mark, f"{wanted} is wanted here, not {kind_of(node)}", hint)
    return None


@dataclass(frozen=True, slots=True)
class Text:
    """Any text but null; ``pattern``: what it looks like, for editors (the compiler judges it)."""

    what: str = "text"
    pattern: str = ""

    def read(self, node: Node, faults: Faults) -> Scalar | None:
        """The scalar."""
        return _scalar(node, faults, self.what)

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"type": "string", "pattern": f"^({self.pattern})$"} if self.pattern else {"type": "string"}

    def words(self) -> str:
        """The form in words."""
        return self.what


@dataclass(frozen=True, slots=True)
class Word:
    """A name that matches a pattern as a whole. ``rule``: the pattern in words; ``likely``: what was probably meant."""

    what: str
    pattern: str
    rule: str = ""
    likely: Callable[[str], str] | None = None

    def read(self, node: Node, faults: Faults) -> Scalar | None:
        """The scalar."""
        scalar = _scalar(node, faults, self.what)
        if scalar is None or re.fullmatch(self.pattern, scalar.text):
            return scalar
        faults.add(scalar.mark, f"`{scalar.text[:60]}` is not {self.what}", self._hint(scalar.text))
        return None

    def _hint(self, text: str) -> str:
        """The rule that the text breaks, and the name that it probably should be."""
        rule = self.rule or f"it must match {self.pattern}"
        near = self.likely(text[:60]) if self.likely else ""
        return f"write `{near}`: {rule}" if near and re.fullmatch(self.pattern, near) else rule

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"type": "string", "pattern": f"^({self.pattern})$"}

    def words(self) -> str:
        """The form in words."""
        return self.what


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    what: str
    values: tuple[str, ...]

    def read(self, node: Node, faults: Faults) -> Scalar | None:
        """The scalar."""
        scalar = _scalar(node, faults, self.what)
        if scalar is None or scalar.text in self.values:
            return scalar
        hint = did_you_mean(scalar.text, self.values)
        faults.add(scalar.mark, f"`{scalar.text[:60]}` is not {self.what}", hint)
        return None

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        if self.values == ("true", "false"):
            return {"type": "boolean"}
        return {"enum": list(self.values)}

    def words(self) -> str:
        """The form in words."""
        return " | ".join(f"`{value}`" for value in self.values)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number between two bounds, written in digits."""

    what: str
    least: int
    most: int

    def read(self, node: Node, faults: Faults) -> Scalar | None:
        """The scalar, whose text is digits."""
        scalar = _scalar(node, faults, self.what)
        if scalar is None:
            return None
        if re.fullmatch(r"0|[1-9][0-9]{0,8}", scalar.text) and self.least <= int(scalar.text) <= self.most:
            return scalar
        faults.add(scalar.mark, f"`{scalar.text[:60]}` is not {self.what}", f"write {self.least} to {self.most}")
        return None

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def words(self) -> str:
        """The form in words."""
        return f"{self.what} ({self.least} to {self.most})"


@dataclass(frozen=True, slots=True)
class Constant:
    """A scalar whose type another declaration decides; plain ``null`` is null."""

    what: str = "a value"

    def read(self, node: Node, faults: Faults) -> Scalar | None:
        """The scalar, null included."""
        if node.faulty:
            return None
        if isinstance(node, Scalar):
            return node
        faults.add(node.mark, f"{self.what} is wanted here, not {kind_of(node)}", "write a single value")
        return None

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"type": ["string", "number", "boolean", "null"]}

    def words(self) -> str:
        """The form in words."""
        return self.what


@dataclass(frozen=True, slots=True)
class Anything:
    """A tree that is read later, against something else; ``definition`` names its JSON Schema, where there is one."""

    what: str
    definition: str = ""

    def read(self, node: Node, faults: Faults) -> Node | None:
        """The node."""
        return None if node.faulty else node

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"allOf": [{"$ref": f"#/definitions/{self.definition}"}]} if self.definition else {}

    def words(self) -> str:
        """The form in words."""
        return self.what


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list that is not empty, and not longer than ``most`` where that is above 0."""

    item: Form
    most: int = 0

    def read(self, node: Node, faults: Faults) -> tuple[object, ...] | None:
        """The items that could be read."""
        if node.faulty:
            return None
        if not isinstance(node, Seq):
            faults.add(node.mark, f"a list is wanted here, not {kind_of(node)}", "write [ … ]")
            return None
        if not node.items:
            faults.add(node.mark, "the list is empty", f"name {self.item.words()}, or leave the key out")
            return None
        items = node.items
        if 0 < self.most < len(items):
            what = f"a list of {len(items)}, where {self.most} are the most"
            faults.add(items[self.most].mark, what, "split the mapping: one file for each aggregate type")
            items = items[: self.most]
        return tuple(value for item in items if (value := self.item.read(item, faults)) is not None)

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"type": "array", "items": self.item.schema(), "minItems": 1}

    def words(self) -> str:
        """The form in words."""
        return f"list of {self.item.words()}"


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """One value, or a list of them."""

    item: Form

    def read(self, node: Node, faults: Faults) -> tuple[object, ...] | None:
        """The values, as a tuple either way."""
        if isinstance(node, Seq):
            return ListOf(self.item).read(node, faults)
        value = self.item.read(node, faults)
        return None if value is None else (value,)

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"anyOf": [self.item.schema(), ListOf(self.item).schema()]}

    def words(self) -> str:
        """The form in words."""
        return f"{self.item.words()}, or a list of them"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from names to one form."""

    key: Form
    value: Form

    def read(self, node: Node, faults: Faults) -> tuple[tuple[Scalar, object], ...] | None:
        """Key and value of each entry that could be read, in the file's order."""
        if node.faulty:
            return None
        if not isinstance(node, Map):
            faults.add(node.mark, f"a map is wanted here, not {kind_of(node)}", f"its keys: {self.key.words()}")
            return None
        entries = []
        for key, value in node.entries:
            good_key = self.key.read(key, faults)
            good_value = self.value.read(value, faults)
            if good_key is not None and good_value is not None:
                entries.append((key, good_value))
        return tuple(entries)

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        names = self.key.schema()
        plain: dict[str, object] = {"type": "object", "additionalProperties": self.value.schema()}
        return {**plain, "propertyNames": {"pattern": names["pattern"]}} if "pattern" in names else plain

    def words(self) -> str:
        """The form in words."""
        return f"map of {self.key.words()} to {self.value.words()}"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Another form for a scalar, a list, or a map."""

    scalar: Form | None = None
    seq: Form | None = None
    map: Form | None = None

    def read(self, node: Node, faults: Faults) -> object | None:
        """What the form for this shape gives."""
        form = self.map if isinstance(node, Map) else self.seq if isinstance(node, Seq) else self.scalar
        if form is not None:
            return form.read(node, faults)
        if not node.faulty:
            faults.add(node.mark, f"{self.words()} is wanted here, not {kind_of(node)}", "write one of these forms")
        return None

    def _forms(self) -> list[Form]:
        return [form for form in (self.scalar, self.seq, self.map) if form is not None]

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"anyOf": [form.schema() for form in self._forms()]}

    def words(self) -> str:
        """The form in words."""
        return " or ".join(form.words() for form in self._forms())
