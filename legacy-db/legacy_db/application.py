"""What a legacy application is: functions that plan transactions. The interface for those from outside, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from legacy_db.desk import Desk
from legacy_db.draft import Draft

__all__ = ["Application", "Function"]


@dataclass(frozen=True, slots=True)
class Function:
    """One thing an application does.

    `share` is how many of 3,000 transactions do it. `plan` opens one draft at the desk, writes its facts (or why there
    are none) and its changes, and returns it; or returns None, before opening one, when no case fits at the moment.
    `stamped_badly`: it changes names, addresses or status, where the writer columns are not to be trusted.
    """

    name: str
    share: int
    plan: Callable[[Desk], Draft | None]
    stamped_badly: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """A legacy application: the users and the program that stamp its rows, and its functions.

    `shared_program` is the name that it and another application both stamp.
    """

    name: str
    program: str
    users: Sequence[str]
    functions: Sequence[Function]
    shared_program: str = "ONLINE"
