"""What is configured besides the settings of pods, a row each with where it stands: for ``config show``."""

import json
import re
from collections.abc import Iterable

from headway.config.describe import Row
from headway.config.fields import settings_of
from headway.config.general import user
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import BUILT_IN
from headway.config.sources import Configuration
from headway.config.unused import is_unused
from headway.errors import UnknownUserError

#: Every variable that is no setting of pods, without prefix, with its default in words ("" for none).
GENERAL = {
    "DEFAULT_DATASTORE": "local; the one remote root if a step is a pod",
    "DATASTORE_SYSROOT_LOCAL": "the nearest `.headway` upward, or here",
    "DATASTORE_SYSROOT_SPIN": "here",
    "SPIN_PERSIST": "false",
    "DATASTORE_SYSROOT_S3": "",
    "DATASTORE_SYSROOT_AZURE": "",
    "DATASTORE_SYSROOT_GS": "",
    "DATATOOLS_S3ROOT": "`data` under the run's datastore, if that is S3",
    "DATATOOLS_SUFFIX": "`data`",
    "S3_WORKER_COUNT": "16",
    "S3_RETRY_COUNT": "9",
    "S3_SERVER_SIDE_ENCRYPTION": "as the bucket says",
    "TEMPDIR": "the working folder",
    "DEFAULT_DECOSPECS": "",
    "DEFAULT_PACKAGE_SUFFIXES": "`.py,.R,.RDS`",
    "PACKAGE_SUFFIXES": "`.py,.R,.RDS`",
    "PACKAGE_MAX_SIZE": "100 MB",
    "PACKAGES_PLATFORM": "linux/amd64",
    "KUBERNETES_CONDA_ARCH": "linux/amd64",
    "S3_ENDPOINT_URL": "",
    "AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": "the account's in the public cloud",
    "GS_ENDPOINT_URL": "storage.googleapis.com",
    "EMBEDDED_CLUSTER": "auto",
    "EMBEDDED_CLUSTER_IDLE_MINUTES": "30",
    "FORWARD_CREDENTIALS": "false",
    "FORK_TASKS": "auto",
    "PIPELINE": "the first that the program calls",
    "TASK_STDERR": "stderr; stdout with `Runner`, as in Metaflow",
    "PROFILE": "",
    "USER": "the login name",
    "SPOT_WATCH": "auto",
    "SPOT_METADATA_URL": "the cloud's own",
    "HOME": "`~/.config/headway`",
    "DEFAULT_SECRETS_BACKEND_TYPE": "",
    "DEFAULT_SECRETS_ROLE": "",
    "AWS_SECRETS_MANAGER_DEFAULT_REGION": "boto3's own",
    "AWS_SECRETS_MANAGER_DEFAULT_ROLE": "",
    "GCP_SECRET_MANAGER_PREFIX": "",
    "AZURE_KEY_VAULT_PREFIX": "",
}

#: Of an URL: who is let in by it, and what may sign it.
_LETS_IN, _SIGNED = re.compile(r"(?<=://)[^/@\s]+@"), re.compile(r"\?\S+")
#: Where decorators or overrides are said: values that a step's processes find in their environment.
_ENVIRONMENT = re.compile(r"\b(env|vars|sources)\b[\"']?\s*[=:]")


def general_rows(configuration: Configuration, *, every: bool) -> list[Row]:
    """What is configured of those, in the table's order.

    Args:
        configuration: Where it may stand.
        every: Also what is as it is by default.
    """
    found = []
    for name, default in GENERAL.items():
        sourced = configuration.get(name)
        if name == "PROFILE" and configuration.profile:
            found.append(Row(f"HEADWAY_{name}", configuration.profile, configuration.named_by))
        elif sourced is not None:
            found.append(Row(f"HEADWAY_{name}", shown_value(sourced.value), sourced.source))
        elif every:
            value = _user(configuration) if name == "USER" else default.replace("`", "")
            found.append(Row(f"HEADWAY_{name}", value, BUILT_IN))
    return found


def pod_rows(configuration: Configuration) -> list[Row]:
    """What is configured for pods: for a flow that has none, whose steps do not show it."""
    found = []
    for name, setting in settings_of(KubernetesSettings).items():
        sourced = configuration.first(*setting.variables)
        if sourced is not None:
            value = "(set)" if setting.sensitive else shown_value(sourced.value)
            found.append(Row(name, value, sourced.source))
    return found


def misspelt_names(configuration: Configuration, known: Iterable[str]) -> list[str]:
    """A line for each name that is set, is no setting, and is nearly one.

    Args:
        configuration: Where they may stand.
        known: Further names, without prefix, that mean something: those of options.
    """
    of_pods = {name for setting in settings_of(KubernetesSettings).values() for name in setting.variables}
    every = {*GENERAL, *of_pods, *known}
    # Of those that begin like settings of pods every command tells.
    strange = [
        name
        for name in configuration.names()
        if name not in every and not is_unused(name) and not name.startswith("KUBERNETES_")
    ]
    if not strange:
        return []
    from difflib import get_close_matches  # for those who misspell

    lines = []
    for name in strange:
        near, sourced = get_close_matches(name, sorted(every), 1, cutoff=0.85), configuration.get(name)
        if near and sourced is not None:
            lines.append(f"{sourced.source} is not a setting; did you mean HEADWAY_{near[0]}?")
    return lines


def shown_value(value: object) -> str:
    """A configured value as text, without what lets anybody in."""
    text = value if isinstance(value, str) else json.dumps(value)
    if _ENVIRONMENT.search(text):
        return "(set)"
    return _SIGNED.sub("?…", _LETS_IN.sub("…@", text)) if "://" in text else text


def _user(configuration: Configuration) -> str:
    try:
        return user(configuration)
    except UnknownUserError:
        return "nobody says who you are"
