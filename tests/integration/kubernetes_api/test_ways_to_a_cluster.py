"""How a real API server is reached: kubeconfigs, plugins, service accounts, proxies, certificates."""

import asyncio
import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_server import eventually, run

from headway.executors.kubernetes.api.access import ClusterAccess, TlsSettings
from headway.executors.kubernetes.api.calls import Limits
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import (
    ApiError,
    Forbidden,
    Unauthorized,
    Unreachable,
)
from headway.executors.kubernetes.api.kinds import (
    POD,
)
from headway.executors.kubernetes.api.kubeconfig import load_access

pytestmark = pytest.mark.cluster


def admin(tmp_path: Path) -> dict[str, Any]:
    """The administrator's kubeconfig, taken apart."""
    content = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    assert isinstance(content, dict)
    return content


def write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


async def test_a_kubeconfig_in_several_files(tmp_path: Path) -> None:
    whole = admin(tmp_path)
    cluster = whole["clusters"][0]["cluster"]
    (tmp_path / "ca.pem").write_bytes(base64.b64decode(cluster.pop("certificate-authority-data")))
    cluster["certificate-authority"] = "ca.pem"
    paths = [
        write(tmp_path / "one", {"contexts": whole["contexts"], "clusters": whole["clusters"]}),
        tmp_path / "missing",
        write(tmp_path / "two", {"users": whole["users"], "current-context": whole["current-context"]}),
    ]
    access = load_access(environ={"KUBECONFIG": os.pathsep.join(map(str, paths))})
    async with KubernetesClient(access) as client:
        assert await client.version()


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_an_exec_plugin_that_prints_a_client_certificate(tmp_path: Path, version: str) -> None:
    content = admin(tmp_path)
    user = content["users"][0]["user"]
    status = {
        "clientCertificateData": base64.b64decode(user["client-certificate-data"]).decode(),
        "clientKeyData": base64.b64decode(user["client-key-data"]).decode(),
        "expirationTimestamp": "2100-01-01T00:00:00Z",
    }
    api_version = f"client.authentication.k8s.io/{version}"
    answer = {"apiVersion": api_version, "kind": "ExecCredential", "status": status}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    (tmp_path / "login").write_text('#!/bin/sh\ncat "$(dirname "$0")/answer.json"\n')
    (tmp_path / "login").chmod(0o755)
    content["users"][0]["user"] = {
        "exec": {
            "apiVersion": api_version,
            "command": "./login",
            "interactiveMode": "Never",
            "provideClusterInfo": True,
        }
    }
    access = load_access(kubeconfig=write(tmp_path / "config", content), environ={})
    async with KubernetesClient(access) as client:
        assert await client.can_i("*", "pods", "default")


async def test_a_pods_service_account(tmp_path: Path, access: ClusterAccess, namespace: str) -> None:
    token = await eventually(lambda: run("kubectl", "create", "token", "default", "-n", namespace))
    (tmp_path / "token").write_text(token)
    (tmp_path / "namespace").write_text(namespace)
    (tmp_path / "ca.crt").write_bytes(access.tls.ca_data or b"")
    host, _, port = access.server.removeprefix("https://").partition(":")
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    in_pod = load_access(environ=environ, home=tmp_path, service_account=tmp_path)
    async with KubernetesClient(in_pod) as client:
        with pytest.raises(Forbidden) as caught:
            await client.list(POD, namespace)
        assert caught.value.user == f"system:serviceaccount:{namespace}:default"
        assert f"--serviceaccount={namespace}:default" in (caught.value.hint or "")
        (tmp_path / "token").write_text("expired")
        with pytest.raises(Unauthorized, match="the pod's service account"):
            await client.list(POD, namespace)
        (tmp_path / "token").write_text(token)
        with pytest.raises(Forbidden):
            await client.list(POD, namespace)


async def test_through_a_proxy(access: ClusterAccess) -> None:
    asked: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0])
        host, _, port = head.split()[1].decode().partition(":")
        onward_reader, onward_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, onward_writer), pump(onward_reader, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with KubernetesClient(replace(access, proxy=f"http://127.0.0.1:{port}")) as client:
            assert await client.version()
            assert await client.can_i("*", "pods", "default")
    host = access.server.removeprefix("https://").encode()
    assert asked == [b"CONNECT " + host + b" HTTP/1.1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server": "https://127.0.0.1:1"}, "connection refused"),
        ({"server": "https://no-such-host.invalid:6443"}, "cannot be resolved"),
        ({"tls": TlsSettings(ca_data=None)}, "not trusted"),
        ({"proxy": "http://127.0.0.1:1"}, "through the proxy 127.0.0.1: the proxy refuses or is not there"),
        ({"proxy": "{server}"}, "through the proxy 127.0.0.1: the connection broke"),
    ],
)
async def test_ways_that_lead_nowhere(access: ClusterAccess, change: dict[str, Any], words: str) -> None:
    if change.get("proxy") == "{server}":  # a proxy address that is none
        change = {"proxy": access.server.replace("https", "http")}
    broken = replace(access, **change)
    async with KubernetesClient(broken, limits=Limits(connect_timeout=3)) as client:
        with pytest.raises(Unreachable) as caught:
            await client.version()
    assert words in caught.value.message
    assert broken.server in caught.value.message
    assert access.source in caught.value.message
    assert caught.value.hint


async def test_a_certificate_for_another_name(access: ClusterAccess) -> None:
    tls = replace(access.tls, server_name="api.example.com")
    async with KubernetesClient(replace(access, tls=tls)) as client:
        with pytest.raises(Unreachable, match="for another name") as caught:
            await client.version()
    assert not caught.value.transient
    assert "tls-server-name" in (caught.value.hint or "")
    for tls in (replace(access.tls, server_name="kubernetes.default.svc"), TlsSettings(verify=False)):
        async with KubernetesClient(replace(access, tls=tls)) as client:
            assert await client.version()


async def test_tls_where_there_is_none_and_none_where_there_is(access: ClusterAccess) -> None:
    plain = replace(access, server=access.server.replace("https", "http"))
    async with KubernetesClient(plain) as client:
        with pytest.raises(ApiError, match="not as an API server does"):
            await client.version()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with KubernetesClient(replace(access, server=f"https://127.0.0.1:{port}")) as client:
            with pytest.raises(Unreachable, match="does not speak TLS"):
                await client.version()


async def test_a_client_certificate_nobody_knows(tmp_path: Path, access: ClusterAccess) -> None:
    await run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=nobody"),
        *("-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")),
    )
    content = admin(tmp_path)
    content["users"][0]["user"] = {"client-certificate": "cert", "client-key": "key"}
    stranger = load_access(kubeconfig=write(tmp_path / "config", content), environ={})
    async with KubernetesClient(stranger) as client:
        with pytest.raises((Unauthorized, Unreachable)) as caught:
            await client.list(POD, "default")
    assert caught.value.hint
