"""Records: maps with declared keys, and what is read of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.mapping.examples import example_of
from gateway.mapping.forms import Form
from gateway.mapping.nodes import Faults, Map, Mark, Node, Scalar, Seq, did_you_mean, kind_of

__all__ = ["Key", "Record", "Section"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record: its form, what it is for, and examples of its value as they stand in a file."""

    name: str
    form: Form
    doc: str
    required: bool = False
    examples: tuple[str, ...] = ()

    def schema(self) -> dict[str, object]:
        """JSON Schema of the value, with what it is for and examples."""
        described: dict[str, object] = {**self.form.schema(), "description": self.doc}
        values = [example_of(each) for each in self.examples]
        return {**described, "examples": values} if values else described


@dataclass(slots=True)
class Section:
    """A record as read: values by key. ``broken`` when something in it could not be read, ``faulty``: those keys."""

    what: str
    mark: Mark
    values: dict[str, object] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    broken: bool = False

    def __contains__(self, key: str) -> bool:
        """Whether the key stands in the file, readable or not."""
        return key in self.marks

    def mark_of(self, key: str) -> Mark:
        """The place of a key, or of the record."""
        return self.marks.get(key, self.mark)

    def scalar(self, key: str) -> Scalar | None:
        """A scalar, or None."""
        value = self.values.get(key)
        return value if isinstance(value, Scalar) else None

    def word(self, key: str, default: str = "") -> str:
        """The text of a scalar, or a default."""
        value = self.scalar(key)
        return default if value is None else value.text

    def flag(self, key: str) -> bool:
        """True where the scalar says true."""
        return self.word(key) == "true"

    def scalars(self, key: str) -> tuple[Scalar, ...]:
        """The scalars of a list, or none."""
        value = self.values.get(key)
        return tuple(item for item in value if isinstance(item, Scalar)) if isinstance(value, tuple) else ()

    def section(self, key: str) -> Section | None:
        """A record, or None."""
        value = self.values.get(key)
        return value if isinstance(value, Section) else None

    def sections(self, key: str) -> tuple[Section, ...]:
        """The records of a list."""
        value = self.values.get(key)
        return tuple(item for item in value if isinstance(item, Section)) if isinstance(value, tuple) else ()

    def entries(self, key: str) -> tuple[tuple[Scalar, object], ...]:
        """The entries of a map."""
        value = self.values.get(key)
        return tuple(item for item in value if isinstance(item, tuple)) if isinstance(value, tuple) else ()

    def named(self, key: str) -> tuple[tuple[Scalar, Section], ...]:
        """The entries of a map of records."""
        return tuple((name, value) for name, value in self.entries(key) if isinstance(value, Section))

    def node(self, key: str) -> Node | None:
        """A tree that is read later."""
        value = self.values.get(key)
        return value if isinstance(value, (Scalar, Seq, Map)) else None


@dataclass(frozen=True, slots=True)
class Record:
    """A map with declared keys. ``one_of``: keys that exclude each other (for editors; the compiler says more)."""

    what: str
    keys: tuple[Key, ...]
    one_of: tuple[tuple[tuple[str, ...], ...], ...] = ()

    def read(self, node: Node, faults: Faults) -> Section | None:
        """A section with all that could be read; unknown and missing keys are faults."""
        if node.faulty:
            return None
        if not isinstance(node, Map):
            hint = "its keys: " + ", ".join(key.name for key in self.keys)
            faults.add(node.mark, f"{self.what} is a map, not {kind_of(node)}", hint)
            return None
        section = Section(self.what, node.mark)
        known = self._known()
        for name, value in node.entries:
            section.marks[name.text] = name.mark
            key = known.get(name.text)
            if key is None:
                faults.add(name.mark, f"{self.what} has no key `{name.text[:60]}`", did_you_mean(name.text, known))
                section.broken = True
                continue
            before = len(faults.found)
            good = key.form.read(value, faults)
            if good is None or len(faults.found) > before:
                section.broken = True
                section.faulty.add(name.text)
            if good is not None:
                section.values[name.text] = good
        for key in self.keys:
            if key.required and key.name not in section.marks:
                faults.add(node.mark, f"{self.what} lacks `{key.name}`", f"`{key.name}`: {key.doc}")
                section.broken = True
        return section

    def _known(self) -> Mapping[str, Key]:
        return {key.name: key for key in self.keys}

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        properties = {key.name: key.schema() for key in self.keys}
        plain: dict[str, object] = {"type": "object", "properties": properties, "additionalProperties": False}
        if required := [key.name for key in self.keys if key.required]:
            plain["required"] = required
        if self.one_of:
            plain["allOf"] = [
                {"oneOf": [_alternative(keys, alternatives) for keys in alternatives]} for alternatives in self.one_of
            ]
        return plain

    def words(self) -> str:
        """The form in words."""
        return self.what


def _alternative(keys: tuple[str, ...], alternatives: tuple[tuple[str, ...], ...]) -> dict[str, object]:
    """Has these keys, and none of the other alternatives'."""
    others = [name for each in alternatives if each != keys for name in each]
    return {"required": list(keys), "not": {"anyOf": [{"required": [name]} for name in others]}}
