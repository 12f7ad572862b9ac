"""What a step asks for with ``@pypi`` and ``@pypi_base``, and what machine it is for."""

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from headway.config.sources import Configuration
from headway.errors import SettingsError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.flow.misuse import error_at
from headway.launch.packages.pythons import python_within

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings

_ARCHITECTURES = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
_MACHINES = {
    "amd64": "x86_64", "x86_64": "x86_64", "64": "x86_64",
    "arm64": "aarch64", "aarch64": "aarch64",
}  # fmt: skip
#: The stock images of Python, whose tags begin with its version.
_STOCK_IMAGE = re.compile(r"(?:.*/)?python:(3\.\d+)")


class Target(Struct, frozen=True):
    """What packages are for.

    Attributes:
        python: The version of Python: "3.11".
        machine: "x86_64" or "aarch64"; "" for this machine.
        libc: "glibc" or "musl"; "" for this machine.
    """

    python: str
    machine: str = ""
    libc: str = ""

    @property
    def is_here(self) -> bool:
        """Whether they are for this machine and this interpreter."""
        return not self.machine

    def __str__(self) -> str:
        musl = "/musl" if self.libc == "musl" else ""
        return f"Python {self.python}, " + ("this machine" if self.is_here else f"linux/{self.machine}{musl}")


class Wanted(Struct, frozen=True):
    """Packages that are resolved together.

    Attributes:
        requirements: As the resolver takes them, sorted: ``numpy==1.26.4``, ``pandas>=2``.
        target: What they are for.
    """

    requirements: tuple[str, ...]
    target: Target


def wanted_by(
    graph: Graph, pods: "Mapping[str, KubernetesSettings]", configuration: Configuration
) -> dict[str, Wanted]:
    """The packages of each step that asks for some.

    Args:
        graph: The flow.
        pods: The settings of the steps that run as pods.
        configuration: Says what the nodes are, where the steps do not.

    Raises:
        SettingsError: A value cannot be used.
        FlowDefinitionError: A step wants a Python that this machine cannot give it.
    """
    base = graph.decorator("pypi_base")
    found = {}
    for node in graph:
        wanted = _wanted(node, base, pods.get(node.name), configuration)
        if wanted is not None:
            found[node.name] = wanted
    return found


def requirement(name: str, version: object) -> str:
    """A package as the resolver takes it: ``"1.2"`` means this version, ``">=1.2"`` what it says, ``""`` any."""
    text = str(version).strip()
    return name if not text else f"{name}{text}" if text[0] in "<>=!~" else f"{name}=={text}"


def _wanted(
    node: Node,
    base: DecoratorSpec | None,
    pod: "KubernetesSettings | None",
    configuration: Configuration,
) -> Wanted | None:
    own = node.decorator("pypi")
    specs = [spec for spec in (base, own) if spec is not None]
    disabled = [value for spec in specs if (value := spec.attributes.get("disabled")) is not None]
    packages: dict[str, object] = {}
    for spec in specs:
        packages.update(spec.attributes.get("packages") or {})
    if not packages or (disabled and disabled[-1]):
        return None
    target = _here() if pod is None else _in_pod(pod, configuration)
    for spec in specs[::-1]:
        asked = spec.attributes.get("python")
        if asked is not None:
            try:
                python = python_within(str(asked), target.python)
            except ValueError as error:
                raise error_at(spec, f"@{spec.name}(python={asked!r}), step {node.name}: {error}.") from error
            if target.is_here and python != target.python:
                raise error_at(
                    spec,
                    f"Step {node.name} runs on this machine, whose Python is {target.python}, and asks for {asked}.",
                    f"Start the flow with Python {python}, or run the step in a pod: --with kubernetes",
                )
            target = Target(python, target.machine, target.libc)
            break
    return Wanted(tuple(sorted(requirement(*item) for item in packages.items())), target)


def _here() -> Target:
    return Target("{}.{}".format(*sys.version_info[:2]))


def _in_pod(pod: "KubernetesSettings", configuration: Configuration) -> Target:
    stock = _STOCK_IMAGE.match(pod.image)
    libc = "musl" if "alpine" in pod.image else "glibc"
    machine = "x86_64"
    selected = next((pod.node_selector[name] for name in _ARCHITECTURES if name in pod.node_selector), None)
    if selected is not None:
        machine = _MACHINES.get(selected, machine)
    else:
        told = configuration.first("PACKAGES_PLATFORM", "KUBERNETES_CONDA_ARCH")
        if told is not None:
            machine, libc = _platform(str(told.value), told.source, libc)
    return Target(stock[1] if stock else _here().python, machine, libc)


def _platform(text: str, source: str, libc: str) -> tuple[str, str]:
    """The machine and the C library of ``linux/arm64``, ``linux/amd64/musl``, ``linux-64``."""
    parts = [part for part in re.split("[/-]", text.lower()) if part != "linux"]
    machines = [_MACHINES[part] for part in parts if part in _MACHINES]
    others = [part for part in parts if part not in _MACHINES]
    if len(machines) != 1 or others not in ([], ["musl"]):
        allowed = "linux/amd64 or linux/arm64 is allowed, and /musl behind it for images of Alpine"
        raise SettingsError("PACKAGES_PLATFORM", text, allowed, source)
    return machines[0], "musl" if others else libc
