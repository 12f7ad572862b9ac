"""Pods as processes: what containers see, and how they end."""

from __future__ import annotations

import time

from localcluster_harness import Cluster, pod, terminated


def test_volumes_appear_at_absolute_paths_and_nothing_on_the_host(cluster: Cluster, tmp_path: object) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "binaryData": {"f": "AAE="}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "v"}}
    script = (
        "import os; print(open('/metaflow_temp_x/f','rb').read(), open('/mnt/deep/er/k').read());"
        "open('/scratch_y/z','w').write('1'); print(os.getcwd(), os.getpid(), os.uname().nodename)\n"
        "try: open('/metaflow_temp_x/g','w')\nexcept OSError as e: print(e.strerror)\n"
        "print(os.path.exists('/sys/fs/cgroup') and os.listdir('/sys/fs/cgroup') or [])"
    )
    volumes = [
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "s", "secret": {"secretName": "s"}},
        {"name": "e", "emptyDir": {}},
    ]
    mounts = [
        {"name": "c", "mountPath": "/metaflow_temp_x"},
        {"name": "s", "mountPath": "/mnt/deep/er"},
        {"name": "e", "mountPath": "/scratch_y"},
    ]
    cluster.apply(
        config, secret, pod("a", "python", "-c", script, spec={"volumes": volumes}, volumeMounts=mounts)
    )
    cluster.wait_phase("a", "Succeeded", "Failed")
    assert cluster.kubectl("logs", "a").splitlines() == [
        "b'\\x00\\x01' v", "/ 1 a", "Read-only file system", "[]",
    ]  # fmt: skip


def test_environment_references(cluster: Cluster) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "v"}}
    env = [
        {"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "M", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "X", "value": "$(K)-$(N)-$$(K)"},
    ]
    limits = {"limits": {"memory": "100Mi"}}
    command = ("sh", "-c", "echo $K $N $X $M; echo $IP | cut -c1-4")
    cluster.apply(
        secret, pod("a", *command, env=env, envFrom=[{"secretRef": {"name": "s"}}], resources=limits)
    )
    cluster.wait_phase("a", "Succeeded")
    assert cluster.kubectl("logs", "a").splitlines() == ["v a v-a-$(K) 100", "127."]


def test_too_much_memory_is_oom_killed(cluster: Cluster) -> None:
    script = "x = b'a' * 300_000_000; import time; time.sleep(600)"
    cluster.apply(pod("a", "python", "-c", script, resources={"limits": {"memory": "60Mi"}}))
    found = cluster.wait_phase("a", "Failed")
    assert (terminated(found)["reason"], terminated(found)["exitCode"]) == ("OOMKilled", 137)


def test_grace_period_then_kill_as_for_any_first_process(cluster: Cluster) -> None:
    cluster.apply(pod("a", "sleep", "600", spec={"terminationGracePeriodSeconds": 1}))
    handler = "trap 'exit 7' TERM; sleep 600 & wait $!"
    # Counted from before its shell has come so far.
    cluster.apply(pod("b", "sh", "-c", handler, spec={"activeDeadlineSeconds": 8}))
    cluster.wait_phase("a", "Running")
    begun = time.monotonic()
    cluster.kubectl("delete", "pod", "a")
    assert 0.9 < time.monotonic() - begun < 300
    found = cluster.wait_phase("b", "Failed")
    assert found["status"]["reason"] == "DeadlineExceeded"
    assert terminated(found)["exitCode"] == 7


def test_a_command_that_is_not_there(cluster: Cluster) -> None:
    cluster.apply(pod("a", "nosuchcommand"))
    found = cluster.wait_phase("a", "Failed")
    assert (terminated(found)["reason"], terminated(found)["exitCode"]) == ("StartError", 128)
    assert 'exec: "nosuchcommand": executable file not found in $PATH' in terminated(found)["message"]


def test_what_is_missing_is_waited_for(cluster: Cluster) -> None:
    cluster.apply(pod("a", "true", envFrom=[{"secretRef": {"name": "late"}}]))
    cluster.wait(
        "pod",
        "a",
        lambda found: (
            found["status"]
            .get("containerStatuses", [{}])[0]
            .get("state", {})
            .get("waiting", {})
            .get("reason")
            == "CreateContainerConfigError"
        ),
    )
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}})
    cluster.wait_phase("a", "Succeeded")


def test_restart_policy_counts_restarts(cluster: Cluster) -> None:
    cluster.apply(pod("a", "sh", "-c", "exit 3", spec={"restartPolicy": "OnFailure"}))
    found = cluster.wait(
        "pod",
        "a",
        lambda p: (
            "waiting" in (p["status"].get("containerStatuses") or [{}])[0].get("state", {})
            and p["status"]["containerStatuses"][0]["restartCount"] >= 1
        ),
    )
    state = found["status"]["containerStatuses"][0]
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["lastState"]["terminated"]["exitCode"] == 3


def test_init_containers_run_first(cluster: Cluster) -> None:
    mounts = [{"name": "e", "mountPath": "/work_q"}]
    first = {
        "name": "first",
        "image": "i",
        "command": ["sh", "-c", "echo hi > /work_q/f"],
        "volumeMounts": mounts,
    }
    spec = {"volumes": [{"name": "e", "emptyDir": {}}], "initContainers": [first]}
    cluster.apply(pod("a", "cat", "/work_q/f", spec=spec, volumeMounts=mounts))
    cluster.wait_phase("a", "Succeeded")
    assert cluster.kubectl("logs", "a") == "hi\n"


def test_claims_outlive_pods(cluster: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "d"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    spec = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}]}
    mounts = [{"name": "d", "mountPath": "/mnt/data"}]
    cluster.apply(claim, pod("w", "sh", "-c", "echo kept > /mnt/data/f", spec=spec, volumeMounts=mounts))
    cluster.wait_phase("w", "Succeeded")
    cluster.kubectl("delete", "pod", "w")
    cluster.apply(pod("r", "cat", "/mnt/data/f", spec=spec, volumeMounts=mounts))
    cluster.wait_phase("r", "Succeeded")
    assert cluster.kubectl("logs", "r") == "kept\n"


def test_a_gang_finds_its_members_by_name(cluster: Cluster) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "gang"},
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {"job-name": "gang"}},
    }
    script = (
        "import os, socket, time\n"
        "rank = os.environ['JOB_COMPLETION_INDEX']\n"
        "if rank == '0':\n"
        "    s = socket.create_server((os.environ['IP'], 29511)); c, _ = s.accept(); print(c.recv(9).decode())\n"
        "else:\n"
        "    for _ in range(2000):\n"
        "        try: c = socket.create_connection(('gang-0.gang', 29511)); break\n"
        "        except OSError: time.sleep(0.05)\n"
        "    c.sendall(b'from ' + rank.encode())\n"
    )
    env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    template = pod("x", "python", "-c", script, env=env, spec={"subdomain": "gang"})["spec"]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "gang"},
        "spec": {
            "completions": 2,
            "parallelism": 2,
            "completionMode": "Indexed",
            "template": {"spec": template},
        },
    }
    cluster.apply(service, job)
    cluster.kubectl("wait", "--for=condition=complete", "job/gang", "--timeout=120s")
    assert cluster.kubectl("logs", "-l", "batch.kubernetes.io/job-completion-index=0") == "from 1\n"


def test_resources_that_no_node_has(cluster: Cluster) -> None:
    cluster.apply(pod("a", "true", resources={"requests": {"cpu": "100"}}))
    found = cluster.wait("pod", "a", lambda p: bool(p["status"].get("conditions")))
    told = found["status"]["conditions"][0]
    assert told["reason"] == "Unschedulable"
    assert told["message"].startswith("0/2 nodes are available: 2 Insufficient cpu.")
