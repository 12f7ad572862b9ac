"""Names that begin like a setting of pods and are none: told with the one that was probably meant."""

from headway.config.places import PREFIXES
from headway.config.sources import Configuration

_BEGINNING = "KUBERNETES_"

#: Every setting that begins so, without prefix. Written out, for the table of settings takes long to load.
SETTINGS = frozenset(
    f"{_BEGINNING}{name}"
    for name in (
        "AFFINITY", "ANNOTATIONS", "API_REQUEST_TIMEOUT", "COMPUTE_POOL", "COMPUTE_POOL_LABEL",
        "CONDA_ARCH", "CONTAINER_IMAGE", "CONTAINER_REGISTRY", "CONTEXT", "CPU", "DISK", "ENV",
        "EXECUTABLE", "EXTENDED_RESOURCES", "FAIL_ON_CONTAINER_WAITING_REASONS", "FETCH_EC2_METADATA",
        "GPU_NODE_LABELS", "GPU_VENDOR", "IDLE_TIMEOUT", "IMAGE_PULL_POLICY", "IMAGE_PULL_SECRETS",
        "INCLUSTER", "INFRASTRUCTURE_RETRIES", "JOB_NAME_PREFIX", "JOB_TERMINATE_MODE",
        "JOB_TTL_SECONDS_AFTER_FINISHED", "LABELS", "MAX_API_RETRIES", "MEMORY", "NAMESPACE", "NODE_SELECTOR",
        "PACK", "PERSISTENT_VOLUME_CLAIMS", "PODS", "PORT", "PRIORITY_CLASS_NAME", "QOS", "RESTRICTED_UID",
        "REUSE", "SANDBOX_INIT_SCRIPT", "SCHEDULER_NAME", "SECRETS", "SECURITY_CONTEXT", "SECURITY_PROFILE",
        "SERVICE_ACCOUNT", "SHARED_MEMORY", "START_FAILURE_TIMEOUT", "TERMINATION_GRACE_PERIOD_SECONDS",
        "TOLERATIONS",
        "UNSCHEDULABLE_TIMEOUT",
    )
)  # fmt: skip

#: What Metaflow knows beside them, and what a pod of either is told in its environment.
_ELSEWHERE = frozenset(
    f"{_BEGINNING}{name}"
    for name in (
        "JOBSET_GROUP", "JOBSET_NAME", "JOBSET_VERSION", "NODE_IP", "POD_ID", "POD_NAME", "POD_NAMESPACE",
        "SERVICE_ACCOUNT_NAME", "WORKLOAD",
        # The options of `kubernetes list` and its like.
        "KILL_MY_RUNS", "KILL_RUN_ID", "KILL_USER", "LIST_MY_RUNS", "LIST_RUN_ID", "LIST_USER", "SWEEP_DRY_RUN",
    )
)  # fmt: skip


def misspelt_notices(configuration: Configuration) -> list[str]:
    """A line for each name, of a variable or in a file, that is none of these."""
    return [
        _notice(configuration, name)
        for name in configuration.names()
        if name.startswith(_BEGINNING) and name not in SETTINGS | _ELSEWHERE
    ]


def _notice(configuration: Configuration, name: str) -> str:
    from difflib import get_close_matches  # for those who misspell

    found = configuration.get(name)
    source = found.source if found is not None else name
    near = get_close_matches(name, sorted(SETTINGS), n=1, cutoff=0.75)
    prefix = next((each for each in PREFIXES if source.endswith(f"{each}{name}")), PREFIXES[0])
    meant = f"; did you mean {prefix}{near[0]}?" if near else "."
    return f"{source} is not a setting{meant}"
