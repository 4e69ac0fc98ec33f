"""From parsed expressions to typed closures; every node that is not allowed is refused here, with its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from jinja2 import nodes

from gateway.mapping.branches import BranchKind, watched_test
from gateway.mapping.compiled import Expression, Scope
from gateway.mapping.expressions import logic
from gateway.mapping.expressions.filters import FILTERS, Apply, Filter
from gateway.mapping.expressions.lookups import lookup
from gateway.mapping.expressions.names import CodeTable, Names
from gateway.mapping.expressions.references import Field, Image, Row, Rows, is_changed, resolve, rows_of
from gateway.mapping.expressions.spelling import spell
from gateway.mapping.expressions.syntax import MAX_NODES, REFUSED_NODES, ExpressionFault, Parsed, parse, size_of
from gateway.mapping.kinds import Kind, Type, unify
from gateway.mapping.nodes import did_you_mean
from gateway.model.values import UNREADABLE, Unavailable, Value

__all__ = ["Typed", "compile_expression", "compile_image", "compile_part", "compile_test"]

_ORDER = {"lt", "lteq", "gt", "gteq"}
_MAX_EXPANDED = 10 * MAX_NODES
_TESTS = ("null", "changed", "unavailable", "present")


@dataclass(frozen=True, slots=True)
class Typed:
    """A compiled expression and its type. ``constant``: it is a constant, with this value."""

    type: Type
    run: Expression
    constant: bool = False
    value: Value = None


def compile_expression(text: str, names: Names) -> Typed:
    """Compile one bare expression. Raises ExpressionFault."""
    parsed = parse(text)
    return _Compiler(parsed, names).value(parsed.tree)


def compile_test(text: str, names: Names) -> Typed:
    """Compile a bare expression that must be a test (``when``, ``$when``). Raises ExpressionFault."""
    parsed = parse(text)
    return _Compiler(parsed, names, conditions=True).test(parsed.tree)


def compile_part(parsed: Parsed, node: nodes.Expr, names: Names) -> Typed:
    """Compile a node of an expression that compiled before, where conditions may stand. Raises ExpressionFault."""
    return _Compiler(parsed, names, conditions=True).value(node)


def compile_image(text: str, names: Names) -> Image:
    """Compile the name of a row image (``$from``), as in ``after`` or ``closed.before``. Raises ExpressionFault."""
    parsed = parse(text)
    found = resolve(parsed, parsed.tree, names)
    if isinstance(found, Image):
        return found
    raise ExpressionFault(0, f"`{text[:60]}` is not an image of a row", "write after, before, row or NAME.after")


def _constant(type_: Type, value: Value) -> Typed:
    return Typed(type_, lambda scope: value, True, value)


class _Compiler:
    """Compiles the nodes of one parsed expression."""

    def __init__(self, parsed: Parsed, names: Names, *, conditions: bool = False, path: tuple[str, ...] = ()) -> None:
        self.parsed = parsed
        self.names = names
        self.conditions = conditions
        self.path = path
        self.expanded = [size_of(parsed.tree)]

    def fault(self, node: nodes.Node, what: str, hint: str = "") -> ExpressionFault:
        return ExpressionFault(self.parsed.start(node), what, hint)

    def test(self, node: nodes.Node) -> Typed:
        """A node that must give true or false."""
        if isinstance(node, nodes.Name) and self.conditions and self._is_condition(node.name):
            return self._condition(node)
        typed = self.value(node)
        if typed.type.kind not in (Kind.BOOL, Kind.NULL):
            raise self.fault(node, f"a test is wanted here, not {typed.type}", "compare it: == 'x', is null, in [ … ]")
        return typed

    def value(self, node: nodes.Node) -> Typed:
        """A node that gives a value."""
        compilers: dict[type[nodes.Node], Callable[..., Typed]] = {
            nodes.Const: self._const,
            nodes.Name: self._name,
            nodes.Getattr: self._reference,
            nodes.And: lambda each: self._logic(each, logic.both),
            nodes.Or: lambda each: self._logic(each, logic.either),
            nodes.Not: lambda each: Typed(Type(Kind.BOOL), logic.negation(self.test(each.node).run)),
            nodes.Compare: self._compare,
            nodes.CondExpr: self._choice,
            nodes.Concat: self._concat,
            nodes.Add: self._arithmetic,
            nodes.Sub: self._arithmetic,
            nodes.Mul: self._arithmetic,
            nodes.Neg: self._negative,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
        }
        compiler = compilers.get(type(node))
        if compiler is not None:
            return compiler(node)
        what, hint = REFUSED_NODES.get(type(node), (type(node).__name__, ""))
        raise self.fault(node, f"{what} is refused", hint)

    def _const(self, node: nodes.Const) -> Typed:
        if isinstance(node.value, bool):
            return _constant(Type(Kind.BOOL), node.value)
        if isinstance(node.value, str):
            return _constant(Type(Kind.TEXT, frozenset({node.value})), node.value)
        return _constant(Type(Kind.INT), node.value)

    def _name(self, node: nodes.Name) -> Typed:
        if node.name == "null":
            return _constant(Type(Kind.NULL), None)
        if self.conditions and self._is_condition(node.name):
            return self._condition(node)
        return self._reference(node)

    def _reference(self, node: nodes.Node) -> Typed:
        found = resolve(self.parsed, node, self.names)
        if not isinstance(found, Field):
            raise self.fault(node, f"`{found.name}` is {found.words}, not a value", f"name a column: {found.example}")
        return Typed(found.type, found.run)

    def _is_condition(self, name: str) -> bool:
        return name in self.names.conditions and name not in self.names.companions

    def _condition(self, node: nodes.Name) -> Typed:
        parsed = self.names.conditions[node.name]
        if parsed is None:
            raise ExpressionFault(0, "a condition with faults", silent=True)
        if node.name in self.path:
            raise self.fault(node, f"the condition `{node.name}` uses itself", " -> ".join((*self.path, node.name)))
        watch = self.names.watch
        here = None if watch is None else watch.after(self.parsed.offset(node), pinned=True)
        alone = replace(self.names, companions={}, item=None, watch=here)
        inner = _Compiler(parsed, alone, conditions=True, path=(*self.path, node.name))
        inner.expanded = self.expanded
        self.expanded[0] += size_of(parsed.tree)
        if self.expanded[0] > _MAX_EXPANDED:
            raise self.fault(node, f"more than {_MAX_EXPANDED} parts with its conditions", "use fewer conditions")
        try:
            return inner.test(parsed.tree)
        except ExpressionFault as fault:
            if fault.silent:
                raise
            what = f"in the condition `{node.name}` ({parsed.text[:80]}): {fault.what}"
            raise ExpressionFault(self.parsed.offset(node), what, fault.hint) from None

    def _logic(self, node: nodes.BinExpr, join: Callable[[Expression, Expression], Expression]) -> Typed:
        left, right = self.test(node.left), self.test(node.right)
        return Typed(Type(Kind.BOOL), join(left.run, right.run))

    def _compare(self, node: nodes.Compare) -> Typed:
        if len(node.ops) != 1:
            raise self.fault(node, "a chain of comparisons", "write a < b and b < c")
        operand = node.ops[0]
        left = self.value(node.expr)
        if operand.op in ("in", "notin"):
            return self._membership(node, left, operand)
        right = self.value(operand.expr)
        common = unify(left.type, right.type)
        if common is None:
            hint = "convert one with a filter: int, text, decimal(s), date('yyyymmdd')"
            raise self.fault(operand.expr, f"{left.type} is compared with {right.type}", hint)
        if operand.op in _ORDER and common.kind in (Kind.BOOL, Kind.BYTES):
            raise self.fault(node, f"{common} has no order", "use == or !=")
        self._possible(operand.expr, left, right)
        self._possible(node.expr, right, left)
        compare = logic.COMPARISONS[operand.op]
        first, second = left.run, right.run

        def run(scope: Scope) -> Value:
            one, two = first(scope), second(scope)
            if isinstance(one, Unavailable):
                return logic.worst(one, two) if isinstance(two, Unavailable) else one
            return two if isinstance(two, Unavailable) else compare(one, two)

        return Typed(Type(Kind.BOOL), run)

    def _possible(self, node: nodes.Node, column: Typed, const: Typed) -> None:
        """A constant that the other side can never be is a typing error."""
        known = column.type.symbols
        if known is None or column.constant or not const.constant or not isinstance(const.value, str):
            return
        if const.value not in known:
            raise self.fault(node, f"`{const.value}` is none of the possible values", did_you_mean(const.value, known))

    def _membership(self, node: nodes.Compare, left: Typed, operand: nodes.Operand) -> Typed:
        if not isinstance(operand.expr, nodes.List) or not operand.expr.items:
            raise self.fault(operand.expr, "right of `in` a list of constants is wanted", "write in ['a', 'b']")
        values = []
        for item in operand.expr.items:
            typed = self.value(item)
            if not typed.constant:
                raise self.fault(item, "only constants stand in a list", "compare with == and join with or")
            if unify(left.type, typed.type) is None:
                raise self.fault(item, f"{left.type} is compared with {typed.type}", "convert it with a filter")
            self._possible(item, left, typed)
            values.append(typed.value)
        allowed, wanted, first = frozenset(values), operand.op == "in", left.run

        def run(scope: Scope) -> Value:
            value = first(scope)
            return value if isinstance(value, Unavailable) else (value in allowed) is wanted

        return Typed(Type(Kind.BOOL), run)

    def _choice(self, node: nodes.CondExpr) -> Typed:
        if node.expr2 is None:
            raise self.fault(node, "an `if` without `else`", "write x if test else null")
        test, yes, no = self.test(node.test), self.value(node.expr1), self.value(node.expr2)
        common = unify(yes.type, no.type)
        if common is None:
            raise self.fault(node, f"the branches are {yes.type} and {no.type}", "both must be of one type")
        when, first, second = test.run, yes.run, no.run
        if (watch := self.names.watch) is not None:
            where = self.parsed.first(node.test)
            when = watched_test(when, watch.branch(BranchKind.CHOICE, spell(node.test), where))

        def run(scope: Scope) -> Value:
            value = logic.truth(when(scope))
            if isinstance(value, Unavailable):
                return value
            return first(scope) if value else second(scope)

        return Typed(common, run)

    def _concat(self, node: nodes.Concat) -> Typed:
        parts = [self.value(part) for part in node.nodes]
        for part, typed in zip(node.nodes, parts, strict=True):
            if typed.type.kind is Kind.BYTES:
                raise self.fault(part, "bytes cannot be joined to text", "publish them as a field of their own")
        return Typed(Type(Kind.TEXT), logic.joined(tuple(part.run for part in parts)))

    def _arithmetic(self, node: nodes.BinExpr) -> Typed:
        left, right = self._number(node.left), self._number(node.right)
        common = unify(left.type, right.type)
        return Typed(common or left.type, logic.arithmetic(type(node).__name__, left.run, right.run))

    def _number(self, node: nodes.Node) -> Typed:
        typed = self.value(node)
        if typed.type.kind not in (Kind.INT, Kind.DECIMAL, Kind.NULL):
            raise self.fault(node, f"a number is wanted here, not {typed.type}", "convert it: | int or | decimal(2)")
        return typed

    def _negative(self, node: nodes.Neg) -> Typed:
        typed = self._number(node.node)
        if typed.constant and isinstance(typed.value, int):
            return _constant(typed.type, -typed.value)
        return Typed(typed.type, logic.negative(typed.run))

    def _test(self, node: nodes.Test) -> Typed:
        if node.name not in _TESTS:
            raise self.fault(node, f"there is no test `is {node.name}`", did_you_mean(node.name, _TESTS))
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise self.fault(node, f"`is {node.name}` takes nothing after it", "put the test in brackets: (x is null)")
        if node.name == "changed":
            return Typed(Type(Kind.BOOL), is_changed(self.parsed, node.node, self.names))
        rows = rows_of(self.parsed, node.node, self.names)
        if rows is not None:
            return self._test_rows(node, rows)
        if node.name == "present":
            raise self.fault(node, "`is present` is asked of a companion", "ask a value `is null`")
        operand = self.value(node.node).run
        if node.name == "unavailable":
            return Typed(Type(Kind.BOOL), lambda scope: isinstance(operand(scope), Unavailable))

        def run(scope: Scope) -> Value:
            value = operand(scope)
            return value if isinstance(value, Unavailable) else value is None

        return Typed(Type(Kind.BOOL), run)

    def _test_rows(self, node: nodes.Test, rows: Row | Rows) -> Typed:
        find = rows.find
        if node.name == "null":
            raise self.fault(node, f"`{rows.name}` is {rows.words}", f"write {rows.name} is present")
        if node.name == "unavailable":
            return Typed(Type(Kind.BOOL), lambda scope: isinstance(find(scope), Unavailable))

        def run(scope: Scope) -> Value:
            found = find(scope)
            return not isinstance(found, Unavailable) and bool(found is not None and found != [] and found != ())

        return Typed(Type(Kind.BOOL), run)

    def _filter(self, node: nodes.Filter) -> Typed:
        chosen = FILTERS.get(node.name)
        if chosen is None:
            raise self.fault(node, f"there is no filter `{node.name}`", did_you_mean(node.name, FILTERS))
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise self.fault(node, "filters take their arguments by place", "leave the names out")
        if node.node is None:
            raise self.fault(node, "a filter without a value")
        if node.name == "length" and (rows := rows_of(self.parsed, node.node, self.names)) is not None:
            return self._length(node, rows)
        operand = self.value(node.node)
        if operand.type.kind not in chosen.takes and operand.type.kind is not Kind.NULL:
            wanted = ", ".join(sorted(kind.value for kind in chosen.takes))
            raise self.fault(node, f"the filter {node.name} does not take {operand.type}", f"it takes {wanted}")
        if node.name in ("default", "if_unavailable"):
            return self._fallback(node, operand)
        if node.name == "decode":
            return self._decode(node, operand)
        if node.name == "lookup":
            found = lookup(self._arguments(node, 2), self.names, operand.run, self.parsed.start(node))
            return Typed(Type(Kind.TEXT), found)
        return self._apply(node, chosen, operand)

    def _length(self, node: nodes.Filter, rows: Row | Rows) -> Typed:
        if isinstance(rows, Row):
            raise self.fault(node, f"`{rows.name}` is one row", f"write {rows.name} is present")
        find = rows.find

        def run(scope: Scope) -> Value:
            found = find(scope)
            if isinstance(found, Unavailable):
                return found
            return len(found) if isinstance(found, (list, tuple)) else 0

        return Typed(Type(Kind.INT), run)

    def _fallback(self, node: nodes.Filter, operand: Typed) -> Typed:
        if len(node.args) != 1:
            raise self.fault(node, f"{node.name} takes one argument", f"write {node.name}('x')")
        other = self.value(node.args[0])
        common = unify(operand.type, other.type)
        if common is None:
            raise self.fault(node.args[0], f"{operand.type} with a default of {other.type}", "use one type")
        first, second, for_null = operand.run, other.run, node.name == "default"

        def run(scope: Scope) -> Value:
            value = first(scope)
            lacking = value is None if for_null else isinstance(value, Unavailable)
            return second(scope) if lacking else value

        return Typed(common, run)

    def _decode(self, node: nodes.Filter, operand: Typed) -> Typed:
        name = self._arguments(node, 1)[0]
        if not isinstance(name, str) or name not in self.names.codes:
            if self.names.doubtful:
                raise ExpressionFault(0, "code tables with faults", silent=True)
            raise self.fault(node, f"there is no code table `{name!s}`", did_you_mean(str(name), self.names.codes))
        table: CodeTable = self.names.codes[name]
        codes, first = table.codes, operand.run

        def run(scope: Scope) -> Value:
            value = first(scope)
            if isinstance(value, Unavailable):
                return value
            if value is None:
                return codes.get(None)
            return codes.get(str(value).rstrip(" "), UNREADABLE)

        return Typed(table.type, run)

    def _apply(self, node: nodes.Filter, chosen: Filter, operand: Typed) -> Typed:
        arguments = self._arguments(node, len(chosen.arguments))
        for argument, given in zip(chosen.arguments, arguments, strict=True):
            if not argument.allowed(given):
                what = f"`{given!s}` is no {argument.name} for the filter {node.name}"
                raise self.fault(node, what, f"wanted: {argument.words}")
        assert chosen.bind is not None
        apply: Apply = chosen.bind(*arguments)
        first = operand.run

        def run(scope: Scope) -> Value:
            value = first(scope)
            return value if value is None or isinstance(value, Unavailable) else apply(value)

        return Typed(chosen.result(operand.type, apply), run)

    def _arguments(self, node: nodes.Filter, count: int) -> tuple[Value, ...]:
        if len(node.args) != count:
            wanted = ", ".join(argument.name for argument in FILTERS[node.name].arguments) or "'table'" * count
            hint = f"write {node.name}({wanted})" if count else f"write {node.name} alone"
            raise self.fault(node, f"the filter {node.name} takes {count} arguments, not {len(node.args)}", hint)
        values = [self.value(argument) for argument in node.args]
        for argument, typed in zip(node.args, values, strict=True):
            if not typed.constant:
                raise self.fault(argument, f"the filter {node.name} takes constants only", "write a text or number")
        return tuple(typed.value for typed in values)
