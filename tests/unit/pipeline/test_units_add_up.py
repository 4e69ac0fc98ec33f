"""Random rules over random transactions: the interpreter against a slow one written from the specification alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.pipeline.interpreted import ADDRESS, CUSTOMER, UNSENT, Row, interpreted, mapped, reasons

HIDDEN = UNSENT
FACTS = {"address": ("kind", "street", "city"), "customer": ("name", "amount")}
RAW = {"kind": "typ", "street": "str", "city": "city", "name": "nm", "amount": "amt", "changedBy": "upd_pgm"}
KEYS = {"address": "addr_id", "customer": "cust_id"}
PHYSICAL = {"address": ADDRESS, "customer": CUSTOMER}
VALUES: dict[str, tuple[str | None, ...]] = {
    "kind": ("RES", "LEG", None),
    "street": ("a", "b", None),
    "city": ("a", "b"),
    "name": ("a", "b"),
    "amount": ("1.00", "2.00"),
}
DOMAIN = {"RES": "residential", "LEG": "legal"}
LISTS = ("any", "at least one")


# -- rules, as data: rendered for the loader, read by the slow interpreter ----


@dataclass
class Pattern:
    table: str
    ops: tuple[str, ...]
    changed: tuple[str, ...] = ()
    where: dict[str, dict[str, str | None]] = field(default_factory=dict)
    explains: tuple[str, ...] = ()
    witness: bool = False
    count: str = "one"
    same: tuple[str, ...] = ()

    def text(self, *, counted: bool) -> str:
        parts = [f"table: {self.table}", f"op: [{', '.join(self.ops)}]"]
        parts += [f"changed: [{', '.join(self.changed)}]"] if self.changed else []
        parts += [f"where: {{{', '.join(f'{name}: {spoken(test)}' for name, test in self.where.items())}}}"]
        explains = ["nothing"] if self.witness else [*self.explains]
        parts += [f"explains: [{', '.join(explains)}]"] if (explains and "update" in self.ops) or self.witness else []
        parts += [f"count: {self.count}"] if counted else []
        parts += [f"same: [{', '.join(self.same)}]"] if self.same else []
        return "{" + ", ".join(parts) + "}"

    @property
    def takes(self) -> set[str]:
        moved = {name for name, test in self.where.items() if "from" in test or "to" in test}
        return {*self.changed, *moved, *self.explains}


def spoken(test: dict[str, str | None]) -> str:
    def value(raw: str | None) -> str:
        return "null" if raw is None else f"'{DOMAIN.get(raw, raw)}'"

    inner = ", ".join(f"{name}: {value(raw)}" for name, raw in test.items() if name != "is")
    return value(test["is"]) if "is" in test else f"{{{inner}}}"


@dataclass
class Rule:
    name: str
    noise: bool
    anchor: Pattern | None
    others: dict[str, Pattern]
    skip: bool

    def text(self) -> str:
        head = f"  - noise: {self.name}\n    because: b\n" if self.noise else (
            f"  - rule: {self.name}\n    event: Told\n    slot: {self.name}\n    data: {{what: x}}\n"
        )  # fmt: skip
        head += "    undecided: skip\n" if self.skip else ""
        head += "" if self.anchor is None else f"    each: {self.anchor.text(counted=False)}\n"
        rest = ", ".join(f"{name}: {each.text(counted=True)}" for name, each in self.others.items())
        word = "with" if self.anchor else "once"
        return head + (f"    {word}: {{{rest}}}\n" if rest else "")


@st.composite
def patterns(draw: st.DrawFn, role: str, anchor: Pattern | None = None, *, noise: bool = False) -> Pattern:
    table = draw(st.sampled_from(sorted(FACTS)))
    columns = FACTS[table]
    ops = draw(st.lists(st.sampled_from(["insert", "update", "delete"]), min_size=1, unique=True))
    subset = st.lists(st.sampled_from(columns), min_size=1, unique=True).map(tuple)
    found = Pattern(table, tuple(ops))
    if "update" in ops:
        found.changed = draw(subset)
        found.explains = draw(st.just(()) | subset)
    for name in draw(st.just([]) | st.lists(st.sampled_from(columns), max_size=2, unique=True)):
        value = draw(st.sampled_from(VALUES[name]))
        moves = ("from", "to") if "update" in ops else ()
        found.where[name] = {draw(st.sampled_from(("is", "not", *moves))): value}
        if name == "amount" and value is None:
            del found.where[name]
    found.witness = draw(st.booleans()) and not (noise and role == "each")
    if role != "each":
        few = ("one", "at most one", "none")
        counts = few if found.witness and role == "with" else (*few, *LISTS)
        found.count = draw(st.sampled_from(counts))
    if role == "with" and anchor is not None and anchor.table == table:
        found.same = draw(st.just(()) | st.sampled_from([columns[:1], columns[:2]]))
    return found


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        noise, skip = draw(st.booleans()), draw(st.integers(0, 3)) == 0
        if draw(st.integers(0, 3)):
            anchor = draw(patterns("each", noise=noise))
            others = draw(st.lists(patterns("with", anchor, noise=noise), max_size=2))
            found.append(Rule(f"r{number}", noise, anchor, {f"p{i}": each for i, each in enumerate(others)}, skip))
        else:
            several = draw(st.lists(patterns("once", noise=noise), min_size=1, max_size=3))
            takes = any(not each.witness and each.count != "none" for each in several)
            if takes and any(each.count not in ("any", "none") for each in several):
                found.append(Rule(f"r{number}", noise, None, {f"p{i}": each for i, each in enumerate(several)}, skip))
    return found


# -- transactions: rows live, change, move and die; some values are never sent ----


@dataclass(eq=False)
class Life:
    """One row's fate: what it was, what it is, and what changed on the way."""

    table: str
    before: dict[str, Any] | None
    now: dict[str, Any] | None
    places: list[int] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    revived: bool = False
    took: dict[str, str] = field(default_factory=dict)


@st.composite
def transactions(draw: st.DrawFn) -> tuple[list[Row], list[Life]]:
    lives: list[Life] = []
    records: list[Row] = []
    fresh = 10
    for _ in range(draw(st.integers(1, 7))):
        known = [life for life in lives if life.table == "address" or life.now is not None]
        old = draw(st.sampled_from(known)) if known and draw(st.booleans()) else None
        if old is None:
            table = draw(st.sampled_from(["address", "address", "customer"]))
            if table == "customer" and any(life.table == "customer" for life in lives):
                continue
            fresh += 1
            image = {KEYS[table]: fresh, "cust_id": 7, "upd_pgm": "UI"}
            image |= {RAW[name]: draw(st.sampled_from(VALUES[name])) for name in FACTS[table]}
            image |= {"sts": "A", "ref_kd": None, "ref_no": None} if table == "customer" else {}
            old = Life(table, None if table == "address" and draw(st.booleans()) else image, None)
            lives.append(old)
            if old.before is None:
                old.now = image
                records.append((PHYSICAL[table], "c", None, image))
                old.places.append(place_of(records))
                continue
            hidden = [RAW[name] for name in FACTS[table] if draw(st.integers(0, 4)) == 0]
            old.before = old.now = image | dict.fromkeys(hidden, HIDDEN)
        change(draw, old, records)
    return records, lives


def place_of(records: list[Row]) -> int:
    return len(records) - 1


def change(draw: st.DrawFn, life: Life, records: list[Row]) -> None:
    """The next change of a row: an update, a delete, or an insert of its key after a delete."""
    physical, was = PHYSICAL[life.table], life.now
    facts = [RAW[name] for name in FACTS[life.table]]
    moving = [name for name in FACTS[life.table] if draw(st.booleans())]
    moved = {RAW[name]: draw(st.sampled_from(VALUES[name])) for name in moving}
    if was is None:
        life.revived |= life.before is not None
        base = next(image for _, _, image, _ in reversed(records) if image and KEYS[life.table] in image)
        source = records[life.places[-1]][2] or base
        life.now = {raw: "a" if value == HIDDEN else value for raw, value in source.items()} | moved
        life.now["typ"] = "RES" if life.now.get("typ") not in ("RES", "LEG", None) else life.now.get("typ")
        records.append((physical, "c", None, dict(life.now)))
    elif draw(st.integers(0, 3)) == 0 and life.table == "address":
        life.now = None
        records.append((physical, "d", dict(was), None))
    else:
        now = was | moved | ({"upd_pgm": "X"} if draw(st.booleans()) else {})
        sent = {
            raw: UNSENT if raw in facts and now[raw] == was[raw] and draw(st.booleans()) else now[raw] for raw in now
        }
        records.append((physical, "u", dict(was), sent))
        life.touched |= {raw for raw in now if now[raw] != was[raw]}
        life.now = now
    life.places.append(place_of(records))


# -- the slow interpreter: True, False, None = unknown ----


def domain(life: Life, image: dict[str, Any] | None, name: str) -> Any:
    return HIDDEN if image is None else image[RAW[name]]


class Slow:
    def __init__(self, rules: list[Rule], lives: list[Life]) -> None:
        self.rules = rules
        self.rows = [life for life in lives if life.places and (life.before or life.now)]
        self.events: list[str] = []
        self.changed: dict[Life, set[str]] = {life: self._changed(life) for life in self.rows}
        self.letter = False

    @staticmethod
    def op(life: Life) -> str:
        return "insert" if life.before is None else "delete" if life.now is None else "update"

    def _changed(self, life: Life) -> set[str]:
        if life.before is None or life.now is None:
            return set()
        names = (*FACTS[life.table], "changedBy")
        pairs = {name: (life.before[RAW[name]], life.now[RAW[name]]) for name in names}
        return {name for name, (was, now) in pairs.items() if now != HIDDEN and was != now}

    def fits(self, pattern: Pattern, life: Life) -> bool | None:
        op = self.op(life)
        if pattern.table != life.table or op not in pattern.ops:
            return False
        seen = self.changed[life] if pattern.witness else self.changed[life] - set(life.took)
        if op == "update" and not seen & set(pattern.changed):
            return False
        if op != "update" and life.took and not pattern.witness:
            return False
        return conjunction([self.test(life, name, test, seen) for name, test in pattern.where.items()])

    def test(self, life: Life, name: str, test: dict[str, str | None], seen: set[str]) -> bool | None:
        op = self.op(life)
        row = life.before if op == "delete" else life.now
        if "is" in test or "not" in test:
            value = domain(life, row, name)
            wanted = test["is"] if "is" in test else test["not"]
            return None if value == HIDDEN else (value == wanted) is ("is" in test)
        results: list[bool | None] = [name in seen if op == "update" else True]
        for word, image in (("from", life.before), ("to", life.now)):
            if word in test and image is not None:
                value = domain(life, image, name)
                results.append(None if value == HIDDEN else value == test[word])
        return conjunction(results)

    def same(self, pattern: Pattern, anchor: Life | None, life: Life) -> bool | None:
        results: list[bool | None] = []
        for name in pattern.same if anchor else ():
            assert anchor is not None
            one, other = (domain(each, each.now or each.before, name) for each in (anchor, life))
            results.append(None if HIDDEN in (one, other) else one == other)
        return conjunction(results)

    def companion(self, pattern: Pattern, anchor: Life | None, life: Life) -> bool | None:
        fits = self.fits(pattern, life)
        return False if fits is False else conjunction([fits, self.same(pattern, anchor, life)])

    def run(self) -> None:
        for rule in self.rules:
            for anchor in self.rows if rule.anchor else [None]:
                self.attempt(rule, anchor)
                if self.letter:
                    return

    def attempt(self, rule: Rule, anchor: Life | None) -> None:
        truths = [self.fits(rule.anchor, anchor)] if rule.anchor and anchor else []
        if False in truths:
            return
        certain: list[tuple[Pattern, Life]] = [(rule.anchor, anchor)] if rule.anchor and anchor else []
        may_take = False
        for pattern in rule.others.values():
            found = {life: self.companion(pattern, anchor, life) for life in self.rows if life is not anchor}
            sure = [life for life, truth in found.items() if truth]
            unknown = sum(truth is None for truth in found.values())
            truths.append(counted(pattern.count, len(sure), unknown))
            certain += [(pattern, life) for life in sure]
            may_take |= unknown > 0 and not pattern.witness
        if anchor is None:
            takes = any(not pattern.witness for pattern, _ in certain)
            truths.append(True if takes else None if may_take else False)
        truth = conjunction(truths)
        if truth is None and not rule.skip:
            self.letter = True
        elif truth:
            if not rule.noise:
                self.events.append(rule.name)
            for pattern, life in certain:
                self.take(rule, pattern, life)

    def take(self, rule: Rule, pattern: Pattern, life: Life) -> None:
        if pattern.witness:
            return
        units = (self.changed[life] & pattern.takes) if self.op(life) == "update" else {"whole"}
        for unit in units:
            life.took.setdefault(unit, "noise" if rule.noise else "published")

    def outcome(self, life: Life) -> str:
        if life.before is None and life.now is None:
            return "undone"
        took = set(life.took.values())
        left = self.left(life)
        if "published" in took:
            return "published"
        if left:
            return "unexplained"
        if took:
            return "noise"
        net = {RAW[name] for name in self.changed[life]}
        if life.touched - net or (life.revived and not net):
            return "undone"
        return "bookkeeping" if net else "no-change"

    def left(self, life: Life) -> int:
        if self.op(life) == "update":
            return len(self.changed[life] - set(life.took) - {"changedBy"})
        return 0 if life.took else 1


def conjunction(truths: list[bool | None]) -> bool | None:
    return False if any(truth is False for truth in truths) else None if None in truths else True


def counted(count: str, sure: int, unknown: int) -> bool | None:
    if count == "any":
        return None if unknown else True
    holds = {"one": range(1, 2), "at most one": range(2), "none": range(1), "at least one": range(1, 99)}[count]
    truths = {number in holds for number in range(sure, sure + unknown + 1)}
    return truths.pop() if len(truths) == 1 else None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rules(), transactions())
def test_units_changed_are_by_event_by_noise_bookkeeping_or_unexplained_and_all_agree(
    rules: list[Rule], transaction: tuple[list[Row], list[Life]]
) -> None:
    records, lives = transaction
    if not rules or not records:
        return
    read = interpreted(mapped("".join(rule.text() for rule in rules)), *records)
    slow = Slow(rules, lives)
    slow.run()
    assert (read.failure is not None) == slow.letter, read.failure
    if slow.letter:
        return
    assert [event.rule for event in read.events] == slow.events
    outcomes = {place: slow.outcome(life) for life in lives for place in life.places}
    assert reasons(read) == [outcomes[place] for place in range(len(records))]
    account = read.accounting
    assert account.units == account.by_event + account.by_noise + account.bookkeeping + account.unexplained
    taken = [what for life in slow.rows for what in life.took.values()]
    assert (account.by_event, account.by_noise) == (taken.count("published"), taken.count("noise"))
    assert account.unexplained == len(read.unexplained) == sum(slow.left(life) for life in slow.rows)
    assert account.bookkeeping == sum("changedBy" in names for names in slow.changed.values())
