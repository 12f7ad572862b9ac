"""Gives a forked process random numbers of its own.

A process started afresh seeds its generators from the system; a forked one would share
its siblings' sequence, so the global generators of random, numpy and torch are seeded again.
Code that seeds at the top level of its file means that seed to hold in every task, as it does
where each task imports the file itself: such a file is left alone.
"""

import os
import sys
from typing import Any

#: Set by :func:`keep` where the flow's file seeds by itself.
_kept = False
#: The state of ``random`` that this left; Python itself seeds that module anew in every forked process.
_state: Any = None


def keep(source: str) -> None:
    """Note whether this main file calls a ``seed`` function at its top level with a fixed value."""
    global _kept
    starts = (
        "random.seed(",
        "np.random.seed(",
        "numpy.random.seed(",
        "torch.manual_seed(",
        "seed(",
        "set_seed(",
        "seed_everything(",
    )
    _kept = any(
        line.startswith(starts) and line.split("(", 1)[1].split("#")[0].strip() not in (")", "")
        for line in source.splitlines()
    )


def unseeded_generator(source: str) -> bool:
    """Whether this main file makes, at its top level, a generator of its own that each process is to seed anew."""
    makers = ("default_rng()", "RandomState()", "Random()")
    lines = (line.split("#")[0] for line in source.splitlines() if not line.startswith((" ", "\t", "def ")))
    return any(maker in line for line in lines for maker in makers)


def remember() -> None:
    """Note the state that the flow's file left, once it has been imported."""
    global _state
    _state = sys.modules["random"].getstate() if _kept and "random" in sys.modules else None


def reseed() -> None:
    """Seed the global generators of the modules that are loaded, or give them back the seed of the flow's file."""
    modules: Any = sys.modules
    if _kept:
        if _state is not None:
            modules["random"].setstate(_state)
        return
    if "random" in modules:
        modules["random"].seed()
    if "numpy.random" in modules:
        modules["numpy.random"].seed(int.from_bytes(os.urandom(4), "little"))
    torch = modules.get("torch")
    if torch is not None and hasattr(torch, "manual_seed"):
        torch.manual_seed(int.from_bytes(os.urandom(7), "little"))
