"""What a step may say about its pod: every ``@kubernetes`` argument, each declared once.

Each line gives default, parser, the configuration names (``KUBERNETES_CPU`` is read from
``HEADWAY_KUBERNETES_CPU`` and ``METAFLOW_KUBERNETES_CPU``), the place in the manifest, the meaning.
Names and defaults are Metaflow's where it has them, ZenML's pod settings where it has those.
"""

import sys
from collections.abc import Mapping
from decimal import Decimal

from headway.config.fields import Join, Settings, optional, setting
from headway.config.kubernetes_values import (
    annotations,
    check_key,
    check_object_name,
    claims,
    container_resources,
    dns_label,
    extended_resources,
    image,
    job_prefix,
    labels,
    mount_path,
    node_selector,
    object_name,
    one_pod,
    registry,
    waiting_reason,
)
from headway.config.parsing import (
    boolean,
    choice,
    cpu_cores,
    integer,
    mebibytes,
    megabytes,
    names,
    script,
    seconds,
    text,
)
from headway.config.podenv import environment
from headway.config.podparts import api_object, api_objects, security_context
from headway.config.tolerations import tolerations

Object = Mapping[str, object]
Objects = tuple[Mapping[str, object], ...]

#: Seconds that a pod may run where nobody says anything: five days.
RUNTIME_LIMIT = 432000

#: The uid and gid of pods that may not run as root, where nobody says another: most images' user is root.
DEFAULT_UID = 1000

#: What a node label that tells of a GPU may be called, by who puts it there.
GPU_NODE_LABELS = (
    "nvidia.com/gpu.present",
    "amd.com/gpu.device-id",
    "cloud.google.com/gke-accelerator",
    "k8s.amazonaws.com/accelerator",
    "kubernetes.azure.com/accelerator",
)


def launcher_image() -> str:
    """The stock image of the launcher's own Python version."""
    return f"python:{sys.version_info.major}.{sys.version_info.minor}"


# fmt: off
class KubernetesSettings(Settings):
    """The resolved settings of one step's pods."""

    # What the step needs.
    cpu: Decimal = setting(
        "1", cpu_cores, "KUBERNETES_CPU", join=Join.MAXIMUM,
        lands="container resources.requests.cpu; with qos Guaranteed limits too",
        doc="CPU cores: a number, or text like 500m.",
    )
    memory: int = setting(
        4096, megabytes, "KUBERNETES_MEMORY", join=Join.MAXIMUM,
        lands="container resources.requests.memory; with qos Guaranteed limits too",
        doc="Memory in MB (10^6 bytes), or text with a unit.",
    )
    disk: int = setting(
        10240, megabytes, "KUBERNETES_DISK", join=Join.MAXIMUM,
        lands="container resources.requests.ephemeral-storage; with qos Guaranteed limits too",
        doc="Disk of the container in MB (10^6 bytes), or text with a unit.",
    )
    gpu: int | None = setting(
        None, optional(integer(0, 1024)), join=Join.MAXIMUM,
        lands="container resources.limits.<vendor>.com/gpu; 0: node affinity away from GPU nodes",
        doc="Number of GPUs; 0 keeps the pod off nodes with GPUs.",
    )
    gpu_vendor: str = setting(
        "nvidia", choice("nvidia", "amd"), "KUBERNETES_GPU_VENDOR",
        lands="container resources.limits.<vendor>.com/gpu, the vendor in it", doc="Whose GPUs.",
    )
    gpu_node_labels: tuple[str, ...] = setting(
        GPU_NODE_LABELS, names(check_key), "KUBERNETES_GPU_NODE_LABELS",
        lands="pod affinity.nodeAffinity, with gpu=0",
        doc="The node labels that tell of a GPU.",
    )
    shared_memory: int | None = setting(
        None, optional(mebibytes), "KUBERNETES_SHARED_MEMORY", join=Join.MAXIMUM,
        lands="pod volumes[dhsm].emptyDir.sizeLimit; mounted at /dev/shm", doc="Size of /dev/shm in MiB.",
    )
    extended_resources: Mapping[str, str] = setting(
        {}, extended_resources, "KUBERNETES_EXTENDED_RESOURCES", join=Join.ADD,
        lands="container resources.requests and limits", doc="Devices by resource name.",
    )
    qos: str = setting(
        "Burstable", choice("Guaranteed", "Burstable"), "KUBERNETES_QOS",
        lands="container resources.limits", doc="Guaranteed sets limits equal to requests.",
    )
    resources: Mapping[str, Mapping[str, str]] = setting(
        {}, container_resources, lands="container resources, over all else",
        doc="Requests and limits as Kubernetes writes them.",
    )

    # The container.
    image: str = setting(
        launcher_image(), image,
        "KUBERNETES_CONTAINER_IMAGE", "DEFAULT_CONTAINER_IMAGE",
        lands="container image", doc="The image; it needs a Python of at least 3.9 and nothing else.",
    )
    container_registry: str | None = setting(
        None, optional(registry), "KUBERNETES_CONTAINER_REGISTRY", "DEFAULT_CONTAINER_REGISTRY",
        argument=False, lands="container image, before one that names no registry", doc="The registry to pull from.",
    )
    image_pull_policy: str = setting(
        "IfNotPresent", choice("Always", "IfNotPresent", "Never"), "KUBERNETES_IMAGE_PULL_POLICY",
        lands="container imagePullPolicy", doc="When the node pulls the image.",
    )
    image_pull_secrets: tuple[str, ...] = setting(
        (), names(check_object_name), "KUBERNETES_IMAGE_PULL_SECRETS",
        lands="pod imagePullSecrets", doc="Secrets with credentials for the registry.",
    )
    executable: str = setting(
        "python", text, "KUBERNETES_EXECUTABLE",
        lands="container command", doc="The Python to run with, by name or path in the image.",
    )
    sandbox_init_script: str | None = setting(
        None, optional(script), "KUBERNETES_SANDBOX_INIT_SCRIPT", argument=False, sensitive=True,
        lands="container command (sh first) and env", doc="Shell code to evaluate before the task.",
    )
    env: Mapping[str, object] = setting(
        {}, environment, "KUBERNETES_ENV", join=Join.ADD, sensitive=True, lands="container env",
        doc="Environment: a dict, or Kubernetes' list with value or valueFrom; $(NAME) is expanded. What it says of the "
        "way to the datastore (endpoint, region, proxies) wins over the launcher's own.",
    )
    env_from: Objects = setting(
        (), api_objects(), join=Join.ADD, lands="container envFrom, after secrets",
        doc="Environment from secrets and config maps.",
    )
    secrets: tuple[str, ...] = setting(
        (), names(check_object_name), "KUBERNETES_SECRETS", join=Join.ADD,
        lands="container envFrom, as secretRef", doc="Secrets whose keys become environment variables.",
    )
    port: int | None = setting(
        None, optional(integer(1, 65535)), "KUBERNETES_PORT",
        lands="container ports[0].containerPort", doc="A port that the container listens on.",
    )

    # Where it may run.
    namespace: str = setting(
        "default", dns_label, "KUBERNETES_NAMESPACE", aliases=("kubernetes_namespace",),
        lands="metadata.namespace of every object", doc="The Kubernetes namespace.",
    )
    node_selector: Mapping[str, str] = setting(
        {}, node_selector, "KUBERNETES_NODE_SELECTOR", aliases=("node_selectors",),
        lands="pod nodeSelector", doc="Labels that the node must carry.",
    )
    tolerations: Objects = setting(
        (), tolerations, "KUBERNETES_TOLERATIONS",
        lands="pod tolerations", doc="Taints that the pod tolerates.",
    )
    affinity: Object = setting(
        {}, api_object, "KUBERNETES_AFFINITY", lands="pod affinity", doc="Affinity as Kubernetes writes it.",
    )
    topology_spread_constraints: Objects = setting(
        (), api_objects("maxSkew", "topologyKey", "whenUnsatisfiable"),
        lands="pod topologySpreadConstraints", doc="How pods spread over zones or nodes.",
    )
    compute_pool: str | None = setting(
        None, optional(text), "KUBERNETES_COMPUTE_POOL",
        lands="pod nodeSelector.<compute_pool_label>", doc="The pool of nodes to use.",
    )
    compute_pool_label: str = setting(
        "outerbounds.co/compute-pool", text, "KUBERNETES_COMPUTE_POOL_LABEL", argument=False,
        lands="pod nodeSelector, the key", doc="The node label that names a node's pool.",
    )
    priority_class_name: str | None = setting(
        None, optional(object_name), "KUBERNETES_PRIORITY_CLASS_NAME",
        lands="pod priorityClassName", doc="The pods' priority class.",
    )
    scheduler_name: str | None = setting(
        None, optional(object_name), "KUBERNETES_SCHEDULER_NAME",
        lands="pod schedulerName", doc="A scheduler other than the cluster's own.",
    )

    # Who it is and what it may do.
    service_account: str | None = setting(
        None, optional(object_name), "KUBERNETES_SERVICE_ACCOUNT", aliases=("service_account_name",),
        lands="pod serviceAccountName; its token is mounted only if this is set",
        doc="The service account that the pod runs as.",
    )
    security_profile: str = setting(
        "auto", choice("auto", "default", "restricted"), "KUBERNETES_SECURITY_PROFILE",
        lands="pod securityContext, and the container's",
        doc="restricted meets Pod Security restricted; auto is default until the namespace refuses it, or makes no pods "
        "and nobody may read why.",
    )
    restricted_uid: int = setting(
        DEFAULT_UID, integer(0), "KUBERNETES_RESTRICTED_UID",
        lands="pod securityContext.runAsUser, runAsGroup and fsGroup of the restricted profile",
        doc="The uid and gid of the restricted profile. Whether an image has a user of its own (USER 1234) no cluster "
        "tells beforehand, so it is not heeded: 0 leaves the choice to the image or the platform, as happens by itself "
        "where OpenShift refuses the default.",
    )
    security_context: Object = setting(
        {}, security_context, "KUBERNETES_SECURITY_CONTEXT", join=Join.ADD, aliases=("container_security_context",),
        lands="container securityContext, field by field over the profile",
        doc="The container's security context.",
    )
    privileged: bool = setting(
        False, boolean, lands="container securityContext.privileged", doc="All rights on the node.",
    )
    host_ipc: bool = setting(
        False, boolean, lands="pod hostIPC", doc="Use the node's IPC namespace.",
    )

    # Volumes.
    use_tmpfs: bool | None = setting(
        None, optional(boolean), lands="pod volumes[tmpfs-ephemeral-volume].emptyDir, in memory",
        doc="Mount a file system in memory; also on when tmpfs_size is given.",
    )
    tmpfs_size: int | None = setting(
        None, optional(mebibytes), lands="pod volumes[tmpfs-ephemeral-volume].emptyDir.sizeLimit",
        doc="Its size in MiB; half of memory by default.",
    )
    tmpfs_path: str = setting(
        "/metaflow_temp", mount_path, lands="container volumeMounts[tmpfs-ephemeral-volume].mountPath",
        doc="Where it is mounted.",
    )
    tmpfs_tempdir: bool = setting(
        True, boolean, lands="container env[METAFLOW_TEMPDIR] and env[TMPDIR]", doc="Whether temporary files go there.",
    )
    persistent_volume_claims: Mapping[str, str] = setting(
        {}, claims, "KUBERNETES_PERSISTENT_VOLUME_CLAIMS",
        lands="pod volumes and container volumeMounts", doc="Existing claims and where to mount them.",
    )
    volumes: Objects = setting(
        (), api_objects("name"), join=Join.ADD, lands="pod volumes", doc="Volumes as Kubernetes writes them.",
    )
    volume_mounts: Objects = setting(
        (), api_objects("name", "mountPath"), join=Join.ADD,
        lands="container volumeMounts", doc="Their mounts.",
    )

    # The objects themselves.
    labels: Mapping[str, str] = setting(
        {}, labels, "KUBERNETES_LABELS", join=Join.ADD,
        lands="metadata.labels of Job and pods",
        doc="Labels of your own.",
    )
    annotations: Mapping[str, str] = setting(
        {}, annotations, "KUBERNETES_ANNOTATIONS", join=Join.ADD,
        lands="metadata.annotations of Job and pods", doc="Annotations of your own.",
    )
    job_name_prefix: str | None = setting(
        None, optional(job_prefix), "KUBERNETES_JOB_NAME_PREFIX",
        lands="metadata.name of the Job, which its pods are called after", doc="What the Jobs' names begin with.",
    )
    pod_count: int = setting(
        1, one_pod, lands="nothing: a step on several pods is a gang",
        doc="Accepted as ZenML's, which has more than 1 for commands only: @parallel(num_nodes=N) is that here.",
    )
    additional_pod_spec_args: Object = setting(
        {}, api_object, join=Join.ADD, lands="pod spec: lists extended, dicts updated",
        doc="Anything else of a pod spec, as Kubernetes writes it; restartPolicy is always Never, and deadline and "
        "grace have settings below.",
    )
    ttl_seconds_after_finished: int = setting(
        86400, integer(0), "KUBERNETES_JOB_TTL_SECONDS_AFTER_FINISHED", aliases=("ttl",),
        lands="Job ttlSecondsAfterFinished", doc="How long a Job and its pods stay after their end.",
    )
    active_deadline_seconds: int = setting(
        RUNTIME_LIMIT, integer(1), "DEFAULT_RUNTIME_LIMIT",
        lands="pod activeDeadlineSeconds; where a @timeout says less, that and a margin; of a warm pod twice and more",
        doc="The longest that a pod may run, or a warm pod may begin tasks; configuration and default give way to a "
        "longer @timeout of the step.",
    )
    termination_grace_period_seconds: int = setting(
        30, integer(0), "KUBERNETES_TERMINATION_GRACE_PERIOD_SECONDS",
        lands="pod terminationGracePeriodSeconds", doc="Seconds between SIGTERM and SIGKILL.",
    )

    # One pod for several tasks.
    reuse: bool = setting(
        False, boolean, "KUBERNETES_REUSE",
        lands="the launcher", doc="Whether a pod goes on with further tasks of the same settings.",
    )
    idle_timeout: int = setting(
        60, integer(0, unit="seconds"), "KUBERNETES_IDLE_TIMEOUT",
        lands="the launcher, which tells pods with reuse (HEADWAY_IDLE_TIMEOUT)",
        doc="Seconds for which a pod with reuse waits for another task.",
    )
    pack: int = setting(
        1, integer(1, unit="tasks"), "KUBERNETES_PACK",
        lands="the launcher", doc="How many tasks of a foreach one pod runs, one after the other.",
    )
    pods: int | None = setting(
        None, optional(integer(1, unit="pods")), "KUBERNETES_PODS", lands="the launcher",
        doc="How many pods a step of a foreach has at a time, at most; its tasks are shared out among them.",
    )

    # For the launcher and the runtime, not in the manifest.
    start_failure_timeout: int = setting(
        60, integer(0), "KUBERNETES_START_FAILURE_TIMEOUT", lands="the launcher",
        doc="Seconds after which a pod fails that cannot start for what looks like a wrong configuration.",
    )
    fail_on_container_waiting_reasons: tuple[str, ...] = setting(
        (), names(waiting_reason), "KUBERNETES_FAIL_ON_CONTAINER_WAITING_REASONS", lands="the launcher",
        doc="Kubernetes' words for a container that waits (ErrImagePull, CreateContainerConfigError, …) upon "
        "which its pod fails at once; others are judged by their cause, with start_failure_timeout.",
    )
    unschedulable_timeout: int = setting(
        600, integer(0), "KUBERNETES_UNSCHEDULABLE_TIMEOUT", lands="the launcher",
        doc="Seconds after which a pod fails that no node could ever take and no autoscaler brings one for; "
        "0 waits for ever.",
    )
    infrastructure_retries: int = setting(
        5, integer(0), "KUBERNETES_INFRASTRUCTURE_RETRIES", lands="the launcher",
        doc="How often a task is tried again that the infrastructure ended (preemption, eviction, a lost node), "
        "beside @retry. An attempt that had run for an hour begins the count anew.",
    )
    hostname_resolution_timeout: int = setting(
        600, integer(1), lands="the gang's start barrier",
        doc="How long the ranks of a gang wait for each other.",
    )
    kubernetes_context: str | None = setting(
        None, optional(text), "KUBERNETES_CONTEXT", lands="the launcher's connection",
        doc="The kubeconfig's context; its current one by default. All steps of a run share one cluster.",
    )
    incluster: bool = setting(
        False, boolean, "KUBERNETES_INCLUSTER", lands="the launcher's connection",
        doc="Use the service account of the pod that the launcher runs in, whatever kubeconfig there is.",
    )
    api_request_timeout: Decimal | None = setting(
        None, optional(seconds), "KUBERNETES_API_REQUEST_TIMEOUT", lands="the launcher's connection",
        doc="Seconds for one try of one request to the API server; 30 by default. The longest that a step says counts.",
    )
    max_api_retries: int | None = setting(
        None, optional(integer(0)), "KUBERNETES_MAX_API_RETRIES", lands="the launcher's connection",
        doc="How often a request is sent again at most; by default as often as fits into a minute. "
        "The most that a step says counts.",
    )
    job_terminate_mode: str = setting(
        "delete", choice("stop", "delete"), "KUBERNETES_JOB_TERMINATE_MODE", argument=False,
        lands="the launcher",
        doc="Accepted as Metaflow's. Either way a stopped run's Jobs are deleted: without pods they tell nothing.",
    )
    fetch_ec2_metadata: bool = setting(
        False, boolean, "KUBERNETES_FETCH_EC2_METADATA", argument=False,
        lands="container env[METAFLOW_KUBERNETES_FETCH_EC2_METADATA]",
        doc="Keep the EC2 instance's id, type, region and zone as metadata of the tasks.",
    )
# fmt: on
