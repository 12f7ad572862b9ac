"""What a kubeconfig file holds, decoded and merged over several files the way kubectl does."""

import base64
import binascii
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import yaml

from headway.errors import ClusterConfigurationError

# The C loader takes a seventh of the time; it is missing where libyaml was.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Section(msgspec.Struct, frozen=True, rename="kebab"):
    """The base of every part; unknown fields are skipped."""


class Extension(_Section, frozen=True):
    name: str = ""
    extension: Any = None


class Cluster(_Section, frozen=True):
    server: str | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool | None = None
    tls_server_name: str | None = None
    proxy_url: str | None = None
    extensions: list[Extension] | None = None


class EnvVar(_Section, frozen=True):
    name: str
    value: str = ""


class Exec(msgspec.Struct, frozen=True, rename="camel"):
    command: str = ""
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    api_version: str = ""
    install_hint: str | None = None
    provide_cluster_info: bool = False
    interactive_mode: str | None = None


class AuthProvider(_Section, frozen=True):
    name: str = ""


class User(_Section, frozen=True):
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    username: str | None = None
    password: str | None = None
    exec: Exec | None = None
    auth_provider: AuthProvider | None = None
    as_user: str | None = msgspec.field(default=None, name="as")
    as_uid: str | None = None
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str]] | None = None


class Context(_Section, frozen=True):
    cluster: str = ""
    user: str = ""
    namespace: str | None = None


class NamedCluster(_Section, frozen=True):
    name: str
    cluster: Cluster | None = None


class NamedUser(_Section, frozen=True):
    name: str
    user: User | None = None


class NamedContext(_Section, frozen=True):
    name: str
    context: Context | None = None


class _File(_Section, frozen=True):
    current_context: str | None = None
    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


class MergedConfig:
    """Several kubeconfig files as one; the first file to define a name wins, whole entry by whole entry.

    Attributes:
        current_context: The first one set; None if no file sets any.
        clusters: Each cluster by name, with the file it came from; relative paths are relative to that.
        users: Likewise.
        contexts: Likewise.
    """

    def __init__(self) -> None:
        self.current_context: str | None = None
        self.clusters: dict[str, tuple[NamedCluster, Path]] = {}
        self.users: dict[str, tuple[NamedUser, Path]] = {}
        self.contexts: dict[str, tuple[NamedContext, Path]] = {}

    def add(self, path: Path) -> None:
        """Merge one file below those added before.

        Raises:
            ClusterConfigurationError: If it cannot be read or is no kubeconfig.
        """
        content = _read(path)
        self.current_context = self.current_context or content.current_context
        _add(self.clusters, content.clusters, path)
        _add(self.users, content.users, path)
        _add(self.contexts, content.contexts, path)


def _add(known: dict[str, tuple[N, Path]], entries: Iterable[N] | None, path: Path) -> None:
    for entry in entries or ():
        known.setdefault(entry.name, (entry, path))


def _read(path: Path) -> _File:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ClusterConfigurationError(
            f"The kubeconfig {path} cannot be read: {error.strerror or error}.",
            "Check the file's permissions, or point KUBECONFIG at another file.",
        ) from error
    try:
        content = yaml.load(text, Loader=_Loader) or {}  # noqa: S506 - a safe loader, the C one where there is one
        return msgspec.convert(content, _File)
    except yaml.YAMLError as error:
        # Only the place: YAML's own message may quote the line, and with it a token.
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ClusterConfigurationError(
            f"The kubeconfig {path}{where} is not valid YAML.",
            "`kubectl config view` reads the same file; mend it or point KUBECONFIG at another.",
        ) from None
    except msgspec.ValidationError as error:
        raise ClusterConfigurationError(
            f"The file {path} is not a valid kubeconfig: {error}.",
            "`kubectl config view` reads the same file; mend it or point KUBECONFIG at another.",
        ) from error


def decoded(data: str, field: str, path: Path) -> bytes:
    """Decode one of the `…-data` fields.

    Args:
        data: The base64 text.
        field: The field's name, for the message.
        path: The file it stands in.

    Raises:
        ClusterConfigurationError: If it is not base64.
    """
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ClusterConfigurationError(
            f"{field} in {path} is not valid base64.", "Fetch the kubeconfig again from where it came from."
        ) from error


def resolved(file: str, path: Path) -> Path:
    """Resolve a file named in a kubeconfig against the folder of that kubeconfig.

    Args:
        file: The name as written.
        path: The kubeconfig it stands in.
    """
    return (path.parent / os.path.expanduser(file)).resolve()  # noqa: PTH111 - Path's raises without a home
