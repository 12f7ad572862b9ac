"""Random numbers after a fork: a process's own, unless the flow's file fixed a seed."""

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
    reseed.keep("")
    reseed.remember()


@pytest.mark.parametrize(
    "source",
    [
        "import random\nrandom.seed(42)\n",
        "np.random.seed(0)  # for everybody",
        "numpy.random.seed(SEED)",
        "torch.manual_seed(1)",
        "seed_everything(7)",
        "if True:\n    pass\nrandom.seed('words')\n",
    ],
)
def test_a_seed_at_the_top_level_holds_in_every_task(source: str) -> None:
    reseed.keep(source)
    random.seed(5)
    reseed.remember()
    random.seed()  # as Python does in every forked process
    reseed.reseed()
    assert random.random() == random.Random(5).random()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import random\n",
        "random.seed()\n",
        "random.seed(  # from the system\n)",
        "def start(self):\n    random.seed(42)\n",
        "# random.seed(42)",
        "seeds = [1, 2]\n",
    ],
)
def test_otherwise_every_process_has_its_own(source: str) -> None:
    reseed.keep(source)
    drawn = set()
    for _ in range(3):
        random.seed(5)
        reseed.reseed()
        drawn.add(random.random())
    assert len(drawn) == 3
    assert random.Random(5).random() not in drawn


def test_numpy_and_torch_are_seeded_where_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: dict[str, list[int]] = {"numpy": [], "torch": []}
    monkeypatch.setitem(sys.modules, "numpy.random", SimpleNamespace(seed=seeds["numpy"].append))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=seeds["torch"].append))
    for _ in range(3):
        reseed.reseed()
    assert len(set(seeds["numpy"])) == len(set(seeds["torch"])) == 3
    assert all(0 <= seed < 1 << 32 for seed in seeds["numpy"]), "what numpy takes"
    assert all(0 <= seed < 1 << 63 for seed in seeds["torch"]), "what torch takes"


def test_a_torch_that_is_only_half_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    reseed.reseed()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("rng = np.random.default_rng()", True),
        ("STATE = numpy.random.RandomState()  # of our own", True),
        ("draw = random.Random().random", True),
        ("rng = np.random.default_rng(0)", False),
        ("# rng = np.random.default_rng()", False),
        ("def start(self):\n    rng = np.random.default_rng()", False),
        ("", False),
    ],
)
def test_a_generator_of_the_files_own_is_found(source: str, expected: bool) -> None:
    assert reseed.unseeded_generator(source) is expected
