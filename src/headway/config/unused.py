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
    "ECS_",
    "EVENTS_SFN_",
    "KUBERNETES_JOBSET_",
    "RUNTIME_CARD_",
    "SERVICE_",
    "SFN_",
)

_NAMES = frozenset(
    {
        "DATATOOLS_CLIENT_PARAMS",
        "DATATOOLS_SESSION_VARS",
        "OTEL_ENDPOINT",
        "S3_VERIFY_CERTIFICATE",
        "UI_URL",
        "ZIPKIN_ENDPOINT",
    }
)

#: Names whose one value says what is the case here anyway.
_FITTING: Mapping[str, frozenset[str]] = {
    "DEFAULT_ENVIRONMENT": frozenset({"local", "pypi"}),
    "DEFAULT_EVENT_LOGGER": frozenset({"nullSidecarLogger"}),
    "DEFAULT_METADATA": frozenset({"local"}),
    "DEFAULT_MONITOR": frozenset({"nullSidecarMonitor"}),
}


def unused_settings(configuration: Configuration) -> list[str]:
    """Where each setting stands that is set and has no meaning here: a variable, or a file and its key; sorted."""
    found = []
    for name in configuration.names():
        value = configuration.get(name)
        fitting = _FITTING.get(name)
        named = name in _NAMES or name.startswith(_BEGINNINGS)
        if value is not None and (named or (fitting is not None and str(value.value) not in fitting)):
            found.append(value.source)
    return sorted(found)


def unused_notice(configuration: Configuration, typed: Iterable[str] = ()) -> str:
    """One line that names them, "" where there are none.

    Args:
        configuration: Where they may stand.
        typed: Options of the command line that have no meaning either.
    """
    found = [*unused_settings(configuration), *typed]
    return f"Set, and without meaning to Headway: {', '.join(found)}." if found else ""
