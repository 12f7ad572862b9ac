"""Why an image cannot be pulled, from what the kubelet and the container runtime say: pure."""

import re
from dataclasses import dataclass

from headway.store.records import CONFIGURATION, INFRASTRUCTURE

#: Seconds for which a registry that is in trouble itself is waited for.
_REGISTRY_PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class PullTrouble:
    """A cause and what follows from it.

    Attributes:
        words: The cause, for people; "" where none is told.
        hint: What to do.
        kind: The class of the failure once patience is over.
        seconds: How long it is waited for: None for as long as it takes, negative for as the settings say.
    """

    words: str
    hint: str
    kind: str = CONFIGURATION
    seconds: float | None = -1.0

    def patience(self, configured: float) -> float | None:
        """Seconds to wait, where the settings say so many for a wrong configuration."""
        return configured if self.seconds is not None and self.seconds < 0 else self.seconds


_CHECK = "Check the image's name and tag, and that the node may pull it (image_pull_secrets)."
_LOGIN = (
    "Name a secret with the registry's login: @kubernetes(image_pull_secrets=[…]) "
    "(kubectl create secret docker-registry …), or a service account that has one."
)

#: The first that matches counts: a refusal to a stranger often reads "not found or may require authorization".
_CAUSES: tuple[tuple[str, PullTrouble], ...] = (
    (
        r"toomanyrequests|too many requests|\b429\b|rate limit|pull qps exceeded",
        PullTrouble(
            "the registry limits how often it may be asked",
            f"Waiting goes on. Log in to the registry, or keep a copy of the image nearer to the cluster. {_LOGIN}",
            INFRASTRUCTURE,
            None,
        ),
    ),
    (
        r"no match for platform|no matching manifest|does not match the specified platform",
        PullTrouble(
            "it is not built for the node's kind of processor",
            "Build it for that too (docker buildx build --platform linux/amd64,linux/arm64), or choose nodes with "
            'node_selector={"kubernetes.io/arch": …}.',
        ),
    ),
    (
        (
            r"unauthorized|authentication required|authorization failed|access denied|pull access denied|\bdenied\b"
            r"|insufficient_scope|no basic auth|\b401\b|\b403\b|forbidden|credentials"
        ),
        PullTrouble("the registry does not let the cluster in", _LOGIN),
    ),
    (
        r"no such host|server misbehaving|name resolution|name or service not known",
        PullTrouble(
            "the registry's host name is not known",
            "Check the image's name and tag: what stands before its first slash, if it holds a dot or a colon, is "
            "the registry's host. HEADWAY_KUBERNETES_CONTAINER_REGISTRY sets one for all images that name none.",
        ),
    ),
    (
        r"no space left on device|disk pressure",
        PullTrouble(
            "the node's disk is full",
            "Another node may have room: it is tried again there.",
            INFRASTRUCTURE,
            _REGISTRY_PATIENCE,
        ),
    ),
    (
        r"gave http response to https|first record does not look like a tls handshake",
        PullTrouble(
            "the registry speaks plain HTTP, and the node asks with HTTPS",
            "Give the registry a certificate, or have the cluster's administrator name it to the nodes as one "
            "without.",
        ),
    ),
    (
        r"x509|certificate",
        PullTrouble(
            "the node does not trust the registry's certificate",
            "The cluster's administrator has to add the registry's certificate authority to the nodes.",
        ),
    ),
    (
        (
            r"connection refused|i/o timeout|tls handshake timeout|deadline exceeded|connection reset|\beof\b"
            r"|\b50[0234]\b|bad gateway|service unavailable|network is unreachable|no route to host|dial tcp"
        ),
        PullTrouble(
            "the registry does not answer",
            "Check that the nodes reach the registry; it is tried again for ten minutes.",
            INFRASTRUCTURE,
            _REGISTRY_PATIENCE,
        ),
    ),
    (
        r"not found|manifest unknown|name unknown|does not exist|\b404\b|unknown blob",
        PullTrouble("the registry does not have it", _CHECK),
    ),
    (
        r"invalid reference|invalid tag|could not parse",
        PullTrouble("this is no name of an image", _CHECK),
    ),
)

_UNTOLD = PullTrouble("", _CHECK)


#: What runtimes put before the cause; they repeat the image's name up to five times.
_PREAMBLE = re.compile(
    r'^(?:Back-off pulling image "[^"]*"(?:: |$)|ErrImagePull: |rpc error: code = \w+ desc = |'
    r'failed to pull and unpack image "[^"]*": |failed to resolve reference "[^"]*": |failed to do request: |'
    r"failed to resolve image: )"
)


def cause_of(message: str) -> str:
    """The end of the node's own words, which is the cause; "" where they hold none."""
    said = message.strip()
    while (shorter := _PREAMBLE.sub("", said)) != said:
        said = shorter
    return said


def pull_trouble(message: str, image: str) -> PullTrouble:
    """The cause that the words tell of.

    Args:
        message: The kubelet's.
        image: The image's name, which must not be taken for a cause.
    """
    said = message.replace(image, "IMAGE").lower() if image else message.lower()
    # The runtime's own request line holds the image's path and a tag that may look like a status.
    said = re.sub(r'"https?://[^"]*"', "URL", said)
    said = re.sub(r'back-off pulling image "[^"]*"', "", said)
    return next((trouble for pattern, trouble in _CAUSES if re.search(pattern, said)), _UNTOLD)
