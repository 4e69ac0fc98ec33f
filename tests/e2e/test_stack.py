"""The real stack: started, interrupted, killed, started again."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import requests
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from gateway.stack import Stack
from gateway.stack.kafka import MAX_RECORD_BYTES
from gateway.stack.pins import versions
from gateway.stack.site import cache_folder

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def state(tmp_path: Path):
    yield tmp_path / "state"
    Stack(tmp_path / "state").down(wipe=True)


def command(
    *arguments: str, under: tuple[str, ...] = (), cwd: Path = ROOT, env: dict[str, str] | None = None
) -> "subprocess.Popen[str]":
    """The command line, with nothing on PATH, perhaps under another program and elsewhere."""
    if under:
        under = (shutil.which(under[0]) or under[0], *under[1:])
    return subprocess.Popen(
        (*under, sys.executable, "-m", "gateway.cli.main", *arguments),
        cwd=cwd,
        env={**os.environ, "PATH": "/nonexistent", "GATEWAY_CACHE": str(cache_folder()), **(env or {})},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def leftovers(state: Path, *starters: int) -> list[str]:
    """Command lines of living processes that work in the state folder or PostgreSQL's stand-in for it."""
    places = [state]
    if (state / "postgres" / "home").exists():
        places.append(Path((state / "postgres" / "home").read_text()))
    found = []
    for process in psutil.process_iter():
        try:
            inside = any(Path(process.cwd()).is_relative_to(place) for place in places)
            named = any(str(place) in word for word in process.cmdline() for place in places)
        except (psutil.Error, OSError):
            continue
        ours = process.pid in (os.getpid(), *starters) or process.status() == psutil.STATUS_ZOMBIE
        if (inside or named) and not ours:
            found.append(" ".join(process.cmdline()))
    return found


def gone(state: Path, seconds: float = 10) -> bool:
    """Whether nothing is left within some seconds: the guard needs a moment."""
    limit = time.monotonic() + seconds
    while leftovers(state) and time.monotonic() < limit:
        time.sleep(0.05)
    return not leftovers(state)


def test_all_parts_answer_in_the_pinned_versions(stack: Stack):
    endpoints = stack.endpoints
    assert all(one.healthy for one in stack.status())
    connect = httpx.get(endpoints.connect_url).json()
    assert connect["version"] == versions()["kafka"]
    plugins = httpx.get(f"{endpoints.connect_url}/connector-plugins").json()
    debezium = [one for one in plugins if one["class"] == "io.debezium.connector.postgresql.PostgresConnector"]
    assert [one["version"] for one in debezium] == [versions()["debezium"]]
    assert httpx.get(f"{endpoints.registry_url}/subjects").json() is not None
    with psycopg.connect(endpoints.postgres_dsn) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)


def test_a_record_of_the_largest_size_passes_the_broker_and_one_above_does_not(stack: Stack, prefix: str):
    admin = AdminClient({"bootstrap.servers": stack.endpoints.bootstrap, "log_level": 0})
    admin.create_topics([NewTopic(f"{prefix}large", 1)])[f"{prefix}large"].result()
    producer = Producer({"bootstrap.servers": stack.endpoints.bootstrap, "message.max.bytes": 2 * MAX_RECORD_BYTES})
    verdicts = []
    for size in (MAX_RECORD_BYTES - 1024, MAX_RECORD_BYTES + 1024):
        producer.produce(f"{prefix}large", bytes(size), on_delivery=lambda error, _: verdicts.append(error))
        producer.flush()
    assert verdicts[0] is None
    assert verdicts[1].name() == "MSG_SIZE_TOO_LARGE"


def test_the_broker_makes_no_topic_unasked(stack: Stack):
    admin = AdminClient({"bootstrap.servers": stack.endpoints.bootstrap, "log_level": 0})
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    settings = admin.describe_configs([broker])[broker].result()
    assert settings["auto.create.topics.enable"].value == "false"


def test_up_twice_is_fine_and_down_wipe_forgets_all_data(state: Path):
    finish(command("stack", "up", "--state", str(state)))
    before = json.loads(finish(command("stack", "status", "-o", "json", "--state", str(state))))
    finish(command("stack", "up", "--state", str(state)))
    after = json.loads(finish(command("stack", "status", "-o", "json", "--state", str(state))))
    assert [one["pid"] for one in after] == [one["pid"] for one in before]
    assert all(one["healthy"] for one in after)
    assert sum(one["memory"] for one in after) < 2_000_000_000
    place = (state / "postgres" / "home").read_text() if (state / "postgres" / "home").exists() else str(state)
    finish(command("stack", "down", "--wipe", "--state", str(state)))
    assert gone(state)
    assert [path.name for path in state.iterdir()] == [".lock"]
    assert place == str(state) or not Path(place).exists()


def test_data_outlive_down_and_up(state: Path):
    stack = Stack(state)
    endpoints = stack.up(only={"postgres", "kafka"})
    with psycopg.connect(endpoints.postgres_dsn) as connection:
        connection.execute("CREATE TABLE memory AS SELECT 7 AS number")
    admin = AdminClient({"bootstrap.servers": endpoints.bootstrap, "log_level": 0})
    admin.create_topics([NewTopic("memory", 1)])["memory"].result()
    stack.down()
    again = stack.up(only={"postgres", "kafka"})
    assert again == endpoints
    with psycopg.connect(again.postgres_dsn) as connection:
        assert connection.execute("SELECT number FROM memory").fetchone() == (7,)
    assert "memory" in admin.list_topics(timeout=20).topics


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda blow: blow.name)
@pytest.mark.parametrize("moment", ["early", "late"])
def test_an_interrupted_or_killed_up_leaves_nothing_running(state: Path, blow: signal.Signals, moment: str):
    starting = command("stack", "up", "--state", str(state))
    limit = time.monotonic() + 120
    runs = state / "run"
    while (
        not leftovers(state, starting.pid)
        if moment == "early"
        else not runs.exists() or len(list(runs.glob("*.json"))) < 4
    ):
        assert starting.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    assert leftovers(state, starting.pid)
    starting.send_signal(blow)
    output, _ = starting.communicate(timeout=60)
    assert starting.returncode == (-blow if blow == signal.SIGKILL else 130), output
    assert gone(state)


def test_a_start_after_an_interrupted_first_one_works(state: Path):
    starting = command("stack", "up", "--only", "postgres", "--only", "kafka", "--state", str(state))
    while not leftovers(state, starting.pid):
        time.sleep(0.005)
    starting.send_signal(signal.SIGKILL)
    starting.communicate()
    assert gone(state)
    finish(command("stack", "up", "--only", "postgres", "--only", "kafka", "--state", str(state)))


@pytest.mark.parametrize("service", ["registry", "kafka", "connect", "postgres"])
def test_each_service_killed_under_our_hands_comes_back_on_its_port(stack: Stack, service: str):
    before = stack.endpoints
    stack.kill(service)
    assert [one.service for one in stack.status() if not one.healthy and one.pid is None] == [service]
    stack.start(service, detached=False)
    assert stack.endpoints == before
    stack.up(detached=False)
    assert all(one.healthy for one in stack.status())


def link_or_copy(source: str, target: str) -> None:
    """Same contents, readable by all, at no cost where both lie on one file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="we are an ordinary user already")
def test_an_ordinary_user_can_do_it_too():
    """Where we are root: as nobody, with an installation of their own.

    One right is left to them, to read: Python itself may lie below /root.
    """
    right = "+dac_read_search"
    nobody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs")
    nobody += (f"--inh-caps={right}", f"--ambient-caps={right}", f"--bounding-set=-all,{right}")
    home = Path(tempfile.mkdtemp(prefix="gateway-ordinary-"))
    try:
        installed = Path(requests.__file__).parents[1]
        for source, name in ((installed, "packages"), (ROOT / "gateway", "gateway"), (ROOT / "connect", "connect")):
            shutil.copytree(source, home / name, copy_function=link_or_copy, symlinks=True)
        shutil.copytree(cache_folder(), home / ".cache", copy_function=link_or_copy)
        shutil.chown(home, "nobody", "nogroup")
        own = {"PYTHONPATH": f"{home}:{home / 'packages'}", "GATEWAY_CACHE": str(home / ".cache"), "HOME": str(home)}
        place = ("--state", str(home / "state"))
        finish(command("stack", "up", *place, under=nobody, cwd=home, env=own))
        found = json.loads(finish(command("stack", "status", "-o", "json", *place, under=nobody, cwd=home, env=own)))
        assert {psutil.Process(one["pid"]).username() for one in found} == {"nobody"}
        assert not (home / "state" / "postgres" / "home").exists()
        finish(command("stack", "down", "--wipe", *place, under=nobody, cwd=home, env=own))
        assert gone(home / "state")
    finally:
        Stack(home / "state").down(wipe=True)
        shutil.rmtree(home)


def test_logs_shows_the_end_of_a_service_log(stack: Stack):
    text = finish(command("stack", "logs", "kafka", "-n", "5", "--state", str(stack.state)))
    assert len(text.strip().splitlines()) == 5
