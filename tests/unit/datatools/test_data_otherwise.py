"""Another server, other credentials or a role than the environment's, told as one tells boto3."""

from pathlib import Path
from typing import Any

import pytest

from headway import S3
from headway.datatools import S3ClientError, S3OperationError, S3URLError
from headway.testing.s3_server import CREDENTIALS, S3Server
from headway.testing.store_server import Fault, Reply

KEYS = {"aws_access_key_id": CREDENTIALS.access_key, "aws_secret_access_key": CREDENTIALS.secret_key}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, server: S3Server) -> S3Server:
    """The environment knows neither the server nor its keys."""
    server.objects["x"] = b"there"
    for name in server.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another")
    return server


@pytest.mark.parametrize("argument", ["client_params", "session_vars"])
def test_other_keys_go_without_the_token_of_those_that_are_found(elsewhere: S3Server, argument: str) -> None:
    told: dict[str, dict[str, Any]] = {"client_params": {"endpoint_url": elsewhere.url, "region_name": None}}
    told.setdefault(argument, {}).update(KEYS)
    with S3(s3root="s3://bucket", **told) as s3:
        assert s3.get("x").text == "there"
        assert s3.get_many(["x"])[0].text == "there"
    assert not any("x-amz-security-token" in seen.headers for seen in elsewhere.seen)


def test_a_profile_counts_before_the_keys_of_the_environment(
    elsewhere: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    file.write_text("[mine]\n" + "".join(f"{name} = {value}\n" for name, value in KEYS.items()))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    client = {"endpoint_url": elsewhere.url, "verify": True}
    with S3(s3root="s3://bucket", session_vars={"profile_name": "mine"}, client_params=client) as s3:
        assert s3.get("x").text == "there"


def test_a_role_is_asked_for_before_anything_is_read(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    server.fail(Fault(Reply(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")))
    words = r"refuses the role arn:aws:iam::1:role/r: AccessDenied"
    with (
        S3(s3root="s3://bucket", role="arn:aws:iam::1:role/r") as s3,
        pytest.raises(S3OperationError, match=words),
    ):
        s3.get("x")
    assert [seen.method for seen in server.seen] == ["POST"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"client_params": {"secret": "s3cr3t"}}, r"client_params=…\): 'secret' has no meaning here"),
        ({"client_params": {"verify": False}}, "'verify' is text, not bool"),
        ({"session_vars": {"endpoint_url": "http://s3cr3t"}}, r"session_vars=…\): 'endpoint_url' has no"),
    ],
)
def test_what_has_no_meaning_is_said_without_what_it_holds(told: dict[str, Any], words: str) -> None:
    with pytest.raises(S3ClientError, match=words) as caught:
        S3(**told)
    assert "s3cr3t" not in str(caught.value)


def test_a_bucket_without_a_key(server: S3Server) -> None:
    with S3() as s3, pytest.raises(S3URLError, match=r"s3://bucket names no key"):
        s3.list_paths(["s3://bucket"])


def test_a_folder_for_downloads_that_is_not_there(server: S3Server, tmp_path: Path) -> None:
    server.objects["x"] = b"x"
    with S3(s3root="s3://bucket", tmproot=str(tmp_path / "none")) as s3:
        s3.put("y", "needs no folder")
        with pytest.raises(S3OperationError, match=r"no folder for downloads in .*none: No such file"):
            s3.get("x")
