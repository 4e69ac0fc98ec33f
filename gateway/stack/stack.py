"""The stack as a whole: starts its services side by side, watches them come up, stops them."""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

from gateway.stack.artifacts import Store
from gateway.stack.connect import ConnectWorker
from gateway.stack.endpoints import Endpoints
from gateway.stack.errors import StackError, tail
from gateway.stack.kafka import Broker
from gateway.stack.launcher import CancelledError, Launcher
from gateway.stack.postgres import Postgres
from gateway.stack.processes import ProcessRecord, end
from gateway.stack.progress import Progress, State, Step, silent
from gateway.stack.registry import Registry
from gateway.stack.service import Service
from gateway.stack.site import STATE, Site, alone, cache_folder, choose_ports, known_ports
from gateway.stack.status import ServiceStatus, status_of

__all__ = ["KINDS", "SERVICES", "Stack"]

KINDS: tuple[type[Service], ...] = (Postgres, Broker, ConnectWorker, Registry)
SERVICES: tuple[str, ...] = tuple(service.name for service in KINDS)
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1


class Stack:
    """The services of one state folder. Every method may be called again, and from several processes in turn."""

    def __init__(
        self,
        state: Path | str = STATE,
        cache: Path | str | None = None,
        kinds: tuple[type[Service], ...] = KINDS,
    ) -> None:
        self.state = Path(state).absolute()
        self.kinds = kinds
        self.cache = Path(cache).absolute() if cache else cache_folder()
        self._tied: list[Launcher] = []

    def up(self, progress: Progress = silent, only: Iterable[str] | None = None, *, detached: bool = True) -> Endpoints:
        """Start what does not run yet and return once all answer; a second call changes nothing.

        `only` names the services wanted (with those they require). With `detached=False` they end with this process,
        however it ends. If one fails, or on Ctrl-C, everything started by this call is stopped again. Raises
        StackError with the tail of the failing log.
        """
        wanted = self._with_required({kind.name for kind in self.kinds} if only is None else set(only))
        with alone(self.state):
            site = self._settle(self._running())
            self._bring_up([kind(site) for kind in self.kinds if kind.name in wanted], progress, detached=detached)
            return site.endpoints

    def down(self, progress: Progress = silent, *, wipe: bool = False) -> None:
        """Stop everything; with `wipe` forget all data, too. Nothing running is fine."""
        with alone(self.state):
            self._stop([kind.name for kind in self.kinds], progress, grace=0 if wipe else _STOP_SECONDS)
            while self._tied:
                self._tied.pop().release()
            if wipe:
                self._wipe()

    def start(self, service: str, progress: Progress = silent, *, detached: bool = True) -> None:
        """Start one service alone on the ports it had, and wait until it answers. Raises StackError."""
        with alone(self.state):
            site = self._site(service)
            self._bring_up([kind(site) for kind in self.kinds if kind.name == service], progress, detached=detached)

    def stop(self, service: str, progress: Progress = silent) -> None:
        """Stop one service as an operator would."""
        with alone(self.state):
            self._site(service)
            self._stop([service], progress, grace=_STOP_SECONDS)

    def kill(self, service: str, progress: Progress = silent) -> None:
        """Kill one service (SIGKILL) with all its processes."""
        with alone(self.state):
            self._site(service)
            self._stop([service], progress, grace=0)

    def restart(self, service: str, progress: Progress = silent, *, detached: bool = True) -> None:
        """Stop one service and start it again on the same ports. Raises StackError."""
        self.stop(service, progress)
        self.start(service, progress, detached=detached)

    @property
    def endpoints(self) -> Endpoints:
        """Where the services answer; raises StackError if nothing was ever started here."""
        return self._known_site().endpoints

    def status(self) -> list[ServiceStatus]:
        """Return pid, health and memory of each service; empty if nothing was ever started here."""
        if not known_ports(self.state):
            return []
        site = self._known_site()
        return [status_of(kind(site), site) for kind in self.kinds]

    def log(self, service: str) -> Path:
        """Return the path of a service's log."""
        return self.state / "logs" / f"{service}.log"

    def _running(self) -> set[str]:
        return {kind.name for kind in self.kinds if (record := self._record(kind.name)) and record.process()}

    def _record(self, name: str) -> ProcessRecord | None:
        return ProcessRecord.read(self.state / "run" / f"{name}.json")

    def _settle(self, running: set[str]) -> Site:
        ports = choose_ports(known_ports(self.state), running)
        (self.state / "stack.json").write_text(Endpoints.at(ports).as_json(ports))
        return Site(self.state, Store(self.cache), ports)

    def _known_site(self) -> Site:
        ports = known_ports(self.state)
        if not ports:
            raise StackError(str(self.state), "no stack was started here", "Start one: gateway stack up")
        return Site(self.state, Store(self.cache), ports)

    def _site(self, service: str) -> Site:
        self._with_required({service})
        return self._known_site()

    def _bring_up(self, services: Sequence[Service], progress: Progress, *, detached: bool) -> None:
        launcher = Launcher()
        try:
            self._side_by_side(
                [partial(self._bring_up_one, service, launcher, progress) for service in services], launcher
            )
        except BaseException:
            launcher.abandon()
            raise
        if detached:
            launcher.release()
        else:
            self._tied.append(launcher)

    @staticmethod
    def _side_by_side(tasks: Sequence[Callable[[], None]], launcher: Launcher) -> None:
        with ThreadPoolExecutor(max(1, len(tasks))) as threads:
            futures = [threads.submit(task) for task in tasks]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
                failed = [future for future in futures if future.done() and future.exception()]
                for future in failed:
                    future.result()
            except BaseException:
                launcher.abandon()
                raise

    def _bring_up_one(self, service: Service, launcher: Launcher, progress: Progress) -> None:
        begun = time.monotonic()

        def tell(state: State, detail: str = "") -> None:
            progress(Step(service.name, state, detail, time.monotonic() - begun))

        try:
            record = self._record(service.name)
            if record is None or not record.process():
                record = self._start(service, launcher, tell)
            self._await(service, record, launcher)
        except StackError as error:
            tell("failed", error.why)
            raise
        except CancelledError:
            tell("stopped")
            return
        tell("ready", f"pid {record.pid}")

    def _start(self, service: Service, launcher: Launcher, tell: Callable[..., None]) -> ProcessRecord:
        log = self.log(service.name)
        tell("fetching")
        service.fetch(partial(tell, "fetching"))
        tell("preparing")
        service.prepare(partial(launcher.run, log=log))
        tell("starting")
        process = launcher.start(service.command(), log)
        record = ProcessRecord.of(process.pid)
        record.write(self.state / "run" / f"{service.name}.json")
        return record

    def _await(self, service: Service, record: ProcessRecord, launcher: Launcher) -> None:
        log, begun = self.log(service.name), time.monotonic()
        while not launcher.cancelled.is_set():
            if not record.process():
                raise StackError(service.name, "it ended while starting", f"See {log}.", tail(log))
            if service.healthy():
                return
            if time.monotonic() - begun > service.deadline:
                why = f"it does not answer after {service.deadline:.0f} s"
                raise StackError(service.name, why, f"See {log}; a busy machine may need another try.", tail(log))
            launcher.cancelled.wait(_POLL_SECONDS)
        raise CancelledError

    def _stop(self, names: Iterable[str], progress: Progress, *, grace: float) -> None:
        """Stop services, those first that others do not require; what is stopped loses its record."""
        for kinds in (tuple(k for k in self.kinds if k.requires), tuple(k for k in self.kinds if not k.requires)):
            chosen = [kind for kind in kinds if kind.name in set(names)]
            with ThreadPoolExecutor(max(1, len(chosen))) as threads:
                list(threads.map(lambda kind: self._stop_one(kind, progress, grace), chosen))

    def _stop_one(self, kind: type[Service], progress: Progress, grace: float) -> None:
        record = self._record(kind.name)
        if record is None:
            return
        progress(Step(kind.name, "stopping", f"pid {record.pid}"))
        begun = time.monotonic()
        end([record], grace=grace, interrupt=kind.interrupt)
        (self.state / "run" / f"{kind.name}.json").unlink(missing_ok=True)
        progress(Step(kind.name, "stopped", "", time.monotonic() - begun))

    def _wipe(self) -> None:
        if known_ports(self.state):
            site = self._known_site()
            for kind in self.kinds:
                kind(site).wipe()
        for path in self.state.iterdir():
            if path.name != ".lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _with_required(self, names: set[str]) -> set[str]:
        known = {kind.name for kind in self.kinds}
        if unknown := names - known:
            raise StackError(", ".join(sorted(unknown)), "no such service", f"There are: {', '.join(sorted(known))}.")
        return names | {name for kind in self.kinds if kind.name in names for name in kind.requires}
