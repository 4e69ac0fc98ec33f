"""Who does what next: functions dealt like cards, so that every function has its share under every seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from legacy_db.application import Application, Function
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.work import Transaction, Writer

__all__ = ["Planner", "deal"]

_PER = 3_000
_ALWAYS = ("bad value", "odd statement")
_CONDITIONS = ["blank"] * 8 + ["shared"] * 12 + ["stale"] * 10 + ["wrong"] * 2 + ["clean"] * 68
_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class Card:
    """One function to be done once."""

    application: Application
    function: Function
    tries: int = 0


def deal(applications: Sequence[Application], transactions: int, rng: random.Random) -> list[Card]:
    """That many cards in random order, each function as often as its share asks (largest remainders)."""
    kinds = [Card(application, function) for application in applications for function in application.functions]
    total = sum(card.function.share for card in kinds)
    exact = [card.function.share * transactions / total for card in kinds]
    counts = [int(share) for share in exact]
    for place, card in enumerate(kinds):
        if card.function.name in _ALWAYS:
            counts[place] = max(counts[place], 1)
    missing = transactions - sum(counts)
    by_remainder = sorted(range(len(kinds)), key=lambda place: counts[place] - exact[place])
    for place in by_remainder[: max(missing, 0)]:
        counts[place] += 1
    cards = [card for card, count in zip(kinds, counts, strict=True) for _ in range(count)]
    rng.shuffle(cards)
    return _ddl_early(cards)


def _dealt(applications: Sequence[Application], committed: int, rng: random.Random) -> list[Card]:
    """As many cards as it takes to have that many that are not rolled back."""
    extra = 0
    while True:
        cards = deal(applications, committed + extra, rng)
        lost = sum(card.function.name == "rolled back" for card in cards)
        if lost <= extra:
            return cards
        extra = lost


def _ddl_early(cards: list[Card]) -> list[Card]:
    """The column is added when a third of the work is done: amid it, and before those who need it."""
    ddl = [card for card in cards if card.function.name == "column added"]
    rest = [card for card in cards if card.function.name != "column added"]
    return rest[: len(rest) // 3] + ddl + rest[len(rest) // 3 :]


class Planner:
    """Plans transactions one after the other, in an order that the seed decides."""

    def __init__(self, desk: Desk, applications: Sequence[Application], transactions: int) -> None:
        self._desk = desk
        self._applications = applications
        self._cards = _dealt(applications, transactions, desk.rng)
        self._conditions: list[str] = []
        self._fallback = next(
            Card(application, function)
            for application in applications
            for function in application.functions
            if function.name == "registration on the web"
        )

    def __iter__(self) -> Iterator[Transaction]:
        while self._cards:
            card = self._cards.pop(0)
            draft = self._plan(card)
            if draft is None:
                self._put_back(card)
                continue
            transaction = draft.transaction
            transaction.lingers = self._desk.chance(0.25)
            if not transaction.facts:
                transaction.mixed = 0
            self._desk.number += 1
            yield transaction

    def _put_back(self, card: Card) -> None:
        """No case fits now; later there may be one, else somebody registers instead."""
        if card.tries >= _PATIENCE or not self._cards:
            self._cards.insert(0, self._fallback)
            return
        later = Card(card.application, card.function, card.tries + 1)
        self._cards.insert(self._desk.rng.randint(1, len(self._cards)), later)

    def _plan(self, card: Card) -> Draft | None:
        condition = self._next_condition() if card.function.stamped_badly else "clean"
        desk = self._desk
        desk.application, desk.function = card.application.name, card.function.name
        desk.writer = self._writer(card.application, condition)
        draft = card.function.plan(desk)
        if draft is None:
            if card.function.stamped_badly:
                self._conditions.append(condition)
            return None
        draft.transaction.stamped_badly = card.function.stamped_badly
        if draft.transaction.rolls_back:
            draft.discard()
        return draft

    def _next_condition(self) -> str:
        if not self._conditions:
            self._conditions = _CONDITIONS.copy()
            self._desk.rng.shuffle(self._conditions)
        return self._conditions.pop()

    def _writer(self, application: Application, condition: str) -> Writer:
        rng = self._desk.rng
        if condition == "blank":
            return Writer("", "", condition)
        if condition == "shared":
            return Writer(application.shared_program, application.shared_program, condition)
        if condition == "wrong":
            others = [other for other in self._applications if other.program != application.program]
            other = rng.choice(others)
            return Writer(rng.choice(other.users), other.program, condition)
        return Writer(rng.choice(application.users), application.program, condition)
