"""Which datastore a run uses: one pure choice, with the line that says why."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from headway.config.general import SCHEMES, check_root
from headway.config.sources import Sourced
from headway.errors import SettingsError

REMOTE = ("s3", "azure", "gs")

_SET_ONE = (
    "Set HEADWAY_DATASTORE_SYSROOT_S3=s3://bucket/prefix (or _AZURE, _GS), or add "
    "--datastore=s3 --datastore-root=s3://bucket/prefix."
)
_OR_SHARE = (
    "Without an object store: name a folder that this machine and every node share with --datastore-root, and "
    "mount it at the same path in every pod: "
    'export HEADWAY_KUBERNETES_PERSISTENT_VOLUME_CLAIMS=\'{{"<claim>": "{folder}"}}\''
)

#: Tells why pods do not see a folder of this machine, "" where they do.
Unseen = Callable[[str], str]


def _of_this_machine(root: str) -> str:
    return f"its pod cannot reach {root}, a folder of this machine"


class Choice(NamedTuple):
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
    unseen: Unseen = _of_this_machine,
) -> Choice:
    """Choose where a run keeps its data.

    Args:
        option: ``--datastore``.
        root_option: ``--datastore-root``; alone, its scheme tells the kind.
        roots: The configured roots by kind; ``local`` always has one.
        any_remote_step: Whether a step runs where this machine's disk is not.
        default: The configured DEFAULT_DATASTORE.
        unseen: Why remote steps do not see a folder; by default they see none.

    Raises:
        SettingsError: The kind has no root, several remote roots compete, or a step
            runs remotely and only a folder that it does not see is at hand.
    """
    if not any_remote_step:
        unseen = _is_seen
    if option is not None or root_option is not None:
        return _asked_for(option, root_option, roots, unseen)
    if default is not None and str(default.value) != "local":
        kind = _known(str(default.value), default.source)
        root = _configured_root(kind, roots, default.source)
        return Choice(kind, root, f"Datastore: {root} ({default.source}={kind})")
    if not any_remote_step:
        return Choice("local", str(roots["local"].value))
    return _seen_by_pods(roots, unseen, prefer_local=default is not None)


def _asked_for(
    option: str | None, root_option: str | None, roots: Mapping[str, Sourced], unseen: Unseen
) -> Choice:
    kind = _known(option, "--datastore") if option is not None else _kind_of(root_option or "")
    if root_option is not None:
        root, source = check_root(kind, root_option, "--datastore-root"), "--datastore-root"
    else:
        root, source = _configured_root(kind, roots, "--datastore"), "--datastore"
    if kind == "local" and (why := unseen(root)):
        raise _needs_remote(source, option if source == "--datastore" else root, root, why)
    return Choice(kind, root)


def _is_seen(root: str) -> str:
    return ""


def _seen_by_pods(roots: Mapping[str, Sourced], unseen: Unseen, *, prefer_local: bool) -> Choice:
    remote = [kind for kind in REMOTE if kind in roots]
    local = roots["local"]
    why = unseen(str(local.value)) if prefer_local or not remote else ""
    if not remote and why:
        raise _needs_remote("datastore", "local", str(local.value), why)
    if not remote or (prefer_local and not why):
        return Choice(
            "local", str(local.value), f"Datastore: {local.value} ({local.source}), which every pod mounts"
        )
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


def check_kind(option: str | None) -> None:
    """Refuse a ``--datastore`` that there is not.

    Raises:
        SettingsError: There is no such kind.
    """
    if option is not None:
        _known(option, "--datastore")


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


def _needs_remote(field: str, value: object, folder: str, why: str) -> SettingsError:
    hint = f"{_SET_ONE}\n{_OR_SHARE.format(folder=folder)}"
    return SettingsError(field, value, f"a step runs remotely, and {why}", hint=hint)
