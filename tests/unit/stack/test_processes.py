import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gateway.stack.processes import Command, ProcessRecord, end, spawn


@pytest.fixture
def sleeper(tmp_path: Path):
    process = spawn(Command(("/bin/sh", "-c", "sleep 300 & wait"), tmp_path), tmp_path / "log", {})
    record = ProcessRecord.of(process.pid)
    yield process
    end([record], grace=0)


def test_a_record_survives_writing_and_reading(tmp_path: Path):
    record = ProcessRecord(4711, 1_700_000_000.25)
    record.write(tmp_path / "run" / "kafka.json")
    assert ProcessRecord.read(tmp_path / "run" / "kafka.json") == record


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', '{"pid": 1, "created": 2, "more": 3}'])
def test_a_torn_record_counts_as_none(tmp_path: Path, text: str):
    (tmp_path / "torn.json").write_text(text)
    assert ProcessRecord.read(tmp_path / "torn.json") is None
    assert ProcessRecord.read(tmp_path / "absent.json") is None


def test_a_living_process_is_found_by_its_record(sleeper: "subprocess.Popen[bytes]"):
    found = ProcessRecord.of(sleeper.pid).process()
    assert found is not None
    assert found.pid == sleeper.pid


def test_a_reused_pid_is_never_taken_for_ours_nor_killed(sleeper: "subprocess.Popen[bytes]"):
    ours = ProcessRecord.of(sleeper.pid)
    earlier_owner = ProcessRecord(ours.pid, ours.created - 3600)
    assert earlier_owner.process() is None
    end([earlier_owner], grace=0)
    assert sleeper.poll() is None


def test_a_zombie_counts_as_gone(tmp_path: Path):
    parent = subprocess.Popen(
        (
            sys.executable,
            "-c",
            "import os, time; p = os.fork(); p or os._exit(0); print(p, flush=True); time.sleep(60)",
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    zombie = psutil.Process(int(parent.stdout.readline()))
    while zombie.status() != psutil.STATUS_ZOMBIE:
        pass
    assert ProcessRecord(zombie.pid, zombie.create_time()).process() is None
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_ending_takes_the_children_along(sleeper: "subprocess.Popen[bytes]"):
    while not (children := psutil.Process(sleeper.pid).children()):
        pass
    end([ProcessRecord.of(sleeper.pid)], grace=0)
    sleeper.wait()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_a_process_that_ignores_the_request_is_killed_after_its_grace(tmp_path: Path):
    command = Command(("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"), tmp_path)
    stubborn = spawn(command, tmp_path / "log", {})
    while "ready" not in (tmp_path / "log").read_text():
        pass
    end([ProcessRecord.of(stubborn.pid)], grace=0.3)
    assert stubborn.wait() == -9


def test_a_started_program_has_a_session_of_its_own(sleeper: "subprocess.Popen[bytes]"):
    """Else Ctrl-C on the terminal would end the stack that is to outlive the command."""
    assert os.getsid(sleeper.pid) == sleeper.pid != os.getsid(0)
