"""Google's chain of credentials, each link against a real server on loopback; and what pods are lent of it."""

import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from loopback import Loopback

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.store.forward import child_environment, credentials_to_forward
from headway.store.gs.credentials import GoogleChain, forget_tokens
from headway.store.gs.metadata import metadata_token
from headway.store.gs.tokens import Token
from headway.store.net.chain import NoAnswerError

NOW = 1_795_341_600.0
#: No files, no machine at Google: nothing of where the tests run.
NOTHING = {"CLOUDSDK_CONFIG": "/nonexistent", "NO_GCE_CHECK": "true"}
GRANTED = json.dumps({"access_token": "ya29.granted", "expires_in": 3599, "token_type": "Bearer"})
PUBLIC = {"HEADWAY_GS_ENDPOINT_URL": "http://127.0.0.1:1"}

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the key")


@pytest.fixture(autouse=True)
def _no_token_of_before() -> None:
    forget_tokens()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@lru_cache(maxsize=1)
def private_key() -> str:
    return subprocess.run(["openssl", "genrsa", "1024"], check=True, capture_output=True).stdout.decode()


def chain(environ: dict[str, str], clock: Clock | None = None) -> GoogleChain:
    return GoogleChain({**NOTHING, **environ}, clock or Clock())


def person(web: Loopback, **more: str) -> dict[str, Any]:
    return {
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "s&cret",
        "refresh_token": "1//refresh",
        "token_uri": f"{web.url}/token",
        **more,
    }


def account(web: Loopback, **more: Any) -> dict[str, Any]:
    return {
        "type": "service_account",
        "client_email": "sa@project.iam.gserviceaccount.com",
        "private_key": private_key(),
        "private_key_id": "kid1",
        "token_uri": f"{web.url}/token",
        "project_id": "project",
        **more,
    }


def in_file(folder: Path, fields: object) -> dict[str, str]:
    (folder / "key.json").write_text(json.dumps(fields))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(folder / "key.json")}


def test_an_emulator_wants_none() -> None:
    found = chain({"STORAGE_EMULATOR_HOST": "localhost:1", "CLOUDSDK_AUTH_ACCESS_TOKEN": "secret"})
    assert found.get() == Token("")
    assert found.source == "nowhere, as STORAGE_EMULATOR_HOST is set"


def test_a_token_in_the_environment() -> None:
    found = chain({"CLOUDSDK_AUTH_ACCESS_TOKEN": " ya29.mine\n"})
    assert found.get() == Token("ya29.mine")
    assert found.source == "CLOUDSDK_AUTH_ACCESS_TOKEN in the environment"
    assert "mine" not in repr(found.get())


@needs_openssl
def test_a_service_account_signs_for_its_token(web: Loopback, tmp_path: Path) -> None:
    web.answers["POST /token"] = (200, GRANTED)
    found = chain(in_file(tmp_path, account(web)))
    assert found.get() == Token("ya29.granted", NOW + 3599)
    assert found.source == f"{tmp_path}/key.json (GOOGLE_APPLICATION_CREDENTIALS)"

    asked = parse_qs(web.requests[0].body)
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    header, claims, signature = asked["assertion"][0].split(".")
    assert decoded(header) == {"alg": "RS256", "typ": "JWT", "kid": "kid1"}
    assert decoded(claims) == {
        "iss": "sa@project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/devstorage.read_write",
        "aud": f"{web.url}/token",
        "iat": int(NOW),
        "exp": int(NOW) + 3600,
    }
    verify(tmp_path, f"{header}.{claims}", bytes_of(signature))


def bytes_of(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decoded(text: str) -> object:
    return json.loads(bytes_of(text))


def verify(folder: Path, said: str, signature: bytes) -> None:
    (folder / "key.pem").write_text(private_key())
    (folder / "signature").write_bytes(signature)
    subprocess.run(
        ["openssl", "dgst", "-sha256", "-prverify", "key.pem", "-signature", "signature"],
        cwd=folder,
        input=said.encode(),
        check=True,
        capture_output=True,
    )


def test_a_person_that_gcloud_signed_in(web: Loopback, tmp_path: Path) -> None:
    web.answers["POST /token"] = (200, GRANTED)
    (tmp_path / "application_default_credentials.json").write_text(json.dumps(person(web)))
    found = chain({"CLOUDSDK_CONFIG": str(tmp_path)})
    assert found.get().value == "ya29.granted"
    assert found.source == f"{tmp_path}/application_default_credentials.json"
    assert parse_qs(web.requests[0].body) == {
        "grant_type": ["refresh_token"],
        "client_id": ["id"],
        "client_secret": ["s&cret"],
        "refresh_token": ["1//refresh"],
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_identity_of_elsewhere(web: Loopback, tmp_path: Path, form: str) -> None:
    source: dict[str, Any] = {"file": str(tmp_path / "token")}
    (tmp_path / "token").write_text("jwt.of.elsewhere\n")
    if form == "json":
        source["format"] = {"type": "json", "subject_token_field_name": "id_token"}
        (tmp_path / "token").write_text('{"id_token": "jwt.of.elsewhere"}')
    external = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/pool",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{web.url}/v1/token",
        "credential_source": source,
    }
    web.answers["POST /v1/token"] = (200, GRANTED)
    assert chain(in_file(tmp_path, external)).get() == Token("ya29.granted", NOW + 3599)
    asked = parse_qs(web.requests[0].body)
    assert asked["subject_token"] == ["jwt.of.elsewhere"]
    assert asked["audience"] == ["//iam.googleapis.com/projects/1/pool"]
    assert asked["scope"] == ["https://www.googleapis.com/auth/devstorage.read_write"]

    as_account = {**external, "service_account_impersonation_url": f"{web.url}/v1/sa:generateAccessToken"}
    web.answers["POST /v1/sa:generateAccessToken"] = (
        200,
        json.dumps({"accessToken": "ya29.as-sa", "expireTime": "2026-11-22T10:00:00Z"}),
    )
    assert chain(in_file(tmp_path, as_account)).get() == Token("ya29.as-sa", NOW)
    assert web.requests[-1].headers["authorization"] == "Bearer ya29.granted"
    assert parse_qs(web.requests[-2].body)["scope"] == ["https://www.googleapis.com/auth/cloud-platform"]

    web.answers["POST /v1/sa:generateAccessToken"] = (
        403,
        json.dumps({"error": {"code": 403, "message": "Permission iam.x denied"}}),
    )
    with pytest.raises(StoreConfigurationError, match=r"Permission iam\.x denied") as caught:
        chain(in_file(tmp_path, as_account)).get()
    assert "workloadIdentityUser" in str(caught.value)


def test_tokens_are_renewed_before_they_end(web: Loopback, tmp_path: Path) -> None:
    web.answers["POST /token"] = (200, GRANTED)
    clock = Clock()
    found = chain(in_file(tmp_path, person(web)), clock)
    found.get()
    clock.now += 3000
    found.get()
    assert len(web.requests) == 1
    clock.now += 400
    web.answers["POST /token"] = (200, GRANTED.replace("granted", "second"))
    assert found.get() == Token("ya29.second", clock.now + 3599)
    assert len(web.requests) == 2


def test_another_store_of_the_process_takes_the_same_token(web: Loopback, tmp_path: Path) -> None:
    web.answers["POST /token"] = (200, GRANTED)
    clock, environ = Clock(), in_file(tmp_path, person(web))
    first, second = chain(environ, clock), chain(environ, clock)
    assert first.get() == second.get()
    assert len(web.requests) == 1

    web.answers["POST /token"] = (200, GRANTED.replace("granted", "second"))
    assert first.renew(first.get())  # the store refused it
    assert first.get().value == chain(environ, clock).get().value == "ya29.second"
    clock.now += 3599 - 320
    chain(environ, clock).get()
    assert len(web.requests) == 3


@needs_openssl
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"private_key": "nonsense"}, "the private key in .* cannot be used: it is no private key in PEM"),
        ({"private_key": None, "client_email": None}, "lack 'client_email'"),
        ({"type": "impersonated_service_account"}, "are of the type 'impersonated_service_account', which"),
        (
            {"type": "external_account", "subject_token_type": "jwt", "audience": "a",
             "credential_source": {"url": "http://x"}},
            "take their token from somewhere else than a file",
        ),
        (
            {"type": "external_account", "subject_token_type": "jwt", "audience": "a",
             "credential_source": {"file": "/nonexistent/token"}},
            "/nonexistent/token, which .* takes its token from, cannot be read: No such file",
        ),
    ],
)  # fmt: skip
def test_credentials_that_cannot_be_used_are_told(
    web: Loopback, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    fields = {name: value for name, value in {**account(web), **change}.items() if value is not None}
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        chain(in_file(tmp_path, fields)).get()
    assert caught.value.hint
    assert private_key()[40:80] not in str(caught.value)


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"a": 1}', "{'secret'"])
def test_a_file_that_holds_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(StoreConfigurationError, match=r"key\.json, which holds no credentials") as caught:
        chain({"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json")}).get()
    assert "secret" not in str(caught.value)
    with pytest.raises(StoreConfigurationError, match="HEADWAY_GOOGLE_CREDENTIALS holds no credentials"):
        chain({"HEADWAY_GOOGLE_CREDENTIALS": text}).get()


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(
        StoreConfigurationError, match="names /nonexistent/key, which cannot be read: No such"
    ):
        chain({"GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent/key"}).get()


def test_a_refusal_is_told_in_googles_words(web: Loopback, tmp_path: Path) -> None:
    said = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    web.answers["POST /token"] = (400, json.dumps(said))
    with pytest.raises(
        StoreConfigurationError,
        match=r"127\.0\.0\.1 gives no token .*invalid_grant: Token has been expired or revoked",
    ) as caught:
        chain(in_file(tmp_path, person(web))).get()
    assert "gcloud auth application-default login" in str(caught.value)
    assert "refresh" not in str(caught.value)


def test_where_there_are_none_all_places_are_told() -> None:
    with pytest.raises(StoreConfigurationError) as caught:
        chain({}).get()
    for place in (
        "no credentials for Google Cloud Storage were found",
        "CLOUDSDK_AUTH_ACCESS_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "/nonexistent/application_default_credentials.json",
        "NO_GCE_CHECK",
        "--forward-credentials",
    ):
        assert place in str(caught.value)


class TestMetadataServer:
    TARGET = (
        "GET /computeMetadata/v1/instance/service-accounts/default/token"
        "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_write"
    )

    def get(self, web: Loopback) -> Token:
        environ = {"GCE_METADATA_HOST": f"127.0.0.1:{web.port}"}
        return metadata_token(environ, Clock(), sleep=lambda seconds: None)

    def test_a_pod_runs_as_a_service_account(self, web: Loopback) -> None:
        web.answers[self.TARGET] = (200, GRANTED)
        web.headers["Metadata-Flavor"] = "Google"
        assert self.get(web) == Token("ya29.granted", NOW + 3599)
        assert web.requests[0].headers["metadata-flavor"] == "Google"

    @pytest.mark.parametrize(
        ("flavor", "status", "words"),
        [
            ("Google", 404, "no service account"),
            ("Google", 503, r"status 503, \d+ tries"),
            ("", 200, "what answers there is not Google's"),
        ],
    )
    def test_where_there_is_none(self, web: Loopback, flavor: str, status: int, words: str) -> None:
        web.answers[self.TARGET] = (status, GRANTED)
        if flavor:
            web.headers["Metadata-Flavor"] = flavor
        with pytest.raises(NoAnswerError, match=words):
            self.get(web)

    def test_one_that_refuses_connections_is_waited_for(self) -> None:
        pauses: list[float] = []
        with pytest.raises(NoAnswerError, match=r"the connection is refused, \d+ tries"):
            metadata_token({"GCE_METADATA_HOST": "127.0.0.1:1"}, Clock(), pauses.append)
        assert pauses


class TestLending:
    """What a launcher tells its pods, and what it lends them."""

    URL = "gs://bucket/prefix"

    @needs_openssl
    def test_a_key_is_lent_as_it_is(self, web: Loopback, tmp_path: Path) -> None:
        web.answers["POST /token"] = (200, GRANTED)
        lent = credentials_to_forward(self.URL, {**NOTHING, **in_file(tmp_path, account(web))})
        assert set(lent) == {"HEADWAY_GOOGLE_CREDENTIALS"}
        assert "project_id" not in json.loads(lent["HEADWAY_GOOGLE_CREDENTIALS"])
        found = chain(lent)
        assert found.get().value == "ya29.granted"
        assert found.source == "HEADWAY_GOOGLE_CREDENTIALS in the environment"
        assert credentials_to_forward(self.URL, {**NOTHING, **lent}) == lent

    def test_a_login_is_lent_as_it_is(self, web: Loopback, tmp_path: Path) -> None:
        web.answers["POST /token"] = (200, GRANTED)
        environ = {**NOTHING, **in_file(tmp_path, person(web, quota_project_id="q"))}
        lent = credentials_to_forward(self.URL, environ)
        assert json.loads(lent["HEADWAY_GOOGLE_CREDENTIALS"]) == person(web)

    def test_what_is_bound_to_this_machine_is_lent_as_a_token(self, web: Loopback, tmp_path: Path) -> None:
        web.answers["POST /token"] = (200, GRANTED)
        (tmp_path / "token").write_text("jwt")
        external = {
            "type": "external_account",
            "audience": "a",
            "subject_token_type": "jwt",
            "token_url": f"{web.url}/token",
            "credential_source": {"file": str(tmp_path / "token")},
        }
        lent = credentials_to_forward(self.URL, {**NOTHING, **in_file(tmp_path, external)})
        assert lent == {"CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.granted"}
        assert credentials_to_forward(self.URL, {**NOTHING, **lent}) == lent

    def test_credentials_that_are_refused_are_told_before_a_pod_starts(
        self, web: Loopback, tmp_path: Path
    ) -> None:
        web.answers["POST /token"] = (400, '{"error": "invalid_grant"}')
        with pytest.raises(StoreConfigurationError, match="invalid_grant"):
            credentials_to_forward(self.URL, {**NOTHING, **in_file(tmp_path, person(web))})

    def test_nothing_is_lent_for_an_emulator(self) -> None:
        assert credentials_to_forward(self.URL, {"STORAGE_EMULATOR_HOST": "localhost:1"}) == {}

    def test_pods_are_told_the_address_and_nothing_secret(self, tmp_path: Path) -> None:
        secret = {**in_file(tmp_path, {"a": 1}), "CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.secret"}
        assert child_environment(self.URL, secret) == {}
        assert child_environment(
            self.URL, {**secret, "STORAGE_EMULATOR_HOST": "fake:1", "no_proxy": "x"}
        ) == {
            "STORAGE_EMULATOR_HOST": "http://fake:1",
            "NO_PROXY": "x",
        }
        assert child_environment(self.URL, {**secret, **PUBLIC}) == PUBLIC


def test_a_service_that_does_not_answer_is_told(tmp_path: Path, web: Loopback) -> None:
    fields = person(web, token_uri=f"{web.url}/busy")
    web.answers["POST /busy"] = (503, "")
    with pytest.raises(StoreUnavailableError, match=r"no credentials from 127\.0\.0\.1 .*status 503"):
        chain(in_file(tmp_path, fields)).get()
