"""`make demo`: a legacy system at work, captured and translated, judged by the truth; ``--help`` tells the options."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from demo.show import app

if __name__ == "__main__":
    app()
