"""Find out which cluster to use and how: KUBECONFIG, a pod's service account, or `~/.kube/config`."""

import os
from collections.abc import Mapping
from pathlib import Path

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import (
    AuthSettings,
    ClusterAccess,
    TlsSettings,
)
from headway.executors.kubernetes.api.kubeconfig_file import Cluster, MergedConfig, User, decoded, resolved
from headway.executors.kubernetes.api.kubeconfig_user import user_auth
from headway.executors.kubernetes.api.proxy import checked_proxy, proxy_for

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load_access(
    context: str | None = None,
    *,
    kubeconfig: str | Path | None = None,
    in_cluster: bool = False,
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> ClusterAccess:
    """Decide which cluster to use.

    In this order: the kubeconfig named by the argument or by KUBECONFIG; inside a pod, its service
    account; `~/.kube/config`.

    Args:
        context: The kubeconfig's context to use instead of its current one.
        kubeconfig: A file to read instead of those that KUBECONFIG names.
        in_cluster: Use the pod's service account, whatever kubeconfig there is.
        environ: The environment.
        home: The home folder; the user's own if None.
        service_account: Where a pod finds its token.

    Raises:
        ClusterConfigurationError: If there is no cluster to be found, or the configuration found is broken.
    """
    if in_cluster:
        if environ.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").exists():
            return _in_cluster(environ, service_account)
        raise ClusterConfigurationError(
            "incluster is set, and this is no pod with a service account: KUBERNETES_SERVICE_HOST or "
            f"{service_account / 'token'} is missing.",
            "Leave incluster out to use a kubeconfig; in a pod, do not set automountServiceAccountToken: false.",
        )
    default = (home or Path(os.path.expanduser("~"))) / ".kube" / "config"  # noqa: PTH111 - Path's raise without a home
    named = str(kubeconfig or "") or environ.get("KUBECONFIG") or ""
    if named:
        paths = [Path(os.path.expanduser(part)) for part in named.split(os.pathsep) if part]  # noqa: PTH111
        found = [path for path in paths if _is_named(path)]
        if not found:
            source = "The kubeconfig given" if kubeconfig else "KUBECONFIG names"
            raise ClusterConfigurationError(
                f"{source} {named}, and no such file exists.",
                "Correct it, or unset KUBECONFIG to use ~/.kube/config.",
            )
        return _from_files(found, context, environ)
    if environ.get("KUBERNETES_SERVICE_HOST") and context is None:
        if (service_account / "token").exists():
            return _in_cluster(environ, service_account)
        if not os.path.exists(default):  # noqa: PTH110 - of a home that is closed, Path.exists() raises
            raise ClusterConfigurationError(
                f"This pod has no Kubernetes credentials: {service_account / 'token'} does not exist.",
                "Give the pod a service account and do not set automountServiceAccountToken: false, "
                "or mount a kubeconfig and set KUBECONFIG.",
            )
    if os.path.exists(default):  # noqa: PTH110
        return _from_files([default], context, environ)
    raise ClusterConfigurationError(
        f"No Kubernetes cluster is configured: KUBECONFIG is not set, this is not a pod of a cluster "
        f"(KUBERNETES_SERVICE_HOST is not set), and {default} does not exist.",
        "Set KUBECONFIG to your cluster's kubeconfig. Clouds write one with `aws eks update-kubeconfig`, "
        "`gcloud container clusters get-credentials` or `az aks get-credentials`.",
    )


def _is_named(path: Path) -> bool:
    """Whether there is a file, or something that cannot be looked at and is told of when it is read."""
    try:
        return path.exists()
    except OSError:
        return True


def _in_cluster(environ: Mapping[str, str], service_account: Path) -> ClusterAccess:
    host = environ["KUBERNETES_SERVICE_HOST"]
    port = environ.get("KUBERNETES_SERVICE_PORT") or "443"
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    ca, namespace = service_account / "ca.crt", service_account / "namespace"
    return ClusterAccess(
        server=server,
        namespace=(namespace.read_text().strip() if namespace.exists() else "") or "default",
        source="the pod's service account",
        tls=TlsSettings(ca_data=ca.read_bytes() if ca.exists() else None),
        auth=AuthSettings(token_file=service_account / "token"),
        proxy=proxy_for(server, environ),
    )


def _from_files(paths: list[Path], context: str | None, environ: Mapping[str, str]) -> ClusterAccess:
    merged = MergedConfig()
    for path in paths:
        merged.add(path)
    where = ", ".join(map(str, paths))
    name = context or merged.current_context
    choices = ", ".join(sorted(merged.contexts)) or "none"
    if not name:
        raise ClusterConfigurationError(
            f"The kubeconfig {where} has no current context. Its contexts: {choices}.",
            "Choose one with `kubectl config use-context NAME`.",
        )
    entry, path = merged.contexts.get(name, (None, paths[0]))
    if entry is None or entry.context is None:
        raise ClusterConfigurationError(
            f"The kubeconfig {where} has no context {name!r}. Its contexts: {choices}.",
            "Correct the name, or choose another with `kubectl config use-context NAME`.",
        )
    cluster_entry, cluster_path = merged.clusters.get(entry.context.cluster, (None, path))
    if cluster_entry is None or cluster_entry.cluster is None or not cluster_entry.cluster.server:
        raise ClusterConfigurationError(
            f"Context {name!r} in {path} names the cluster {entry.context.cluster!r}, which has no server.",
            "Add the cluster's entry, or choose another context.",
        )
    user_entry, user_path = merged.users.get(entry.context.user, (None, path))
    if user_entry is None and entry.context.user:
        raise ClusterConfigurationError(
            f"Context {name!r} in {path} names the user {entry.context.user!r}, which is not defined.",
            "Add the user's entry, or choose another context.",
        )
    cluster, user = cluster_entry.cluster, (user_entry.user if user_entry else None) or User()
    server = _server(cluster)
    tls = _tls(cluster, cluster_path)
    proxy = (
        checked_proxy(cluster.proxy_url, f"proxy-url in {cluster_path}")
        if cluster.proxy_url
        else proxy_for(server, environ)
    )
    return ClusterAccess(
        server=server,
        namespace=entry.context.namespace or "default",
        source=f"context {name} in {path}",
        tls=tls,
        auth=user_auth(user, entry.context.user, user_path, cluster, server, tls),
        context=name,
        proxy=proxy,
    )


def _server(cluster: Cluster) -> str:
    server = (cluster.server or "").rstrip("/")
    if "://" in server:
        return server
    # kubectl's rule for a bare host: https once anything about TLS or identity is said.
    secure = (
        cluster.certificate_authority
        or cluster.certificate_authority_data
        or cluster.insecure_skip_tls_verify
    )
    return f"{'https' if secure else 'http'}://{server}"


def _tls(cluster: Cluster, path: Path) -> TlsSettings:
    if cluster.certificate_authority_data:
        ca = decoded(cluster.certificate_authority_data, "certificate-authority-data", path)
    elif cluster.certificate_authority:
        ca = _content(cluster.certificate_authority, "certificate-authority", path)
    else:
        ca = None
    return TlsSettings(ca, not cluster.insecure_skip_tls_verify, cluster.tls_server_name or None)


def _content(file: str, field: str, path: Path) -> bytes:
    file_path = resolved(file, path)
    try:
        return file_path.read_bytes()
    except OSError as error:
        raise ClusterConfigurationError(
            f"{field} in {path} names {file_path}, which cannot be read: {error.strerror or error}.",
            "Correct the path in the kubeconfig.",
        ) from error
