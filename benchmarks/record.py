"""The recording to amplify: the demo's, made once by running the demo."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["make_recording"]

ROOT = Path(__file__).parents[1]


def make_recording(path: Path, tell: Callable[[str], None]) -> Path:
    """The recording at ``path``; if there is none yet, the demo is run to make it. SystemExit if it made none."""
    if path.exists():
        return path
    tell(f"no recording at {path}: running the demo to make one (about two minutes)")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "examples" / "demo"), "--state", folder, "--recording", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # clients chatter on stderr at the end
    if not path.exists():
        raise SystemExit(f"the demo ended without a recording:\n{done.stdout[-3000:] or done.stderr[-3000:]}")
    if done.returncode:
        tell("the demo found something not as it must be; its recording is used all the same")
    return path
