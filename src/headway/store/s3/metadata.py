"""Credentials of the container or the instance that this process runs in."""

import json
from typing import Dict, Mapping

from headway.errors import StoreConfigurationError
from headway.store.net.answers import Answer
from headway.store.net.chain import NoAnswerError
from headway.store.net.connections import ConnectionFailed, Connections
from headway.store.net.endpoints import Endpoint, parse_endpoint
from headway.store.net.inquiry import ask, epoch, read_token
from headway.store.s3.endpoints import TRUST
from headway.store.s3.signing import Credentials

_INSTANCE = "http://169.254.169.254"

#: Where a container's endpoint may be without TLS: ECS, EKS pod identity (v4, v6), and this machine.
_CONTAINER_HOSTS = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"}


def container(environ: Mapping[str, str], url: str) -> Credentials:
    """Ask the endpoint that the container's environment names (ECS, EKS pod identity)."""
    server = parse_endpoint(url)
    if not server.secure and server.host not in _CONTAINER_HOSTS and not server.host.startswith("127."):
        raise StoreConfigurationError(
            f"AWS_CONTAINER_CREDENTIALS_FULL_URI names {server.host}, to which keys must not go unencrypted",
            "Use https, or an address of this machine or of the cloud's own service.",
        )
    headers = {}
    file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if file:
        token = read_token(file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if token:
        headers["authorization"] = token
    connections = Connections(server._replace(path=""), environ, 2.0, 5.0, proxies=False, trust=TRUST)
    path = url.split("://", 1)[1].partition("/")[2]
    answer = ask(connections, "GET", f"/{path}", headers, f"the container's endpoint {url}")
    return _from_json(answer, f"the container's endpoint {url}")


def instance(environ: Mapping[str, str]) -> Credentials:
    """Ask the instance's metadata service, version 2.

    Raises:
        NoAnswerError: There is no such service, or no role on this instance.
    """
    server = parse_endpoint(environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _INSTANCE)
    connections = Connections(server, environ, connect_timeout=1.0, read_timeout=1.0, proxies=False)
    folder = f"{server.path}/latest/meta-data/iam/security-credentials/"
    try:
        lifetime = {"x-aws-ec2-metadata-token-ttl-seconds": "21600", "content-length": "0"}
        token = connections.exchange("PUT", f"{server.path}/latest/api/token", _host(server, lifetime))
        if token.status != 200:
            raise NoAnswerError(f"no token, status {token.status}")
        headers = _host(server, {"x-aws-ec2-metadata-token": token.body.decode()})
        role = connections.exchange("GET", folder, headers)
        name = role.body.decode().strip().partition("\n")[0]
        if role.status != 200 or not name:
            raise NoAnswerError("this instance has no role")
        return _from_json(connections.exchange("GET", folder + name, headers), f"the instance's role {name}")
    except ConnectionFailed as error:
        raise NoAnswerError("no answer") from error
    finally:
        connections.close()


def _from_json(answer: Answer, who: str) -> Credentials:
    try:
        raw = json.loads(answer.body)
        return Credentials(
            raw["AccessKeyId"], raw["SecretAccessKey"], raw.get("Token"), epoch(raw.get("Expiration") or "")
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreConfigurationError(
            f"{who} gives no credentials (status {answer.status})",
            "Check that a role is attached to this pod, container or instance.",
        ) from error


def _host(server: Endpoint, headers: Dict[str, str]) -> Dict[str, str]:
    return {"host": server.authority, **headers}
