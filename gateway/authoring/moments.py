"""Times as people write them: 2026-11-25, 2026-11-25T10:00, yesterday, today, 90m, 2h, 3d."""

from __future__ import annotations

import datetime as dt
import re

from gateway.model.errors import ConfigError

__all__ = ["moment_ms"]

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment_ms(text: str, now: dt.datetime) -> int:
    """Milliseconds since the epoch; without a zone it is UTC. ConfigError for what is no time."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "yesterday"):
        return _ms(midnight - dt.timedelta(days=text == "yesterday"))
    if text == "now":
        return _ms(now)
    if ago := _AGO.fullmatch(text):
        return _ms(now - dt.timedelta(seconds=int(ago[1]) * _UNITS[ago[2]]))
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        hint = "write 2026-11-25, 2026-11-25T10:00, yesterday, today, 90m, 2h or 3d (ago)"
        raise ConfigError(f"`{text}` is no time", hint=hint) from error
    return _ms(found if found.tzinfo else found.replace(tzinfo=dt.UTC))


def _ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)
