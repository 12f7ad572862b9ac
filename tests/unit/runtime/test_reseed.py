"""Random numbers after a fork: a process's own, unless the flow's code fixed a seed."""

import random
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from headway.runtime import reseed


@pytest.fixture(autouse=True)
def _random_state() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)
    reseed.keep()


def test_a_fixed_seed_holds_in_every_task() -> None:
    random.seed(5)
    reseed.keep(["random"])
    random.seed()  # as Python does in every forked process
    reseed.reseed()
    assert random.random() == random.Random(5).random()


def test_otherwise_every_process_has_its_own() -> None:
    reseed.keep()
    drawn = set()
    for _ in range(3):
        random.seed(5)
        reseed.reseed()
        drawn.add(random.random())
    assert len(drawn) == 3
    assert random.Random(5).random() not in drawn


def test_generators_that_nobody_seeded_are_seeded_anew() -> None:
    generator = random.Random(5)
    reseed.keep((), [generator])
    reseed.reseed()
    assert generator.random() != random.Random(5).random()


def test_numpy_and_torch_are_seeded_where_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: dict[str, list[int]] = {"numpy": [], "torch": []}
    monkeypatch.setitem(sys.modules, "numpy.random", SimpleNamespace(seed=seeds["numpy"].append))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=seeds["torch"].append))
    for _ in range(3):
        reseed.reseed()
    assert len(set(seeds["numpy"])) == len(set(seeds["torch"])) == 3
    assert all(0 <= seed < 1 << 32 for seed in seeds["numpy"]), "what numpy takes"
    assert all(0 <= seed < 1 << 63 for seed in seeds["torch"]), "what torch takes"
    reseed.keep(["numpy.random"])
    reseed.reseed()
    assert (len(seeds["numpy"]), len(seeds["torch"])) == (3, 4), "each by itself"
    reseed.keep(["torch"])
    reseed.reseed()
    assert (len(seeds["numpy"]), len(seeds["torch"])) == (4, 4)


def test_a_torch_that_is_only_half_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    reseed.reseed()
