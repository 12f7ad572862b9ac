"""What pods' states say about the attempts in them: one table of states, kinds, reasons and words."""

import json
from typing import Any

import pytest
from pod_fakes import disrupted, pod

from headway.executors.kubernetes.api.types import Pod
from headway.executors.kubernetes.outcome import failure_of, gone, overdue
from headway.runtime.pod import BROKEN, REFUSED
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES, USER

STEP = "train"

#: How containerd begins whatever it says of a container that does not start.
CREATE = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)
HOOK = (
    f"{CREATE}error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: "
    "Auto-detected mode as 'legacy'\n"
)
LOW = "The node was low on resource: {}. Threshold quantity: 100Mi, available: 68240Ki. "


SHIM = "failed to create containerd task: failed to create shim task: "
MORE = "Container {} was using {}, request is {}, has larger consumption of {}. "


def evicted(message: str) -> Any:
    """A pod that its node evicted, as it ran short of something."""
    return pod(
        "Failed", reason="Evicted", message=message, conditions=disrupted("TerminationByKubelet"),
        terminated={"exitCode": 137, "reason": "Error"},
    )  # fmt: skip


#: What to do about a deadline.
ADVICE = "Raise it."

#: The condition of a pod whose init container is not done.
HELD_UP = {
    "Initialized": (
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [prepare second]",
    )
}


def words(reason: str, message: str, hint: str = "", headway: int = 1) -> str:
    return json.dumps({"headway": headway, "reason": reason, "message": message, "hint": hint})


def ended(code: int, reason: str = "Error", message: str = "", signal: int = 0, **said: Any) -> Any:
    terminated = {"exitCode": code, "reason": reason, "message": message, "signal": signal}
    if "startedAt" in said:
        terminated["startedAt"] = said.pop("startedAt")
    return pod("Failed" if code else "Succeeded", terminated=terminated, **said)


CASES = {
    "out of memory": (ended(137, "OOMKilled"), RESOURCES, "OutOfMemory", "the kernel killed its container (OOMKilled)"),
    "out of the memory it may have": (
        ended(137, "OOMKilled", limits={"memory": "64M"}), RESOURCES, "OutOfMemory", "at its limit of 64 MB (OOM"
    ),
    "out of memory in other units": (
        ended(137, "OOMKilled", limits={"memory": "1Gi"}), RESOURCES, "OutOfMemory", "at its limit of 1073 MB (OOM"
    ),
    "out of memory in a helper, code 1": (ended(1, "OOMKilled"), RESOURCES, "OutOfMemory", "ran out of memory"),
    "killed": (ended(137), RESOURCES, "Killed", "All of the container of step train was killed"),
    "killed, told as a signal": (ended(0, signal=9), RESOURCES, "Killed", "SIGKILL"),
    "lost sight of by its node": (
        ended(137, "ContainerStatusUnknown", "The container could not be located"),
        INFRASTRUCTURE, "ContainerStatusUnknown", "does not know what became of its container: The container could",
    ),
    "a sidecar that was ended once memory had run out": (
        ended(137, "OOMKilled", startedAt="2026-11-22T08:41:25Z", init={"terminated": {"exitCode": 137}}),
        RESOURCES, "OutOfMemory", "ran out of memory",
    ),
    "an init container that its node lost sight of": (
        pod("Failed", init={"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "gone"}}),
        INFRASTRUCTURE, "ContainerStatusUnknown", "does not know what became of its container: gone",
    ),
    "no result, no error": (ended(0, "Completed"), USER, "Exit", "exit code 0 and left no result"),
    "code 1 with last lines": (
        ended(1, message="SyntaxError: invalid syntax\n"),
        USER, "Exit", "exit code 1 and left no result. Its last words: SyntaxError: invalid syntax",
    ),
    "refused, words lost": (ended(REFUSED), INFRASTRUCTURE, "Terminated", "before step train began (exit code 75)"),
    "could not begin, words lost": (ended(BROKEN), INFRASTRUCTURE, "Exit", "exit code 78"),
    "stopped before it began": (ended(143), INFRASTRUCTURE, "Terminated", "before step train began (exit code 143"),
    "refused": (
        ended(REFUSED, message=words("Refused", "The run has ended.")),
        INFRASTRUCTURE, "Refused", "The run has ended.",
    ),
    "datastore unavailable": (
        ended(BROKEN, message=words("StoreUnavailableError", "No answer from s3://b.")),
        INFRASTRUCTURE, "StoreUnavailableError", "No answer from s3://b.",
    ),
    "datastore misconfigured": (
        ended(BROKEN, message=words("StoreConfigurationError", "No such bucket.", "Create it.")),
        CONFIGURATION, "StoreConfigurationError", "No such bucket.",
    ),
    "somebody else's JSON": (
        ended(1, message='{"reason": "x", "message": "y", "hint": "z"}'),
        USER, "Exit", 'Its last words: {"reason"',
    ),
    "a later version's words": (ended(1, message=words("x", "y", headway=2)), USER, "Exit", "exit code 1"),
    "JSON that is no object": (ended(1, message="3"), USER, "Exit", "Its last words: 3"),
    "no such program": (
        ended(128, "StartError", 'exec: "python": executable file not found in $PATH'),
        CONFIGURATION, "StartError", "executable file not found",
    ),
    "no such program, through sh": (ended(127), CONFIGURATION, "StartError", "could not start its command"),
    "not executable": (ended(126), CONFIGURATION, "StartError", "could not start its command"),
    "not a program": (
        ended(128, "StartError", CREATE + 'exec: "/work": permission denied: unknown'),
        CONFIGURATION, "StartError", "could not start its command: failed to create",
    ),
    "a program that is named like a node's trouble": (
        ended(128, "StartError", CREATE + 'exec: "unavailable": executable file not found in $PATH: unknown'),
        CONFIGURATION, "StartError", "could not start its command",
    ),
    "nothing to mount on": (
        ended(128, "StartError", CREATE + 'error during container init: error mounting "/var/lib/kubelet/x" to rootfs '
        'at "/etc/hosts/x": mkdirat /run/rootfs/etc/hosts: not a directory: unknown'),
        CONFIGURATION, "StartError", "error mounting",
    ),
    "a GPU driver that is not loaded": (
        ended(128, "StartError", HOOK + "nvidia-container-cli: initialization error: nvml error: driver not loaded"),
        INFRASTRUCTURE, "StartError", (
            "node of the pod sample-train-x could not start its container: its node's GPU driver, or what makes it known "
            "to containers, is in trouble: failed to create"
        ),
    ),
    "a GPU driver whose files are missing": (
        ended(128, "StartError", HOOK + "nvidia-container-cli: initialization error: load library failed: "
        "libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown"),
        INFRASTRUCTURE, "StartError", "driver",
    ),
    "a GPU driver that is too old": (
        ended(128, "StartError", HOOK + "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.4, "
        "please update your driver to a newer version, or use an earlier cuda container: unknown"),
        CONFIGURATION, "StartError", "the image needs a newer GPU driver than its node has",
    ),
    "a runtime that does not answer": (
        ended(128, "StartError", SHIM + "context deadline exceeded"),
        INFRASTRUCTURE, "StartError", "could not start its container: failed to create containerd task",
    ),
    "a runtime that is not whole": (
        ended(128, "StartError", "failed to start shim: start failed: fork/exec /usr/bin/containerd-shim-runc-v2: no "
        "such file or directory: unknown"),
        INFRASTRUCTURE, "StartError", "containerd-shim",
    ),
    "a node in a trouble of tomorrow": (
        ended(128, "StartError", CREATE + "the moon is in the wrong house"), INFRASTRUCTURE, "StartError", "the moon",
    ),
    "a limit too low to start with": (
        ended(128, "StartError", CREATE + "container init was OOM-killed (memory limit too low?): unknown",
        limits={"memory": "4M"}),
        RESOURCES, "OutOfMemory",
        "could not start with 4 MB: its memory limit is too low for any program to start: failed to create",
    ),
    "cannot run": (ended(1, "ContainerCannotRun", "no such file"), CONFIGURATION, "ContainerCannotRun", "no such file"),
    "built for another processor": (
        ended(255, message="exec /usr/local/bin/python: exec format error"),
        CONFIGURATION, "WrongArchitecture", "built for another kind of processor than its node's",
    ),
    "built for another processor, told by the node": (
        ended(128, "StartError", "exec: exec format error: unknown"), CONFIGURATION, "WrongArchitecture", "processor",
    ),
    "a crash in native code": (ended(139), USER, "Exit", "exit code 139 (SIGSEGV) and left no result"),
    "a code that is no signal": (ended(200), USER, "Exit", "exit code 200 and left no result"),
    "an init container that fails": (
        pod("Failed", init={"terminated": {"exitCode": 3, "reason": "Error", "message": "no such file\n"}}),
        USER, "InitContainer", ("init container prepare of the pod sample-train-x failed with exit code 3, so the step "
        "never began. Its last words: no such file"),
    ),
    "an init container out of memory": (
        pod("Failed", init={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
        RESOURCES, "InitContainer", "ran out of memory",
    ),
    "an init container that did its work": (
        ended(1, init={"terminated": {"exitCode": 0, "reason": "Completed"}}), USER, "Exit", "exit code 1",
    ),
    "init script": (
        ended(121, message="The sandbox init script failed (exit code 3)."),
        CONFIGURATION, "InitScript", "did not get beyond its sandbox init script: The sandbox init script failed",
    ),
    "preempted": (
        ended(143, conditions=disrupted("PreemptionByScheduler", "preempting")),
        INFRASTRUCTURE, "PreemptionByScheduler", "a pod of higher priority took its place",
    ),
    "drained": (
        ended(143, conditions=disrupted("EvictionByEvictionAPI")),
        INFRASTRUCTURE, "EvictionByEvictionAPI", "as when a node is drained",
    ),
    "tainted": (
        ended(143, conditions=disrupted("DeletionByTaintManager")),
        INFRASTRUCTURE, "DeletionByTaintManager", "its node was tainted",
    ),
    "node lost": (
        ended(137, conditions=disrupted("DeletionByPodGC")),
        INFRASTRUCTURE, "DeletionByPodGC", "its node is gone",
    ),
    "node short of memory": (
        pod(
            "Failed", reason="Evicted", message="The node was low on resource: memory.",
            conditions=disrupted("TerminationByKubelet"), terminated={"exitCode": 137, "reason": "Error"},
        ),
        INFRASTRUCTURE, "TerminationByKubelet", "shutting down. The node was low on resource: memory.",
    ),
    "evicted for memory that it had not asked for": (
        evicted(LOW.format("memory") + MORE.format("train", "18Gi", "4Gi", "memory")),
        RESOURCES, "OutOfMemory", "as its container held 19327 MB, where it had asked for 4294 MB.",
    ),
    "the same, as kubelets before 1.28 say it": (
        evicted("The node was low on resource: memory. Container sidecar was using 80Mi, which exceeds its request of "
        "10Mi. Container train was using 18874368Ki, which exceeds its request of 4096M. "),
        RESOURCES, "OutOfMemory", "as its container held 19327 MB, where it had asked for 4096 MB.",
    ),
    "evicted for what its sidecar held": (
        evicted(LOW.format("memory") + MORE.format("proxy", "2Gi", "1Gi", "memory")),
        INFRASTRUCTURE, "TerminationByKubelet", "Container proxy was using 2Gi",
    ),
    "evicted for disk that it had not asked for": (
        evicted(LOW.format("ephemeral-storage") + "Container train was using 40Gi, request is 10240M, has larger "
        "consumption of ephemeral-storage. "),
        RESOURCES, "DiskFull", "out of disk and evicted it, as its container held 42949 MB, where it had asked for 10240",
    ),
    "evicted though it held what it had asked for": (
        evicted(LOW.format("memory") + MORE.format("train", "3Gi", "4Gi", "memory")),
        INFRASTRUCTURE, "TerminationByKubelet", "The node was low on resource: memory.",
    ),
    "a disruption of a newer Kubernetes": (
        ended(143, conditions=disrupted("DeletionByDragon", "a dragon came")),
        INFRASTRUCTURE, "DeletionByDragon", "a dragon came",
    ),
    "a disruption that did not happen": (
        ended(137, "OOMKilled", conditions={"DisruptionTarget": ("False", "PreemptionByScheduler", "")}),
        RESOURCES, "OutOfMemory", "ran out of memory",
    ),
    "evicted": (
        pod("Failed", reason="Evicted", message="The node had condition: [DiskPressure]."),
        INFRASTRUCTURE, "Evicted", "The node had condition: [DiskPressure].",
    ),
    "over its own disk": (
        pod(
            "Failed", reason="Evicted",
            message="Pod ephemeral local storage usage exceeds the total limit of containers 50Mi.",
        ),
        RESOURCES, "DiskFull", "exceeds the total limit of containers 50Mi.",
    ),
    "over its container's disk": (
        pod("Failed", reason="Evicted", message='Container train exceeded its local ephemeral storage limit "50Mi".'),
        RESOURCES, "DiskFull", "used more disk than it may",
    ),
    "over its volume": (
        pod("Failed", reason="Evicted", message='Usage of EmptyDir volume "tmpfs" exceeds the limit "1Mi".'),
        RESOURCES, "DiskFull", "put more into its volume tmpfs than the 1Mi that it may hold",
    ),
    "gone for a critical pod": (
        pod(
            "Failed", reason="Preempting", message="Preempted in order to admit critical pod",
            conditions=disrupted("TerminationByKubelet"), terminated={"exitCode": 143, "reason": "Error"},
        ),
        INFRASTRUCTURE, "TerminationByKubelet", "its node had to make room for a pod that the cluster cannot do",
    ),
    "deadline": (
        pod("Failed", reason="DeadlineExceeded", terminated={"exitCode": 143, "startedAt": "2026-11-22T08:41:25Z"}),
        USER, "DeadlineExceeded", "stopped at its deadline",
    ),
    "deadline while its image was pulled": (
        pod("Failed", reason="DeadlineExceeded", waiting={"reason": "ContainerCreating"}),
        INFRASTRUCTURE, "DeadlineExceeded", "stopped at its deadline before its container began",
    ),
    "deadline while its image was pulled, told as an end": (
        pod("Failed", reason="DeadlineExceeded", terminated={"exitCode": 137, "reason": "ContainerStatusUnknown"}),
        INFRASTRUCTURE, "DeadlineExceeded", "before its container began",
    ),
    "deadline while its init container ran": (
        pod("Failed", reason="DeadlineExceeded", init={"running": {}}, conditions=HELD_UP),
        INFRASTRUCTURE, "DeadlineExceeded",
        "before its container began: its init container prepare was not done by then (it runs).",
    ),
    "deadline that its init container was ended at": (
        pod("Failed", reason="DeadlineExceeded", init={"terminated": {"exitCode": 143}}, conditions=HELD_UP),
        INFRASTRUCTURE, "DeadlineExceeded", "container prepare was not done by then (it ended with exit code 143).",
    ),
    "deadline while its init container's image was pulled": (
        pod(
            "Failed", reason="DeadlineExceeded", init={"waiting": {"reason": "PodInitializing"}}, conditions=HELD_UP
        ),
        INFRASTRUCTURE, "DeadlineExceeded", "getting its image and its volumes",
    ),
    "deadline after its init container": (
        pod("Failed", reason="DeadlineExceeded", init={"terminated": {"exitCode": 0}}),
        INFRASTRUCTURE, "DeadlineExceeded", "getting its image and its volumes",
    ),
    "node shut down": (
        pod("Failed", reason="NodeShutdown"),
        INFRASTRUCTURE, "NodeShutdown", "stopped by its node: no reason given",
    ),
    **{
        f"stopped by its node: {reason}": (
            pod("Failed", reason=reason, message="x"), INFRASTRUCTURE, reason, "stopped by its node: x",
        )
        for reason in ("Preempting", "Shutdown", "NodeLost", "Terminated")
    },
    "rejected by its node": (
        pod("Failed", reason="OutOfcpu", message="Node didn't have enough resource: cpu"),
        INFRASTRUCTURE, "PodGone", "OutOfcpu: Node didn't have enough resource: cpu",
    ),
    "never ran": (pod("Failed"), INFRASTRUCTURE, "PodGone", "ended before its container ran: no reason given"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_why_an_attempt_without_a_record_failed(case: str) -> None:
    state, kind, reason, message = CASES[case]
    failure = failure_of(state, STEP, STEP, ADVICE)
    assert (failure.kind, failure.reason) == (kind, reason)
    assert message in failure.message
    assert failure.message == failure.message.strip()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("out of memory", "memory="),
        ("out of memory in other units", "@resources(memory=1750), or in resources= where that says it"),
        ("killed", "memory=…, or in resources= where that says it"),
        ("no such program", "executable="),
        ("not a program", "executable="),
        ("nothing to mount on", "volume_mounts="),
        ("a GPU driver that is not loaded", "kubectl cordon"),
        ("a GPU driver that is too old", "an older CUDA"),
        ("a runtime that does not answer", "container runtime is in trouble"),
        ("a limit too low to start with", "on_oom=2"),
        ("evicted for memory that it had not asked for", "memory=21500"),
        ("evicted for disk that it had not asked for", "disk=47250"),
        ("over its own disk", "disk="),
        ("deadline", ADVICE),
        ("deadline while its image was pulled", "kubectl describe pod sample-train-x. Raise it."),
        ("deadline while its init container ran", "kubectl logs sample-train-x -c prepare. Raise it."),
        ("built for another processor", "--platform"),
        ("an init container that fails", "kubectl logs sample-train-x -c prepare"),
        ("datastore misconfigured", "Create it."),
    ],
)
def test_what_to_do_about_it(case: str, words: str) -> None:
    assert words in failure_of(CASES[case][0], STEP, STEP, ADVICE).hint


@pytest.mark.parametrize(
    ("state", "when"),
    [
        (pod(running={}), "while the attempt ran in it"),
        (pod("Pending"), "before its container began"),
        (pod("Pending", waiting={"reason": "ContainerCreating"}), "before its container began"),
        (
            pod("Pending", init={"running": {}}, conditions=HELD_UP),
            "before its container began, with its init container prepare in the way (it runs)",
        ),
    ],
)
def test_a_pod_that_somebody_deleted(state: Pod, when: str) -> None:
    failure = gone(state, STEP, STEP)
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "PodDeleted")
    assert f"sample-train-x of step train was deleted {when}." in failure.message


def test_a_job_at_its_own_deadline_waited_too_long() -> None:
    failure = overdue("sample-train", STEP)
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "DeadlineExceeded")
    assert failure.message.startswith("Step train waited so long for nodes")
