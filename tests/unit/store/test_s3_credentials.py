"""The chain of credentials, each link against a real server on loopback."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from loopback import Loopback

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.store.s3.credentials import CredentialChain, role_credentials
from headway.store.s3.signing import Credentials

ASSUMED = """<Response><Result><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role/secret</SecretAccessKey>
<SessionToken>role+token</SessionToken><Expiration>2026-11-22T10:00:00Z</Expiration>
</Credentials></Result></Response>"""
EXPIRATION = 1795341600.0
ROLE = json.dumps(
    {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-11-22T10:00:00Z"}
)
#: No files, no instance: nothing of the machine that the tests run on.
NOTHING = {
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def chain(environ: dict[str, str], now: float = 0.0) -> CredentialChain:
    return CredentialChain({**NOTHING, **environ}, "us-east-1", Clock(now))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-1\n\n"
        "[profile keys]\naws_access_key_id=AKCONFIG\naws_secret_access_key=c # the first\n"
        "s3 =\n  addressing_style = path\n"
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = keys\nexternal_id = ext\nregion = eu-west-1\n"
        "[profile chained]\nrole_arn = arn:aws:iam::2:role/q\nsource_profile = role\n"
        "[profile web]\nrole_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = {tmp}/token\n"
        "[profile process]\ncredential_process = /bin/keys\n"
        "[profile sso]\nsso_session = corp\n"
        "[profile mfa]\nrole_arn = arn\nsource_profile = keys\nmfa_serial = arn:aws:iam::1:mfa/x\n"
        "[profile instance-role]\nrole_arn = arn\ncredential_source = Ec2InstanceMetadata\n".replace(
            "{tmp}", str(tmp_path)
        )
    )
    (tmp_path / "credentials").write_text(
        "; a comment\n[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = d=/+\n"
        "[keys]\naws_session_token = tok\n"
    )
    (tmp_path / "token").write_text("jwt\n")
    return {
        **NOTHING,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }


def test_the_environment_comes_first(files: dict[str, str]) -> None:
    found = chain(
        {**files, "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    )
    assert found.get() == Credentials("AK", "s", "t")
    assert found.source == "AWS_ACCESS_KEY_ID in the environment"


def test_the_default_profile(files: dict[str, str]) -> None:
    found = chain(files)
    assert found.get() == Credentials("AKDEFAULT", "d=/+")
    assert "profile 'default'" in found.source


def test_a_profile_joins_both_files(files: dict[str, str]) -> None:
    assert chain({**files, "AWS_PROFILE": "keys"}).get() == Credentials("AKCONFIG", "c", "tok")


def test_a_profile_assumes_its_role(files: dict[str, str], web: Loopback) -> None:
    web.answers["POST /"] = (200, ASSUMED)
    found = chain({**files, "AWS_PROFILE": "role", "AWS_ENDPOINT_URL_STS": web.url})
    assert found.get() == Credentials("ASIAROLE", "role/secret", "role+token", EXPIRATION)
    asked = parse_qs(web.requests[0].body)
    assert asked["Action"] == ["AssumeRole"]
    assert asked["RoleArn"] == ["arn:aws:iam::1:role/r"]
    assert asked["ExternalId"] == ["ext"]
    assert "Credential=AKCONFIG/" in web.requests[0].headers["authorization"]
    assert "/eu-west-1/sts/aws4_request" in web.requests[0].headers["authorization"]
    assert web.requests[0].headers["x-amz-security-token"] == "tok"


def test_a_role_that_needs_a_role(files: dict[str, str], web: Loopback) -> None:
    web.answers["POST /"] = (200, ASSUMED)
    chain({**files, "AWS_PROFILE": "chained", "AWS_ENDPOINT_URL_STS": web.url}).get()
    assert [parse_qs(request.body)["RoleArn"][0][-6:] for request in web.requests] == ["role/r", "role/q"]
    assert "Credential=ASIAROLE/" in web.requests[1].headers["authorization"]


def test_a_web_identity_in_a_profile(files: dict[str, str], web: Loopback) -> None:
    web.answers["POST /"] = (200, ASSUMED)
    chain({**files, "AWS_PROFILE": "web", "AWS_ENDPOINT_URL_STS": web.url}).get()
    assert parse_qs(web.requests[0].body)["WebIdentityToken"] == ["jwt"]


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("process", "a credential process"),
        ("sso", "single sign-on"),
        ("mfa", "second factor"),
        ("instance-role", "credential_source"),
    ],
)
def test_what_is_not_supported_is_named(files: dict[str, str], profile: str, words: str) -> None:
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        chain({**files, "AWS_PROFILE": profile}).get()
    assert f"aws configure export-credentials --profile {profile}" in str(caught.value)


def test_a_web_identity(web: Loopback, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("jwt-of-the-pod")
    web.answers["POST /"] = (200, ASSUMED)
    found = chain(
        {
            "AWS_ROLE_ARN": "arn:aws:iam::1:role/pod",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ROLE_SESSION_NAME": "me",
            "AWS_ENDPOINT_URL_STS": web.url,
        }
    )
    assert found.get() == Credentials("ASIAROLE", "role/secret", "role+token", EXPIRATION)
    asked = parse_qs(web.requests[0].body)
    assert asked["Action"] == ["AssumeRoleWithWebIdentity"]
    assert asked["WebIdentityToken"] == ["jwt-of-the-pod"]
    assert asked["RoleSessionName"] == ["me"]
    assert "authorization" not in web.requests[0].headers


def test_a_web_identity_that_is_refused(web: Loopback, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("jwt")
    web.answers["POST /"] = (403, "<Error><Code>AccessDenied</Code><Message>not you</Message></Error>")
    found = chain(
        {
            "AWS_ROLE_ARN": "arn:role",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ENDPOINT_URL_STS": web.url,
        }
    )
    with pytest.raises(
        StoreConfigurationError, match="refuses the web identity of arn:role: AccessDenied: not you"
    ):
        found.get()


def test_a_web_identity_without_its_token() -> None:
    found = chain({"AWS_ROLE_ARN": "arn", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token"})
    with pytest.raises(StoreConfigurationError, match="names /nonexistent/token, which cannot be read"):
        found.get()


def test_the_endpoint_of_a_container(web: Loopback, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer abc\n")
    web.answers["GET /v1/credentials?id=1"] = (200, ROLE)
    found = chain(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{web.url}/v1/credentials?id=1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
    )
    assert found.get() == Credentials("ASIA", "s", "t", EXPIRATION)
    assert web.requests[0].headers["authorization"] == "Bearer abc"


def test_keys_do_not_go_unencrypted_to_a_stranger() -> None:
    with pytest.raises(StoreConfigurationError, match="unencrypted"):
        chain({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/keys"}).get()


def test_a_container_without_a_role(web: Loopback) -> None:
    with pytest.raises(StoreConfigurationError, match=r"gives no credentials \(status 404\)"):
        chain({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{web.url}/none"}).get()


def instance(web: Loopback) -> dict[str, str]:
    web.answers["PUT /latest/api/token"] = (200, "imds-token")
    web.answers["GET /latest/meta-data/iam/security-credentials/"] = (200, "node-role")
    web.answers["GET /latest/meta-data/iam/security-credentials/node-role"] = (200, ROLE)
    return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": web.url}


def test_the_metadata_of_the_instance(web: Loopback) -> None:
    # A proxy must not come in between: it would answer for another machine.
    found = chain({**instance(web), "HTTP_PROXY": "http://127.0.0.1:1"})
    assert found.get() == Credentials("ASIA", "s", "t", EXPIRATION)
    assert web.requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    assert [request.headers.get("x-aws-ec2-metadata-token") for request in web.requests[1:]] == [
        "imds-token"
    ] * 2


@pytest.mark.parametrize(
    "missing", ["PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/"]
)
def test_an_instance_without_a_role_is_no_source(web: Loopback, missing: str) -> None:
    environ = instance(web)
    del web.answers[missing]
    with pytest.raises(StoreConfigurationError, match="no credentials for S3 were found"):
        chain(environ).get()


def test_without_any_source_the_error_lists_them_all() -> None:
    with pytest.raises(StoreConfigurationError) as caught:
        chain(
            {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
        ).get()
    text = str(caught.value)
    for place in (
        "AWS_SECRET_ACCESS_KEY in the environment (not set)",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "profile 'default' of /nonexistent/credentials and /nonexistent/config (no such profile)",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "the instance's metadata (no answer)",
    ):
        assert place in text


def test_half_a_pair_in_the_environment_is_told() -> None:
    with pytest.raises(StoreConfigurationError, match="AWS_SECRET_ACCESS_KEY is missing"):
        chain({"AWS_ACCESS_KEY_ID": "AK"}).get()


def test_temporary_credentials_are_renewed_before_they_end(web: Loopback) -> None:
    clock = Clock(EXPIRATION - 3600)
    found = CredentialChain({**NOTHING, **instance(web)}, "us-east-1", clock)
    first = found.get()
    assert found.get() is first
    asked = len(web.requests)
    renewed = json.loads(ROLE) | {"AccessKeyId": "NEW", "Expiration": "2026-11-22T16:00:00Z"}
    web.answers["GET /latest/meta-data/iam/security-credentials/node-role"] = (200, json.dumps(renewed))
    clock.now = EXPIRATION - 299
    assert found.get().access_key == "NEW"
    assert len(web.requests) == asked + 3


def test_a_renewal_that_fails_does_no_harm_while_the_old_ones_hold(web: Loopback) -> None:
    clock = Clock(EXPIRATION - 3600)
    found = CredentialChain({**NOTHING, **instance(web)}, "us-east-1", clock)
    first = found.get()
    web.answers.clear()
    clock.now = EXPIRATION - 200
    assert found.get() == first
    asked = len(web.requests)
    assert found.get() == first
    assert len(web.requests) == asked, "asked again at once"
    clock.now = EXPIRATION + 1
    with pytest.raises(StoreUnavailableError):
        found.get()


def test_credentials_that_the_store_calls_expired_are_fetched_again(web: Loopback) -> None:
    found = chain(instance(web))
    first = found.get()
    assert not found.renew(first), "the same ones came back"
    web.answers["GET /latest/meta-data/iam/security-credentials/node-role"] = (
        200,
        json.dumps(json.loads(ROLE) | {"AccessKeyId": "NEW"}),
    )
    assert found.renew(first)
    assert found.get().access_key == "NEW"
    assert found.renew(first), "another thread was faster"


def test_a_role_on_top_of_whatever_is_found(web: Loopback) -> None:
    web.answers["POST /"] = (200, ASSUMED)
    environ = {**NOTHING, "AWS_ENDPOINT_URL_STS": web.url}
    found = chain({"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s"})
    credentials = role_credentials(environ, "eu-west-1", "arn:aws:iam::1:role/r", found)
    assert credentials.get() == Credentials("ASIAROLE", "role/secret", "role+token", EXPIRATION)
    assert credentials.source == "the role arn:aws:iam::1:role/r"
    asked = parse_qs(web.requests[0].body)
    assert (asked["Action"], asked["RoleArn"]) == (["AssumeRole"], ["arn:aws:iam::1:role/r"])
    assert "Credential=AK/" in web.requests[0].headers["authorization"]
