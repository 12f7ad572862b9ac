"""What the EC2 instance under a pod says of itself; loaded only where `fetch_ec2_metadata` asks for it."""

import json
from typing import Dict, Optional

from headway.runtime.spot import Aws

#: Where the service says all of it, and under which names tasks have kept it since Metaflow.
_DOCUMENT = "/latest/dynamic/instance-identity/document"
_NAMES = {
    "instanceId": "ec2-instance-id",
    "instanceType": "ec2-instance-type",
    "region": "ec2-region",
    "availabilityZone": "ec2-availability-zone",
}

_known: Optional[Dict[str, str]] = None


def instance_facts() -> Dict[str, str]:
    """The instance's id, type, region and zone as metadata; nothing where there is no such service.

    It is asked once: a machine does not change under its pod. A pod that is not to reach the service (its
    hop limit is 1) waits two seconds for no answer.
    """
    global _known
    if _known is None:
        _known = _ask()
    return _known


def _ask() -> Dict[str, str]:
    try:
        said = json.loads(Aws().get(_DOCUMENT) or "{}")
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {name: str(said[key]) for key, name in _NAMES.items() if said.get(key)}
