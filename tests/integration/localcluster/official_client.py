"""Run by an interpreter that has the official Kubernetes client: what people do with it every day."""

import json
import sys
from collections.abc import Callable
from typing import Any

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream


def main(kubeconfig: str, namespace: str) -> None:
    config.load_kube_config(kubeconfig)
    core, batch = client.CoreV1Api(), client.BatchV1Api()

    pod = a_pod("a", "import time; print('begun', flush=True); time.sleep(60)")
    created = core.create_namespaced_pod(namespace, pod)
    assert created.status.phase == "Pending"
    assert [each.metadata.name for each in core.list_namespaced_pod(namespace).items] == ["a"]

    phases = []
    watcher = watch.Watch()
    for event in watcher.stream(core.list_namespaced_pod, namespace, timeout_seconds=30):
        phases.append(event["object"].status.phase)
        if phases[-1] == "Running":
            watcher.stop()
    assert phases[-1] == "Running", phases

    core.patch_namespaced_pod("a", namespace, {"metadata": {"labels": {"colour": "green"}}})
    green = core.list_namespaced_pod(namespace, label_selector="colour=green")
    assert [each.metadata.name for each in green.items] == ["a"]
    followed = watch.Watch().stream(core.read_namespaced_pod_log, "a", namespace, follow=True)
    assert next(iter(followed)) == "begun"
    command = ["sh", "-c", "echo inside; hostname"]
    said = stream(
        core.connect_get_namespaced_pod_exec, "a", namespace, command=command, stdout=True, stderr=True
    )
    assert said.split() == ["inside", "a"], said
    core.delete_namespaced_pod("a", namespace, grace_period_seconds=0)
    assert refused(core.read_namespaced_pod, "a", namespace) == (404, "NotFound")

    template = client.V1PodTemplateSpec(spec=a_pod("x", "print(2)").spec)
    batch.create_namespaced_job(
        namespace,
        client.V1Job(
            metadata=client.V1ObjectMeta(name="j"),
            spec=client.V1JobSpec(
                template=template, completions=2, completion_mode="Indexed", backoff_limit=0
            ),
        ),
    )
    watcher = watch.Watch()
    for event in watcher.stream(batch.list_namespaced_job, namespace, timeout_seconds=30):
        if event["object"].status.succeeded == 2 and event["object"].status.completion_time:
            watcher.stop()
    job = batch.read_namespaced_job("j", namespace)
    assert (job.status.succeeded, job.status.completed_indexes) == (2, "0,1")
    pods = core.list_namespaced_pod(namespace, label_selector="job-name=j").items
    assert {core.read_namespaced_pod_log(each.metadata.name, namespace) for each in pods} == {"2\n"}
    batch.delete_namespaced_job("j", namespace, propagation_policy="Background")
    print("done")


def refused(call: Callable[..., Any], *given: str) -> tuple[int, str]:
    """The status and reason with which a call is refused."""
    try:
        call(*given)
    except ApiException as error:
        return error.status, json.loads(error.body)["reason"]
    return 200, ""


def a_pod(name: str, script: str) -> client.V1Pod:
    container = client.V1Container(name="main", image="python:3.11", command=["python", "-c", script])
    spec = client.V1PodSpec(containers=[container], restart_policy="Never")
    return client.V1Pod(metadata=client.V1ObjectMeta(name=name), spec=spec)


main(*sys.argv[1:])
