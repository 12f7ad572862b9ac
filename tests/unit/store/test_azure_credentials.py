"""Where credentials for Azure come from, and how tokens are renewed."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.errors import StoreConfigurationError
from headway.store.azure.client import AzureStore
from headway.store.azure.credentials import CredentialChain, forget_tokens
from headway.store.azure.endpoints import AzureAddress, address_of
from headway.store.azure.session import Session
from headway.store.azure.signing import Credentials
from headway.store.forward import credentials_to_forward
from headway.store.locations import AzureLocation
from headway.store.net.endpoints import Endpoint
from headway.testing.azure_server import TOKEN, AzureServer, Fault, Reply

ADDRESS = AzureAddress("runs", "acct", Endpoint(True, "acct.blob.core.windows.net", 443))
#: Where nothing answers at once.
NOBODY = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}
LOCATION = AzureLocation("runs")
SECRET = {"AZURE_CLIENT_SECRET": "s3cret/+"}


@pytest.fixture(autouse=True)
def _no_tokens_from_before() -> None:
    forget_tokens()


@pytest.fixture
def server() -> Iterator[AzureServer]:
    with AzureServer() as server:
        yield server


def chain(environ: dict[str, str], now: float = 0.0) -> CredentialChain:
    return CredentialChain({**NOBODY, **environ}, ADDRESS, lambda: now)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=acct;AccountKey=a2V5PQ=="},
            Credentials("a2V5PQ=="),
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "SharedAccessSignature=sv=1&sig=x%3D"},
            Credentials(signature="sv=1&sig=x%3D"),
        ),
        ({"AZURE_STORAGE_KEY": "k", "AZURE_STORAGE_SAS_TOKEN": "s"}, Credentials("k")),
        ({"AZURE_STORAGE_ACCOUNT_KEY": "k"}, Credentials("k")),
        ({"AZURE_STORAGE_SAS_TOKEN": "?sv=1"}, Credentials(signature="sv=1")),
        ({"HEADWAY_AZURE_STORAGE_TOKEN": "t"}, Credentials(token="t")),
    ],
)
def test_what_stands_in_the_environment_is_taken(environ: dict[str, str], found: Credentials) -> None:
    assert chain(environ).get() == found


def test_where_there_are_none_all_places_are_listed() -> None:
    with pytest.raises(StoreConfigurationError) as caught:
        chain({"AZURE_TENANT_ID": "t", "PATH": "/nonexistent"}).get()
    for place in (
        "AZURE_STORAGE_CONNECTION_STRING in the environment (not set)",
        "AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN",
        "AZURE_CLIENT_SECRET is not set",
        "AZURE_FEDERATED_TOKEN_FILE is not set",
        "the az command line (not installed)",
        "the machine's managed identity (no answer)",
    ):
        assert place in caught.value.message
    assert "--forward-credentials" in (caught.value.hint or "")


def test_a_connection_string_of_another_account_is_refused() -> None:
    with pytest.raises(StoreConfigurationError, match="is for the account 'other'"):
        chain({"AZURE_STORAGE_CONNECTION_STRING": "AccountName=other;AccountKey=a2V5"}).get()


def opened(environ: dict[str, str]) -> AzureStore:
    return AzureStore(LOCATION, Session(address_of(LOCATION, environ), environ, sleep=lambda seconds: None))


def test_an_application_signs_in_with_its_secret(server: AzureServer) -> None:
    store = opened({**server.identity, **SECRET})
    store.put("a", b"x")
    asked, put = server.seen
    assert asked.target == "/tenant/oauth2/v2.0/token"
    assert b"scope=https%3A%2F%2Fstorage.azure.com%2F.default" in asked.body
    assert b"client_secret=s3cret%2F%2B" in asked.body
    assert put.headers["authorization"] == f"Bearer {TOKEN}-1"


def test_a_workload_identity_signs_in_with_the_token_of_the_moment(
    server: AzureServer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    store = opened({**server.identity, "AZURE_FEDERATED_TOKEN_FILE": str(file)})
    store.put("a", b"x")
    file.write_text("second")
    server.good_from = server.tokens + 1
    store.put("b", b"x")
    asked = [seen.body for seen in server.seen if seen.target.endswith("token")]
    assert b"client_assertion=first" in asked[0]
    assert b"client_assertion=second" in asked[-1]
    assert server.blobs == {"a": b"x", "b": b"x"}


def test_the_machine_gives_a_token(server: AzureServer) -> None:
    environ = {**server.identity, "AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url, "AZURE_TENANT_ID": ""}
    opened(environ).put("a", b"x")
    asked = server.seen[0]
    assert asked.headers["metadata"] == "true"
    assert "resource=https%3A%2F%2Fstorage.azure.com%2F" in asked.target
    assert "client_id=client" in asked.target
    environ = {**environ, "IDENTITY_ENDPOINT": f"{server.url}/msi/token", "IDENTITY_HEADER": "proof"}
    opened(environ).put("b", b"x")
    assert server.seen[2].headers["x-identity-header"] == "proof"


def test_a_refused_sign_in_says_why(server: AzureServer) -> None:
    refusal = b'{"error_description": "AADSTS7000215: Invalid client secret.\\r\\nTrace ID: 1"}'
    server.fail(Fault(Reply(401, refusal)))
    with pytest.raises(
        StoreConfigurationError, match="refuses a token to the application client: AADSTS7000215"
    ) as caught:
        opened({**server.identity, **SECRET}).get("a")
    assert "Trace" not in caught.value.message
    assert "AZURE_CLIENT_SECRET" in (caught.value.hint or "")


def test_a_token_is_renewed_before_its_end(server: AzureServer) -> None:
    now = 0.0
    environ = {**server.identity, **SECRET}
    credentials = CredentialChain(environ, address_of(LOCATION, environ), lambda: now)
    ends = credentials.get().expires
    assert ends is not None
    now = ends - 301
    assert credentials.get().token == f"{TOKEN}-1"
    now = ends - 299
    assert credentials.get().token == f"{TOKEN}-2"


def test_all_stores_of_a_process_share_a_token(server: AzureServer) -> None:
    environ = {**server.identity, **SECRET}
    for _ in range(3):
        opened(environ).put("a", b"x")
    assert server.tokens == 1
    opened({**environ, "AZURE_CLIENT_ID": "another"}).put("a", b"x")
    assert server.tokens == 2
    server.good_from = 2
    store = opened(environ)
    store.put("a", b"x")
    assert server.tokens == 3


def test_an_application_lends_its_secret_and_others_their_token(server: AzureServer, tmp_path: Path) -> None:
    environ = {**server.identity, **SECRET}
    assert credentials_to_forward("azure://runs", environ) == {
        "AZURE_TENANT_ID": "tenant",
        "AZURE_CLIENT_ID": "client",
        **SECRET,
    }
    (tmp_path / "token").write_text("x")
    environ = {**server.identity, "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}
    assert credentials_to_forward("azure://runs", environ) == {"HEADWAY_AZURE_STORAGE_TOKEN": f"{TOKEN}-2"}


def command_line(folder: Path, script: str) -> dict[str, str]:
    program = folder / "az"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(folder)}


def test_who_is_signed_in_with_az_is_asked(tmp_path: Path) -> None:
    said = '{"accessToken": "from-az", "expires_on": 1000}'
    environ = command_line(
        tmp_path, f"""test "$6" = "--resource" || test "$5" = "--resource" && echo '{said}'"""
    )
    found = chain(environ)
    assert found.get() == Credentials(token="from-az", expires=1000.0)
    assert found.source == "az account get-access-token"


def test_az_without_anybody_signed_in_is_passed_over(tmp_path: Path) -> None:
    with pytest.raises(StoreConfigurationError, match=r"get-access-token \(Please run 'az login'"):
        chain(command_line(tmp_path, "echo \"Please run 'az login'\" >&2; exit 1")).get()
