"""What can go wrong with the native stack, told with place, cause and remedy."""

from pathlib import Path

__all__ = ["StackError", "tail"]


class StackError(Exception):
    """A part of the native stack could not be fetched, started or found; the text says where, why and what to do."""

    def __init__(self, where: str, why: str, remedy: str, log: str = "") -> None:
        self.where, self.why, self.remedy, self.log = where, why, remedy, log
        excerpt = f"\n--- the end of its log ---\n{log}\n---" if log else ""
        super().__init__(f"{where}: {why}{excerpt}\n{remedy}")


def tail(log: Path, lines: int = 25, limit: int = 65_536) -> str:
    """Return the last `lines` lines of a log, reading at most `limit` bytes; an absent log gives an empty text."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - limit))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
