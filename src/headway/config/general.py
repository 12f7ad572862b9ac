"""Typed access to the configuration that is not Kubernetes': the user, the datastores' roots."""

import os
from collections.abc import Callable, Mapping, MutableMapping

from headway.config.places import PREFIXES, nearest
from headway.config.sources import OPTION, Configuration, Sourced
from headway.errors import SettingsError, UnknownUserError

#: The kinds of datastore, with the scheme that a root of that kind begins with.
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "local": ("",),
    "s3": ("s3://",),
    "azure": ("wasbs://", "wasb://", "abfss://", "abfs://", "https://", "http://", "az://", "azure://"),
    "gs": ("gs://",),
}


#: How a root begins that was meant to be an URL, and lacks a slash.
_NEARLY = frozenset(scheme.partition("//")[0] for of in SCHEMES.values() for scheme in of if scheme) | {
    "gcs:"
}


def _spelled(root: str) -> str:
    scheme, _, rest = root.partition("/")
    return f"{scheme}//{rest}"


def login_name() -> str | None:
    """The name of this process's user in the system's user database, None where it has none."""
    import pwd  # missing on some platforms; only asked where no variable tells

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def user(configuration: Configuration, fallback: Callable[[], str | None] = login_name) -> str:
    """Who runs this: HEADWAY_USER or METAFLOW_USER, then SUDO_USER, USERNAME, USER, then the login name.

    Raises:
        UnknownUserError: None of them tells.
    """
    if configured := configuration.get("USER"):
        return str(configured.value)
    for variable in ("SUDO_USER", "USERNAME", "USER"):
        if name := configuration.environ.get(variable):
            return name
    if name := fallback():
        return name
    raise UnknownUserError(
        "user", None, "no variable tells who you are", hint="Type: export HEADWAY_USER=<your name>"
    )


def branch_owner(configuration: Configuration, user: str) -> str:
    """Whose branch of a project it is where none is named: METAFLOW_OWNER, by which schedulers without users tell."""
    return configuration.environ.get("METAFLOW_OWNER") or user


def runtime_name(configuration: Configuration) -> str:
    """What starts the run, for its tag ``runtime:``: METAFLOW_RUNTIME_NAME, by which schedulers tell, or ``dev``."""
    return configuration.environ.get("METAFLOW_RUNTIME_NAME") or "dev"


def datastore_roots(configuration: Configuration) -> dict[str, Sourced]:
    """The root that is configured for each kind of datastore; ``local`` always has one.

    Raises:
        SettingsError: A root is not of its kind.
    """
    roots = {"local": local_root(configuration)}
    for kind in ("s3", "azure", "gs"):
        found = configuration.get(f"DATASTORE_SYSROOT_{kind.upper()}")
        if found is not None:
            roots[kind] = Sourced(check_root(kind, found.value, found.source), found.source)
    return roots


def local_root(configuration: Configuration) -> Sourced:
    """The folder of the local datastore: configured, the nearest ``.headway`` upward, or a new one here."""
    found = configuration.get("DATASTORE_SYSROOT_LOCAL")
    if found is not None:
        return Sourced(check_root("local", found.value, found.source), found.source)
    folder = nearest(configuration.cwd, ".headway") or os.path.join(configuration.cwd, ".headway")
    return Sourced(folder, "default")


def check_root(kind: str, root: object, source: str) -> str:
    """The root as text without a slash at its end; one of Azure may be written without a scheme.

    Raises:
        SettingsError: It is not a root of this kind.
    """
    schemes = SCHEMES[kind]
    if kind == "local" and isinstance(root, str) and "://" not in root and root.partition("/")[0] in _NEARLY:
        # Taken for a folder it would be made, and hold the data unseen.
        raise SettingsError(
            "datastore root", root, "an URL is written with two slashes", source, f"Write {_spelled(root)}."
        )
    if isinstance(root, str):
        scheme = next((scheme for scheme in schemes if root.startswith(scheme)), None)
        if kind == "azure" and "://" not in root and root.strip("/"):
            return f"azure://{root.strip('/')}"  # as Metaflow writes it: container/prefix
        if scheme is not None and root[len(scheme) :].strip("/") and (scheme or "://" not in root):
            return root.rstrip("/")
    example = {"local": "/data/headway", "azure": "wasbs://container@account.blob.core.windows.net/prefix"}
    raise SettingsError(
        f"root of the {kind} datastore",
        root,
        f"a root like {example.get(kind, schemes[0] + 'bucket/prefix')} is allowed",
        source,
    )


def default_decorators(configuration: Configuration) -> list[Sourced]:
    """DEFAULT_DECOSPECS: decorators for every step, as ``--with`` takes them, separated by blanks.

    Returns:
        Each as it is written, and for words where that is: ``METAFLOW_DEFAULT_DECOSPECS retry (<file>)``.
    """
    found = configuration.get("DEFAULT_DECOSPECS")
    if found is None:
        return []
    file, _, name = found.source.rpartition(": ")
    where = f" ({file})" if file else ""
    return [Sourced(text, f"{name} {text}{where}") for text in str(found.value).split()]


def is_on(configuration: Configuration, name: str) -> bool:
    """Whether a switch is set and says yes."""
    found = configuration.get(name)
    return found is not None and str(found.value).lower() in ("1", "true", "yes", "on")


def name_store(configuration: Configuration, environ: MutableMapping[str, str] = os.environ) -> None:
    """Make the datastore's address known to what reads variables only, where a file tells it.

    Args:
        configuration: Where it may stand: S3_ENDPOINT_URL, GS_ENDPOINT_URL, AZURE_STORAGE_BLOB_SERVICE_ENDPOINT.
        environ: The variables; what is set there wins.
    """
    for name in ("S3_ENDPOINT_URL", "GS_ENDPOINT_URL", "AZURE_STORAGE_BLOB_SERVICE_ENDPOINT"):
        found = configuration.get(name)
        if found is not None and not any(environ.get(f"{prefix}{name}") for prefix in PREFIXES):
            environ[f"HEADWAY_{name}"] = str(found.value)


def name_profile(configuration: Configuration, environ: MutableMapping[str, str] = os.environ) -> None:
    """Let the client here, and the processes that are started from here, read the configuration that was typed.

    Args:
        configuration: What ``--config-name`` may have chosen.
        environ: The variables; what was typed wins over what they say.
    """
    if configuration.profile and configuration.named_by == OPTION:
        environ["HEADWAY_PROFILE"] = configuration.profile


def may_fork(configuration: Configuration) -> bool:
    """FORK_TASKS: whether local tasks are forked from one process that imported the flow, where that is safe.

    Raises:
        SettingsError: It is neither "auto" nor "never".
    """
    found = configuration.get("FORK_TASKS")
    if found is not None and found.value not in ("auto", "never"):
        raise SettingsError("FORK_TASKS", found.value, "auto or never is allowed", found.source)
    return found is None or found.value == "auto"
