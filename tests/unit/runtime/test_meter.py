"""What a container holds, read from control groups of both versions."""

import os
from pathlib import Path

import pytest

from headway.runtime.usage import Meter, free_memory, unlimited

MB = 1_000_000


class Group:
    """The files of one container's control group.

    Args:
        root: Where they are.
        version: Of control groups.
        members: The processes in it; this one alone by default.
    """

    def __init__(self, root: Path, version: int, members: str = f"{os.getpid()}\n") -> None:
        self.root, self.second = root, version == 2
        self.memory = root if self.second else root / "memory"
        self.memory.mkdir(exist_ok=True)
        (self.memory / "cgroup.procs").write_text(members)
        self.holds(20, 0, peak=20)
        self.computed(0.0)

    def holds(self, megabytes: int, cache: int, *, peak: int) -> None:
        """So much is charged, so much of it page cache, and so much ever was."""
        prefix = "" if self.second else "total_"
        inactive, active = cache * MB // 4, cache * MB - cache * MB // 4
        stat = f"anon 7\n{prefix}inactive_file {inactive}\n{prefix}active_file {active}\nslab_reclaimable 0\n"
        (self.memory / "memory.stat").write_text(stat)
        for second, first, value in (
            ("memory.current", "memory.usage_in_bytes", megabytes),
            ("memory.peak", "memory.max_usage_in_bytes", peak),
        ):
            (self.memory / (second if self.second else first)).write_text(f"{value * MB}\n")

    def computed(self, seconds: float) -> None:
        """So much processor time was used in all."""
        if self.second:
            (self.root / "cpu.stat").write_text(f"usage_usec {int(seconds * 1e6)}\nuser_usec 5\n")
        else:
            (self.root / "cpuacct").mkdir(exist_ok=True)
            (self.root / "cpuacct/cpuacct.usage").write_text(f"{int(seconds * 1e9)}\n")


@pytest.fixture(params=[1, 2])
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Group:
    return Group(tmp_path, request.param)


@pytest.mark.parametrize(
    ("limit", "free"), [("max\n", None), (f"{1000 * MB}\n", 240 * MB), (f"{5 * MB}\n", 0)]
)
def test_what_is_left_of_a_limit(group: Group, limit: str, free: int | None) -> None:
    assert free_memory(str(group.root)) is None
    group.holds(900, 140, peak=950)
    (group.memory / ("memory.max" if group.second else "memory.limit_in_bytes")).write_text(limit)
    assert free_memory(str(group.root)) == free


@pytest.mark.parametrize(
    ("limit", "endless"),
    [("max\n", True), (f"{1000 * MB}\n", False), ("9223372036854771712\n", True), ("", False)],
)
def test_whether_nothing_but_the_node_limits_it(group: Group, limit: str, endless: bool) -> None:
    assert not unlimited(str(group.root)), "nothing is known"
    (group.memory / ("memory.max" if group.second else "memory.limit_in_bytes")).write_text(limit)
    assert unlimited(str(group.root)) is endless


def test_the_most_that_was_seen_without_its_cache(group: Group) -> None:
    meter = Meter(str(group.root))
    for held, cache in ((50, 10), (900, 740), (700, 640)):
        group.holds(held, cache, peak=950)
        meter.look()
    meter.end()
    assert meter.most == 160 * MB, "so much cache that the kernel's own peak tells nothing"


def test_what_only_the_kernel_saw_counts_where_there_is_hardly_any_cache(group: Group) -> None:
    meter = Meter(str(group.root))
    group.holds(30, 10, peak=210)
    meter.end()
    assert meter.most == 200 * MB


def test_a_task_answers_for_no_earlier_one_in_its_pod(group: Group) -> None:
    meter = Meter(str(group.root))
    group.holds(180, 0, peak=180)
    group.computed(2.0)
    meter.end()
    assert (meter.most, meter.cpu()) == (180 * MB, 2.0)
    group.holds(40, 0, peak=180)
    meter.begin()
    group.computed(2.5)
    meter.end()
    assert (meter.most, meter.cpu()) == (40 * MB, 0.5)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("members", ["{other}\n", "{other}\n{own}\n", "0\n{own}\n", ""])
def test_a_group_that_others_share_is_not_measured(tmp_path: Path, members: str, version: int) -> None:
    # A process that is neither this one nor the one that started it, which in a container is the first.
    other = next(pid for pid in (1, 2) if pid != os.getppid())
    members = members.format(other=other, own=os.getpid())
    meter = Meter(str(Group(tmp_path, version, members).root))
    meter.end()
    assert (meter.works, meter.most, meter.cpu()) == (False, 0, 0.0)


def test_a_shell_that_started_this_process_is_one_of_the_container(tmp_path: Path) -> None:
    assert Meter(str(Group(tmp_path, 2, f"{os.getpid()}\n{os.getppid()}\n").root)).works


def test_where_there_are_no_control_groups_nothing_is_measured(tmp_path: Path) -> None:
    assert not Meter(str(tmp_path)).works


def test_a_kernel_that_keeps_no_peak(tmp_path: Path) -> None:
    group = Group(tmp_path, 2)
    (tmp_path / "memory.peak").unlink()
    meter = Meter(str(tmp_path))
    (tmp_path / "memory.current").write_text(f"{90 * MB}\n")
    meter.end()
    assert (group.second, meter.most) == (True, 90 * MB)
