"""Whose trouble it is that a node cannot make or start a container, from its own words: pure.

Only what names the step's own settings or image is taken for a wrong configuration: another node, or the same
one a little later, would say the same. What a node's runtime, its disk or its GPU driver cannot do is not the step's.
"""

import re
from dataclasses import dataclass

from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES


@dataclass(frozen=True, slots=True)
class StartTrouble:
    """A cause and what follows from it.

    Attributes:
        kind: The class of the failure: configuration, resources or infrastructure.
        words: The cause, for people; "" where the node's own words have to do.
        hint: What to do; "" where the cause says no more than its class.
    """

    kind: str
    words: str = ""
    hint: str = ""


#: What to do where the program itself is what cannot be started.
PYTHON = "The image needs a `python` of version 3.9 or later on its PATH; executable=… names another."

#: What to do where the container's limit leaves no room to start anything.
MORE_MEMORY = (
    "Ask for more with @kubernetes(memory=…) or @resources(memory=…), or in resources= where that says it: Python "
    "alone takes some 50 MB; @retry(on_oom=2) raises memory= by itself."
)

#: The first that matches counts; words of drivers and of the node's own files come before "no such file".
_CAUSES: tuple[tuple[str, StartTrouble], ...] = (
    (
        r"oom[- ]killed|memory limit.{0,40}too low|minimum memory limit",
        StartTrouble(RESOURCES, "its memory limit is too low for any program to start"),
    ),
    (
        r"unsatisfied condition|requirement error",
        StartTrouble(
            CONFIGURATION,
            "the image needs a newer GPU driver than its node has",
            "Use an image for an older CUDA, or choose nodes with a newer driver (node_selector=…).",
        ),
    ),
    (
        r"nvidia-c|nvml|libnvidia|libcuda|cdi device|amdgpu|/dev/kfd",
        StartTrouble(
            INFRASTRUCTURE,
            "its node's GPU driver, or what makes it known to containers, is in trouble",
            "Should another pod come to the same node, have that one looked at: kubectl cordon NODE keeps pods away.",
        ),
    ),
    (
        (
            r"deadline exceeded|timed out|is reserved for|ttrpc|start shim|containerd-shim|\.sock\b|transport"
            r"|unavailable|connection refused|no space left|cannot allocate memory|too many open files"
            r"|temporarily unavailable|input/output error|have not yet been read|device or resource busy"
        ),
        StartTrouble(INFRASTRUCTURE, hint="The node's container runtime is in trouble, not the step."),
    ),
    (
        r"apparmor|seccomp|selinux|profile",
        StartTrouble(
            CONFIGURATION,
            hint="The node does not have the profile that security_context= names, or does not know such profiles.",
        ),
    ),
    (
        r"unable to find (user|group)|no matching entries|no users found|no groups found",
        StartTrouble(
            CONFIGURATION,
            hint='The image does not know that user: a number always works, security_context={"run_as_user": 1000}.',
        ),
    ),
    (
        r"error mounting|trying to mount|not a directory|shared mount|failed to mkdir|subpath",
        StartTrouble(
            CONFIGURATION, hint="Compare volumes= and volume_mounts= with what the image has at those paths."
        ),
    ),
    (
        r"executable file|exec:? ?\S+: (no such|permission|stat)|^exec\b",
        StartTrouble(CONFIGURATION, hint=PYTHON),
    ),
    (
        (
            r"no such file|not found|permission denied|operation not permitted|read-only file system|invalid"
            r"|is a directory|no command specified|not supported|unknown capability"
        ),
        StartTrouble(CONFIGURATION),
    ),
)

#: What is between quotes are names that a person chose, which must not be taken for a cause.
_NAMES = re.compile(r'"[^"]*"')

_UNTOLD = StartTrouble(INFRASTRUCTURE, hint="Nothing in the node's words is the step's own doing.")


def start_trouble(message: str) -> StartTrouble:
    """The cause that the words tell of; what is not known is the node's.

    Args:
        message: What the kubelet or the container runtime says.
    """
    said = _NAMES.sub('""', message.lower())
    return next((trouble for pattern, trouble in _CAUSES if re.search(pattern, said)), _UNTOLD)
