"""Cut the definitions this package needs out of a real cluster's OpenAPI documents.

Run against any cluster to refresh `definitions.json`::

    python -m headway.localcluster.schema.extract > definitions.json

It needs `kubectl` and a kubeconfig; nothing in the product runs it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from headway.localcluster.objects.kinds import KINDS

_PREFIX = "#/components/schemas/"
_DROPPED = {"description", "default", "x-kubernetes-group-version-kind"}
_ALSO = (
    "io.k8s.api.authentication.v1.SelfSubjectReview",
    "io.k8s.api.authentication.v1.TokenRequest",
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    "io.k8s.api.authorization.v1.SubjectAccessReview",
    "io.k8s.api.policy.v1.Eviction",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
)
_GROUPS = ("authentication.k8s.io/v1", "authorization.k8s.io/v1", "policy/v1")


def extract(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The definitions of the served kinds and what they refer to, without prose."""
    available: dict[str, Any] = {}
    for document in documents:
        available.update(document["components"]["schemas"])
    wanted = [kind.schema for kind in KINDS] + list(_ALSO)
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        if name in found or name not in available:
            continue
        found[name] = _without_prose(available[name])
        wanted += re.findall(re.escape(_PREFIX) + r"([\w.\-]+)", json.dumps(found[name]))
    return dict(sorted(found.items()))


def _without_prose(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            kept[key] = {name: _without_prose(child) for name, child in value.items()}
        elif key not in _DROPPED:
            kept[key] = _without_prose(value)
    if set(kept) == {"allOf"} and len(kept["allOf"]) == 1:
        reference: dict[str, Any] = kept["allOf"][0]
        return reference
    return kept


def _fetch(api_version: str) -> dict[str, Any]:
    path = f"api/{api_version}" if "/" not in api_version else f"apis/{api_version}"
    command = ["kubectl", "get", "--raw", f"/openapi/v3/{path}"]
    document: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return document


def main() -> None:
    """Write the definitions to standard output, one a line."""
    versions = sorted({kind.api_version for kind in KINDS} | set(_GROUPS))
    definitions = extract([_fetch(version) for version in versions])
    lines = [
        f"{json.dumps(name)}:{json.dumps(body, separators=(',', ':'))}" for name, body in definitions.items()
    ]
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
