"""A Kubernetes API server in memory, served over loopback, to test a launcher's logic without a cluster.

It keeps objects with versions, serves lists in pages and watches with bookmarks, runs a minimal Job
controller, and does on request what real servers do on bad days. It validates next to nothing.
"""

from headway.testing.fake_kubernetes.faults import Fault
from headway.testing.fake_kubernetes.server import FakeKubernetes, SeenRequest

__all__ = ["FakeKubernetes", "Fault", "SeenRequest"]
