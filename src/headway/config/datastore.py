"""Which datastore a run uses: one pure choice, with the line that says why."""

from collections.abc import Mapping
from dataclasses import dataclass

from headway.config.general import SCHEMES, check_root
from headway.config.sources import Sourced
from headway.errors import SettingsError

REMOTE = ("s3", "azure", "gs")

_SET_ONE = (
    "Set HEADWAY_DATASTORE_SYSROOT_S3=s3://bucket/prefix (or _AZURE, _GS), or add "
    "--datastore=s3 --datastore-root=s3://bucket/prefix."
)


@dataclass(frozen=True)
class Choice:
    """The datastore of a run.

    Attributes:
        kind: local, s3, azure or gs.
        url: Its root: an URL, or a folder.
        reason: The line to print where the choice was not spelled out, else "".
    """

    kind: str
    url: str
    reason: str = ""


def choose_datastore(
    option: str | None,
    root_option: str | None,
    roots: Mapping[str, Sourced],
    any_remote_step: bool,
    default: Sourced | None = None,
) -> Choice:
    """Choose where a run keeps its data.

    Args:
        option: ``--datastore``.
        root_option: ``--datastore-root``; alone, its scheme tells the kind.
        roots: The configured roots by kind; ``local`` always has one.
        any_remote_step: Whether a step runs where this machine's disk is not.
        default: The configured DEFAULT_DATASTORE.

    Raises:
        SettingsError: The kind has no root, several remote roots compete, or a step
            runs remotely and only a local datastore is at hand.
    """
    if option is not None or root_option is not None:
        return _asked_for(option, root_option, roots, any_remote_step)
    if default is not None and str(default.value) != "local":
        kind = _known(str(default.value), default.source)
        root = _configured_root(kind, roots, default.source)
        return Choice(kind, root, f"Datastore: {root} ({default.source}={kind})")
    if not any_remote_step:
        return Choice("local", str(roots["local"].value))
    return _only_remote(roots)


def _asked_for(
    option: str | None, root_option: str | None, roots: Mapping[str, Sourced], any_remote_step: bool
) -> Choice:
    kind = _known(option, "--datastore") if option is not None else _kind_of(root_option or "")
    if kind == "local" and any_remote_step:
        raise _needs_remote("--datastore" if option else "--datastore-root", option or root_option)
    if root_option is not None:
        return Choice(kind, check_root(kind, root_option, "--datastore-root"))
    return Choice(kind, _configured_root(kind, roots, "--datastore"))


def _only_remote(roots: Mapping[str, Sourced]) -> Choice:
    remote = [kind for kind in REMOTE if kind in roots]
    if not remote:
        raise _needs_remote("datastore", "local")
    if len(remote) > 1:
        named = ", ".join(f"{roots[kind].value} ({roots[kind].source})" for kind in remote)
        raise SettingsError(
            "datastore",
            None,
            f"a step runs remotely and several remote roots are configured: {named}",
            hint=f"Add one of {', '.join(f'--datastore={kind}' for kind in remote)}.",
        )
    root = roots[remote[0]]
    return Choice(
        remote[0], str(root.value), f"Datastore: {root.value} ({root.source}), as a step runs remotely"
    )


def _configured_root(kind: str, roots: Mapping[str, Sourced], source: str) -> str:
    if kind not in roots:
        example = SCHEMES[kind][0] + (
            "bucket/prefix" if kind != "azure" else "container@account.blob.core.windows.net/prefix"
        )
        raise SettingsError(
            "datastore",
            kind,
            f"no root is configured for it, neither HEADWAY_DATASTORE_SYSROOT_{kind.upper()} nor METAFLOW_…",
            source,
            f"Type: export HEADWAY_DATASTORE_SYSROOT_{kind.upper()}={example}",
        )
    return str(roots[kind].value)


def _known(kind: str, source: str) -> str:
    if kind not in SCHEMES:
        raise SettingsError("datastore", kind, f"one of {', '.join(SCHEMES)} is allowed", source)
    return kind


def _kind_of(root: str) -> str:
    if "://" not in root:
        return "local"
    kind = next((kind for kind in REMOTE if root.startswith(SCHEMES[kind])), None)
    if kind is None:
        schemes = ", ".join(SCHEMES[kind][0] for kind in REMOTE)
        raise SettingsError(
            "datastore root", root, f"a folder, or an URL with {schemes} is allowed", "--datastore-root"
        )
    return kind


def _needs_remote(field: str, value: object) -> SettingsError:
    return SettingsError(
        field, value, "a step runs remotely, and its pod cannot reach a folder of this machine", hint=_SET_ONE
    )
