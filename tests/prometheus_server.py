"""A real Prometheus for tests: found on PATH or unpacked from Debian's package, run on a free loopback port.

There is no wheel of it. Nothing is installed: the package is unpacked into the download cache (GATEWAY_CACHE or
``.cache``), by any user.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

__all__ = ["Prometheus", "PrometheusMissingError", "prometheus_binary", "running_prometheus"]

ROOT = Path(__file__).parent.parent
REMEDY = "put prometheus and promtool on PATH, or install Debian's package: apt-get install prometheus"
DEADLINE = 30.0


class PrometheusMissingError(RuntimeError):
    """Neither on PATH nor to be had as a Debian package; says what was tried and what to install."""


def prometheus_binary(name: str = "prometheus") -> Path:
    """Path of ``prometheus`` or ``promtool``; PrometheusMissingError if there is none to be had."""
    found = shutil.which(name)
    if found:
        return Path(found)
    folder = Path(os.environ.get("GATEWAY_CACHE") or ROOT / ".cache").absolute() / "prometheus"
    binary = folder / "unpacked" / "usr" / "bin" / name
    if not binary.exists():
        _unpack(folder)
    return binary


def _unpack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise PrometheusMissingError(f"no prometheus on PATH, and no apt-get or dpkg-deb to fetch it with: {REMEDY}")
    if not list(folder.glob("prometheus_*.deb")):
        _download(folder)
    package = next(folder.glob("prometheus_*.deb"))
    fresh = folder / f"unpacking-{os.getpid()}"
    _run(["dpkg-deb", "-x", str(package), str(fresh)], folder)
    try:
        fresh.rename(folder / "unpacked")  # whole or not at all: another test run may look at the same cache
    except OSError:
        shutil.rmtree(fresh)


def _download(folder: Path) -> None:
    """Fetch the package; with package lists of our own when the machine's are empty (any user can have those)."""
    if subprocess.run(["apt-get", "download", "-q", "prometheus"], cwd=folder, capture_output=True).returncode == 0:
        return
    for part in ("lists/partial", "archives/partial"):
        (folder / "apt" / part).mkdir(parents=True, exist_ok=True)
    options = [
        f"-oDir::State::lists={folder / 'apt' / 'lists'}",
        f"-oDir::Cache={folder / 'apt'}",
        "-oAPT::Sandbox::User=",
    ]
    # A failing clean-up hook of the machine's configuration fails the update although the lists came: ask the download.
    subprocess.run(["apt-get", *options, "-q", "update"], cwd=folder, capture_output=True)
    _run(["apt-get", *options, "-q", "download", "prometheus"], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise PrometheusMissingError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-600:]}\n{REMEDY}")


class Prometheus:
    """A running server: its base URL, and questions to it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **parameters: object) -> Any:
        """The ``data`` part of an answer of the HTTP API; AssertionError with the server's words if it refuses."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params={k: str(v) for k, v in parameters.items()}, timeout=10)
        body = answer.json()
        assert body["status"] == "success", f"{parameters}: {body.get('error')}"
        return body["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector (or scalar, as one sample) that ``expression`` gives now."""
        told = self.ask("query", query=expression)
        return told["result"] if told["resultType"] != "scalar" else [{"metric": {}, "value": told["result"]}]

    def alerts(self, topic: str) -> dict[str, str]:
        """State (``pending`` or ``firing``) of each alert of a raw topic that is not inactive, by name."""
        told = [one for one in self.ask("alerts")["alerts"] if one["labels"].get("topic") == topic]
        return {one["labels"]["alertname"]: one["state"] for one in told}

    def wait(self, what: str, check: Callable[[], bool], seconds: float = DEADLINE) -> None:
        """Return once ``check`` holds; AssertionError naming ``what`` if it never does."""
        until = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < until, f"Prometheus: {what}: not within {seconds} s"
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running_prometheus(folder: Path, configuration: Mapping[str, Any]) -> Iterator[Prometheus]:
    """Start a server over ``configuration`` (prometheus.yml as a dict), all its files in ``folder``; stop it after."""
    binary, port = prometheus_binary(), _free_port()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(dict(configuration)))
    command = [
        str(binary),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    url, log = f"http://127.0.0.1:{port}", folder / "prometheus.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + DEADLINE
        while not _is_ready(url):
            alive = process.poll() is None and time.monotonic() < until
            assert alive, f"Prometheus did not start:\n{log.read_text()[-2000:]}"
            time.sleep(0.1)
        yield Prometheus(url)
    finally:
        process.terminate()
        process.wait(20)
