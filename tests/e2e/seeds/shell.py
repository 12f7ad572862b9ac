"""The table of shell commands: which are about flows, and why the others are not covered."""

import re
import shlex
from collections.abc import Iterable, Mapping

from seeds.documents import SHELL, Snippet

#: Commands that start a flow or read one back; each has a test of its own name.
FLOW_COMMANDS = frozenset(
    {
        "python myflow.py run --with kubernetes",
        "python myflow.py run --with batch",
        "python myflow.py logs 123/train/456",
        "kubectl get pods -n metaflow -l metaflow/flow_name=MyFlow",
        "kubectl describe pod myflow-train-abc123 -n metaflow",
        "kubectl logs myflow-train-abc123 -n metaflow",
        "kubectl delete pod -n zenml -l pipeline=kubernetes_example_pipeline",
    }
)

#: The flow that is given whole on the command line.
FLOW_TEXT = re.compile(r'python -c "from metaflow import .*TestFlow\(\)" run', re.DOTALL)

#: Commands about other things than flows, by how they begin.
NOT_ABOUT_FLOWS = {
    "pip install kubernetes": "no Kubernetes package is needed",
    "docker ": "building images",
    "kubectl cluster-info": "the cluster",
    "kubectl get nodes": "the cluster",
    "kubectl create secret docker-registry": "a secret; the address in it was lost",
    "kubectl get events": "the cluster",
    "kubectl get secrets": "the cluster",
    "kubectl describe serviceaccount": "the cluster",
    "kubectl run test": "images",
    "kubectl describe quota": "the cluster",
    "kubectl top": "the cluster",
    "kubectl describe pod <pod-name>": "as `describe pod` with a name, which is covered",
    "kubectl describe nodes": "the cluster",
    "kubectl get pvc": "volumes",
    "kubectl describe pvc": "volumes",
    "kubectl get storageclass": "volumes",
    "zenml ": "ZenML's own command line; stacks are not there",
    "$ zenml ": "ZenML's own command line; stacks are not there",
}

#: Variables that nothing reads yet, with what they are for.
UNREAD: Mapping[str, str] = {
    "METAFLOW_ARGO_WORKFLOWS_UI_URL": "Argo Workflows",
    "METAFLOW_ARGO_WORKFLOWS_KUBERNETES_SECRETS": "Argo Workflows",
    "METAFLOW_ARGO_EVENTS_WEBHOOK_URL": "Argo Workflows",
    "METAFLOW_ARGO_EVENTS_EVENT_BUS": "Argo Workflows",
    "METAFLOW_ARGO_EVENTS_SENSOR_NAMESPACE": "Argo Workflows",
}

#: What the documents' example of an environment says differently in the tests; None leaves it out.
FITTING_VARIABLES: Mapping[str, str | None] = {
    "METAFLOW_KUBERNETES_NAMESPACE": "{namespace}",
    "METAFLOW_KUBERNETES_CONTAINER_IMAGE": "python:3.11",
    "METAFLOW_KUBERNETES_CONTAINER_REGISTRY": None,
    "METAFLOW_KUBERNETES_CPU": "0.2",
    "METAFLOW_KUBERNETES_MEMORY": "100",
    "METAFLOW_KUBERNETES_DISK": "50",
    "METAFLOW_KUBERNETES_NODE_SELECTOR": "kubernetes.io/os=linux",
    "METAFLOW_DATASTORE_SYSROOT_S3": "{datastore}",
    "METAFLOW_KUBERNETES_LABELS": "team=ml,cost-center=engineering,{owner}",
}


def exports(snippets: Iterable[Snippet]) -> dict[str, list[tuple[str, str]]]:
    """The variables that are exported, name and value, by the document and title that they stand under."""
    found: dict[str, list[tuple[str, str]]] = {}
    for snippet in snippets:
        if is_export(snippet):
            name, _, value = shlex.split(snippet.text)[1].partition("=")
            found.setdefault(f"{snippet.document}: {snippet.title}", []).append((name, value))
    return found


def is_export(snippet: Snippet) -> bool:
    return snippet.kind == SHELL and snippet.text.startswith("export ")


def is_known(snippet: Snippet) -> bool:
    """Whether the table knows this shell command."""
    return (
        is_export(snippet)
        or snippet.text in FLOW_COMMANDS
        or FLOW_TEXT.match(snippet.text) is not None
        or any(snippet.text.startswith(beginning) for beginning in NOT_ABOUT_FLOWS)
    )
