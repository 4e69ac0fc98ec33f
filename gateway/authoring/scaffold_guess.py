"""What a legacy column probably is, guessed from its name, its type and the values seen; each guess says why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.mapping.kinds import date_in
from gateway.model.shape import ColumnShape, TableShape
from gateway.model.values import Unavailable

__all__ = ["Guess", "camel", "guess_column"]

_BOOKKEEPING = re.compile(
    r"^(last|lst|l)?_?(upd|update|updated|chg|chgd|change|changed|mod|modif|modified|mut|touch|touched|cre|crt|create|created|"
    r"ins|insert|inserted|sync|synced|load|loaded|etl|audit|aud)(_?(by|usr|user|uid|pgm|prog|program|ts|tms|tst|tm|time|dt|"
    r"date|at|on|term|job|src))?$|^(row|rec|record)_?(ver|version|vers|no|hash|chksum)$|^(version|lock_?ver|xmin)$",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"(^|_)(nm|name|fname|lname|first|last|surname|vorname|nachname|mail|email|e_mail|tel|phone|fon|mob|mobile|dob|birth|geb|"
    r"ssn|ahv|iban|str|street|strasse|addr|adr|address|owner|contact|holder)(_?\d*|_?(nm|no|nr|txt|dt))?($|_)",
    re.IGNORECASE,
)
_TELLS_NOBODY = re.compile(r"(^|_)(id|typ|type|cd|code|flg|flag|cnt|seq|pos|q)$", re.IGNORECASE)
_DELETED = re.compile(
    r"(^|_)(del|dlt|deleted|delete|inact|inactive|act|actv|active|closed|void|canc|cancelled)", re.IGNORECASE
)
_YES_NO = ({"Y": True, "N": False}, {"J": True, "N": False}, {"T": True, "F": False}, {"1": True, "0": False})
_OPEN = {"99991231", "0", "00000000", "99999999"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\dZ?")
_EXACT = re.compile(r"-?\d+\.(\d+)")
_SIZED = re.compile(r"character(?: varying)?\((\d+)\)")
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_MOST_CODES, _LONGEST_CODE = 12, 4
_ONE_VALUE = "perhaps a flag or a code; it has no `decode`"
_DIGITS = (("yyyymmdd", 8), ("ddmmyyyy", 8), ("yyyyddd", 7), ("yymmdd", 6))


@dataclass(frozen=True, slots=True)
class Guess:
    """A column as the mapping will declare it. ``type`` '' is text; ``decode``: code → symbol; ``why``: the guesses.

    ``sized``: most characters (0: any). ``deletes``: it looks like a mark of rows that count as deleted.
    """

    raw: str
    type: str = ""
    decode: Mapping[str, object] | None = None
    null_when: tuple[str, ...] = ()
    bookkeeping: bool = False
    pii: bool = False
    deletes: bool = False
    sized: int = 0
    why: tuple[str, ...] = ()
    comment: str = ""


def camel(name: str) -> str:
    """``cust_addr`` → ``custAddr``; what begins with a digit gets a letter before it."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    lowered = [
        word.lower() if word.isupper() or index else word[0].lower() + word[1:] for index, word in enumerate(words)
    ]
    joined = (
        "".join(word if not index else word[0].upper() + word[1:] for index, word in enumerate(lowered)) or "column"
    )
    return joined if joined[0].isalpha() else f"c{joined}"


def guess_column(table: TableShape, column: ColumnShape) -> Guess:
    """Guess one column of a table."""
    values = [row[column.name] for row in table.rows if row.get(column.name) is not None]
    sized = _SIZED.fullmatch(column.type)
    base = Guess(column.name, sized=int(sized[1]) if sized else 0, comment=column.comment)
    if _BOOKKEEPING.match(column.name) or _always(table, column.name):
        seen = "its name" if _BOOKKEEPING.match(column.name) else "it changes with nearly every update"
        return _typed(base, column, values, bookkeeping=True, why=(f"bookkeeping, by {seen}",))
    coded = _coded(base, table, column, values)
    if coded is not None:
        return coded
    personal = _is_personal(table, column, values)
    why = ("personal data, by its name or values",) if personal else ()
    return _typed(base, column, values, pii=personal, why=why)


def _always(table: TableShape, raw: str) -> bool:
    """Whether it is a time that nearly every update seen changed, beside other columns."""
    changed = sum(raw in update for update in table.updates)
    others = {name for update in table.updates for name in update} - {raw}
    times = all(_MOMENT.fullmatch(str(row[raw])) for row in table.rows if row.get(raw) is not None)
    return times and len(table.updates) >= 10 and changed >= 0.95 * len(table.updates) and len(others) > 2


def _is_personal(table: TableShape, column: ColumnShape, values: Sequence[object]) -> bool:
    if column.name in table.key or _TELLS_NOBODY.search(column.name):
        return False
    return bool(_PERSONAL.search(column.name)) or _mails(values)


def _mails(values: Sequence[object]) -> bool:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    return bool(texts) and sum("@" in text for text in texts) > len(texts) / 2


def _coded(base: Guess, table: TableShape, column: ColumnShape, values: Sequence[object]) -> Guess | None:
    """Codes of a few letters: those seen, or those that a check constraint lists."""
    if column.name in table.key or not _is_text(column.type):
        return None
    seen = Counter(str(value).rstrip() for value in values)
    codes = sorted({*seen, *column.allowed})
    words = [code for code in codes if code]
    few = len(codes) <= _MOST_CODES and len(values) >= 3 * len(seen)
    if not words or max(map(len, words)) > _LONGEST_CODE or not (column.allowed or (few and seen)):
        return None
    if len(words) > 2 * _MOST_CODES or any(not word.isprintable() for word in words):
        return None
    told = ", ".join(f"{code or 'blank'} {seen[code]:,}×" for code in sorted(codes, key=lambda code: -seen[code]))
    deletes = bool(_DELETED.search(column.name))
    if len(codes) == 1 and not deletes:
        return replace(base, why=(f"{_ONE_VALUE}, for only one value was seen: {told}",))
    decode, what = _decode(words)
    if "" in codes:
        decode[""] = None
    why = (f"{what}; seen: {told}. Give each a name; a code that is not listed is a dead letter",)
    more = ("rows may count as deleted by it",) if deletes else ()
    return replace(base, decode=decode, deletes=deletes, why=(*why, *more))


def _decode(words: Sequence[str]) -> tuple[dict[str, object], str]:
    """A flag's codes, both even where one alone was seen, or a symbol for each code; and what it is."""
    for flags in _YES_NO:
        if set(words) <= set(flags):
            unseen = [code for code in flags if code not in words]
            return dict(flags), "a flag" + (f" ({unseen[0]} was not seen)" if unseen else "")
    return {code: _symbol(code) for code in words}, "codes"


def _symbol(code: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", code).lower() or "sign"
    return plain if plain[0].isalpha() and plain not in ("true", "false", "null") else f"code{plain}"


def _is_text(kind: str) -> bool:
    return kind.startswith(("character", "text", "bpchar", "name")) or kind == "citext"


def _typed(
    base: Guess, column: ColumnShape, values: Sequence[object], *, bookkeeping: bool = False, pii: bool = False,
    why: tuple[str, ...] = (),
) -> Guess:  # fmt: skip
    """The column with the type that its database type or its values suggest."""
    kind, plain = column.type, column.type.partition("(")[0]
    texts = [str(value).strip() for value in values if str(value).strip()]
    made = replace(base, bookkeeping=bookkeeping, pii=pii, why=why)
    if plain in ("smallint", "integer", "bigint", "oid") or _is_text(kind):
        dated = _legacy_date(column.name, texts)
        if dated:
            nulls = tuple(sorted({text for text in texts if text in _OPEN or set(text) == {"0"}}))
            told = f"a date written as {dated}" + (f"; {', '.join(nulls)} taken for none" if nulls else "")
            return replace(made, type=f"date({dated})", null_when=nulls, why=(*why, told))
        if not _is_text(kind):
            return replace(made, type="int")
    if numeric := _NUMERIC.fullmatch(kind):
        return replace(made, type=f"decimal({numeric[1]},{numeric[2]})")
    known = {"boolean": "bool", "date": "date", "bytea": "bytes"}
    if plain in known:
        return replace(made, type=known[plain])
    if plain.startswith("timestamp"):
        return replace(made, type="timestamp")
    if plain == "numeric" or (_is_text(kind) and column.type == "text"):
        return _by_values(made, plain, texts)
    return replace(made, why=(*made.why, *_packed(base.sized, values)))


def _by_values(made: Guess, plain: str, texts: Sequence[str]) -> Guess:
    """Texts that are all numbers or times, as a connector sends them."""
    if texts and all(_MOMENT.fullmatch(text) for text in texts):
        return replace(made, type="timestamp")
    if texts and all(_DAY.fullmatch(text) for text in texts):
        return replace(made, type="date")
    places = [len(match[1]) for text in texts if (match := _EXACT.fullmatch(text))]
    if plain == "numeric" or (places and len(places) == len(texts)):
        scale = max(places, default=2)
        return replace(made, type=f"decimal(18,{scale})", why=(*made.why, f"{scale} places, by the values seen"))
    return made


def _legacy_date(name: str, texts: Sequence[str]) -> str:
    """The form of dates that are written as digits; '' where it is none."""
    told = [text for text in texts if text not in _OPEN and set(text) != {"0"}]
    if not told:
        return "yyyymmdd" if "99991231" in texts else ""
    for form, length in _DIGITS:
        named = length == 8 or bool(re.search(r"(^|_)(dt|dat|date|datum)", name, re.IGNORECASE))
        fitting = [
            text
            for text in told
            if len(text) == length and text.isdigit() and not isinstance(date_in(form, text), Unavailable)
        ]
        if named and len(fitting) >= 0.9 * len(told) and _of_our_time(form, fitting):
            return form
    return ""


def _of_our_time(form: str, texts: Sequence[str]) -> bool:
    if form == "yymmdd":
        return True
    years = [int(text[4:] if form == "ddmmyyyy" else text[:4]) for text in texts]
    return sum(1850 <= year <= 2100 for year in years) >= 0.9 * len(years)


def _packed(sized: int, values: Sequence[object]) -> tuple[str, ...]:
    """Fixed-width texts that hold several things by position."""
    texts = [str(value).rstrip() for value in values if str(value).strip()]
    if sized < 6 or len(texts) < 5:
        return ()
    shape, count = _shape_by_place(sized, texts)
    blank = "; some are blank" if any(" " in text for text in texts) and shape else ""
    if not shape:
        shape, count = Counter(map(_shape_of, texts)).most_common(1)[0]
    if len(shape) < 6 or count < 0.6 * len(texts) or len(set(shape)) < 2 or shape.strip("A") == "":
        return ()
    return (
        f"perhaps packed: {count} of {len(texts)} values look like {shape!r} (9 a digit, A a letter{blank}); "
        "see `parts:`",
    )


def _shape_of(text: str) -> str:
    return re.sub(r"[A-Za-z]", "A", re.sub(r"\d", "9", text))


def _shape_by_place(sized: int, texts: Sequence[str]) -> tuple[str, int]:
    """The sign of each place in texts that fill the width, blanks aside; '' where a place has several signs."""
    whole = [_shape_of(text) for text in texts if len(text) == sized]
    signs = [{text[place] for text in whole} - {" "} for place in range(sized)]
    if not whole or any(len(each) > 1 for each in signs):
        return "", 0
    return "".join("".join(each) or " " for each in signs), len(whole)
