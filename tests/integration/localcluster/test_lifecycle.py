"""Starting, finding and ending the cluster's process."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest
from localcluster_harness import Cluster, pod

from headway.localcluster import Handle, running, start, stop


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
    cluster.apply(pod("a", "sh", "-c", f"setsid sh -c '{script}' & sleep 60"))
    deadline = time.monotonic() + 20
    while not alive.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(cluster.handle.pid, signal.SIGKILL)
    os.waitpid(cluster.handle.pid, 0)
    time.sleep(0.5)
    alive.unlink()
    time.sleep(0.5)
    assert not alive.exists()
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
