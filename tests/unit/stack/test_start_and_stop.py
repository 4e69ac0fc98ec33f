import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from toys import FailingToy, MuteToy, WebToy

from gateway.stack import Stack, StackError, Step
from gateway.stack.errors import tail
from gateway.stack.guard import watch
from gateway.stack.processes import ProcessRecord


def living(stack: Stack) -> list[psutil.Process]:
    """Every process whose working directory lies in the state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            inside = Path(process.cwd()).is_relative_to(stack.state)
        except (psutil.Error, OSError):
            continue
        if inside and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@pytest.fixture
def toy(tmp_path: Path):
    stack = Stack(tmp_path / "state", tmp_path / "cache", kinds=(WebToy,))
    yield stack
    stack.down(wipe=True)


def test_up_twice_changes_nothing(toy: Stack):
    first = toy.up()
    pid = toy.status()[0].pid
    assert toy.up() == first == toy.endpoints
    assert toy.status()[0].pid == pid
    assert toy.status()[0].healthy


def test_down_twice_is_fine_and_leaves_nothing(toy: Stack):
    toy.up()
    toy.down()
    toy.down()
    assert not living(toy)
    assert toy.status()[0].pid is None


def test_a_killed_service_comes_back_on_the_same_port(toy: Stack):
    before = toy.up()
    toy.kill("registry")
    assert not toy.status()[0].healthy
    toy.start("registry")
    assert toy.status()[0].healthy
    assert toy.endpoints == before


def test_wipe_forgets_everything(toy: Stack):
    toy.up()
    (toy.state / "registry" / "memory").write_text("of something")
    toy.down(wipe=True)
    assert [path.name for path in toy.state.iterdir()] == [".lock"]
    assert toy.status() == []


def test_addresses_are_written_for_machines(toy: Stack):
    endpoints = toy.up()
    told = json.loads((toy.state / "stack.json").read_text())
    assert told["bootstrap"] == endpoints.bootstrap
    assert told["connect_url"] == endpoints.connect_url
    assert told["registry_url"] == endpoints.registry_url
    assert told["postgres_dsn"] == endpoints.postgres_dsn


def test_a_service_that_ends_is_told_with_the_tail_of_its_log_and_takes_the_others_down(tmp_path: Path):
    stack = Stack(tmp_path / "state", tmp_path / "cache", kinds=(WebToy, FailingToy))
    steps: list[Step] = []
    with pytest.raises(StackError) as error:
        stack.up(steps.append)
    assert "kafka: it ended while starting" in str(error.value)
    assert "no room on the disk" in str(error.value)
    assert ("kafka", "failed") in [(step.service, step.state) for step in steps]
    assert not living(stack)


def test_a_service_that_never_answers_is_given_up_at_its_deadline(tmp_path: Path):
    stack = Stack(tmp_path / "state", tmp_path / "cache", kinds=(MuteToy,))
    with pytest.raises(StackError) as error:
        stack.up()
    assert "does not answer after 1 s" in str(error.value)
    assert "waiting for godot" in str(error.value)
    assert not living(stack)


def test_an_unknown_service_is_refused_with_the_known_ones(toy: Stack):
    with pytest.raises(StackError, match=r"zookeeper: no such service(.|\n)*registry"):
        toy.up(only={"zookeeper"})


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_what_is_tied_to_a_process_ends_with_it_however_it_ends(toy: Stack, blow: signal.Signals):
    """The guard does it: nobody else is left to."""
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[3]); from toys import WebToy; from gateway.stack import Stack\n"
        "Stack(sys.argv[1], sys.argv[2], kinds=(WebToy,)).up(detached=False); print('up', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen(
        (sys.executable, "-c", program, str(toy.state), str(toy.cache), str(Path(__file__).parent)),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    record = ProcessRecord.read(toy.state / "run" / "registry.json")
    assert record is not None
    assert record.process() is not None
    os.kill(owner.pid, blow)
    owner.wait()
    owner.stdout.close()
    for _ in range(200):
        if not record.process():
            break
        signal.sigtimedwait([], 0.05)
    assert not record.process()


def test_the_guard_kills_what_was_named_unless_all_may_stay():
    named = ["17 1.5\n", "18 2.25\n"]
    assert watch(named) == [(17, 1.5), (18, 2.25)]
    assert watch([*named, "done\n"]) is None


def test_the_tail_is_the_end_of_a_long_log_and_nothing_of_an_absent_one(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert tail(log, 2) == "line 99998\nline 99999"
    assert tail(tmp_path / "absent") == ""
