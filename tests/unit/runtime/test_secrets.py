"""``@secrets``: what a source may be, what may become a variable, and that no value is ever told."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from runtime_cases import make_batch, run_body, store_task

from headway.errors import HeadwayError, UsageError
from headway.flow.current import current
from headway.flow.decorators import DecoratorSpec
from headway.runtime.cloud_secrets import PROVIDERS, aws_values, gcp_path, gcp_values, vault_address
from headway.runtime.secret_sources import KINDS, SecretError, Source, read_source
from headway.runtime.secrets import set_secrets
from headway.runtime.state import PARAMETERS
from headway.store.batch import Batch, Secrets
from headway.testing.memory_store import MemoryStore

HIDDEN = "hunter2-do-not-tell"


def inline(**variables: Any) -> dict[str, Any]:
    return {"type": "inline", "id": "test", "options": {"env_vars": variables}}


def environ_with(*sources: Any, allow_override: bool = False, **before: str) -> dict[str, str]:
    set_secrets(Secrets(sources, allow_override=allow_override), before)
    return before


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("aws-secrets-manager.db/prod.v1", Source("aws-secrets-manager", "db/prod.v1", {}, "r")),
        ("name", Source("az-key-vault", "name", {}, "r")),
        (
            "https://v.vault.azure.net/secrets/name",
            Source("az-key-vault", "https://v.vault.azure.net/secrets/name", {}, "r"),
        ),
        ({"id": "name"}, Source("az-key-vault", "name", {}, "r")),
        ({"type": "inline", "id": "x", "role": "own"}, Source("inline", "x", {}, "own")),
        (
            {"type": "inline", "id": "x", "options": {"json": False}},
            Source("inline", "x", {"json": False}, "r"),
        ),
    ],
)
def test_a_source_is_text_or_a_dict(item: Any, expected: Source) -> None:
    assert read_source(item, "r", {"DEFAULT_SECRETS_BACKEND_TYPE": "az-key-vault"}) == expected


def test_the_configured_role_is_for_those_that_name_none() -> None:
    settings = {"DEFAULT_SECRETS_ROLE": "arn:role"}
    assert read_source("inline.x", None, settings).role == "arn:role"
    assert read_source("inline.x", "mine", settings).role == "mine"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("name", "does not say where it is kept"),
        ("vault9.name", "no place for secrets called 'vault9'"),
        ({"type": "inline"}, "The 'id' of a secret has to be text"),
        ({"type": "inline", "id": {}}, "The 'id' of a secret has to be text"),
        ({"type": 3, "id": "x"}, "The 'type' of a secret has to be text"),
        ({"type": "inline", "id": "x", "options": [1]}, "The 'options' of a secret has to be a dict"),
        ({"type": "inline", "id": "x", "option": {}}, "unknown parts: option"),
        (3, "text or a dict, and not a int"),
    ],
)
def test_what_names_no_secret_is_refused(item: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_source(item, None, {})


def test_values_become_variables() -> None:
    assert environ_with(inline(A="1", B_2="two"), inline(C=""), PATH="/bin") == {
        "PATH": "/bin", "A": "1", "B_2": "two", "C": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([inline(A=HIDDEN), inline(A=HIDDEN)], "both set the variable A"),
        ([inline(PATH=HIDDEN)], "sets the variable PATH, which is set already"),
        ([inline(METAFLOW_USER=HIDDEN)], "names with METAFLOW_ are taken"),
        ([inline(HEADWAY_USER=HIDDEN)], "names with HEADWAY_ are taken"),
        ([inline(**{"a-b": HIDDEN})], "'a-b', which no variable can be called"),
        ([inline(**{"1A": HIDDEN})], "no variable can be called"),
        ([inline(**{"": HIDDEN})], "no variable can be called"),
        ([inline(A=7)], "a value for A that is not text but a int"),
        ([inline(A=f"{HIDDEN}\0")], "it contains NUL"),
        ([{"type": "inline", "id": "x", "options": {"env_vars": {3: HIDDEN}}}], "a name that is not text"),
        ([{"type": "inline", "id": "x", "options": {"env_vars": HIDDEN}}], 'has no "env_vars"'),
        ([inline(GOOD="1"), inline(METAFLOW_X=HIDDEN)], "taken"),
    ],
)
def test_what_cannot_be_set_is_refused_whole_and_never_told(sources: list[Any], words: str) -> None:
    environ = {"PATH": "/bin"}
    with pytest.raises(SecretError) as caught:
        set_secrets(Secrets(tuple(sources)), environ)
    assert words in str(caught.value)
    assert HIDDEN not in str(caught.value)
    assert environ == {"PATH": "/bin"}


def test_variables_are_replaced_where_that_is_allowed() -> None:
    assert environ_with(inline(PATH="/mine"), allow_override=True, PATH="/bin") == {"PATH": "/mine"}


def test_a_provider_that_fails_is_told_with_the_secret() -> None:
    def fetch(source: Source, settings: Mapping[str, str]) -> dict[str, str]:
        assert settings == {"GCP_SECRET_MANAGER_PREFIX": "p"}
        return {"A": source.id}

    environ: dict[str, str] = {}
    set_secrets(
        Secrets(("gcp-secret-manager.x",), settings={"GCP_SECRET_MANAGER_PREFIX": "p"}), environ, fetch
    )
    assert environ == {"A": "x"}


@pytest.mark.parametrize(
    ("item", "extra"),
    [
        ("aws-secrets-manager.x", "headway[aws-secrets]"),
        ("gcp-secret-manager.projects/1/secrets/x", "headway[gcp-secrets]"),
        ("az-key-vault.https://v.vault.azure.net/secrets/x", "headway[azure-secrets]"),
    ],
)
def test_a_cloud_without_its_library_names_the_extra(item: str, extra: str) -> None:
    with pytest.raises(SecretError, match="is not installed where this step runs") as caught:
        environ_with(item)
    assert extra in str(caught.value)


def test_every_kind_has_its_provider() -> None:
    assert {"inline", *PROVIDERS} == set(KINDS)


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        (
            {},
            {"Name": "db", "SecretString": '{"user-name": "ann", "port": 5}'},
            {"user_name": "ann", "port": "5"},
        ),
        ({"json": False}, {"Name": "db/prod.1", "SecretString": "x"}, {"db_prod_1": "x"}),
        ({"json": False, "env_var_name": "DB"}, {"Name": "db", "SecretString": "x"}, {"DB": "x"}),
        ({}, {"Name": "db", "SecretBinary": b"\x00\xff"}, {"db": "AP8="}),
    ],
)
def test_what_aws_answers(options: dict[str, Any], answer: dict[str, Any], expected: dict[str, str]) -> None:
    assert aws_values(Source("aws-secrets-manager", "db", options), answer) == expected


@pytest.mark.parametrize("text", [HIDDEN, f'["{HIDDEN}"]', '{"a.b": "1", "a-b": "' + HIDDEN + '"}'])
def test_a_secret_that_is_no_json_object_is_not_quoted(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        aws_values(Source("aws-secrets-manager", "db"), {"Name": "db", "SecretString": text})
    assert HIDDEN not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "path", "variable"),
    [
        ("projects/1/secrets/x", "projects/1/secrets/x/versions/latest", "x"),
        ("projects/1/secrets/x/versions/3", "projects/1/secrets/x/versions/3", "x"),
        ("x", "projects/1/secrets/x/versions/latest", "x"),
        ("x/versions/3", "projects/1/secrets/x/versions/3", "x"),
    ],
)
def test_names_at_google(name: str, path: str, variable: str) -> None:
    assert gcp_path(Source("gcp-secret-manager", name), "projects/1/secrets/") == (path, variable)


def test_what_google_answers() -> None:
    plain, held = Source("gcp-secret-manager", "x"), Source("gcp-secret-manager", "x", {"json": True})
    assert gcp_values(plain, "a-b", b"text") == {"a_b": "text"}
    assert gcp_values(held, "x", b'{"K": "v"}') == {"K": "v"}
    assert gcp_values(Source("", "", {"binary": True, "env_var_name": "B"}), "x", b"\xff") == {"B": "/w=="}


@pytest.mark.parametrize(
    ("name", "prefix", "expected"),
    [
        ("https://v.vault.azure.net/secrets/x", "", ("https://v.vault.azure.net", "x", None)),
        ("x", "https://v.vault.azure.cn/", ("https://v.vault.azure.cn", "x", None)),
        (f"x/{'a1' * 16}", "https://v.vault.azure.net", ("https://v.vault.azure.net", "x", "a1" * 16)),
    ],
)
def test_addresses_in_azure(name: str, prefix: str, expected: tuple[str, str, str | None]) -> None:
    assert vault_address(Source("az-key-vault", name), prefix) == expected


#: What stands in for a cloud's library: it gives back what it was asked with.
AWS = """
class session:
    class Session:
        def __init__(self, region_name=None): self.region = region_name
        def client(self, name, **keys): return Client(self.region, keys)

class Client:
    def __init__(self, region, keys): self.region, self.keys = region, keys
    def assume_role(self, RoleArn, RoleSessionName):
        return {"Credentials": {"AccessKeyId": RoleArn, "SecretAccessKey": "k", "SessionToken": "t"}}
    def get_secret_value(self, SecretId):
        role = self.keys.get("aws_access_key_id")
        return {"Name": SecretId, "SecretString": '{"REGION": "%s", "ROLE": "%s"}' % (self.region, role)}
"""
GOOGLE = """
class SecretManagerServiceClient:
    def access_secret_version(self, name): return self
    payload = property(lambda self: self)
    data = b"found"
"""
AZURE = """
class SecretClient:
    def __init__(self, vault_url, credential): self.vault = vault_url
    def get_secret(self, name, version): return type("Secret", (), {"value": self.vault + " " + name})
"""


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clouds' libraries, as small as can be."""
    for path, text in {
        "boto3.py": AWS,
        "google/cloud/secretmanager.py": GOOGLE,
        "azure/identity.py": "class DefaultAzureCredential: pass",
        "azure/keyvault/secrets.py": AZURE,
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("boto3", "google", "google.cloud", "azure", "azure.keyvault"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("aws-secrets-manager.db", {"REGION": "eu-west-3", "ROLE": "arn:default"}),
        (
            {
                "type": "aws-secrets-manager",
                "id": "db",
                "role": "arn:own",
                "options": {"region": "us-east-2"},
            },
            {"REGION": "us-east-2", "ROLE": "arn:own"},
        ),
    ],
)
def test_what_is_configured_for_aws(item: Any, found: dict[str, str]) -> None:
    settings = {
        "AWS_SECRETS_MANAGER_DEFAULT_REGION": "eu-west-3",
        "AWS_SECRETS_MANAGER_DEFAULT_ROLE": "arn:default",
    }
    assert PROVIDERS["aws-secrets-manager"](read_source(item, None, settings), settings) == found


@pytest.mark.usefixtures("libraries")
def test_what_is_configured_for_other_clouds() -> None:
    settings = {
        "GCP_SECRET_MANAGER_PREFIX": "projects/1/secrets/",
        "AZURE_KEY_VAULT_PREFIX": "https://v.vault.azure.net",
    }

    def values(item: str) -> dict[str, str]:
        source = read_source(item, None, settings)
        return PROVIDERS[source.kind](source, settings)

    assert values("az-key-vault.key") == {"key": "https://v.vault.azure.net key"}
    assert values("gcp-secret-manager.key") == {"key": "found"}


@pytest.mark.parametrize("find", [vault_address, gcp_path])
@pytest.mark.parametrize("name", ["x", "https://example.com/secrets/x", "a b"])
def test_an_incomplete_name_says_what_is_missing(find: Any, name: str) -> None:
    with pytest.raises(HeadwayError, match="The secret"):
        find(Source("some", name), "")


def test_a_step_finds_them_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW_TEST_SECRET", "before")
    store = MemoryStore()
    store_task(store, PARAMETERS, {})

    def start(self: Any) -> None:
        self.length = len(os.environ["HW_TEST_SECRET"])

    wanted = Secrets((inline(HW_TEST_SECRET=HIDDEN),), allow_override=True)
    report = run_body(store, start, secrets=wanted)
    current._end()
    assert "length" in report.artifacts
    assert os.environ["HW_TEST_SECRET"] == HIDDEN
    clash = run_body(store, start, secrets=wanted._replace(allow_override=False)).failure
    current._end()
    assert clash is not None
    assert "which is set already" in clash.message
    assert HIDDEN not in json.dumps(clash)


def test_a_batch_keeps_what_is_wanted() -> None:
    batch = make_batch(secrets=Secrets(("inline.x", {"id": "y"}), "role", True, {"A": "b"}))
    assert Batch.decode(batch.encode()) == batch


@pytest.mark.parametrize("source", ["flow.py:3", f"--with secrets:sources=[{HIDDEN}]"])
@pytest.mark.parametrize("sources", [[inline(A=HIDDEN), "inline.x"], HIDDEN])
def test_records_and_words_show_no_values(source: str, sources: Any) -> None:
    spec = DecoratorSpec("secrets", {"sources": sources, "role": "r"}, source)
    assert HIDDEN not in json.dumps(spec.to_json())
    assert HIDDEN not in str(spec.shown)
    assert spec.to_json()["attributes"]["role"] == "r"
