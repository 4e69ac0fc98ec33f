"""Rules and noise rules, checked and compiled (language.md 4, 5, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from gateway.mapping.branches import Owner, Watch
from gateway.mapping.compiled import Count, DataBuilder, Expression, Pattern, RowOp, Rule
from gateway.mapping.contract import Contract
from gateway.mapping.data import compile_data
from gateway.mapping.expressions.names import Companion, LookupNames, Names
from gateway.mapping.grammar import RESERVED
from gateway.mapping.nodes import Faults
from gateway.mapping.patterns import Context, Match, compile_pattern
from gateway.mapping.records import Section
from gateway.model.event import Intent

__all__ = ["Compiled", "compile_rules"]

_LISTS = (Count.AT_LEAST_ONE, Count.ANY)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled rule (``clean`` without faults), its section, and the names its ``when`` sees."""

    rule: Rule
    section: Section
    names: Names
    clean: bool


def compile_rules(
    sections: tuple[Section, ...], context: Context, contracts: Mapping[str, Contract | None]
) -> tuple[Compiled, ...]:
    """All rules that could be compiled, in file order. ``contracts``: event to contract, None where it has faults."""
    seen: dict[str, int] = {}
    found = []
    for section in sections:
        name = section.scalar("rule") or section.scalar("noise")
        if name is not None and name.text in seen:
            hint = f"line {seen[name.text]} has it already"
            context.faults.add(name.mark, f"two rules are called `{name.text}`", hint)
        elif name is not None:
            seen[name.text] = name.mark.line
        compiled = _Rule(section, context, contracts).compile()
        if compiled is not None:
            found.append(compiled)
    return tuple(found)


class _Rule:
    """Compiles one rule."""

    def __init__(self, section: Section, context: Context, contracts: Mapping[str, Contract | None]) -> None:
        self.section = section
        self.context = context
        self.contracts = contracts
        self.faults: Faults = context.faults
        self.noise = "noise" in section

    def compile(self) -> Compiled | None:
        """The rule; None where its match could not be read."""
        before = len(self.faults.found)
        self._keys()
        anchor: Match | None = None
        each = self.section.section("each")
        if each is not None:
            anchor = compile_pattern(each, "", self.context, "each", noise=self.noise)
        matches = self._companions(anchor)
        self._witnesses(anchor, matches)
        self._snapshot(anchor, matches)
        names = self._names(anchor, matches)
        when = self._when(names)
        asked = LookupNames(self.context.lookups.known, self.context.lookups.lost)
        data = self._data(replace(names, lookups=asked, watch=self._watch()))
        if anchor is None and not matches:
            return None
        rule = Rule(
            self.section.word("rule") or self.section.word("noise"),
            self.section.word("event") or None,
            Intent(self.section.word("intent", "fact")),
            None if anchor is None else anchor.pattern,
            tuple(match.pattern for match in matches),
            when,
            data,
            self.section.word("slot"),
            self.section.word("undecided") == "skip",
            cast(Literal["park", "deadletter", "halt"] | None, self.section.word("on_error") or None),
            self.section.word("because"),
            self.section.mark.line,
            self.context.clause(self.section.scalar("when"), names),
            frozenset(asked.used),
        )
        clean = not self.section.broken and len(self.faults.found) == before
        return Compiled(rule, self.section, names, clean)

    def _watch(self) -> Watch | None:
        branches = self.context.branches
        return None if branches is None else Watch(branches, Owner(self.faults.file, rule=self.section.word("rule")))

    def _keys(self) -> None:
        section, faults = self.section, self.faults
        if "rule" in section and self.noise:
            faults.add(section.mark_of("noise"), "`noise` beside `rule`", "a rule is one or the other")
        if "rule" not in section and not self.noise:
            faults.add(section.mark, "the rule has no name", "begin with `rule: <name>` or `noise: <name>`")
        if self.noise:
            for key in ("event", "intent", "data", "slot"):
                if key in section:
                    faults.add(section.mark_of(key), f"`{key}` in a noise rule", "noise publishes nothing")
            if "because" not in section:
                faults.add(section.mark, "a noise rule lacks `because`", "say why these changes mean nothing")
        else:
            if "because" in section:
                faults.add(section.mark_of("because"), "`because` in a rule", "it stands in noise rules only")
            for key in ("event", "data"):
                if key not in section:
                    faults.add(section.mark, f"a rule lacks `{key}`", "or make it a noise rule: noise, because")
        self._how_often()
        if section.word("on_error") == "deadletter":
            hint = "order by aggregate is promised: write park or halt"
            faults.add(section.mark_of("on_error"), "`on_error: deadletter` lets later changes overtake", hint)

    def _how_often(self) -> None:
        section, faults = self.section, self.faults
        if "each" in section and "once" in section:
            faults.add(section.mark_of("once"), "`once` beside `each`", "further rows beside `each` stand in `with`")
        if "each" not in section and "once" not in section:
            faults.add(section.mark, "the rule matches nothing", "say each: {table: …} or once: {NAME: {table: …}}")
        if "with" in section and "each" not in section:
            faults.add(section.mark_of("with"), "`with` without `each`", "put all patterns into `once`")

    def _companions(self, anchor: Match | None) -> tuple[Match, ...]:
        matches = []
        for key in ("with", "once"):
            role: Literal["with", "once"] = "with" if key == "with" else "once"
            for name, section in self.section.named(key):
                if name.text in RESERVED:
                    self.faults.add(name.mark, f"`{name.text}` is reserved", "choose another name for the pattern")
                if name.text in self.context.conditions:
                    hint = "choose another name for the pattern"
                    self.faults.add(name.mark, f"`{name.text}` is a condition already", hint)
                match = compile_pattern(section, name.text, self.context, role, noise=self.noise, anchor=anchor)
                if match is not None:
                    matches.append(match)
        return tuple(matches)

    def _witnesses(self, anchor: Match | None, matches: tuple[Match, ...]) -> None:
        each = self.section.section("each")
        if self.noise and anchor is not None and each is not None and anchor.pattern.witness:
            self.faults.add(
                each.mark_of("explains"), "a noise rule that takes nothing", "leave `explains: nothing` out"
            )
        if each is not None:
            for name, section in self.section.named("with"):
                pattern = next((match.pattern for match in matches if match.pattern.name == name.text), None)
                if pattern is not None and pattern.witness and pattern.count in _LISTS:
                    hint = "a witness beside `each` is one row or none: count: one, at most one, none"
                    self.faults.add(section.mark_of("explains"), f"the witness `{name.text}` is a list", hint)
        elif matches and not self.section.broken and not _may_take([match.pattern for match in matches]):
            hint = "one must take a row (not explains: nothing, not count: none), and one count not be any or none"
            self.faults.add(self.section.mark_of("once"), "the rule takes nothing", hint)

    def _snapshot(self, anchor: Match | None, matches: tuple[Match, ...]) -> None:
        state = self.section.word("intent") == "state"
        rows = [match.pattern for match in (*((anchor,) if anchor else ()), *matches)]
        if any(RowOp.SNAPSHOT in pattern.ops and len(pattern.ops) > 1 for pattern in rows):
            return
        snapshot = any(RowOp.SNAPSHOT in pattern.ops for pattern in rows)
        if snapshot and not state:
            hint = "snapshot rows say what is, not what happened: intent: state"
            self.faults.add(self.section.mark, "only a rule with `intent: state` may speak of snapshots", hint)
        if state and anchor is not None and RowOp.SNAPSHOT not in anchor.pattern.ops:
            place = self.section.mark_of("intent")
            self.faults.add(place, "`intent: state` without `op: snapshot`", "state events speak of snapshot rows only")
        if state and ("with" in self.section or "once" in self.section):
            place = self.section.mark_of("with" if "with" in self.section else "once")
            self.faults.add(place, "a state event speaks of one row", "use each alone; the consumer assembles")

    def _names(self, anchor: Match | None, matches: tuple[Match, ...]) -> Names:
        companions = {
            match.pattern.name: Companion(match.shape, match.pattern.count in _LISTS, match.pattern.count is Count.NONE)
            for match in matches
        }
        broken = bool({"with", "once"} & self.section.faulty) or self.context.doubtful or len(matches) < self._wanted()
        return Names(
            anchor=None if anchor is None else anchor.shape,
            companions=companions,
            key=self.context.key,
            conditions=self.context.conditions,
            codes=self.context.codes,
            doubtful=broken or ("each" in self.section and anchor is None),
        )

    def _wanted(self) -> int:
        return len(self.section.entries("with")) + len(self.section.entries("once"))

    def _when(self, names: Names) -> Expression | None:
        scalar = self.section.scalar("when")
        if scalar is None or ("each" in self.section and names.anchor is None):
            return None
        return self.context.test(scalar, names)

    def _data(self, names: Names) -> DataBuilder | None:
        event, node = self.section.scalar("event"), self.section.node("data")
        if self.noise or event is None or node is None or ("each" in self.section and names.anchor is None):
            return None
        contract = self.contracts.get(event.text)
        if contract is None:
            return None
        groups = {name: info.table.groups for name, info in self.context.tables.items()}
        return compile_data(node, contract, names, groups, self.section.word("rule"), self.faults)


def _may_take(patterns: list[Pattern]) -> bool:
    """Whether a ``once`` rule can take anything, and asks for some row at all."""
    takes = any(not pattern.witness and pattern.count is not Count.NONE for pattern in patterns)
    return takes and any(pattern.count not in (Count.ANY, Count.NONE) for pattern in patterns)
