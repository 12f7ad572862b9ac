"""Which cluster is used, and how: files and their merging, pods, and every way it can be misconfigured."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import ClientCertificate, ClusterAccess
from headway.executors.kubernetes.api.kubeconfig import load_access

CA = b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def config(
    name: str = "one",
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    **context: str,
) -> dict[str, Any]:
    return {
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443", **(cluster or {})}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
    }


def write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    """A pod's service account."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("t")
    (folder / "ca.crt").write_bytes(CA)
    (folder / "namespace").write_text("team")
    return folder


IN_POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


# Where it is looked for


def test_an_explicit_kubeconfig_wins_over_the_pod(tmp_path: Path, home: Path, pod: Path) -> None:
    path = write(tmp_path / "a", config("a", namespace="team-a"))
    access = load_access(environ={**IN_POD, "KUBECONFIG": str(path)}, home=home, service_account=pod)
    assert (access.server, access.namespace, access.context) == ("https://a:6443", "team-a", "a")
    assert access.source == f"context a in {path}"


def test_in_a_pod_its_service_account_is_used(home: Path, pod: Path) -> None:
    write(home / ".kube/config", config())
    access = load_access(environ=IN_POD, home=home, service_account=pod)
    assert access.server == "https://10.96.0.1:443"
    assert (access.namespace, access.context) == ("team", None)
    assert access.tls.ca_data == CA
    assert access.auth.token_file == pod / "token"
    ipv6 = load_access(environ={"KUBERNETES_SERVICE_HOST": "fd00::1"}, home=home, service_account=pod)
    assert ipv6.server == "https://[fd00::1]:443"


def test_in_a_pod_a_context_asked_for_comes_from_the_kubeconfig(home: Path, pod: Path) -> None:
    write(home / ".kube/config", config("x"))
    assert load_access("x", environ=IN_POD, home=home, service_account=pod).context == "x"


def test_incluster_is_the_pods_service_account_whatever_else_there_is(
    tmp_path: Path, home: Path, pod: Path
) -> None:
    environ = {**IN_POD, "KUBECONFIG": str(write(tmp_path / "a", config("a")))}
    access = load_access(in_cluster=True, environ=environ, home=home, service_account=pod)
    assert access.server == "https://10.96.0.1:443"
    for outside, account in ((environ, tmp_path / "none"), ({}, pod)):
        with pytest.raises(ClusterConfigurationError, match="incluster is set, and this is no pod"):
            load_access(in_cluster=True, environ=outside, home=home, service_account=account)


def test_a_pod_without_a_token_falls_back_or_says_so(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ClusterConfigurationError, match="automountServiceAccountToken"):
        load_access(environ=IN_POD, home=home, service_account=tmp_path / "none")
    write(home / ".kube/config", config("x"))
    assert load_access(environ=IN_POD, home=home, service_account=tmp_path / "none").context == "x"


def test_the_home_folder_comes_last(home: Path) -> None:
    write(home / ".kube/config", config("h"))
    assert load_access(environ={}, home=home).server == "https://h:6443"
    assert load_access(environ={"KUBECONFIG": ""}, home=home).server == "https://h:6443"


def test_without_any_it_says_where_it_looked(home: Path) -> None:
    with pytest.raises(ClusterConfigurationError) as caught:
        load_access(environ={}, home=home)
    for place in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", str(home / ".kube/config")):
        assert place in caught.value.message
    assert "gcloud container clusters get-credentials" in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_an_explicit_kubeconfig_that_is_missing_is_an_error(tmp_path: Path, home: Path) -> None:
    write(home / ".kube/config", config())
    with pytest.raises(ClusterConfigurationError, match="no such file"):
        load_access(environ={"KUBECONFIG": str(tmp_path / "none")}, home=home)
    with pytest.raises(ClusterConfigurationError, match="no such file"):
        load_access(kubeconfig=tmp_path / "none", environ={}, home=home)


# Several files


def test_of_several_files_the_first_to_define_a_name_wins_whole(tmp_path: Path) -> None:
    first = config("a", user={"token": "first"})
    second = config("a", user={"token": "second"}, cluster={"tls-server-name": "second"}, namespace="second")
    second["current-context"] = "b"
    for section in ("clusters", "users", "contexts"):
        second[section] += config("b")[section]
    paths = [write(tmp_path / "1", first), tmp_path / "missing", write(tmp_path / "2", second)]
    environ = {"KUBECONFIG": os.pathsep.join(map(str, paths))}
    access = load_access(environ=environ)
    assert (access.context, access.namespace, access.tls.server_name) == ("a", "default", None)
    assert access.auth.token == "first"
    assert load_access("b", environ=environ).server == "https://b:6443"


def test_the_parts_of_a_context_may_come_from_different_files(tmp_path: Path) -> None:
    whole = config("a", user={"tokenFile": "token"}, cluster={"certificate-authority": "ca.pem"})
    one = write(tmp_path / "1/config", {key: whole[key] for key in ("contexts", "clusters")})
    two = write(tmp_path / "2/config", {key: whole[key] for key in ("users", "current-context")})
    (tmp_path / "1/ca.pem").write_bytes(CA)
    access = load_access(environ={"KUBECONFIG": f"{one}{os.pathsep}{two}"})
    assert access.tls.ca_data == CA
    assert access.auth.token_file == tmp_path / "2/token"


# What stands in them


def access_of(tmp_path: Path, environ: dict[str, str] | None = None, **options: Any) -> ClusterAccess:
    path = write(tmp_path / "config", config(**options))
    return load_access(kubeconfig=path, environ=environ or {})


def test_certificates_embedded_and_in_files(tmp_path: Path) -> None:
    access = access_of(
        tmp_path,
        cluster={"certificate-authority-data": b64(CA), "certificate-authority": "ignored"},
        user={"client-certificate-data": b64(b"cert"), "client-key": "keys/key.pem"},
    )
    assert access.tls.ca_data == CA
    assert access.auth.certificate == ClientCertificate(b"cert", tmp_path / "keys/key.pem")


def test_tls_settings(tmp_path: Path) -> None:
    access = access_of(
        tmp_path, cluster={"insecure-skip-tls-verify": True, "tls-server-name": "api.internal"}
    )
    assert (access.tls.verify, access.tls.server_name, access.tls.ca_data) == (False, "api.internal", None)


@pytest.mark.parametrize(
    ("cluster", "server"),
    [
        ({"server": "https://rancher/k8s/clusters/c-1/"}, "https://rancher/k8s/clusters/c-1"),
        ({"server": "10.0.0.1:8080"}, "http://10.0.0.1:8080"),
        ({"server": "10.0.0.1:6443", "insecure-skip-tls-verify": True}, "https://10.0.0.1:6443"),
    ],
)
def test_the_servers_address(tmp_path: Path, cluster: dict[str, Any], server: str) -> None:
    assert access_of(tmp_path, cluster=cluster).server == server


def test_tokens_written_as_a_block(tmp_path: Path) -> None:
    assert access_of(tmp_path, user={"token": "t\n"}).auth.token == "t"


def test_impersonation(tmp_path: Path) -> None:
    user = {"as": "jane", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"scope": ["x"]}}
    assert access_of(tmp_path, user=user).auth.impersonate == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scope", "x"),
    )


def test_an_exec_plugin_with_the_clusters_description(tmp_path: Path) -> None:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./bin/login",
        "args": ["--region", "eu"],
        "env": [{"name": "PROFILE", "value": "p"}],
        "provideClusterInfo": True,
        "installHint": "get it\n",
        "interactiveMode": "Never",
    }
    access = access_of(
        tmp_path,
        cluster={"certificate-authority-data": b64(CA), "extensions": [extension]},
        user={"exec": plugin},
    )
    exec_plugin = access.auth.exec_plugin
    assert exec_plugin is not None
    assert exec_plugin.command == str(tmp_path / "bin/login")
    assert exec_plugin.args == ("--region", "eu")
    assert exec_plugin.env == (("PROFILE", "p"),)
    assert exec_plugin.install_hint == "get it"
    assert exec_plugin.cluster_info == {
        "server": "https://one:6443",
        "certificate-authority-data": b64(CA),
        "config": {"audience": "x"},
    }
    plugin |= {"command": "on-path", "provideClusterInfo": False}
    exec_plugin = access_of(tmp_path, user={"exec": plugin}).auth.exec_plugin
    assert exec_plugin is not None
    assert (exec_plugin.command, exec_plugin.cluster_info) == ("on-path", None)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    access = access_of(
        tmp_path,
        cluster={"proxy-url": "http://me:hidden1@proxy"},
        user={"token": "hidden2", "client-certificate-data": b64(b"c"), "client-key-data": b64(b"hidden3")},
    )
    assert "hidden" not in repr(access)


@pytest.mark.parametrize(
    ("environ", "cluster", "proxy"),
    [
        ({"HTTPS_PROXY": "http://env:3128"}, {}, "http://env:3128"),
        ({"HTTPS_PROXY": "http://env:3128"}, {"proxy-url": "http://own:1"}, "http://own:1"),
        ({"HTTPS_PROXY": "http://env:3128", "NO_PROXY": "one"}, {}, None),
    ],
)
def test_proxies(tmp_path: Path, environ: dict[str, str], cluster: dict[str, str], proxy: str | None) -> None:
    assert access_of(tmp_path, environ, cluster=cluster).proxy == proxy


# What is wrong with them


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"auth-provider": {"name": "gcp"}}, "gke-gcloud-auth-plugin"),
        ({"auth-provider": {"name": "azure"}}, "kubelogin convert-kubeconfig"),
        ({"auth-provider": {"name": "oidc", "config": {"id-token": "hidden"}}}, "exec plugin"),
        ({"username": "u", "password": "hidden"}, "username"),
        ({"client-certificate-data": b64(b"x")}, "no client-key"),
        ({"client-key-data": b64(b"x")}, "no client-certificate"),
        ({"client-certificate-data": "hidden!", "client-key-data": ""}, "client-certificate-data"),
        ({"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}}, "v1beta1"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}, "no command"),
        ({"token": ["hidden"]}, "Expected `str"),
    ],
)
def test_users_that_cannot_work(tmp_path: Path, user: dict[str, Any], words: str) -> None:
    with pytest.raises(ClusterConfigurationError) as caught:
        access_of(tmp_path, user=user)
    assert words in str(caught.value)
    assert str(tmp_path / "config") in caught.value.message
    assert caught.value.hint
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": ""}, "no current context. Its contexts: one"),
        ({"current-context": "two"}, "no context 'two'. Its contexts: one"),
        ({"clusters": None}, "the cluster 'one'"),
        ({"clusters": [{"name": "one", "cluster": {}}]}, "no server"),
        ({"users": []}, "the user 'one'"),
        ({"clusters": "text"}, "$.clusters"),
        (
            {
                "clusters": [
                    {"name": "one", "cluster": {"server": "https://x", "certificate-authority": "gone"}}
                ]
            },
            "cannot be read",
        ),
    ],
)
def test_files_that_cannot_work(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = write(tmp_path / "config", config() | change)
    with pytest.raises(ClusterConfigurationError) as caught:
        load_access(kubeconfig=path, environ={})
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["a: [hidden", "\thidden: 1", "- hidden", "hidden", "a: b: hidden"])
def test_a_file_that_is_no_kubeconfig_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(f"apiVersion: v1\n{text}\n")
    with pytest.raises(ClusterConfigurationError) as caught:
        load_access(kubeconfig=path, environ={})
    assert str(path) in caught.value.message
    assert "hidden" not in str(caught.value)
    assert caught.value.__suppress_context__ or "hidden" not in str(caught.value.__cause__)


def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(ClusterConfigurationError, match="cannot be read"):
        load_access(kubeconfig=tmp_path, environ={})


def test_files_that_cannot_be_looked_at(tmp_path: Path, home: Path) -> None:
    """In a folder that is closed; here with a name that no file can have."""
    closed = f"/{'x' * 300}"
    with pytest.raises(ClusterConfigurationError, match="cannot be read: File name too long"):
        load_access(environ={"KUBECONFIG": closed}, home=home)
    with pytest.raises(ClusterConfigurationError, match="No Kubernetes cluster is configured"):
        load_access(environ={}, home=Path(closed))
    with pytest.raises(ClusterConfigurationError, match="no such file exists"):
        load_access(environ={"KUBECONFIG": "~nobody-of-this-name/config"}, home=home)
