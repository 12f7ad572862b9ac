"""Settings by their names: as the environment and the configuration's files have them, else what holds here anyway.

Where a setting has a meaning here its default is Headway's; of what has none, Metaflow's, as code computes with it.
None is what nobody set and what has no default.
"""

import json
from typing import Any, Dict

_TRUE = ("1", "true", "yes", "on")

#: What is nobody's to set.
_FIXED: Dict[str, Any] = {
    "CARD_SUFFIX": "mf.cards",
    "DATASTORE_LOCAL_DIR": ".metaflow",
    "DATASTORE_SPIN_LOCAL_DIR": ".metaflow_spin",
    "DEBUG_OPTIONS": [
        "subcommand",
        "sidecar",
        "s3client",
        "tracing",
        "stubgen",
        "userconf",
        "conda",
        "package",
    ],
    "DISABLE_TRACING": False,
    "LOCAL_CONFIG_FILE": "config.json",
    "MAX_ATTEMPTS": 6,
    "RETRY_WARNING_THRESHOLD": 3,
}

#: What is so unless it is set; what is set is of the default's type.
_DEFAULTS: Dict[str, Any] = {
    "AIRFLOW_KUBERNETES_STARTUP_TIMEOUT_SECONDS": 3600,
    "ARGO_EVENTS_EVENT_BUS": "default",
    "ARGO_EVENTS_SENSOR_NAMESPACE": "default",
    "ARGO_EVENTS_WEBHOOK_AUTH": "none",
    "ARGO_WORKFLOWS_ENV_VARS_TO_SKIP": "",
    "ARGO_WORKFLOWS_KUBERNETES_SECRETS": "",
    "ARGO_WORKFLOWS_USE_SCHEDULES": False,
    "ARTIFACT_LOCALROOT": "/tmp",  # noqa: S108 - what Metaflow names; nothing is written there
    "AWS_SANDBOX_ENABLED": False,
    "AZURE_STORAGE_WORKLOAD_TYPE": "general",
    "BATCH_DEFAULT_TAGS": {},
    "BATCH_EMIT_TAGS": False,
    "CARD_NO_WARNING": False,
    "CLICK_API_PROCESS_CONFIG": True,
    "CLIENT_CACHE_MAX_FLOWDATASTORE_COUNT": 50,
    "CLIENT_CACHE_MAX_SIZE": 10000,
    "CLIENT_CACHE_MAX_TASKDATASTORE_COUNT": 5000,
    "CLIENT_CACHE_PATH": "/tmp/metaflow_client",  # noqa: S108
    "CONDA_DEPENDENCY_RESOLVER": "conda",
    "CONDA_USE_FAST_INIT": False,
    "CONSOLE_TRACE_ENABLED": False,
    "CONTACT_INFO": {},
    "DATATOOLS_CLIENT_PARAMS": {},
    "DATATOOLS_SESSION_VARS": {},
    "DATATOOLS_SUFFIX": "data",
    "DEFAULT_AWS_CLIENT_PROVIDER": "boto3",
    "DEFAULT_AZURE_CLIENT_PROVIDER": "azure-default",
    "DEFAULT_DATASTORE": "local",
    "DEFAULT_DECOSPECS": "",
    "DEFAULT_ENVIRONMENT": "local",
    "DEFAULT_EVENT_LOGGER": "nullSidecarLogger",
    "DEFAULT_FROM_DEPLOYMENT_IMPL": "argo-workflows",
    "DEFAULT_GCP_CLIENT_PROVIDER": "gcp-default",
    "DEFAULT_METADATA": "local",
    "DEFAULT_MONITOR": "nullSidecarMonitor",
    "DEFAULT_PACKAGE_SUFFIXES": ".py",
    "DEFAULT_RUNTIME_LIMIT": 432000,
    "ESCAPE_HATCH_WARNING": True,
    "FEAT_ALWAYS_UPLOAD_CODE_PACKAGE": False,
    "GS_STORAGE_WORKLOAD_TYPE": "general",
    "INCLUDE_FOREACH_STACK": True,
    "KUBERNETES_ANNOTATIONS": "",
    "KUBERNETES_FETCH_EC2_METADATA": False,
    "KUBERNETES_GPU_VENDOR": "nvidia",
    "KUBERNETES_IMAGE_PULL_SECRETS": "",
    "KUBERNETES_JOBSET_GROUP": "jobset.x-k8s.io",
    "KUBERNETES_JOBSET_VERSION": "v1alpha2",
    "KUBERNETES_JOB_TERMINATE_MODE": "delete",
    "KUBERNETES_JOB_TTL_SECONDS_AFTER_FINISHED": 86400,
    "KUBERNETES_LABELS": "",
    "KUBERNETES_NAMESPACE": "default",
    "KUBERNETES_NODE_SELECTOR": "",
    "KUBERNETES_PERSISTENT_VOLUME_CLAIMS": "",
    "KUBERNETES_QOS": "Burstable",
    "KUBERNETES_SECRETS": "",
    "KUBERNETES_TOLERATIONS": "",
    "MAXIMUM_FOREACH_VALUE_CHARS": 30,
    "NAMESPACED_EVENTS_PREFIX": "mfns",
    "OTEL_SERVICE_NAME": "metaflow",
    "PROFILE_FROM_START": False,
    "RUNTIME_CARD_RENDER_INTERVAL": 60,
    "S3_CLIENT_RETRY_CONFIG": {"max_attempts": 10, "mode": "adaptive"},
    "S3_LOG_TRANSIENT_RETRIES": False,
    "S3_RETRY_COUNT": 9,
    "S3_TRANSIENT_RETRY_COUNT": 20,
    "S3_WORKER_COUNT": 16,
    "SERVICE_HEADERS": {},
    "SERVICE_RETRY_COUNT": 5,
    "SERVICE_VERSION_CHECK": True,
    "SFN_COMPRESS_STATE_MACHINE": False,
    "SPIN_ALLOWED_DECORATORS": ["card", "conda", "environment", "secrets", "timeout"],
    "SPIN_DISALLOWED_DECORATORS": ["parallel"],
    "SPIN_PERSIST": False,
    "TEMPDIR": ".",
    **{f"DEBUG_{name.upper()}": False for name in _FIXED["DEBUG_OPTIONS"]},
}


def __getattr__(name: str) -> Any:
    if not name.isupper() or name.startswith("_"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    if name in _FIXED:
        return _FIXED[name]
    # Only a file that asks for a setting pays for this import.
    from headway.datatools.roots import configured

    found = configured(name)
    if found is None and name == "DATATOOLS_S3ROOT":
        root = configured("DATASTORE_SYSROOT_S3")
        return f"{root.rstrip('/')}/{__getattr__('DATATOOLS_SUFFIX')}" if root else None
    default = _DEFAULTS.get(name)
    return default if found is None else _as(default, name, found)


def _as(default: Any, name: str, written: str) -> Any:
    """What was written, as the default's type has it."""
    if isinstance(default, bool):
        return written.lower() in _TRUE
    try:
        if isinstance(default, int):
            return int(written)
        if isinstance(default, (dict, list)):
            return json.loads(written)
    except ValueError as error:
        kind = "a whole number" if isinstance(default, int) else "JSON"
        raise ValueError(f"METAFLOW_{name} has to be {kind}, and is {written!r}.") from error
    return written
