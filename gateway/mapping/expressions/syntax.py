"""From expression text to Jinja2's nodes, with the place of every node; whatever the language lacks is refused."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

__all__ = ["MAX_CHARACTERS", "MAX_NODES", "REFUSED_NODES", "ExpressionFault", "Parsed", "parse", "size_of"]

MAX_CHARACTERS = 1_000
MAX_NODES = 100
_MAX_NESTING = 20
_ENVIRONMENT = Environment()  # noqa: S701 - parses only: nothing is ever rendered
_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "~", "+", "-", "*", "|", "(", ")", "[", "]", ",", "."})
_REFUSED = {
    "/": "there is no division: let the consumer divide, or multiply",
    "//": "there is no division",
    "%": "there is no remainder",
    "**": "there are no powers",
    "{": "there are no maps in expressions: use a code table and the filter decode",
    "}": "there are no maps in expressions",
    ":": "there are no slices: use the filter chars(from, to)",
    "=": "compare with ==; filters take their arguments by place",
}
_WORDS = {"none": "write null", "None": "write null", "True": "write true", "False": "write false"}
REFUSED_NODES: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Call: ("a call", "functions are not offered: use filters, as in after.name | upper"),
    nodes.Getitem: ("an index", "use the filter chars(from, to)"),
    nodes.Slice: ("a slice", "use the filter chars(from, to)"),
    nodes.Tuple: ("a tuple", "write a list in [ ] right of `in`"),
    nodes.Dict: ("a map", "use a code table and the filter decode"),
    nodes.Div: ("a division", "let the consumer divide, or multiply"),
    nodes.FloorDiv: ("a division", "let the consumer divide"),
    nodes.Mod: ("a remainder", "let the consumer compute it"),
    nodes.Pow: ("a power", "multiply"),
    nodes.Pos: ("a sign +", "leave it out"),
    nodes.List: ("a list", "lists stand right of `in` only"),
}
"""Nodes that are refused by name, each with a hint; all others are refused, too."""


class ExpressionFault(Exception):  # noqa: N818 - becomes a Fault once its file is known
    """What is wrong in an expression, at which character. ``silent``: a consequence of a fault noted elsewhere."""

    def __init__(self, offset: int, what: str, hint: str = "", *, silent: bool = False) -> None:
        super().__init__(what)
        self.offset = offset
        self.what = what
        self.hint = hint
        self.silent = silent


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed expression; ``offsets`` maps Jinja2's line numbers (one token a line) to characters of ``text``."""

    text: str
    tree: nodes.Expr
    offsets: tuple[int, ...]

    def offset(self, node: nodes.Node) -> int:
        """The character that names a node: of an attribute, filter or test its name; else where it begins."""
        if isinstance(node, (nodes.Compare, nodes.BinExpr)):
            return self.start(node.expr if isinstance(node, nodes.Compare) else node.left)
        place = self.offsets[min(max(node.lineno - 1, 0), len(self.offsets) - 1)]
        return place + 1 if isinstance(node, nodes.Getattr) and self.text[place : place + 1] == "." else place

    def start(self, node: nodes.Node) -> int:
        """The character where a node begins: of a dotted name its root."""
        while isinstance(node, nodes.Getattr):
            node = node.node
        return self.offset(node)

    def first(self, node: nodes.Node) -> int:
        """The first character of a node: of a filter, test or join that of what stands left in it."""
        while True:
            if isinstance(node, (nodes.Filter, nodes.Test)) and node.node is not None:
                node = node.node
            elif isinstance(node, nodes.Compare):
                node = node.expr
            elif isinstance(node, nodes.BinExpr):
                node = node.left
            elif isinstance(node, nodes.Concat):
                node = node.nodes[0]
            else:
                return self.start(node)


def parse(text: str) -> Parsed:
    """Parse one bare expression; all text must be consumed. Raises ExpressionFault."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionFault(0, f"an expression of {len(text)} characters", f"{MAX_CHARACTERS} are allowed")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    tokens = _tokens(text)
    if not tokens:
        raise ExpressionFault(0, "an empty expression", "write a column, as in after.name")
    lines, offsets = [], []
    for offset, token in tokens:
        lines.append(token)
        offsets += [offset] * (token.count("\n") + 1)
    offsets.append(len(text))
    try:
        parser = Parser(_ENVIRONMENT, "\n".join(lines), state="variable")
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        offset = offsets[min(error.lineno - 1, len(offsets) - 1)]
        raise ExpressionFault(offset, f"not an expression: {error.message}", "see the list of allowed forms") from None
    if not parser.stream.eos:
        offset = offsets[min(parser.stream.current.lineno - 1, len(offsets) - 1)]
        raise ExpressionFault(offset, "the expression ends before this", _why_it_ended(text, offset))
    parsed = _filters_first(Parsed(text, tree, tuple(offsets)), tokens)
    if size_of(tree) > MAX_NODES:
        raise ExpressionFault(0, f"an expression of {size_of(tree)} parts", f"{MAX_NODES} are allowed: name conditions")
    return parsed


def _filters_first(parsed: Parsed, tokens: list[tuple[int, str]]) -> Parsed:
    """Filters bind tighter than a sign: ``-x | f`` is ``-(x | f)``. Jinja2 applies them to what the sign gives."""
    if "-" not in parsed.text or "|" not in parsed.text:
        return parsed
    tree = _Binding(parsed, tokens).visit(parsed.tree)
    return Parsed(parsed.text, tree, parsed.offsets)


class _Binding(NodeTransformer):
    def __init__(self, parsed: Parsed, tokens: list[tuple[int, str]]) -> None:
        self.parsed = parsed
        self.tokens = tokens

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - the visitor's name for it
        """A filter over a sign without brackets becomes a sign over the filter."""
        self.generic_visit(node)
        sign = node.node
        if not isinstance(sign, nodes.Neg) or self._in_brackets(sign, node):
            return node
        node.node = sign.node
        sign.node = self.visit(node)
        return sign

    def _in_brackets(self, sign: nodes.Neg, outer: nodes.Filter) -> bool:
        """Whether a bracket around the sign closes before the filter's name."""
        start, end = self.parsed.offset(sign), self.parsed.offset(outer)
        depth = 0
        for offset, spelling in self.tokens:
            if start <= offset < end:
                depth += (spelling == "(") - (spelling == ")")
                if depth < 0:
                    return True
        return False


def size_of(tree: nodes.Node) -> int:
    """The number of nodes of a tree."""
    return 1 + sum(1 for _ in tree.find_all(nodes.Node))


def _why_it_ended(text: str, offset: int) -> str:
    if text[offset : offset + 1].isdigit() and text[:offset].rstrip()[-1:].isdigit():
        return "numbers have no leading zeros: compare with text, as in '012'"
    return "is an operator or a bracket missing?"


def _tokens(text: str) -> list[tuple[int, str]]:
    """Offset and spelling of each token but blanks; refuses tokens that the language lacks."""
    tokens: list[tuple[int, str]] = []
    offset = nesting = run = 0
    before = ""
    try:
        for _, kind, spelling in _ENVIRONMENT.lexer.tokeniter(text, None, None, "variable"):
            if kind != "whitespace":
                _check(kind, spelling, offset, before, tokens[-1][1] if tokens else "")
                nesting += (spelling in "([") - (spelling in ")]") if kind == "operator" else 0
                run = run + 1 if spelling in ("not", "-") else 0
                if nesting > _MAX_NESTING or run > _MAX_NESTING:
                    raise ExpressionFault(offset, f"nested deeper than {_MAX_NESTING}", "name conditions")
                tokens.append((offset, spelling))
                before = kind
            offset += len(spelling)
    except TemplateSyntaxError as error:
        raise ExpressionFault(offset, f"not an expression: {error.message}", "is a quote or bracket missing?") from None
    return tokens


def _check(kind: str, spelling: str, offset: int, before: str, last: str) -> None:
    if kind == "operator" and spelling not in _OPERATORS:
        raise ExpressionFault(offset, f"`{spelling}` is refused", _REFUSED.get(spelling, ""))
    if kind == "float":
        raise ExpressionFault(offset, "a number with a point", f"write '{spelling}' | decimal(1)")
    if kind == "integer" and not (spelling.isascii() and spelling.isdigit()):
        raise ExpressionFault(offset, f"`{spelling}` is refused", "write whole numbers in digits only")
    if kind == "integer" and len(spelling) > 38:
        raise ExpressionFault(offset, "a number of more than 38 digits", "38 digits are the most")
    if kind == "string" and before == "string":
        raise ExpressionFault(offset, "two texts side by side", "join them with ~")
    if kind == "string" and ("\\u" in spelling or "\\U" in spelling or "\\N" in spelling):
        raise ExpressionFault(offset, "an escape in a text", "write the character itself")
    if kind == "name" and spelling in _WORDS and last != ".":
        raise ExpressionFault(offset, f"`{spelling}` is refused", _WORDS[spelling])
    if kind not in ("operator", "integer", "string", "name"):
        raise ExpressionFault(offset, f"`{spelling[:20]}` is refused", "write a bare expression")
