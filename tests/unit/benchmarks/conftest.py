"""Benchmarks are scripts beside each other; their decisions are tested here, without a cluster."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))
