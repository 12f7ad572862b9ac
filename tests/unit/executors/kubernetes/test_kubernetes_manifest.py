"""What must hold of every manifest, beyond what the golden files show."""

import base64
import json
import subprocess
from typing import Any

import pytest
from manifest_cases import CASES, Case, batch_of, manifest_of, settings_of

from headway.config.fields import replace
from headway.executors.kubernetes.command import INIT_SCRIPT_FAILED
from headway.executors.kubernetes.deadlines import deadline_advice, job_deadline, pod_deadline
from headway.executors.kubernetes.environment import INIT_SCRIPT, literal
from headway.executors.kubernetes.manifest import (
    PodPlan,
    job_manifest,
    runtime_config_map,
)
from headway.executors.kubernetes.names import job_name

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(manifest: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in container(manifest)["env"]}


@each_case
def test_a_manifest_is_json_and_names_each_thing_once(case: Case) -> None:
    manifest = manifest_of(case)
    assert json.loads(json.dumps(manifest)) == manifest
    spec = manifest["spec"]["template"]["spec"]
    names = [entry["name"] for entry in container(manifest)["env"]]
    volumes = [volume["name"] for volume in spec["volumes"]]
    paths = [mount["mountPath"] for mount in container(manifest)["volumeMounts"]]
    for found in (names, volumes, paths):
        assert len(set(found)) == len(found)
    assert {mount["name"] for mount in container(manifest)["volumeMounts"]} <= set(volumes)


@each_case
def test_nothing_outlives_its_use_and_nothing_runs_twice(case: Case) -> None:
    job = manifest_of(case)["spec"]
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert job["podReplacementPolicy"] == "Failed"
    assert job.get("backoffLimit", 0) == job.get("backoffLimitPerIndex", 0) == 0
    assert ("backoffLimit" in job) != ("backoffLimitPerIndex" in job)
    assert "maxFailedIndexes" not in job
    assert job["ttlSecondsAfterFinished"] >= 0
    assert job["activeDeadlineSeconds"] > pod["activeDeadlineSeconds"] > 0


@each_case
def test_a_token_of_the_cluster_is_mounted_only_where_an_account_is_named(case: Case) -> None:
    pod = manifest_of(case)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is ("service_account" in case.said)


@pytest.mark.parametrize(
    ("args", "mounted"),
    [
        ({}, False),
        ({"serviceAccountName": "robot"}, True),
        ({"service_account_name": "robot", "automount_service_account_token": False}, False),
        ({"automountServiceAccountToken": True}, True),
    ],
)
def test_an_account_among_the_rest_of_the_spec_gets_its_token_too(
    args: dict[str, Any], mounted: bool
) -> None:
    spec = manifest_of(Case("x", {"additional_pod_spec_args": args}))["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is mounted
    assert spec.get("serviceAccountName") == ("robot" if "robot" in args.values() else None)


@each_case
def test_job_and_pods_carry_the_same_words(case: Case) -> None:
    manifest = manifest_of(case)
    for words in ("labels", "annotations"):
        assert manifest["metadata"][words] == manifest["spec"]["template"]["metadata"][words]


def test_a_job_of_several_tasks_has_an_index_for_each() -> None:
    job = manifest_of(Case("", tasks=5))["spec"]
    assert (job["completions"], job["completionMode"], job["parallelism"]) == (5, "Indexed", 2)
    single = manifest_of(Case(""))["spec"]
    assert (single["completions"], single["parallelism"]) == (1, 1)
    assert "completionMode" not in single


def test_a_job_may_begin_without_a_pod() -> None:
    plan = PodPlan("runtime", "s3://b", "key", parallelism=0)
    for tasks in (1, 3):
        case = Case("", tasks=tasks)
        assert job_manifest(settings_of(case), batch_of(case), plan)["spec"]["parallelism"] == 0


def test_the_name_is_that_of_run_and_batch() -> None:
    batch = batch_of(Case(""))
    assert manifest_of(Case(""))["metadata"]["name"] == job_name(
        batch.flow, batch.step, batch.run, batch.name
    )


def test_a_pods_deadline_lies_behind_the_timeout() -> None:
    settings, batch = settings_of(Case("")), batch_of(Case(""))
    assert pod_deadline(settings, batch) == 432000
    assert pod_deadline(settings, batch._replace(timeout=60.0)) == 60 + 900 + 30
    assert pod_deadline(settings, batch._replace(timeout=1_000_000.0)) == 432000
    endless = replace(settings, active_deadline_seconds=2**31 - 1)
    assert pod_deadline(endless, batch._replace(timeout=1e12)) == 2**31 - 1
    limited = replace(settings, active_deadline_seconds=600)
    assert pod_deadline(limited, batch) == 600
    assert pod_deadline(limited, batch._replace(timeout=60.0)) == 600, "the tighter one holds"
    longer = replace(settings, active_deadline_seconds=7200)
    assert pod_deadline(longer, batch._replace(timeout=60.0)) == 60 + 900 + 30
    plan = PodPlan("runtime", "s3://b", "key", deadline_seconds=77)
    assert job_manifest(settings, batch, plan)["spec"]["template"]["spec"]["activeDeadlineSeconds"] == 77


def test_what_to_raise_is_the_tighter_limit() -> None:
    settings, batch = replace(settings_of(Case("")), active_deadline_seconds=600), batch_of(Case(""))
    own = deadline_advice(settings, batch)
    assert own.startswith("It may run for 10 minutes: raise @kubernetes(active_deadline_seconds=…)")
    assert "HEADWAY_DEFAULT_RUNTIME_LIMIT" in own
    assert deadline_advice(settings, batch._replace(timeout=60.0)) == own
    longer = replace(settings, active_deadline_seconds=7200)
    assert deadline_advice(longer, batch._replace(timeout=60.0)) == "Raise @timeout."


def test_a_jobs_deadline_leaves_time_for_one_pod_after_the_other_and_for_waiting() -> None:
    settings = replace(settings_of(Case("")), active_deadline_seconds=1000)
    assert job_deadline(settings, 60, 1) == 432060, "a short limit for running is none for waiting"
    assert job_deadline(settings, 60, 100) == 438000
    assert job_deadline(settings, 2**31 - 1, 100) == 2**31 - 1
    longer = replace(settings, active_deadline_seconds=500_000)
    assert job_deadline(longer, 500_000, 1) == 1_000_000


def test_what_a_user_says_reaches_no_command_line() -> None:
    case = Case("", {"env": {"A": "planted"}, "labels": {"a": "planted"}, "sandbox_init_script": "planted"})
    assert "planted" not in json.dumps(container(manifest_of(case))["command"])


def test_the_runtimes_variables_win_over_the_users() -> None:
    found = environment(manifest_of(Case("", {"env": {"HEADWAY_BATCH": "x", "PYTHONUNBUFFERED": ""}})))
    assert found["HEADWAY_BATCH"].endswith("b2.json")
    assert found["PYTHONUNBUFFERED"] == ""


def test_what_a_step_says_of_its_way_wins_over_the_launchers() -> None:
    said = {"env": {"AWS_ENDPOINT_URL": "http://minio.ns:9000", "AWS_REGION": "us-east-1"}}
    found = environment(manifest_of(Case("", said)))
    assert found["AWS_ENDPOINT_URL"] == "http://minio.ns:9000"
    assert "AWS_ENDPOINT_URL_S3" not in found, "it would win over that"
    assert found["AWS_REGION"] == "us-east-1"


def test_nobody_says_otherwise_what_the_runtime_goes_by() -> None:
    case = Case("", {"env": {"HEADWAY_INBOX": "x", "HEADWAY_IDLE_TIMEOUT": "x"}})
    own = {"HEADWAY_INBOX": "v1/inbox", "HEADWAY_IDLE_TIMEOUT": "60"}
    plan = PodPlan("runtime", "s3://b", "key", own=own)
    assert environment(job_manifest(settings_of(case), batch_of(case), plan)).items() >= own.items()


def test_what_a_process_reads_when_it_starts_is_there_when_the_pods_does() -> None:
    variables = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "$7", "AWS_REGION": "of the step", "LD_not-one": "x"}
    found = environment(manifest_of(Case("", {"env": {"TZ": "UTC"}}, batch={"env": variables})))
    assert {name: found.get(name) for name in variables} == {
        "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "$$7", "AWS_REGION": "eu-central-1", "LD_not-one": None,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["plain", "$(HOME)", "$$", "a$b$$(c)", "$"])
def test_a_literal_survives_the_expansion_of_variables(text: str) -> None:
    assert expanded(literal(text)) == text


def expanded(text: str) -> str:
    """What the kubelet makes of a value: ``$$`` is a dollar, ``$(NAME)`` a variable, ``$x`` itself."""
    found, index = "", 0
    while index < len(text):
        if text.startswith("$$", index):
            found += "$"
            index += 2
        else:
            assert not text.startswith("$(", index), "would be replaced by a variable"
            found += text[index]
            index += 1
    return found


def test_in_memory_temporary_files_are_found_by_both_names() -> None:
    found = environment(manifest_of(Case("", {"tmpfs_size": 1, "tmpfs_path": "/fast"})))
    assert (found["METAFLOW_TEMPDIR"], found["TMPDIR"]) == ("/fast", "/fast")
    apart = environment(
        manifest_of(Case("", {"tmpfs_size": 1, "tmpfs_tempdir": False, "tmpfs_path": "/fast"}))
    )
    assert "TMPDIR" not in apart
    assert "METAFLOW_TEMPDIR" not in apart
    assert apart["HEADWAY_TMPFS"] == "/fast", "what current.tempdir then says"


@pytest.mark.parametrize(
    ("context", "escalation"),
    [
        ({}, False),
        ({"allow_privilege_escalation": True}, True),
        ({"privileged": True}, None),
        ({"capabilities": {"add": ["SYS_ADMIN"]}}, None),
        ({"capabilities": {"drop": ["SYS_ADMIN"]}}, False),
    ],
)
def test_the_users_security_context_wins_field_by_field(
    context: dict[str, Any], escalation: bool | None
) -> None:
    found = container(manifest_of(Case("", {"security_context": context})))["securityContext"]
    assert found.get("allowPrivilegeEscalation") is escalation
    assert found["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("own", [{}, {"add": ["NET_BIND_SERVICE"]}, {"drop": ["CHOWN"]}])
def test_the_restricted_profile_drops_all_capabilities_whatever_is_added(own: dict[str, Any]) -> None:
    said = {"security_profile": "restricted", "security_context": {"capabilities": own}}
    found = container(manifest_of(Case("", said)))["securityContext"]
    assert found["capabilities"] == {**own, "drop": ["ALL"]}, "Pod Security asks for that"


def test_a_read_only_root_keeps_a_tmp_of_the_users() -> None:
    read_only = {"security_context": {"readOnlyRootFilesystem": True}}
    case = Case("", {**read_only, "tmpfs_size": 10, "tmpfs_path": "/tmp"})
    paths = [mount["mountPath"] for mount in container(manifest_of(case))["volumeMounts"]]
    assert paths.count("/tmp") == 1


def test_the_runtime_travels_in_an_immutable_config_map() -> None:
    manifest = runtime_config_map("headway-runtime-x", "ml", b"\x00zip")
    assert manifest["immutable"] is True
    assert base64.b64decode(manifest["binaryData"]["runtime.pyz"]) == b"\x00zip"
    assert manifest["metadata"]["namespace"] == "ml"


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ("export STARTED=yes", 0, "yes\n"),
        ("STARTED=no", 0, "\n"),
        ("false", INIT_SCRIPT_FAILED, ""),
        ("exit 3", INIT_SCRIPT_FAILED, ""),
        ("exit 0", INIT_SCRIPT_FAILED, ""),
        ("if then", INIT_SCRIPT_FAILED, ""),
        ("false; export STARTED='a \"b\" $HOME'", 0, 'a "b" $HOME\n'),
    ],
)
def test_the_init_script_comes_first_its_exports_stay_its_failure_is_its_own(
    script: str, code: int, out: str
) -> None:
    """The wrapper in the shell of this machine, with another program in the runtime's place."""
    command = container(manifest_of(Case("", {"sandbox_init_script": script})))["command"]
    assert command[-3:-1] == ["python", "-c"]
    assert "/headway/runtime.pyz" in command[-1]
    program = [*command[:-3], "sh", "-c", 'echo "${STARTED-}"']
    environ = {"PATH": "/usr/bin:/bin", INIT_SCRIPT: script}
    done = subprocess.run(program, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, out)
    assert ("init script failed" in done.stderr) is (code != 0)
