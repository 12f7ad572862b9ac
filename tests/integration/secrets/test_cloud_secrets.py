"""``@secrets`` out of the three clouds, through their own libraries, from servers that speak their protocols."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulators.clouds import Clouds, clouds, libraries
from emulators.program import UnavailableError

import headway

FLOW = """
import os
from headway import FlowSpec, secrets, step

class Kept(FlowSpec):
    @secrets(sources=[
        "aws-secrets-manager.database",
        {"type": "aws-secrets-manager", "id": "plain", "options": {"json": False, "env_var_name": "PLAIN"},
         "role": "arn:aws:iam::1:role/reader"},
        "az-key-vault.https://ours.vault.azure.net/secrets/door",
        "az-key-vault.window",
        {"type": "gcp-secret-manager", "id": "projects/1/secrets/both", "options": {"json": True}},
        "gcp-secret-manager.one/versions/3",
    ])
    @step
    def start(self):
        names = "user_name password PLAIN door window G_USER one".split()
        self.lengths = [len(os.environ[name]) for name in names]
        print("lengths", self.lengths)
        self.next(self.end)

    @step
    def end(self):
        print("left", [name for name in ("password", "PLAIN", "door", "one") if name in os.environ])

if __name__ == "__main__":
    Kept()
"""

ONE = """
import sys
from headway.errors import HeadwayError
from headway.runtime.secrets import set_secrets
from headway.store.batch import Secrets
environ = {}
try:
    set_secrets(Secrets([sys.argv[1]], settings={"GCP_SECRET_MANAGER_PREFIX": "projects/1/secrets/"}), environ)
except HeadwayError as error:
    print(type(error).__name__, error)
print(environ)
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    try:
        libraries()
    except UnavailableError as error:
        pytest.skip(str(error))
    kept = {"both/versions/latest": '{"G-USER": "g-hidden"}', "one/versions/3": "three-hidden"}
    google = {f"projects/1/secrets/{name}": value for name, value in kept.items()}
    with clouds(tmp_path_factory.mktemp("clouds"), google) as running:
        running.secrets = {
            "database": '{"user-name": "ann-hidden", "password": "pass-hidden"}',
            "plain": "plain-text-hidden",
            "door": "door-hidden",
            "window": "a-window-hidden",
        }
        yield running


def python(cloud: Clouds, folder: Path, *words: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    dropped = ("HEADWAY", "METAFLOW", "AWS_", "AZURE_", "GOOGLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    source = str(Path(headway.__file__).parents[1])
    environ = {
        **kept,
        **cloud.variables,
        "PYTHONPATH": os.pathsep.join([source, str(libraries())]),
        "HOME": str(folder),
        "HEADWAY_USER": "ann",
        # Not in one that stands further up, such as that of the folder for temporary files.
        "HEADWAY_DATASTORE_SYSROOT_LOCAL": str(folder),
        "METAFLOW_AWS_SECRETS_MANAGER_DEFAULT_REGION": "eu-west-1",
        "METAFLOW_GCP_SECRET_MANAGER_PREFIX": "projects/1/secrets/",
        "METAFLOW_AZURE_KEY_VAULT_PREFIX": "https://ours.vault.azure.net",
        "AWS_DEFAULT_REGION": "eu-west-1",
        **changes,
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.budget(60)
def test_a_step_has_the_secrets_of_three_clouds(cloud: Clouds, tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(FLOW)
    done = python(cloud, tmp_path, "kept.py", "run")
    assert done.returncode == 0, done.stderr
    assert "lengths [10, 11, 17, 11, 15, 8, 12]" in done.stdout
    assert "left []" in done.stdout, "they are of their step only"
    assert "hidden" not in done.stdout + done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "kept.py"]
    assert written
    assert not [path for path in written if b"hidden" in path.read_bytes()]

    tokens = {each.headers.get("x-amz-security-token") for each in cloud.asked if "plain" in each.body}
    assert tokens == {"lent-token"}, "it is read in the role that it names"
    (assumed,) = [each for each in cloud.asked if "AssumeRole" in each.body]
    assert "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader" in assumed.body
    signed = [each for each in cloud.asked if "database" in each.body]
    assert all("/eu-west-1/secretsmanager/" in each.headers["authorization"] for each in signed)


@pytest.mark.budget(30)
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("aws-secrets-manager.nobody", "ResourceNotFoundException"),
        ("aws-secrets-manager.forbidden", "AccessDeniedException"),
        ("aws-secrets-manager.plain", "is not a JSON object"),
        ("az-key-vault.https://ours.vault.azure.net/secrets/nobody", "SecretNotFound"),
        ("gcp-secret-manager.nobody", "NotFound"),
    ],
)
def test_one_that_cannot_be_had_is_one_error(cloud: Clouds, tmp_path: Path, source: str, said: str) -> None:
    done = python(cloud, tmp_path, "-c", ONE, source)
    assert done.returncode == 0, done.stderr
    error, environ = done.stdout.splitlines()[:-1], done.stdout.splitlines()[-1]
    assert error[0].startswith(f"SecretError The secret {source} "), error
    assert said in error[0]
    assert len(error) == 2, "what is wrong, and what to do"
    assert environ == "{}"
    assert "hidden" not in done.stdout


@pytest.mark.budget(30)
@pytest.mark.parametrize(
    ("source", "without"),
    [
        ("aws-secrets-manager.database", ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        ("az-key-vault.https://ours.vault.azure.net/secrets/door", ("AZURE_CLIENT_SECRET",)),
        ("gcp-secret-manager.one", ("GOOGLE_APPLICATION_CREDENTIALS",)),
    ],
)
def test_nobody_who_may_read_it_is_one_error(
    cloud: Clouds, tmp_path: Path, source: str, without: tuple[str, ...]
) -> None:
    # Neither is there a machine to ask.
    nobody = {**dict.fromkeys(without, ""), "NO_GCE_CHECK": "true"}
    done = python(cloud, tmp_path, "-c", ONE, source, **nobody)
    error = done.stdout.splitlines()[:-1]
    assert error[0].startswith(f"SecretError The secret {source} cannot be fetched: "), done.stdout
    assert len(error) == 2, "what is wrong, and what to do"
