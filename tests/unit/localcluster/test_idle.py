"""An embedded cluster is idle when nothing runs in it, nobody asks it anything and nobody watches it."""

import pytest

from headway.localcluster.idle import Idleness


class Machine:
    """A clock, and whether a pod runs."""

    def __init__(self) -> None:
        self.now = 100.0
        self.works = False
        self.idleness = Idleness(lambda: self.now, lambda: self.works)

    def after(self, seconds: float) -> float:
        self.now += seconds
        return self.idleness.seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_time_goes_by_from_the_start(machine: Machine) -> None:
    assert machine.after(5) == 5
    assert machine.after(5) == 10


def test_it_begins_anew_when_a_request_ends(machine: Machine) -> None:
    machine.after(5)
    with machine.idleness:
        assert machine.after(50) == 0
        machine.now += 3
    assert machine.after(2) == 2


def test_one_of_two_watches_keeps_it(machine: Machine) -> None:
    with machine.idleness:
        with machine.idleness:
            pass
        assert machine.after(50) == 0
    assert machine.after(1) == 1


def test_a_failed_request_ends_too(machine: Machine) -> None:
    with pytest.raises(ConnectionResetError), machine.idleness:
        raise ConnectionResetError
    assert machine.after(4) == 4


def test_a_pod_keeps_it(machine: Machine) -> None:
    machine.works = True
    assert machine.after(50) == 0
    machine.works = False
    assert machine.after(7) == 7
