"""What is heard of seeds while a flow is imported: random's, and those of a numpy and a torch of our own."""

import importlib
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.runtime.seeding import Seeding

#: As numpy's generators hold what they were seeded with; all of them ask ``randbits`` where nobody says.
NUMPY = {
    "numpy/__init__.py": "",
    "numpy/random/bit_generator.py": """
from secrets import randbits

class SeedSequence:
    def __init__(self, entropy=None):
        self.entropy = randbits(128) if entropy is None else entropy

class BitGenerator:
    def __init__(self, seed=None):
        self._seed_seq = SeedSequence(seed)

    def legacy_seeding(self, seed):
        self.seed = SeedSequence().entropy if seed is None else seed
        self._seed_seq = None
""",
    "numpy/random/__init__.py": """
from .bit_generator import BitGenerator

_rand = BitGenerator()

def default_rng(seed=None):
    return BitGenerator(seed)

def RandomState(seed=None):
    made = BitGenerator()
    if seed is not None:
        made.legacy_seeding(seed)
    return made

def seed(seed=None):
    _rand.legacy_seeding(seed)

def set_state(state):
    _rand.state = state
""",
}
TORCH = {
    "torch/__init__.py": """
from torch import random
from torch.random import initial_seed, manual_seed
""",
    "torch/random.py": """
_seed = 67280421310721

def initial_seed():
    return _seed

def manual_seed(seed):
    global _seed
    _seed = seed
""",
}

Run = Callable[[str], Seeding]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Imports a flow of these lines, and gives what was heard of it."""
    for name, text in {**NUMPY, **TORCH}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    state, known = random.getstate(), set(sys.modules)
    finders, seed, kind = list(sys.meta_path), random.seed, random.Random.seed
    kept: list[Any] = []

    def run(lines: str) -> Seeding:
        (tmp_path / "seeded_flow.py").write_text(lines)
        with Seeding() as seeding:
            kept.append(importlib.import_module("seeded_flow"))
        return seeding

    yield run
    assert (sys.meta_path, random.seed, random.Random.seed) == (finders, seed, kind), "all is as it was"
    random.setstate(state)
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("lines", "fixed"),
    [
        ("import random\nrandom.seed(42)", {"random"}),
        ("from random import seed\nseed('words')", {"random"}),
        ("import random\nrandom.seed(a=1)", {"random"}),
        ("import random\nrandom.setstate(random.Random(5).getstate())", {"random"}),
        ("import random\ndef seed_everything(seed):\n    random.seed(seed)\nseed_everything(7)", {"random"}),
        ("import random\nrandom.seed(42)\nrandom.seed()", set()),
        ("import random\nrandom.seed(None)", set()),
        ("import random\nrandom.random()", set()),
        ("import random\nrandom.Random(3).seed(4)", set()),
        ("import random\ndef start():\n    random.seed(42)", set()),
        ("import numpy.random\nnumpy.random.seed(0)", {"numpy.random"}),
        ("import numpy.random\nnumpy.random.seed(seed=1)", {"numpy.random"}),
        ("from numpy.random import seed\nseed(1)", {"numpy.random"}),
        ("import numpy.random\nnumpy.random.set_state(('MT19937', []))", {"numpy.random"}),
        ("import numpy.random\nnumpy.random.seed()", set()),
        ("import torch\ntorch.manual_seed(3)", {"torch"}),
        ("import torch\ntorch.random.manual_seed(3)", {"torch"}),
        ("import torch", set()),
        (
            "import random, numpy.random, torch\nfor m in (random, numpy.random):\n    m.seed(42)\ntorch.manual_seed(42)",
            {"random", "numpy.random", "torch"},
        ),
    ],
)
def test_seeds_are_heard_of(run: Run, lines: str, fixed: set[str]) -> None:
    heard = run(lines)
    assert (heard.fixed, heard.unfit) == (fixed, "")


def test_a_seed_in_a_module_of_the_flows_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "seeded_helper.py").write_text("import numpy.random as r\ndef fix():\n    r.seed(1)\nfix()")
    assert run("import seeded_helper").fixed == {"numpy.random"}


def test_a_module_that_was_only_looked_for_is_listened_to_once_it_is_there(run: Run) -> None:
    lines = (
        "import importlib.util\nassert importlib.util.find_spec('torch')\nimport torch\ntorch.manual_seed(3)"
    )
    assert run(lines).fixed == {"torch"}


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("import random\nDRAW = random.Random().random", 1),
        ("import random\nclass Sampler:\n    dice = [random.Random(), random.Random(None)]", 2),
        ("import random\nDICE = random.Random()\nDICE.seed(5)", 0),
        ("import random\nDICE = random.Random(5)\nDICE.seed()", 1),
        ("import random\nDICE = random.Random(5)", 0),
        ("import random\nSYSTEM = random.SystemRandom()", 0),
        ("import random\nrandom.Random().random()", 0),
    ],
)
def test_generators_without_a_seed_are_known(run: Run, lines: str, count: int) -> None:
    heard = run(lines)
    assert (len(heard.generators), heard.unfit) == (count, "")


@pytest.mark.parametrize(
    ("lines", "unfit"),
    [
        ("import numpy.random\nRNG = numpy.random.default_rng()", True),
        ("import numpy.random\nSTATE = numpy.random.RandomState()", True),
        ("import numpy.random\nclass Sampler:\n    dice = [numpy.random.BitGenerator()]", True),
        ("import numpy.random\nRNG = numpy.random.default_rng(0)", False),
        ("import numpy.random\nRNG = numpy.random.default_rng([1, 2])", False),
        ("import numpy.random\nSTATE = numpy.random.RandomState(0)", False),
        ("import numpy.random\nnumpy.random.default_rng()", False),
        ("import numpy.random\nnumpy.random.seed()", False),
        ("import numpy.random", False),
    ],
)
def test_no_process_is_forked_with_a_generator_of_numpy_that_nobody_seeded(
    run: Run, lines: str, unfit: bool
) -> None:
    why = "importing the flow made a numpy generator without a seed, which its tasks would share"
    assert run(lines).unfit == (why if unfit else "")


def test_modules_that_are_loaded_already_are_listened_to(run: Run) -> None:
    importlib.import_module("numpy.random")
    assert run("import numpy.random\nnumpy.random.seed(1)\nRNG = numpy.random.default_rng()").unfit
