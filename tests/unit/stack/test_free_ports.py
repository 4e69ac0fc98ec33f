import socket

import pytest

from gateway.stack.free import PORT_RANGE, free_ports, is_free
from gateway.stack.site import choose_ports


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_ports_differ_are_free_and_keep_clear_of_the_systems_own_range():
    ports = free_ports("abcdefgh")
    assert len(set(ports.values())) == 8
    assert all(port in PORT_RANGE and is_free(port) for port in ports.values())


def test_a_wanted_port_is_kept_if_it_is_free():
    wanted = free_ports(["kafka"])
    assert free_ports(["kafka"], wanted) == wanted


def test_a_wanted_port_that_somebody_took_is_replaced(taken: int):
    assert not is_free(taken)
    assert free_ports(["kafka"], {"kafka": taken})["kafka"] != taken


def test_a_running_service_keeps_its_port_though_it_is_not_free(taken: int):
    known = {
        **free_ports(["postgres", "connect", "registry", "registry-management"]),
        "kafka": taken,
        "controller": taken,
    }
    chosen = choose_ports(known, {"kafka"})
    assert chosen == known


def test_a_stopped_service_gets_its_port_again():
    first = choose_ports({}, set())
    assert choose_ports(first, set()) == first
