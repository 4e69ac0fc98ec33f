"""Believable names, places and texts, drawn once from Faker and then picked by the run's own random numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from faker import Faker

__all__ = ["People", "Place"]

_COUNTRIES = (("de_DE", "DE"), ("fr_FR", "FR"), ("it_IT", "IT"), ("no_NO", "NO"))


@dataclass(frozen=True, slots=True)
class Place:
    """Street with number, postcode, city, two-letter country, none of them blank, all within legacy's widths."""

    street: str
    postcode: str
    city: str
    country: str

    @property
    def columns(self) -> dict[str, str]:
        """The place as columns of an address row."""
        return {"str": self.street, "zip": self.postcode, "city": self.city, "ctry": self.country}

    @property
    def fields(self) -> dict[str, str]:
        """The place as fields of a payload."""
        return {"street": self.street, "postcode": self.postcode, "city": self.city, "country": self.country}

    @property
    def packed(self) -> str:
        """The place as `old_plc` holds it."""
        return f"{self.street:<40}{self.postcode:<10}{self.city:<30}{self.country:<2}"


class People:
    """Pools of names and places. The same seed gives the same pools."""

    def __init__(self, seed: int, size: int = 160) -> None:
        self.surnames: list[str] = []
        self.first_names: list[str] = []
        self.companies: list[str] = []
        self._streets: dict[str, list[str]] = {}
        self._cities: dict[str, list[tuple[str, str]]] = {}
        for locale, country in _COUNTRIES:
            faker = Faker(locale)
            faker.seed_instance(f"{seed}/{locale}")
            self.surnames += [_fit(faker.last_name(), 58) for _ in range(size)]
            self.first_names += [_fit(faker.first_name(), 38) for _ in range(size)]
            self.companies += [_fit(faker.company(), 58) for _ in range(size // 4)]
            self._streets[country] = [_fit(faker.street_name(), 34) for _ in range(size)]
            self._cities[country] = [(_fit(faker.postcode(), 10), _fit(faker.city(), 30)) for _ in range(size)]
        texts = Faker("en_GB")
        texts.seed_instance(f"{seed}/texts")
        self.texts = [_fit(texts.sentence(nb_words=9), 180) for _ in range(size)]

    def place(self, rng: random.Random) -> Place:
        """A place somewhere, mostly at home."""
        country = rng.choices([code for _, code in _COUNTRIES], weights=[70, 12, 10, 8])[0]
        postcode, city = rng.choice(self._cities[country])
        return Place(f"{rng.choice(self._streets[country])} {rng.randint(1, 199)}", postcode, city, country)

    def note(self, rng: random.Random, letters: int) -> str:
        """Clerks' prose of about that many letters."""
        parts: list[str] = []
        while sum(map(len, parts)) < letters:
            parts.append(rng.choice(self.texts))
        return " ".join(parts)

    def phone(self, rng: random.Random) -> str:
        """A telephone number of at most 20 characters."""
        return f"+49 {rng.randint(30, 899)} {rng.randint(100_000, 9_999_999)}"

    def email(self, rng: random.Random) -> str:
        """An address of at most 60 characters in a domain reserved for examples."""
        return f"{rng.choice(self.first_names).lower()[:20]}.{rng.randint(10, 9999)}@example.org".replace(" ", "")


def _fit(text: str, width: int) -> str:
    return text[:width].strip() or "Unbekannt"
