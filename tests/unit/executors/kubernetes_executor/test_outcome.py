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

#: What to do about a deadline.
ADVICE = "Raise it."


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
    "refused, words lost": (ended(REFUSED), INFRASTRUCTURE, "Exit", "exit code 75"),
    "could not begin, words lost": (ended(BROKEN), INFRASTRUCTURE, "Exit", "exit code 78"),
    "stopped before it began": (ended(143), INFRASTRUCTURE, "Exit", "exit code 143"),
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
        ("over its own disk", "disk="),
        ("deadline", ADVICE),
        ("deadline while its image was pulled", "kubectl describe pod sample-train-x. Raise it."),
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
