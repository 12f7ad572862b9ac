"""The clusters that the suite can run on, each a parameter of the one suite.

Another cluster is one more entry of :data:`TARGETS`: how to reach it, and how to reach into the
processes of its containers. The tests know nothing else of it.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from harness.embedded import embedded_cluster
from harness.target import Target, real_cluster

#: How to come to each cluster, given an empty folder.
TARGETS: Mapping[str, Callable[[Path], AbstractContextManager[Target]]] = {
    "embedded": embedded_cluster,
    "real": real_cluster,
}

#: Tests that one of the clusters cannot run, or that say nothing more there, with the reason.
EXCEPTIONS: Mapping[str, Mapping[str, str]] = {"embedded": {}, "real": {}}
