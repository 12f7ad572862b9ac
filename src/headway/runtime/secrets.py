"""``@secrets``: fetched where the task runs, right before its step, and set as environment variables.

Only their names travel: what they hold is in no manifest, no record and no log. (An ``inline`` secret is part
of the flow's own code, and meant for tests.) Loaded only by steps that have secrets.
"""

from typing import Any, Callable, Dict, Mapping, MutableMapping, NamedTuple, Optional

from headway.errors import HeadwayError, UsageError
from headway.store.batch import Secrets

#: Where secrets can be kept.
KINDS = ("inline", "aws-secrets-manager", "gcp-secret-manager", "az-key-vault")

#: What is configured on the launcher's machine and travels with a step's secrets.
SETTINGS = (
    "DEFAULT_SECRETS_BACKEND_TYPE",
    "DEFAULT_SECRETS_ROLE",
    "AWS_SECRETS_MANAGER_DEFAULT_REGION",
    "AWS_SECRETS_MANAGER_DEFAULT_ROLE",
    "GCP_SECRET_MANAGER_PREFIX",
    "AZURE_KEY_VAULT_PREFIX",
)

#: Prefixes of variables that are ours to set.
_TAKEN = ("METAFLOW_", "HEADWAY_")


class SecretError(HeadwayError):
    """A secret cannot be fetched, or is nothing that environment variables can hold."""

    headline = "@secrets"


class Source(NamedTuple):
    """One secret, as ``sources`` names it.

    Attributes:
        kind: Where it is kept: inline, aws-secrets-manager, gcp-secret-manager, az-key-vault.
        id: What it is called there.
        options: As the kind understands them.
        role: The role to read it with.
    """

    kind: str
    id: str
    options: Mapping[str, Any] = {}
    role: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.kind}.{self.id}"


def set_secrets(
    wanted: Secrets,
    environ: MutableMapping[str, str],
    fetch: Optional[Callable[[Source, Mapping[str, str]], Mapping[str, str]]] = None,
) -> None:
    """Fetch secrets and set them in an environment; all of them, or none.

    Args:
        wanted: What ``@secrets`` says.
        environ: The environment.
        fetch: Fetches one of them; by default the provider of its kind.

    Raises:
        SecretError: One cannot be fetched, or gives a variable that cannot be set.
        UsageError: One is not named as a secret is.
    """
    given: Dict[str, Source] = {}
    values: Dict[str, str] = {}
    for item in wanted.sources:
        source = read_source(item, wanted.role, wanted.settings)
        for name, value in (fetch or _fetch)(source, wanted.settings).items():
            _check(source, name, value)
            if name in given:
                raise SecretError(
                    f"The secrets {given[name]} and {source} both set the variable {name}.",
                    'Give one of them another name: "options": {"env_var_name": …}.',
                )
            if name in environ and not wanted.allow_override:
                raise SecretError(
                    f"The secret {source} sets the variable {name}, which is set already.",
                    "Let it replace the variable with @secrets(allow_override=True), or unset it.",
                )
            given[name], values[name] = source, value
    environ.update(values)


def read_source(item: Any, role: Optional[str], settings: Mapping[str, str]) -> Source:
    """The secret that one of the ``sources`` names.

    Args:
        item: ``"kind.id"``, ``"id"``, or a dict with type, id, options and role.
        role: The role if it names none.
        settings: What is configured: DEFAULT_SECRETS_BACKEND_TYPE is the kind if it names none,
            DEFAULT_SECRETS_ROLE the role if nothing does.

    Raises:
        UsageError: It is none of these.
    """
    backend, role = settings.get("DEFAULT_SECRETS_BACKEND_TYPE"), role or settings.get("DEFAULT_SECRETS_ROLE")
    if isinstance(item, str):
        first, dot, rest = item.partition(".")
        return Source(_kind(first if dot else None, backend, item), rest if dot else item, {}, role)
    if not isinstance(item, Mapping):
        raise UsageError(f"A secret is text or a dict, and not a {type(item).__name__}.", _EXAMPLE)
    for key, kind in (("type", str), ("id", str), ("options", Mapping), ("role", str)):
        value = item.get(key)
        if not isinstance(value, kind) and (value is not None or key == "id"):
            what = "a dict" if kind is Mapping else "text"
            raise UsageError(
                f"The '{key}' of a secret has to be {what}, not {type(value).__name__}.", _EXAMPLE
            )
    unknown = sorted(str(key) for key in item if key not in ("type", "id", "options", "role"))
    if unknown:
        raise UsageError(f"The secret '{item['id']}' has unknown parts: {', '.join(unknown)}.", _EXAMPLE)
    return Source(
        _kind(item.get("type"), backend, item["id"]),
        item["id"],
        item.get("options") or {},
        item.get("role") or role,
    )


_EXAMPLE = 'Write it as "aws-secrets-manager.name", or {"type": "aws-secrets-manager", "id": "name"}.'


def _kind(named: Optional[str], backend: Optional[str], what: str) -> str:
    kind = named or backend
    if kind in KINDS:
        return kind
    if kind:
        raise UsageError(
            f"There is no place for secrets called '{kind}' (for the secret '{what}').",
            f"There are: {', '.join(KINDS)}.",
        )
    raise UsageError(
        f"The secret '{what}' does not say where it is kept, and no default is set.",
        f"{_EXAMPLE} Or set METAFLOW_DEFAULT_SECRETS_BACKEND_TYPE.",
    )


def _check(source: Source, name: object, value: object) -> None:
    """A variable's name and value, neither of which may be shown where it could be the secret itself."""
    if not isinstance(name, str):
        raise SecretError(f"The secret {source} has a name that is not text but a {type(name).__name__}.")
    if not isinstance(value, str):
        raise SecretError(
            f"The secret {source} has a value for {name} that is not text but a {type(value).__name__}."
        )
    if not name.isascii() or not name.isidentifier():
        raise SecretError(
            f"The secret {source} would set {name!r}, which no variable can be called.",
            "Letters, digits and underscores are allowed, and no digit first.",
        )
    if name.startswith(_TAKEN):
        raise SecretError(
            f"The secret {source} would set {name}: names with {name.split('_')[0]}_ are taken."
        )
    if "\0" in value:
        raise SecretError(
            f"The secret {source} has a value for {name} that no variable can hold: it contains NUL."
        )


def _fetch(source: Source, settings: Mapping[str, str]) -> Mapping[str, str]:
    if source.kind == "inline":
        values = source.options.get("env_vars", {})
        if not isinstance(values, Mapping):
            raise SecretError(f'The secret {source} has no "env_vars": {{"NAME": "value"}} in its options.')
        return values
    # What talks to a cloud is for secrets that are kept there.
    from headway.runtime import cloud_secrets

    try:
        return cloud_secrets.PROVIDERS[source.kind](source, settings)
    except HeadwayError:
        raise
    except Exception as error:
        # Its type and its code tell what is wrong; its words may repeat what was asked for, never what it holds.
        raise SecretError(
            f"The secret {source} cannot be fetched: {type(error).__name__}: {error}",
            "Is it called so, in this region or project, and may this pod's identity read it?",
        ) from error
