"""Open files for many local tasks at a time: the limit is raised where it must be, and what it allows is told."""

import resource
from collections.abc import Iterator

import pytest

from headway.executors.local.files import make_room


@pytest.fixture
def hard() -> Iterator[int]:
    """A soft limit of 1,024 for this test; tells the hard one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] == resource.RLIM_INFINITY or before[1] < 4000:
        pytest.skip(f"this system allows {before[1]} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def soft() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_few_tasks_leave_it_alone(hard: int) -> None:
    assert (make_room(16), soft()) == (16, 1024)


def test_many_tasks_raise_it(hard: int) -> None:
    assert make_room(400) == 400
    assert 3400 <= soft() <= hard


def test_of_too_many_as_many_as_there_can_be(hard: int) -> None:
    allowed = make_room(hard)
    assert hard // 10 < allowed < hard // 8
    assert soft() == hard
