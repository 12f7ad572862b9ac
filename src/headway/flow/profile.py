"""``profile``: how long a piece of code takes."""

import time
from contextlib import contextmanager
from typing import Dict, Iterator, Optional


@contextmanager
def profile(label: str, stats_dict: Optional[Dict[str, int]] = None) -> Iterator[None]:
    """Time the block.

    Args:
        label: What it is called.
        stats_dict: Takes the milliseconds by label, those of several blocks added up; without one they are printed.
    """
    if stats_dict is None:
        print(f"PROFILE: {label} starting")
    begun = time.perf_counter()
    yield
    took = int((time.perf_counter() - begun) * 1000)
    if stats_dict is None:
        print(f"PROFILE: {label} completed in {took}ms")
    else:
        stats_dict[label] = stats_dict.get(label, 0) + took
