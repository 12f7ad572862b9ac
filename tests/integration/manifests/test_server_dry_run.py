"""A real API server takes every golden manifest, strictly: unknown fields are errors, nothing is created.

Spoken to with kubectl, so that no code of ours stands between the golden file and the server.
"""

import base64
import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.executors.kubernetes.manifest import runtime_config_map

pytestmark = pytest.mark.cluster

GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "manifests").glob("*.json"))
RESTRICTED = {"restricted", "restricted-platform-uid"}
#: No pods, so nothing that Pod Security could warn of.
NO_PODS = {"gang-service"}


def kubectl(*arguments: str, body: object = None) -> subprocess.CompletedProcess[str]:
    given = None if body is None else json.dumps(body)
    return subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True)


def dry_run(manifest: dict[str, Any], namespace: str) -> subprocess.CompletedProcess[str]:
    manifest["metadata"]["namespace"] = namespace
    command = (
        "create",
        "--dry-run=server",
        "--validate=strict",
        "--output=json",
        "--namespace",
        namespace,
        "-f",
        "-",
    )
    return kubectl(*command, body=manifest)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace that enforces nothing and warns of what Pod Security *restricted* would refuse."""
    name = f"manifests-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    assert kubectl("create", "-f", "-", body=body).returncode == 0
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_server_takes_it_as_it_is(path: Path, namespace: str) -> None:
    manifest = json.loads(path.read_text())
    done = dry_run(manifest, namespace)
    assert done.returncode == 0, done.stderr
    missing = lost(manifest["spec"], json.loads(done.stdout)["spec"], "spec")
    assert not missing, "the server dropped or changed what we said"
    assert ("would violate PodSecurity" not in done.stderr) is (path.stem in RESTRICTED | NO_PODS), (
        done.stderr
    )


def test_the_server_takes_the_runtimes_config_map(namespace: str) -> None:
    done = dry_run(runtime_config_map("headway-runtime-0123456789abcdef", namespace, b"\x00zip"), namespace)
    assert done.returncode == 0, done.stderr
    assert base64.b64decode(json.loads(done.stdout)["binaryData"]["runtime.pyz"]) == b"\x00zip"


def test_a_wrong_field_would_be_found(namespace: str) -> None:
    manifest = json.loads(GOLDEN[0].read_text())
    manifest["spec"]["template"]["spec"]["nodeSelektor"] = {}
    done = dry_run(manifest, namespace)
    assert done.returncode != 0
    assert "nodeSelektor" in done.stderr


def lost(said: Any, kept: Any, path: str) -> list[str]:
    """Where the server's object does not hold what ours says; it may add defaults of its own."""
    if isinstance(said, dict):
        if not isinstance(kept, dict):
            return [path]
        return [place for key, value in said.items() for place in lost(value, kept.get(key), f"{path}.{key}")]
    if isinstance(said, list):
        if not isinstance(kept, list) or len(kept) != len(said):
            return [path]
        return [place for n, value in enumerate(said) for place in lost(value, kept[n], f"{path}[{n}]")]
    return [] if said == kept or amount(said) == amount(kept) else [f"{path}: {said!r} became {kept!r}"]


def amount(written: Any) -> Any:
    """A quantity as a number, as the server writes 1024Mi as 1Gi; anything else as it is."""
    found = re.fullmatch(r"(\d+)([MG])(i?)", str(written))
    return int(found[1]) * (1024 if found[3] else 1000) ** " MG".index(found[2]) if found else written
