"""How to reach one cluster and as whom: the frozen outcome of reading a kubeconfig or a pod's environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What to trust.

    Args:
        ca_data: PEM certificates to trust; None means the system's.
        verify: False only where the kubeconfig says insecure-skip-tls-verify.
        server_name: The name expected in the server's certificate, where it is not the host of the URL.
    """

    ca_data: bytes | None = None
    verify: bool = True
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A client certificate and its key, each as PEM or as the file that holds it."""

    certificate: bytes | Path
    key: bytes | Path = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A command that prints credentials, as the kubeconfig describes it.

    Args:
        command: What to run: a path, or a name to look up on PATH.
        args: Its arguments.
        env: Variables added to our own.
        api_version: The version of ExecCredential it speaks.
        install_hint: What its vendor wants said when the command is missing.
        interactive_mode: "Never", "IfAvailable" or "Always".
        cluster_info: The `spec.cluster` to hand over, where the kubeconfig asks for that.
    """

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    api_version: str = "client.authentication.k8s.io/v1"
    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    cluster_info: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who we are. A token wins over an exec plugin; a client certificate goes with either.

    Args:
        certificate: The client certificate.
        token: A bearer token that does not change.
        token_file: A file with a bearer token that is replaced from time to time; wins over `token`.
        exec_plugin: A command that prints credentials.
        impersonate: Headers that ask the server to act as somebody else.
    """

    certificate: ClientCertificate | None = None
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    exec_plugin: ExecPlugin | None = None
    impersonate: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One cluster, one identity, one default namespace.

    Args:
        server: The API server's URL, with a path prefix where it has one, without a trailing slash.
        namespace: The namespace of the context; "default" where it names none.
        source: Where this came from, in words for messages.
        tls: What to trust.
        auth: Who we are.
        context: The context's name; None inside a cluster.
        proxy: The proxy's URL, if the server is reached through one.
    """

    server: str
    namespace: str
    source: str
    tls: TlsSettings = TlsSettings()
    auth: AuthSettings = AuthSettings()
    context: str | None = None
    proxy: str | None = field(default=None, repr=False)
