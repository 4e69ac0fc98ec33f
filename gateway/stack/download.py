"""Fetches files by coordinate, over one pool of connections, whole or not at all."""

import os
import ssl
import tempfile
from functools import cache
from pathlib import Path

import certifi
import httpx
import stamina
import stamina.instrumentation
from jgo.maven import MavenContext

from gateway.stack.errors import StackError
from gateway.stack.pins import Pin

__all__ = ["fetch_by_coordinate"]

# What is tried again ends well or in an error of our own; a line for each try of each file would only hide it.
stamina.instrumentation.set_on_retry_hooks(())

REMEDY = "Check the network (or set GATEWAY_MAVEN_REPOSITORY to a mirror's URL) and run it again; what is there stays."


def fetch_by_coordinate(pin: Pin, repository: Path) -> Path:
    """Return the file's path below `repository`, fetched if absent from jgo's default repository or the set mirror.

    Raises StackError if that fails four times.
    """
    mirror = os.environ.get("GATEWAY_MAVEN_REPOSITORY")
    context = MavenContext(repo_cache=repository, remote_repos={"mirror": mirror} if mirror else None)
    component = context.project(pin.group, pin.artifact).at_version(pin.version)
    artifact = component.artifact(classifier=pin.classifier, packaging=pin.packaging)
    relative = Path(component.path_prefix) / artifact.filename
    path = repository / relative
    if not path.exists():
        (base,) = context.remote_repos.values()
        try:
            _download(f"{base.rstrip('/')}/{relative.as_posix()}", path)
        except httpx.HTTPError as error:
            raise StackError(pin.coordinate, f"could not be fetched: {error}", REMEDY) from error
    return path


@stamina.retry(on=httpx.HTTPError, attempts=4, timeout=300)
def _download(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, _client().stream("GET", url) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes(262_144):
                file.write(chunk)
        draft.chmod(0o644)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


@cache
def _client() -> httpx.Client:
    """One client for all: reading the certificates for each file costs more than the files do."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    trusted = ssl.create_default_context(cafile=bundle or certifi.where())
    trusted.load_default_certs()  # the machine's own, too: a company's proxy signs with an authority that only it knows
    return httpx.Client(verify=trusted, timeout=60.0, follow_redirects=True)
