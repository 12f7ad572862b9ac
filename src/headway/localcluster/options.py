"""What can be said about a cluster when it is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from headway.errors import SettingsError
from headway.localcluster.objects import quantity

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True)
class Options:
    """A cluster as declared.

    Attributes:
        nodes: How many nodes it has.
        cpu: Processors of each node; None for the machine's.
        memory: Memory of each node; None for the machine's.
        gpu: GPUs of each node (`nvidia.com/gpu`); declared, not there.
        disk: Ephemeral storage of each node.
        pods: The most pods on one node.
        labels: Labels of every node.
        taints: Taints of every node: `key`, `value`, `effect`.
        port: The port of the API; 0 for the one used last, or any.
        python: The interpreter that stands in for images; empty for the cluster's own.
        isolated: Whether containers get namespaces where the machine allows them.
        idle_exit: Seconds without a pod to run and without a request after which it ends by itself; 0 for never.
        keep: Whether objects and claims outlive the cluster: the next one that is started so has them again.
    """

    nodes: int = 1
    cpu: str | None = None
    memory: str | None = None
    gpu: int = 0
    disk: str = "100Gi"
    pods: int = 110
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    port: int = 0
    python: str = ""
    isolated: bool = True
    idle_exit: float = 0.0
    keep: bool = False

    def __post_init__(self) -> None:
        for name in ("nodes", "pods"):
            if getattr(self, name) < 1:
                raise SettingsError(name, getattr(self, name), "it must be 1 or more")
        for name in ("gpu", "idle_exit"):
            if getattr(self, name) < 0:
                raise SettingsError(name, getattr(self, name), "it must be 0 or more")
        for name in ("cpu", "memory", "disk"):
            value = getattr(self, name)
            if value is None:
                continue
            try:
                quantity.parse(value)
            except ValueError:
                raise SettingsError(name, value, "it must be a quantity such as 2, 500m or 32Gi") from None

    def dump(self) -> dict[str, Any]:
        """The options as JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, values: dict[str, Any]) -> Options:
        """The options that `dump` wrote."""
        return cls(**{**values, "taints": tuple(values["taints"])})


def parse_labels(texts: Iterable[str]) -> dict[str, str]:
    """Labels written as `key=value`.

    Raises:
        SettingsError: One is not.
    """
    labels = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not key or not sign:
            raise SettingsError("label", text, "write key=value")
        labels[key] = value
    return labels


def parse_taints(texts: Iterable[str]) -> tuple[dict[str, str], ...]:
    """Taints written as `key=value:Effect` or `key:Effect`.

    Raises:
        SettingsError: One is not.
    """
    taints = []
    for text in texts:
        body, _, effect = text.rpartition(":")
        key, sign, value = body.partition("=")
        if not key or effect not in _EFFECTS:
            allowed = f"write key=value:Effect with one of {', '.join(_EFFECTS)}"
            raise SettingsError("taint", text, allowed)
        taints.append({"key": key, **({"value": value} if sign else {}), "effect": effect})
    return tuple(taints)
