"""A fresh clone sets itself up: nothing on PATH but Python, make, git and coreutils, and a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COREUTILS = ["cat", "cp", "echo", "env", "ls", "mkdir", "mv", "rm", "sh", "test", "touch", "true", "uname"]

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """A PATH with links to the few programs allowed; packages may come from the caller's download cache."""
    links = tmp_path / "bin"
    links.mkdir()
    for name in ("make", "git", *COREUTILS):
        found = shutil.which(name) or shutil.which(
            name, path="/bin:/usr/bin"
        )  # whoever runs the tests has a bare PATH, too
        assert found is not None, name
        (links / name).symlink_to(found)
    (links / "python3").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP", "http", "REQ"))
    }
    return {**kept, "PATH": str(links), "HOME": os.environ.get("HOME", str(tmp_path)), "LANG": "C.UTF-8"}


def test_make_setup_of_a_fresh_clone_gives_a_command_that_works(tmp_path: Path, bare: dict[str, str]) -> None:
    """The same target that `make demo` and `make test` begin with; a second time there is nothing to do."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, env=bare)

    def make(target: str) -> str:
        done = subprocess.run(["make", target], cwd=clone, env=bare, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    assert "installing the pinned packages" in make("setup")
    assert "installing" not in make("setup")
    told = subprocess.run([clone / ".venv/bin/gateway", "--help"], env=bare, capture_output=True, text=True, check=True)
    assert "stack" in told.stdout
    cases = subprocess.run([clone / ".venv/bin/gateway", "test"], cwd=clone, env=bare, capture_output=True, text=True)
    assert cases.returncode == 0, cases.stdout[-1000:] + cases.stderr[-1000:]
    assert "cases pass" in cases.stdout
