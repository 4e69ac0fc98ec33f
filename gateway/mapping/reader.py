"""From YAML text to a tree of nodes: scalars stay text, what surprises people is refused (language.md 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
import yaml.parser
import yaml.reader
import yaml.scanner

from gateway.mapping.nodes import Faults, Map, Mark, Node, Scalar, Seq

__all__ = ["MAX_BYTES", "MAX_DEPTH", "read_file", "read_text"]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_FAULTS = 200


class _PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's Python parser, for machines without the C library."""

    def __init__(self, stream: str) -> None:
        yaml.reader.Reader.__init__(self, stream)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


def _events(text: str) -> Any:
    return yaml.CLoader(text) if yaml.__with_libyaml__ else _PureParser(text)


def read_file(path: Path, shown: str) -> tuple[Map | None, Faults]:
    """Read one file of at most 1 MB; ``shown`` is its name in faults. None if it cannot be read any further."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        faults = Faults(shown)
        faults.add(Mark(1, 1), f"the file cannot be read: {error.strerror}", "mend its permissions")
        return None, faults
    if len(content) > MAX_BYTES:
        faults = Faults(shown)
        faults.add(Mark(1, 1), "the file is larger than 1 MB", "split the mapping: one file for each aggregate type")
        return None, faults
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8")
        faults = Faults(shown)
        mark = Mark(good.count("\n") + 1, len(good) - good.rfind("\n"))
        faults.add(mark, f"byte 0x{content[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None, faults
    return read_text(text, shown)


def read_text(text: str, shown: str) -> tuple[Map | None, Faults]:
    """Read mapping text. Never raises for any content: what is wrong stands in the faults."""
    faults = Faults(shown, text)
    top = Mark(1, 1)
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        faults.add(top, "the text holds half a character (a lone surrogate)", "save the file as UTF-8")
        return None, faults
    if size > MAX_BYTES:
        faults.add(top, "the file is larger than 1 MB", "split the mapping: one file for each aggregate type")
        return None, faults
    root = _Builder(faults).build(_without_tabs(text, faults))
    if root is None:
        return None, faults
    if not isinstance(root, Map):
        if not root.faulty:
            faults.add(root.mark, "a mapping file is a map of keys", "begin with `mapping: <name>`")
        return None, faults
    return (None if root.faulty else root), faults


def _without_tabs(text: str, faults: Faults) -> str:
    """Tabs are refused; a blank in their place lets the rest be read at the same columns."""
    if "\t" not in text:
        return text
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            faults.add(
                Mark(number, line.index("\t") + 1), "a tab", "indent with blanks; write \\t inside double quotes"
            )
    return text.replace("\t", " ")


@dataclass(slots=True)
class _Frame:
    """A list or map under construction."""

    is_map: bool
    mark: Mark
    as_key: bool = False
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Scalar | None = None
    faulty: bool = False


class _Stop(Exception):  # noqa: N818 - not an error of its own: the fault is noted already
    """Reading goes no further."""


class _Builder:
    """Turns parser events into nodes, without recursion."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.frames: list[_Frame] = []
        self.root: Node | None = None

    def build(self, text: str) -> Node | None:
        """The root node, or None where reading had to stop or the file is empty."""
        try:
            self._run(_events(text))
        except _Stop:
            return None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
            context = f" ({error.context})" if error.context else ""
            self.faults.add(
                place, f"not YAML: {error.problem}{context}", "is a quote, bracket or blank missing before?"
            )
            return None
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            place = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
            self.faults.add(place, f"not YAML: {error.reason}", "remove the control character")
            return None
        if self.root is None:
            self.faults.add(Mark(1, 1), "the file is empty", "begin with `mapping: <name>`")
        return self.root

    def _run(self, parser: Any) -> None:
        documents = 0
        while parser.check_event():
            event = parser.get_event()
            if len(self.faults.found) >= MAX_FAULTS:
                hint = "mend these first"
                self.faults.add(Mark(event.start_mark.line + 1, 1), "too many faults: reading ends here", hint)
                raise _Stop
            mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.ScalarEvent):
                self._decorations(event, mark)
                self._scalar(event, mark)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._decorations(event, mark)
                self._open(isinstance(event, yaml.MappingStartEvent), mark)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self.faults.add(mark, f"an alias (*{event.anchor})", "write it out: aliases are refused")
                self._put(Scalar("", mark, faulty=True))
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self._document(event, mark, documents)

    def _document(self, event: Any, mark: Mark, documents: int) -> None:
        if event.version or event.tags:
            self.faults.add(mark, "a YAML directive", "remove the line that begins with %")
        if documents > 1:
            self.faults.add(mark, "a second document in one file", "one file is one mapping: remove `---`")
            raise _Stop

    def _decorations(self, event: Any, mark: Mark) -> None:
        if event.anchor:
            self.faults.add(mark, f"an anchor (&{event.anchor})", "anchors are refused: write the value out")
        if event.tag:
            self.faults.add(mark, f"a tag ({event.tag})", "tags are refused: the key decides the type")

    def _scalar(self, event: Any, mark: Mark) -> None:
        style = event.style or ""
        text = event.value
        if style == "" and "{{" in text:
            self.faults.add(mark, "`{{` without quotes", 'put the whole value in quotes: "{{ … }}"')
            self._put(Scalar(text, mark, style, faulty=True))
        elif style == "" and text == "" and not event.tag and not event.anchor:
            self._empty(mark)
        else:
            self._put(Scalar(text, mark, style, faulty=bool(event.tag or event.anchor)))

    def _empty(self, mark: Mark) -> None:
        frame = self.frames[-1] if self.frames else None
        if frame is not None and not frame.faulty and not (frame.key is not None and frame.key.faulty):
            place = frame.key.mark if frame.key is not None else mark
            self.faults.add(place, "nothing is written here", "write null, '' for blank text, or {} for an empty map")
        self._put(Scalar("", mark, faulty=True))

    def _open(self, is_map: bool, mark: Mark) -> None:
        if len(self.frames) >= MAX_DEPTH:
            self.faults.add(mark, f"nested deeper than {MAX_DEPTH}", "is a bracket not closed?")
            raise _Stop
        parent = self.frames[-1] if self.frames else None
        as_key = parent is not None and parent.is_map and parent.key is None
        if as_key and parent is not None and not parent.faulty:
            self._key_is_no_scalar(parent, mark)
        self.frames.append(_Frame(is_map, mark, as_key, faulty=bool(parent and parent.faulty)))

    def _key_is_no_scalar(self, parent: _Frame, mark: Mark) -> None:
        parent.faulty = True
        line = self.faults.text.split("\n", mark.line)[mark.line - 1]
        if line[mark.column - 2 : mark.column] == "{{":
            self.faults.add(parent.mark, "`{{` without quotes", 'put the whole value in quotes: "{{ … }}"')
        else:
            self.faults.add(mark, "a list or map as a key", "keys are words")

    def _close(self) -> None:
        frame = self.frames.pop()
        if frame.as_key:
            self._put(Scalar("", frame.mark, faulty=True))
        elif frame.is_map:
            self._put(Map(tuple(frame.entries.values()), frame.mark, frame.faulty))
        else:
            self._put(Seq(tuple(frame.items), frame.mark, frame.faulty))

    def _put(self, node: Node) -> None:
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node if isinstance(node, Scalar) else Scalar("", node.mark, faulty=True)
        else:
            self._entry(frame, frame.key, node)
            frame.key = None

    def _entry(self, frame: _Frame, key: Scalar, value: Node) -> None:
        if key.faulty:
            return
        if key.text == "<<" and key.style == "":
            self.faults.add(key.mark, "a merge key (<<)", "write the keys out: merging is refused")
        elif key.text in frame.entries and frame.entries[key.text][0].is_null == key.is_null:
            first = frame.entries[key.text][0].mark.line
            self.faults.add(key.mark, f"the key `{key.text}` stands here twice", f"it stands in line {first} already")
        else:
            frame.entries[f"{key.text}\0null" if key.is_null else key.text] = (key, value)
