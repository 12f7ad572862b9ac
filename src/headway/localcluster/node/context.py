"""What every pod on this machine shares."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, field
from pathlib import Path

from headway.localcluster.admission.registry import Registry
from headway.localcluster.api.identity import Tokens
from headway.localcluster.containers.client import ContainerRuntime
from headway.localcluster.events import Recorder
from headway.localcluster.faults import Faults
from headway.localcluster.node.host import HOST_ADDRESS, Interpreter
from headway.localcluster.node.logs import LogBook


@dataclass
class NodeContext:
    """The means of the node.

    Attributes:
        registry: The way into the store.
        runtime: Starts and ends containers.
        logs: Keeps what they write.
        faults: Slow and failing pulls.
        tokens: Issues service account tokens.
        interpreter: The Python that stands in for images.
        events: Leaves events on pods.
        pods: Where each pod has its folder.
        claims: Where persistent volume claims have theirs.
        api_port: Where containers reach the API.
    """

    registry: Registry
    runtime: ContainerRuntime
    logs: LogBook
    faults: Faults
    tokens: Tokens
    interpreter: Interpreter
    events: Recorder
    pods: Path
    claims: Path
    api_port: int
    _addresses: itertools.count[int] = field(default_factory=itertools.count)

    def next_address(self) -> str:
        """A loopback address for a pod; outside Linux there is only one."""
        if sys.platform != "linux":
            return HOST_ADDRESS
        number = next(self._addresses)
        return f"127.{10 + number // 64516 % 80}.{number // 254 % 254}.{number % 254 + 1}"
