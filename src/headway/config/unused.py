"""What people's configuration sets and nothing here reads: named, so that nobody believes it to count."""

from collections.abc import Iterable, Mapping

from headway.config.sources import Configuration

#: Beginnings of names, without prefix, that belong to services and features that Headway does not have.
_BEGINNINGS = (
    "AIRFLOW_",
    "ARGO_",
    "AWS_SANDBOX_",
    "BATCH_",
    "CARD_",
    "CLIENT_CACHE_",
    "CONDA_",
    "DATATOOLS_",
    "DEBUG_",
    "ECS_",
    "ENABLED_",
    "ENV_ESCAPE_",
    "EVENTS_SFN_",
    "INIT_",
    "KUBERNETES_JOBSET_",
    "OTEL_",
    "RUNTIME_CARD_",
    "SERVICE_",
    "SFN_",
    "SPIN_",
)

_NAMES = frozenset(
    {
        "ARTIFACT_LOCALROOT",
        "AZURE_STORAGE_WORKLOAD_TYPE",
        "CLICK_API_PROCESS_CONFIG",
        "CONSOLE_TRACE_ENABLED",
        "CONTACT_INFO",
        "DEFAULT_AWS_CLIENT_PROVIDER",
        "DEFAULT_AZURE_CLIENT_PROVIDER",
        "DEFAULT_ENVIRONMENT",
        "DEFAULT_EVENT_LOGGER",
        "DEFAULT_FROM_DEPLOYMENT_IMPL",
        "DEFAULT_GCP_CLIENT_PROVIDER",
        "DEFAULT_METADATA",
        "DEFAULT_MONITOR",
        "ESCAPE_HATCH_WARNING",
        "EXTENSIONS_SEARCH_DIRS",
        "FEAT_ALWAYS_UPLOAD_CODE_PACKAGE",
        "GS_STORAGE_WORKLOAD_TYPE",
        "INCLUDE_FOREACH_STACK",
        "MAXIMUM_FOREACH_VALUE_CHARS",
        "NAMESPACED_EVENTS_PREFIX",
        "PATH_TO_MICROMAMBA",
        "PRODUCTION_TOKEN",
        "PROFILE_FROM_START",
        "S3_CLIENT_RETRY_CONFIG",
        "S3_LOG_TRANSIENT_RETRIES",
        "S3_TRANSIENT_RETRY_COUNT",
        "S3_VERIFY_CERTIFICATE",
        "SKIP_INSTALL_DEPENDENCIES",
        "TOKEN_HOME",
        "UI_URL",
        "ZIPKIN_ENDPOINT",
    }
)

#: What begins like those and is read.
_READ = frozenset(
    {"DATATOOLS_S3ROOT", "DATATOOLS_SUFFIX", "SPIN_ARTIFACTS_MODULE", "SPIN_MAX_LOG_SIZE", "SPIN_PERSIST"}
    | {"SPIN_RUN_ID_FILE", "SPIN_RUNNER_ATTRIBUTE_FILE", "SPIN_SKIP_DECORATORS"}
)

#: What a switch is that asks for nothing; in the names below it asks for what is not there.
_OFF = frozenset({"0", "false", "no", "off"})
_ON = frozenset({"1", "true", "yes", "on"})

#: Names whose one value says what is the case here anyway, in small letters.
_FITTING: Mapping[str, frozenset[str]] = {
    "CARD_NO_WARNING": _ON,
    "CLICK_API_PROCESS_CONFIG": _ON,
    "DEFAULT_AWS_CLIENT_PROVIDER": frozenset({"boto3"}),
    "DEFAULT_AZURE_CLIENT_PROVIDER": frozenset({"azure-default"}),
    "DEFAULT_ENVIRONMENT": frozenset({"local", "pypi"}),
    "DEFAULT_EVENT_LOGGER": frozenset({"nullsidecarlogger"}),
    "DEFAULT_GCP_CLIENT_PROVIDER": frozenset({"gcp-default"}),
    "DEFAULT_METADATA": frozenset({"local"}),
    "DEFAULT_MONITOR": frozenset({"nullsidecarmonitor"}),
    "ENV_ESCAPE_DISABLED": _ON,
    "S3_VERIFY_CERTIFICATE": _ON,
}

#: Of these "off" is a wish, too.
_WISHES = frozenset({"INCLUDE_FOREACH_STACK", "S3_VERIFY_CERTIFICATE"})


def unused_settings(configuration: Configuration) -> list[str]:
    """Where each setting stands that is set and has no meaning here: a variable, or a file and its key; sorted."""
    found = []
    for name in configuration.names():
        value = configuration.get(name) if is_unused(name) else None
        if value is not None and not _is_fitting(name, str(value.value).lower()):
            found.append(value.source)
    return sorted(found)


def is_unused(name: str) -> bool:
    """Whether nothing reads a name of Metaflow's, given without prefix, so that it is named where it is set."""
    return name in _NAMES or (name.startswith(_BEGINNINGS) and name not in _READ)


def _is_fitting(name: str, value: str) -> bool:
    fitting = _FITTING.get(name, frozenset() if name in _WISHES else _OFF)
    return value in fitting


def unused_notice(configuration: Configuration, typed: Iterable[str] = ()) -> str:
    """One line that names them, "" where there are none.

    Args:
        configuration: Where they may stand.
        typed: Options of the command line that have no meaning either.
    """
    found = [*unused_settings(configuration), *typed]
    return f"Set, and without meaning to Headway: {', '.join(found)}." if found else ""
