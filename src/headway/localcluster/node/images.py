"""Images are not pulled here; what a registry would refuse is refused all the same."""

from __future__ import annotations

import re

_REFERENCE = re.compile(
    r"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-fA-F]{32,})?$"
)
_RESERVED = (".invalid", ".example", ".test")


def invalid_name(image: str) -> str | None:
    """Why an image's name cannot be read; None if it can."""
    if _REFERENCE.match(image):
        return None
    why = "repository name must be lowercase" if image.lower() != image else "invalid reference format"
    why = f"invalid reference format: {why}" if why != "invalid reference format" else why
    return f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}'


def unreachable(image: str) -> str | None:
    """Why an image can certainly not be pulled: its registry has a reserved name that never resolves."""
    registry = image.partition("/")[0].partition(":")[0]
    if "/" not in image or not registry.endswith(_RESERVED):
        return None
    name, _, tag = image.partition("/")[2].partition(":")
    url = f"https://{image.partition('/')[0]}/v2/{name}/manifests/{tag or 'latest'}"
    return pull_failure(
        image, f'failed to do request: Head "{url}": dial tcp: lookup {registry}: no such host'
    )


def pull_failure(image: str, why: str) -> str:
    """The words of a container runtime that could not pull."""
    return f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'
