"""Starting, finding and ending the cluster's process."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from localcluster_harness import Cluster, pod

from headway.localcluster import Handle, Options, running, start, stop

#: Seconds that a busy machine may take for anything.
_PATIENCE = 60.0

#: Seconds of idleness: more than a busy machine lets pass between a start and the first request.
_SHORT = 4.0


def eventually(seconds: float, what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def test_start_find_stop(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    first = start(folder=tmp_path)
    assert start(folder=tmp_path) == first == running(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.kubeconfig.stat().st_mode) == 0o600
    assert stop(tmp_path)
    assert running(tmp_path) is None
    assert not first.kubeconfig.exists()
    assert not stop(tmp_path)


def test_two_who_start_at_once_get_the_same_cluster(tmp_path: Path) -> None:
    found: list[Handle] = []
    threads = [threading.Thread(target=lambda: found.append(start(folder=tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop(tmp_path)
    assert found[0] == found[1]


def test_no_process_outlives_a_cluster_that_is_killed(tmp_path: Path) -> None:
    cluster = Cluster(start(folder=tmp_path / "state"))
    alive = tmp_path / "alive"
    script = f"while true; do date > {alive}; sleep 0.1; done"
    cluster.apply(pod("a", "sh", "-c", f"setsid sh -c '{script}' & sleep 600"))
    assert eventually(_PATIENCE, alive.exists)
    os.kill(cluster.handle.pid, signal.SIGKILL)
    os.waitpid(cluster.handle.pid, 0)

    def silent() -> bool:
        alive.unlink(missing_ok=True)
        time.sleep(0.5)
        return not alive.exists()

    assert eventually(_PATIENCE, silent)
    assert running(tmp_path / "state") is None


@pytest.mark.parametrize("words", ["pods", "jobs"])
def test_a_service_account_may_only_what_its_roles_say(cluster: Cluster, words: str) -> None:
    token = cluster.kubectl("create", "token", "default").strip()
    path = f"/api{'/v1' if words == 'pods' else 's/batch/v1'}/namespaces/{cluster.namespace}/{words}"
    code, body = cluster.request("GET", path, token=token)
    assert code == 403
    assert (
        f'User "system:serviceaccount:{cluster.namespace}:default" cannot list resource "{words}"'
        in body["message"]
    )
    cluster.kubectl("create", "role", "r", "--verb=list", "--resource=pods,jobs.batch")
    cluster.kubectl("create", "rolebinding", "b", "--role=r", f"--serviceaccount={cluster.namespace}:default")
    assert cluster.request("GET", path, token=token)[0] == 200


def test_one_that_nobody_asked_for_ends_when_it_has_no_work(tmp_path: Path) -> None:
    cluster = Cluster(start(Options(idle_exit=_SHORT), tmp_path))
    assert cluster.request("POST", "/api/v1/namespaces/default/pods", pod("a", "sleep", "600"))[0] == 201
    time.sleep(_SHORT + 1.0)
    assert running(tmp_path), "it ended under a pod"
    assert cluster.request("DELETE", "/api/v1/namespaces/default/pods/a")[0] == 200
    assert eventually(_PATIENCE, lambda: running(tmp_path) is None)
    assert not cluster.handle.kubeconfig.exists()
    os.waitpid(cluster.handle.pid, 0)


def test_one_that_was_asked_for_meanwhile_stays(tmp_path: Path) -> None:
    handle = start(Options(idle_exit=_SHORT), tmp_path)
    assert start(folder=tmp_path) == handle
    time.sleep(_SHORT + 1.0)
    assert running(tmp_path) == handle
    stop(tmp_path)


def test_faults_are_switched_by_command(cluster: Cluster) -> None:
    folder = cluster.handle.kubeconfig.parent

    def fault(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "headway.localcluster", "--state", str(folder), "fault", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert fault("api", "--status", "500", "--resource", "secrets").returncode == 0
    assert json.loads(fault("list").stdout)["resource"] == "secrets"
    assert cluster.request("GET", f"/api/v1/namespaces/{cluster.namespace}/secrets")[0] == 500
    assert fault("clear").returncode == 0
    assert cluster.request("GET", f"/api/v1/namespaces/{cluster.namespace}/secrets")[0] == 200
    refused = fault("kill-node", "moon")
    assert refused.returncode != 0
    assert '"moon" not found' in refused.stderr


def test_a_kept_cluster_has_its_objects_again_and_what_ran_has_failed(tmp_path: Path) -> None:
    options = Options(keep=True)
    cluster = Cluster(start(options, tmp_path))
    cluster.kubectl("create", "secret", "generic", "token", "--from-literal=a=b")
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    cluster.apply(claim)
    cluster.apply(pod("a", "sleep", "600"))
    cluster.kubectl("wait", "pod/a", "--for=condition=Ready", "--timeout=120s")
    before = int(cluster.kubectl("get", "pod", "a", "-o", "jsonpath={.metadata.resourceVersion}"))
    stop(tmp_path)
    assert stat.S_IMODE((tmp_path / "objects.json").stat().st_mode) == 0o600
    try:
        again = Cluster(start(options, tmp_path))
        assert again.kubectl("get", "secret", "token", "-o", "jsonpath={.data.a}") == "Yg=="
        assert again.kubectl("get", "pvc", "data", "-o", "name").strip() == "persistentvolumeclaim/data"
        shown = json.loads(again.kubectl("get", "pod", "a", "-o", "json"))
        assert shown["status"]["phase"] == "Failed"
        assert shown["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
        assert int(shown["metadata"]["resourceVersion"]) > before
    finally:
        stop(tmp_path)
    fresh = Cluster(start(folder=tmp_path))
    try:
        assert "not found" in fresh.kubectl("get", "secret", "token", check=False)
    finally:
        stop(tmp_path)
