"""What ``@parallel`` means for the plan of a run: how many ranks, what they are called, where they meet."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from headway.errors import FlowDefinitionError
from headway.flow.attributes import whole_number
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Node
from headway.schedule.plan import PlanNode
from headway.store.batch import Gang

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings

#: Where rank 0 listens in a pod unless the step says otherwise: what PyTorch takes by default.
DEFAULT_PORT = 29500

#: The ids of the ranks after the first, here and in pods; Metaflow's users know both.
_LOCAL_WORKER = "{control}_node_{rank}"
_POD_WORKER = "{control}-worker-{worker}"
#: As in the reference: in pods a gang has others to wait for.
_LEAST_IN_PODS = 2


def check_gang(node: Node) -> None:
    """Check what a gang cannot be, once late decorators are attached.

    Raises:
        FlowDefinitionError: It is a single pod.
    """
    spec = node.gang
    if spec is None:
        return
    if node.decorator("kubernetes") is not None and _number(spec, "num_nodes") == 1:
        raise FlowDefinitionError(
            f"Step {node.name} is @{spec.name}(num_nodes=1): a gang of pods has at least 2.",
            f"Raise num_nodes, or leave @{spec.name} out.",
            *spec.location,
        )


def with_gang(planned: PlanNode, node: Node) -> PlanNode:
    """The scheduler's view of a step, with what it must know of its gangs."""
    spec = node.gang
    if spec is None:
        return planned
    in_pods = node.decorator("kubernetes") is not None
    return replace(
        planned,
        gang=True,
        nodes=_number(spec, "num_nodes"),
        least=_LEAST_IN_PODS if in_pods else 1,
        worker=_POD_WORKER if in_pods else _LOCAL_WORKER,
    )


def rendezvous(node: Node, pods: "KubernetesSettings | None") -> Gang:
    """Where the ranks of a gang meet; port 0 is for whoever starts them here to choose."""
    port = _number(node.gang, "master_port") if node.gang else None
    if pods is None:
        return Gang(port or 0)
    return Gang(port or pods.port or DEFAULT_PORT, float(pods.hostname_resolution_timeout))


def _number(spec: DecoratorSpec, name: str) -> int | None:
    value = spec.attributes.get(name)
    return None if value is None else whole_number(value)
