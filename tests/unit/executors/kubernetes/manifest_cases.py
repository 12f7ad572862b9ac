"""The golden manifests: for each file the settings and the batch that it comes from."""

from dataclasses import dataclass, field
from typing import Any

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.gangs import gang_service
from headway.executors.kubernetes.manifest import PodPlan, job_manifest
from headway.store.batch import Batch, Code, Gang, Project, TaskSpec

#: Fields that only the launcher and the runtime read.
NOT_IN_THE_MANIFEST = {
    "start_failure_timeout",
    "fail_on_container_waiting_reasons",
    "kubernetes_context",
    "incluster",
    "api_request_timeout",
    "max_api_retries",
    "pod_count",
    "unschedulable_timeout",
    "infrastructure_retries",
    "hostname_resolution_timeout",
    "job_terminate_mode",
    "reuse",
    "idle_timeout",
    "pack",
    "pods",
}


@dataclass(frozen=True)
class Case:
    """One golden manifest: its file's name, the settings that are said, what differs in the batch, and whether
    it is a gang's Service and not a Job."""

    name: str
    said: dict[str, Any] = field(default_factory=dict)
    tasks: int = 1
    batch: dict[str, Any] = field(default_factory=dict)
    service: bool = False

    def without(self, setting: str) -> "Case":
        said = {name: value for name, value in self.said.items() if name != setting}
        return Case(self.name, said, self.tasks, self.batch, self.service)


def settings_of(case: Case) -> KubernetesSettings:
    # The default image is the launcher's own Python version; a golden file needs a fixed one.
    values = {"image": "python:3.11", **case.said}
    return resolve_kubernetes("train", overrides=Layer(values, case.name)).settings


def batch_of(case: Case) -> Batch:
    tasks = tuple(TaskSpec(str(3 + index), 0, index) for index in range(case.tasks))
    code = Code("path", "flow.py", ("__main__", "DigitsFlow"))
    values = {"flow": "DigitsFlow", "run": "1732200000000000", "step": "train", "name": "b2", "user": "ann"}
    return Batch(code=code, tasks=tasks, **{**values, **case.batch})


def manifest_of(case: Case) -> dict[str, Any]:
    batch = batch_of(case)
    if case.service:
        assert batch.gang is not None
        return gang_service(settings_of(case), batch, batch.gang, "0c1d2e3f-0000-4000-8000-000000000001")
    plan = PodPlan(
        runtime_config_map="headway-runtime-0123456789abcdef",
        datastore="s3://bucket/headway",
        batch_key=f"v1/{batch.flow}/run/{batch.run}/batch/{batch.name}.json",
        env={"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL_S3": "http://objects:8333"},
        parallelism=2,
    )
    return job_manifest(settings_of(case), batch, plan)


GANG = {"gang": Gang(29500, 600.0)}

#: The one manifest that is no Job.
SERVICE = Case(
    "gang-service", {"port": 29500, "namespace": "ml", "job_name_prefix": "team-a"}, 3, GANG, service=True
)

CASES = [
    Case("plain"),
    Case("gang", {"port": 29500, "namespace": "ml", "job_name_prefix": "team-a"}, 3, GANG),
    Case("indexed", tasks=5),
    Case("project", batch={"project": Project("fraud", "test.exp", "fraud.test.exp.DigitsFlow", False)}),
    Case(
        "indexed-timeout",
        {"active_deadline_seconds": 7200, "termination_grace_period_seconds": 60},
        tasks=3,
        batch={"timeout": 3600.0},
    ),
    Case(
        "words-too-long",
        batch={
            "flow": "AFlowWhoseNameIsLongerThanWhatKubernetesTakesForTheValueOfALabelAndNoneTheLess",
            "step": "a_step_whose_name_is_long_as_well_and_has_underscores_in_it_as_python_likes_them",
            "user": "ann.lee@example.com",
        },
    ),
    Case(
        "sizes",
        {
            "cpu": "500m",
            "memory": 8192,
            "disk": "20G",
            "gpu": 2,
            "gpu_vendor": "amd",
            "shared_memory": 1024,
            "extended_resources": {"vendor.example/device": 1},
            "qos": "Guaranteed",
        },
    ),
    Case("gpu", {"cpu": 8, "memory": 32000, "gpu": 1}),
    Case(
        "no-gpu",
        {
            "gpu": 0,
            "gpu_node_labels": "nvidia.com/gpu.present,pool.example/gpu",
            "affinity": {
                "node_affinity": {
                    "required_during_scheduling_ignored_during_execution": {
                        "node_selector_terms": [
                            {"match_expressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]},
                            {
                                "match_fields": [
                                    {"key": "metadata.name", "operator": "In", "values": ["node1"]}
                                ]
                            },
                        ]
                    }
                }
            },
        },
    ),
    Case(
        "resources-as-kubernetes-writes-them",
        {"resources": {"requests": {"cpu": "2"}, "limits": {"memory": "4Gi", "nvidia.com/gpu": "1"}}},
    ),
    Case(
        "container",
        {
            "image": "team/model:1.2",
            "container_registry": "registry.example.com",
            "image_pull_policy": "Always",
            "image_pull_secrets": ["regcred"],
            "executable": "/opt/conda/bin/python",
            "secrets": "api-keys,database",
            "env": [
                {"name": "MODE", "value": "fast"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "ours"}}},
            ],
            "env_from": [{"config_map_ref": {"name": "settings"}}],
            "port": 29500,
            "fetch_ec2_metadata": True,
        },
    ),
    Case("init-script", {"sandbox_init_script": 'export STARTED="$(date)" PID=$$\n. /etc/profile'}),
    Case(
        "placement",
        {
            "namespace": "ml",
            "node_selector": {"topology.kubernetes.io/zone": "us-east-1a"},
            "tolerations": ["dedicated=ml:NoSchedule", {"key": "spot", "operator": "Exists"}],
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": "kubernetes.io/hostname",
                    "when_unsatisfiable": "ScheduleAnyway",
                    "label_selector": {"match_labels": {"run": "1732200000000000"}},
                }
            ],
            "compute_pool": "large",
            "compute_pool_label": "example.com/pool",
            "priority_class_name": "batch-low",
            "scheduler_name": "volcano",
        },
    ),
    Case(
        "identity",
        {
            "service_account": "ml-service-account",
            "security_context": {
                "run_as_user": 1001,
                "runAsNonRoot": True,
                "capabilities": {"add": ["IPC_LOCK"]},
            },
            "host_ipc": True,
        },
    ),
    Case("privileged", {"privileged": True}),
    Case("restricted", {"security_profile": "restricted", "restricted_uid": 2000}),
    Case("restricted-platform-uid", {"security_profile": "restricted", "restricted_uid": 0}),
    Case("read-only-root", {"security_context": {"read_only_root_filesystem": True}}),
    Case(
        "volumes",
        {
            "use_tmpfs": True,
            "tmpfs_size": 512,
            "tmpfs_path": "/fast",
            "tmpfs_tempdir": False,
            "persistent_volume_claims": {"data-pvc": "/mnt/data", "models.v2": "/mnt/models"},
            "volumes": [{"name": "scratch", "empty_dir": {"size_limit": "1Gi"}}],
            "volume_mounts": [{"name": "scratch", "mount_path": "/scratch", "read_only": True}],
        },
    ),
    Case("tmpfs", {"use_tmpfs": True}),
    Case(
        "objects",
        {
            "labels": {"team": "ml", "kueue.x-k8s.io/queue-name": "batch", "run": "mine"},
            "annotations": {"prometheus.io/scrape": True},
            "job_name_prefix": "team-a-",
            "ttl_seconds_after_finished": 3600,
            "active_deadline_seconds": 600,
            "termination_grace_period_seconds": 120,
            "additional_pod_spec_args": {
                "host_aliases": [{"ip": "10.0.0.1", "hostnames": ["objects"]}],
                "node_selector": {"disk": "ssd"},
                "init_containers": [{"name": "warm", "image": "{{ image }}", "command": ["true"]}],
                "runtime_class_name": "gvisor",
            },
        },
    ),
]
