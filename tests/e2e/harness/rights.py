"""What a person may do who has the Role of the documentation and no more."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.kubectl import Kubectl
from harness.target import Target

ROLE = Path(__file__).parents[3] / "docs" / "role.yaml"


def role(*, without: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """The documentation's Role; some (verb, resource) can be left out."""
    written: dict[str, Any] = yaml.safe_load(ROLE.read_text(encoding="utf-8"))
    for rule in written["rules"]:
        (resource,) = rule["resources"]
        rule["verbs"] = [verb for verb in rule["verbs"] if (verb, resource) not in without]
    written["rules"] = [rule for rule in written["rules"] if rule["verbs"]]
    return written


def bind(
    kubectl: Kubectl, target: Target, granted: dict[str, Any], subject: Mapping[str, str] | None = None
) -> None:
    """Give the limited person, or somebody else, a Role in a namespace."""
    kubectl.create(granted)
    api = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "limited"},
        "roleRef": {"apiGroup": api, "kind": "Role", "name": granted["metadata"]["name"]},
        "subjects": [dict(subject or target.limited_subject)],
    }
    kubectl.create(binding)
