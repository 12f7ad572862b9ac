"""Who a kubeconfig's user is: certificates, tokens, exec plugins, and what is no longer supported."""

import base64
import os
from pathlib import Path
from urllib.parse import quote

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import AuthSettings, ClientCertificate, ExecPlugin, TlsSettings
from headway.executors.kubernetes.api.kubeconfig_file import Cluster, Exec, User, decoded, resolved

_EXEC_EXTENSION = "client.authentication.k8s.io/exec"


def user_auth(
    user: User, name: str, path: Path, cluster: Cluster, server: str, tls: TlsSettings
) -> AuthSettings:
    """Turn a kubeconfig's user into what the client needs to authenticate.

    Args:
        user: The user's entry.
        name: The user's name, for messages.
        path: The file the entry stands in; its relative paths are relative to that.
        cluster: The cluster's entry, for exec plugins that want to know it.
        server: The cluster's URL.
        tls: What to trust.

    Raises:
        ClusterConfigurationError: If the way of authenticating is broken or not supported.
    """
    if user.auth_provider is not None:
        raise _legacy_provider(user.auth_provider.name, name, path)
    if user.username or user.password:
        raise ClusterConfigurationError(
            f"The user {name!r} in {path} has a username and a password; Kubernetes removed that in 1.19.",
            "Use a token, a client certificate or an exec plugin.",
        )
    return AuthSettings(
        certificate=_certificate(user, name, path),
        token=(user.token or "").strip() or None,
        token_file=resolved(user.token_file, path) if user.token_file else None,
        exec_plugin=_exec_plugin(user.exec, name, path, cluster, server, tls) if user.exec else None,
        impersonate=_impersonation(user),
    )


def _certificate(user: User, name: str, path: Path) -> ClientCertificate | None:
    certificate = _pem(user.client_certificate_data, user.client_certificate, "client-certificate", path)
    key = _pem(user.client_key_data, user.client_key, "client-key", path)
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing = "client-certificate" if certificate is None else "client-key"
        raise ClusterConfigurationError(
            f"The user {name!r} in {path} has no {missing}, only its counterpart.",
            "Fetch the kubeconfig again from where it came from.",
        )
    return ClientCertificate(certificate, key)


def _pem(data: str | None, file: str | None, field: str, path: Path) -> bytes | Path | None:
    if data:
        return decoded(data, f"{field}-data", path)
    return resolved(file, path) if file else None


def _exec_plugin(
    spec: Exec, name: str, path: Path, cluster: Cluster, server: str, tls: TlsSettings
) -> ExecPlugin:
    if not spec.command:
        raise ClusterConfigurationError(
            f"The exec plugin of user {name!r} in {path} names no command.", "Add exec.command to the user."
        )
    version = spec.api_version.removeprefix("client.authentication.k8s.io/")
    if version not in ("v1", "v1beta1"):
        raise ClusterConfigurationError(
            f"The exec plugin of user {name!r} in {path} speaks {spec.api_version or 'no version'}; "
            "Kubernetes knows client.authentication.k8s.io/v1 and v1beta1.",
            f"Update {spec.command} and write the kubeconfig again (for EKS: `aws eks update-kubeconfig`).",
        )
    # Like kubectl: a relative path is relative to the kubeconfig, a bare name is looked up on PATH.
    command = str(resolved(spec.command, path)) if os.sep in spec.command else spec.command
    return ExecPlugin(
        command=command,
        args=tuple(spec.args or ()),
        env=tuple((variable.name, variable.value) for variable in spec.env or ()),
        api_version=spec.api_version,
        install_hint=(spec.install_hint or "").strip(),
        interactive_mode=spec.interactive_mode or "IfAvailable",
        cluster_info=_cluster_info(cluster, server, tls) if spec.provide_cluster_info else None,
    )


def _cluster_info(cluster: Cluster, server: str, tls: TlsSettings) -> dict[str, object]:
    info: dict[str, object] = {"server": server}
    if tls.server_name:
        info["tls-server-name"] = tls.server_name
    if not tls.verify:
        info["insecure-skip-tls-verify"] = True
    if tls.ca_data is not None:
        info["certificate-authority-data"] = base64.b64encode(tls.ca_data).decode()
    if cluster.proxy_url:
        info["proxy-url"] = cluster.proxy_url
    for extension in cluster.extensions or ():
        if extension.name == _EXEC_EXTENSION:
            info["config"] = extension.extension
    return info


def _impersonation(user: User) -> tuple[tuple[str, str], ...]:
    headers = []
    if user.as_user:
        headers.append(("Impersonate-User", user.as_user))
    if user.as_uid:
        headers.append(("Impersonate-Uid", user.as_uid))
    headers += [("Impersonate-Group", group) for group in user.as_groups or ()]
    for key, values in (user.as_user_extra or {}).items():
        headers += [(f"Impersonate-Extra-{quote(key, safe='')}", value) for value in values]
    return tuple(headers)


def _legacy_provider(provider: str, name: str, path: Path) -> ClusterConfigurationError:
    replacement = {
        "gcp": "Install gke-gcloud-auth-plugin and run `gcloud container clusters get-credentials CLUSTER`.",
        "azure": "Install kubelogin and run `kubelogin convert-kubeconfig`.",
        "oidc": "Use an exec plugin in its place, for example `kubectl oidc-login` (kubelogin).",
    }
    return ClusterConfigurationError(
        f"The user {name!r} in {path} uses the auth-provider {provider!r}. Exec plugins took the place of "
        "auth-providers, which are not supported.",
        replacement.get(provider, "Use an exec plugin, a token or a client certificate in its place."),
    )
