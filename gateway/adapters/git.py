"""Git: a folder as it stood in a revision, written into a temporary folder."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from gateway.model.errors import ConfigError

__all__ = ["is_revision", "write_revision"]

_MISSING = "install git, or give folders instead of revisions"


def is_revision(name: str, within: Path = Path()) -> bool:
    """Whether the repository around ``within`` knows a revision of this name (False where there is no repository)."""
    if not name or name.startswith("-"):
        return False
    done = _git(within, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return done.returncode == 0


def write_revision(revision: str, path: Path, target: Path) -> Path:
    """Write a folder or file of a revision below ``target``; where it is now.

    ``path`` is relative to the working directory, or absolute inside the repository. ConfigError: no git, no
    repository, no such revision, or no such path in it.
    """
    where = f"{revision}:{path}"
    top = _git(Path(), "rev-parse", "--show-toplevel")
    if top.returncode != 0:
        hint = "run it inside the repository, or give folders"
        raise ConfigError("there is no git repository here", where=where, hint=hint)
    root = Path(top.stdout.decode().strip())
    absolute = path if path.is_absolute() else Path.cwd() / path
    try:
        inside = absolute.resolve().relative_to(root.resolve())
    except ValueError:
        raise ConfigError(f"{path} is outside the repository {root}", where=where, hint="give a path inside") from None
    names = [] if inside == Path() else [inside.as_posix()]
    done = _git(root, "archive", "--format=tar", revision, "--", *names)
    if done.returncode != 0:
        told = done.stderr.decode(errors="replace").strip().splitlines() or ["git archive failed"]
        hint = "`git fetch` may be missing, or the folder had another name then: write REVISION:FOLDER"
        raise ConfigError(f"git has no such folder: {told[0]}", where=where, hint=hint)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")
    return target / inside


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    if shutil.which("git") is None:
        raise ConfigError("git is not installed", where="PATH", hint=_MISSING)
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
