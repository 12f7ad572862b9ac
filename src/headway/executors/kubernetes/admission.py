"""Asks the API server whether it would take what a step's tasks are made of: by dry runs, which leave nothing.

Quotas, limit ranges, Pod Security, service accounts, priority classes and a cluster's own policies judge what they are
shown as if it were to stay, and change it as they would. Pods are made by the Job controller in a run: whoever
asks for them here needs a right that a run does without.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden
from headway.executors.kubernetes.api.kinds import JOB, SECRET, SERVICE, Kind
from headway.executors.kubernetes.api.types import KubernetesObject
from headway.executors.kubernetes.needs import ASKING_POD, AskingPod, Needs, needs_of
from headway.executors.kubernetes.refusal import Refusal, job_refusal

Manifest = Mapping[str, Any]

_KINDS: Mapping[str, Kind[KubernetesObject]] = {kind.name: kind for kind in (SECRET, JOB, SERVICE)}
#: What admission says where a webhook of the cluster would not know that nothing is meant.
_NO_DRY_RUNS = "does not support dry run"


class Verdict(NamedTuple):
    """What the API server says of what one step needs.

    Attributes:
        needs: The pods as admission leaves them; as they are sent, where that is not known.
        refusals: What is refused, in words ("the Job", "its pods"), and why.
        unasked: Why something could not be asked about, "" where all could.
    """

    needs: Needs
    refusals: tuple[tuple[str, Refusal], ...] = ()
    unasked: str = ""


async def ask(client: KubernetesClient, manifests: Sequence[Manifest], *, pods: bool) -> Verdict:
    """Have the API server judge what a step's first batch is made of.

    Args:
        client: The cluster.
        manifests: What a run would create for it, a Job among them.
        pods: Whether pods may be asked about.
    """
    refusals: list[tuple[str, Refusal]] = []
    unasked = ""
    for manifest in manifests:
        answer = await _dry_run(client, _KINDS[manifest["kind"]], manifest)
        if isinstance(answer, Refusal):
            refusals.append((f"the {manifest['kind']}", answer))
        elif isinstance(answer, str):
            unasked = unasked or answer
    pod = _pod_of(next(manifest for manifest in manifests if manifest["kind"] == "Job"))
    needs = needs_of(pod["spec"])
    # What is not valid in a pod is not in the Job either, and was said.
    if pods and all(why.reason != "Invalid" for _, why in refusals):
        answer = await _dry_run(client, ASKING_POD, pod)
        if isinstance(answer, AskingPod):
            needs = answer.spec
        elif isinstance(answer, Refusal):
            refusals.append(("its pods", answer))
        elif isinstance(answer, str):
            unasked = unasked or answer
    return Verdict(needs, tuple(refusals), unasked)


async def _dry_run(
    client: KubernetesClient, kind: Kind[Any], manifest: Manifest
) -> KubernetesObject | Refusal | str:
    """The object as it would be, why it would not be, or why that is not known."""
    try:
        made: KubernetesObject = await client.create(
            kind, manifest["metadata"]["namespace"], manifest, dry_run=True
        )
    except ApiError as error:
        if _NO_DRY_RUNS in error.message or (isinstance(error, Forbidden) and error.user is not None):
            return error.message
        return job_refusal(error) or Refusal(
            error.reason, error.message, error.hint or "", waits=_passes(error)
        )
    return made


def _passes(error: ApiError) -> bool:
    """Whether it is the cluster's trouble, and not the step's."""
    return bool(getattr(error, "transient", False))


def _pod_of(job: Manifest) -> dict[str, Any]:
    """A pod of a Job, as the Job controller makes it, but for its owner, which there is not."""
    template, name = job["spec"]["template"], job["metadata"]["name"]
    labels = {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": name, "job-name": name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{name}-",
            "namespace": job["metadata"]["namespace"],
            "labels": labels,
            "annotations": template["metadata"]["annotations"],
        },
        "spec": template["spec"],
    }
