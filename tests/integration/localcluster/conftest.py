"""A cluster of our own for these tests."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcluster_harness import Cluster

from headway.localcluster import Handle, Options, start, stop

# Launchers are started and read as the end-to-end suite does it.
sys.path.append(str(Path(__file__).parents[2] / "e2e"))


@pytest.fixture(scope="session")
def handle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handle]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    folder = Path(tmp_path_factory.mktemp("cluster"))
    yield start(Options(nodes=2, cpu="8", memory="8Gi", gpu=1, labels={"zone": "a"}), folder)
    stop(folder)


@pytest.fixture
def cluster(handle: Handle) -> Iterator[Cluster]:
    found = Cluster(handle)
    name = f"t-{uuid.uuid4().hex[:8]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert found.request("POST", "/api/v1/namespaces", body)[0] == 201
    found.namespace = name
    yield found
    found.request("DELETE", "/headway/faults")
    found.request("DELETE", f"/api/v1/namespaces/{name}")
