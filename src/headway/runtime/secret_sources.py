"""How ``@secrets`` names a secret: where it is kept, what it is called there, as whom it is read."""

from typing import Any, Mapping, NamedTuple, Optional

from headway.errors import HeadwayError, UsageError

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


def read_source(item: Any, role: Optional[str], settings: Mapping[str, str]) -> Source:
    """The secret that one of the ``sources`` names.

    Args:
        item: ``"kind.id"``, ``"id"``, a secret's address in a key vault, or a dict with type, id, options and role.
        role: The role if it names none.
        settings: What is configured: DEFAULT_SECRETS_BACKEND_TYPE is the kind if it names none,
            DEFAULT_SECRETS_ROLE the role if nothing does.

    Raises:
        UsageError: It is none of these.
    """
    backend, role = settings.get("DEFAULT_SECRETS_BACKEND_TYPE"), role or settings.get("DEFAULT_SECRETS_ROLE")
    if isinstance(item, str):
        if item.startswith("https://"):
            # The one place whose secrets have addresses, and these have dots.
            return Source("az-key-vault", item, {}, role)
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
