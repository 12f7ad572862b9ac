"""Gives a forked process random numbers of its own.

A process started afresh seeds its generators from the system; a forked one would share
its siblings' sequence, so the global generators of random, numpy and torch are seeded again, and those
of ``random`` that the flow's modules made for themselves. What they seeded with a fixed value
(:mod:`headway.runtime.seeding`) is left alone: so it holds in every task, as it does where each task
imports the flow itself.
"""

import os
import sys
from typing import Any, FrozenSet, Iterable, Tuple

#: The modules whose global generator the flow's code seeded.
_fixed: FrozenSet[str] = frozenset()
#: The state of ``random`` that it left; Python itself seeds that module anew in every forked process.
_state: Any = None
#: Generators of ``random.Random`` that the system seeded.
_generators: Tuple[Any, ...] = ()


def keep(fixed: Iterable[str] = (), generators: Iterable[Any] = ()) -> None:
    """Note what the flow's code left, once it has been imported.

    Args:
        fixed: The modules whose global generator it seeded with a fixed value: "random", "numpy.random", "torch".
        generators: Instances of ``random.Random`` that it made without a seed.
    """
    global _fixed, _state, _generators
    _fixed, _generators = frozenset(fixed), tuple(generators)
    _state = sys.modules["random"].getstate() if "random" in _fixed else None


def reseed() -> None:
    """Seed the generators of the modules that are loaded, or give them back the seed of the flow's code."""
    modules: Any = sys.modules
    if _state is not None:
        modules["random"].setstate(_state)
    elif "random" in modules:
        modules["random"].seed()
    for generator in _generators:
        modules["random"].Random.seed(generator)
    if "numpy.random" in modules and "numpy.random" not in _fixed:
        modules["numpy.random"].seed(int.from_bytes(os.urandom(4), "little"))
    torch = modules.get("torch")
    if "torch" not in _fixed and hasattr(torch, "manual_seed"):
        torch.manual_seed(int.from_bytes(os.urandom(7), "little"))
