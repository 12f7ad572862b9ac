"""What people type at kubectl every day."""

from __future__ import annotations

import json

from localcluster_harness import Cluster, pod, terminated


def test_a_pod_runs_and_its_log_can_be_followed(cluster: Cluster) -> None:
    script = "import time\nfor i in range(3): print('line', i, flush=True); time.sleep(0.2)"
    cluster.apply(pod("a", "python", "-c", script))
    cluster.wait_phase("a", "Running", "Succeeded")
    assert cluster.kubectl("logs", "-f", "a") == "line 0\nline 1\nline 2\n"
    found = cluster.wait_phase("a", "Succeeded")
    assert terminated(found)["exitCode"] == 0
    assert cluster.kubectl("logs", "a", "--tail=1") == "line 2\n"
    assert cluster.kubectl("logs", "a", "--tail=1", "--timestamps").split(" ", 1)[1] == "line 2\n"


def test_describe_tells_that_images_are_not_pulled(cluster: Cluster) -> None:
    cluster.apply(pod("a", "true"))
    cluster.wait_phase("a", "Succeeded")
    text = cluster.kubectl("describe", "pod", "a")
    assert 'Image "python:3.11" is not pulled by this cluster' in text
    assert "Successfully assigned" in text


def test_get_prints_the_usual_columns(cluster: Cluster) -> None:
    cluster.apply(pod("a", "false"))
    cluster.wait_phase("a", "Failed")
    header, row = cluster.kubectl("get", "pods").splitlines()
    assert header.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row.split()[:4] == ["a", "0/1", "Error", "0"]


def test_exec_carries_streams_and_exit_codes(cluster: Cluster) -> None:
    cluster.apply(pod("a", "sleep", "600"))
    cluster.wait_phase("a", "Running")
    assert cluster.kubectl("exec", "a", "--", "hostname") == "a\n"
    assert cluster.kubectl("exec", "-i", "a", "--", "cat", stdin="hello") == "hello"
    assert "exit code 3" in cluster.kubectl("exec", "a", "--", "sh", "-c", "exit 3", check=False)
    cluster.kubectl("delete", "pod", "a", "--grace-period=0", "--force")


def test_apply_wait_label_patch_delete(cluster: Cluster) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {"a": "1", "b": "2"},
    }
    cluster.apply(config)
    config["data"] = {"a": "1", "c": "3"}
    cluster.apply(config)
    assert cluster.get("cm", "c")["data"] == {"a": "1", "c": "3"}
    cluster.kubectl("patch", "cm", "c", "--type=json", "-p", '[{"op":"add","path":"/data/z","value":"9"}]')
    cluster.kubectl("patch", "cm", "c", "--type=merge", "-p", '{"data":{"a":null}}')
    assert cluster.get("cm", "c")["data"] == {"c": "3", "z": "9"}
    cluster.kubectl("label", "cm", "c", "x=y")
    assert "c" in cluster.kubectl("get", "cm", "-l", "x=y", "-o", "name")
    cluster.kubectl("delete", "cm", "c")
    assert "not found" in cluster.kubectl("get", "cm", "c", check=False)


def test_server_side_apply_removes_what_its_manager_no_longer_says(cluster: Cluster) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {"a": "1", "b": "2"},
    }
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(config))
    config["data"] = {"b": "3"}
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(config))
    assert cluster.get("cm", "c")["data"] == {"b": "3"}
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    config["data"] = {"b": "4"}
    assert "conflict with" in cluster.kubectl(*other, stdin=json.dumps(config), check=False)
    cluster.kubectl(*other, "--force-conflicts", stdin=json.dumps(config))
    assert cluster.get("cm", "c")["data"] == {"b": "4"}


def test_create_with_the_typed_client(cluster: Cluster) -> None:
    cluster.kubectl("create", "secret", "generic", "s", "--from-literal=user=me")
    assert cluster.get("secret", "s")["data"] == {"user": "bWU="}
    cluster.kubectl("create", "configmap", "c", "--from-literal=k=v")
    assert cluster.get("cm", "c")["data"] == {"k": "v"}
    cluster.kubectl("create", "job", "j", "--image=python:3.11", "--", "python", "-c", "print(5)")
    cluster.kubectl("wait", "--for=condition=complete", "job/j", "--timeout=120s")
    assert cluster.kubectl("logs", "job/j") == "5\n"


def test_access_questions_are_answered(cluster: Cluster) -> None:
    assert cluster.kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    assert "headway:admin" in cluster.kubectl("auth", "whoami")


def test_strict_validation_names_the_field(cluster: Cluster) -> None:
    bad = pod("a", "true", resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})
    text = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(bad), check=False)
    assert (
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'
        in text
    )
    bad = pod("a", "true", spec={"foo": 1})
    text = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(bad), check=False)
    assert 'strict decoding error: unknown field "spec.foo"' in text


def test_dry_run_stores_nothing(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(pod("a", "true")))
    assert "not found" in cluster.kubectl("get", "pod", "a", check=False)
