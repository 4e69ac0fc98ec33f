"""`make test-newest`: the tests that need no stack, and one small demo, on the newest Python of this machine.

GATEWAY_NEWEST_PYTHON names the interpreter; else the newest on PATH, or among pyenv's, is taken. It gets an environment
of its own, `.venv-newest`, with the same locked packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv-newest"
TESTS = ("tests/unit", "tests/golden", "tests/property", "tests/e2e/test_small_demo.py")
_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")


def version(python: str) -> tuple[int, ...]:
    """``(3, 13, 0)``; () if it does not run, or is no final release."""
    ask = "import sys; v = sys.version_info; print(*(v[:3] if v.releaselevel == 'final' else ()))"
    try:
        said = subprocess.run([python, "-c", ask], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(map(int, said.split()))


def newest() -> str:
    """The interpreter to take."""
    if named := os.environ.get("GATEWAY_NEWEST_PYTHON"):
        return named
    found = [path for minor in range(11, 40) if (path := shutil.which(f"python3.{minor}"))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found += map(str, pyenv.glob("versions/3.*/bin/python"))
    return max([sys.executable, *found], key=version)


def main() -> None:
    """Run the tests; the exit status is pytest's."""
    python = newest()
    told = ".".join(map(str, version(python)))
    if version(python)[:2] <= sys.version_info[:2]:
        print(f"no Python newer than {told} here: `make test` ran with the newest there is")
        return
    print(f"Python {told}: {python}", flush=True)
    own = str(VENV / "bin" / "python")
    if version(own) != version(python):
        subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)
    subprocess.run([own, *_PIP, "--require-hashes", "-r", str(ROOT / "requirements/all.txt")], check=True)
    subprocess.run([own, *_PIP, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)
    workers = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder")
    sys.exit(subprocess.run([own, "-m", "pytest", *workers, *TESTS], cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
