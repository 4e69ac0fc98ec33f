"""`gateway fmt` over mappings in any order, with comments anywhere: comments stay, nothing changes, once is enough."""

import random
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.canonical import canonical
from gateway.mapping.lints.formatting import formatted
from gateway.mapping.reader import read_text

MAPPINGS = Path(__file__).parents[2] / "mappings"
TEXTS = {name: (MAPPINGS / name / f"{name}.yaml").read_text() for name in ("billing", "claim", "customer", "policy")}


def sections(text: str) -> list[str]:
    """The text cut before each key that stands at the left."""
    return [part for part in re.split(r"^(?=[a-z]+:)", text, flags=re.M) if part.strip()]


def untidy(name: str, seed: int, every: int) -> tuple[str, set[str]]:
    """A shipped mapping with its sections in any order, comments behind and between lines, blanks; and the comments."""
    chance = random.Random(seed)
    head, *parts = sections(TEXTS[name]) if not TEXTS[name].startswith("mapping:") else ["", *sections(TEXTS[name])]
    chance.shuffle(parts)
    lines, added = [], set()
    for number, line in enumerate((head + "".join(parts)).splitlines()):
        whole = line.endswith(("}", "]", ":")) and "#" not in line and line.count("{") == line.count("}")
        if whole and chance.randrange(every) == 0:
            added.add(f"# behind {number}")
            line += f"{' ' * chance.randint(1, 9)}# behind {number}"
        lines.append(line + " " * chance.randint(0, 2) if whole else line)
        if whole and line.startswith(" ") and chance.randrange(every) == 0:
            added.add(f"# below {number}")
            lines += ["", "", f"{' ' * chance.randint(0, 8)}# below {number}"]
    return "\n".join(lines) + "\n", added


@settings(max_examples=10, deadline=None, derandomize=True)
@given(name=st.sampled_from(sorted(TEXTS)), seed=st.integers(0, 10_000), every=st.integers(2, 40))
def test_comments_stay_and_once_is_enough_and_nothing_else_is_said(name: str, seed: int, every: int) -> None:
    text, comments = untidy(name, seed, every)
    tidy = formatted(text)
    assert formatted(tidy) == tidy
    found = re.findall(r"# (?:behind|below) \d+$", tidy, re.M)
    assert sorted(found) == sorted(comments)
    before, after = read_text(text, "")[0], read_text(tidy, "")[0]
    assert before is not None and after is not None
    assert canonical(before) == canonical(after)
