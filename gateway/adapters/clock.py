"""The system's clock."""

from __future__ import annotations

import time

__all__ = ["SystemClock"]


class SystemClock:
    """``Clock`` as it is."""

    def now(self) -> float:
        """See ``Clock``."""
        return time.time()

    def monotonic(self) -> float:
        """See ``Clock``."""
        return time.monotonic()
