"""``config show``, ``run --dry-run``, ``--config-name``: what would be, and why."""

import json
import os
from pathlib import Path

import pytest
import yaml
from cli_flows import CommandLine

from headway import FlowSpec, step

LEFT = ": taken by pods that an earlier step leaves (reuse); where those are not enough, by more like them."


class Here(FlowSpec):
    """Needs no pod."""

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class Body(FlowSpec):
    """A foreach with two steps in its body."""

    @step
    def start(self) -> None:
        self.items = [1, 2]
        self.next(self.first, foreach="items")

    @step
    def first(self) -> None:
        self.next(self.second)

    @step
    def second(self) -> None:
        self.next(self.join)

    @step
    def join(self, inputs: object) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


def test_config_show_tells_each_value_and_its_source(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAFLOW_KUBERNETES_NAMESPACE", "ml")
    answer = cli("config", "show")
    assert answer.code == 0, answer.err
    assert "Step start: on this machine" in answer.out
    assert "Step train: on Kubernetes" in answer.out
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert any(line.startswith("memory 2000 (@resources on step train") for line in lines), answer.out
    assert "namespace ml (METAFLOW_KUBERNETES_NAMESPACE)" in lines
    assert not any(line.startswith("image ") for line in lines), "nobody set it"
    assert "--all" in answer.err


def test_config_show_tells_all_that_is_configured_and_no_secret(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "HEADWAY_DEFAULT_DATASTORE": "local",
        "METAFLOW_RUN_MAX_WORKERS": "3",
        "HEADWAY_RUN_LABEL": "hush",
        "HEADWAY_S3_ENDPOINT_URL": "http://ann:hush@127.0.0.1:9000",
        "HEADWAY_KUBERNETES_ENV": '{"TOKEN": "hush"}',
        "HEADWAY_PACKAGE_MAXSIZE": "1",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    answer = cli("config", "show")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "General" in lines
    assert "HEADWAY_DEFAULT_DATASTORE local (HEADWAY_DEFAULT_DATASTORE)" in lines
    assert "HEADWAY_S3_ENDPOINT_URL http://…@127.0.0.1:9000 (HEADWAY_S3_ENDPOINT_URL)" in lines
    assert "run --max-workers 3 (METAFLOW_RUN_MAX_WORKERS)" in lines
    assert "run --label (set) (HEADWAY_RUN_LABEL)" in lines
    assert "HEADWAY_PACKAGE_MAXSIZE is not a setting; did you mean HEADWAY_PACKAGE_MAX_SIZE?" in answer.err
    assert "hush" not in answer.out + answer.err
    assert "For pods" not in answer.out, "its steps show them"
    every = [" ".join(line.split()) for line in cli("config", "show", "--all").out.splitlines()]
    assert "HEADWAY_EMBEDDED_CLUSTER auto (default)" in every
    here = cli("config", "show", flow=Here)
    lines = [" ".join(line.split()) for line in here.out.splitlines()]
    assert lines[lines.index("For pods, of which this flow has none") + 1] == (
        "env (set) (HEADWAY_KUBERNETES_ENV)"
    )


def test_config_show_of_one_step_with_all(cli: CommandLine) -> None:
    answer = cli("config", "show", "train", "--all", "--override", "disk=7")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert lines[0] == "Step train: on Kubernetes"
    assert "disk 7 (--override disk=7)" in lines
    assert "qos Burstable (default)" in lines


def test_config_show_of_a_step_that_is_not_there(cli: CommandLine) -> None:
    answer = cli("config", "show", "walk")
    assert answer.code == 2
    assert "no step walk; it has start, train, join, end" in answer.err


def test_a_named_configuration_is_chosen(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / ".headway"
    folder.mkdir()
    (folder / "config_prod.json").write_text(json.dumps({"HEADWAY_KUBERNETES_NAMESPACE": "prod"}))
    for words in (("--config-name", "prod", "config", "show"), ("config", "show", "--config-name=prod")):
        answer = cli(*words)
        assert "Named configuration: prod" in answer.out, answer.err
        assert "namespace" in answer.out
        assert "HEADWAY_PROFILE prod (--config-name)" in " ".join(answer.out.split())
        assert os.environ["HEADWAY_PROFILE"] == "prod", "what it starts reads the same"
    missing = cli("--config-name", "test", "config", "show")
    assert missing.code == 2
    assert "config_test.json" in missing.err


def test_dry_run_prints_manifests_and_asks_nobody(cli: CommandLine, tmp_path: Path) -> None:
    root = "s3://bucket/team"
    answer = cli(
        "run", "--label=x", "--dry-run", "--datastore=s3", f"--datastore-root={root}", "--override", "cpu=9"
    )
    assert answer.code == 0, answer.err
    (job,) = yaml.safe_load_all(answer.out)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert (job["kind"], job["spec"]["completionMode"]) == ("Job", "Indexed")
    assert container["resources"]["requests"]["cpu"] == "9"
    assert {"name": "HEADWAY_DATASTORE", "value": root} in container["env"]
    assert "# Step train: one Job for all tasks of the foreach" in answer.out
    assert "#   memory = 2000   (@resources on step train" in answer.out
    assert "Step train: cpu is 9 (--override cpu=9), not 2" in answer.err
    assert "On this machine: start, join, end." in answer.err
    assert not (tmp_path / ".headway").exists(), "nothing is written"


@pytest.mark.parametrize(
    ("said", "second", "join"),
    [
        ("", ".", "."),
        (":pods=2", ": taken by the foreach's pods; where those are not enough, by more like them.", "."),
        (":reuse=true", LEFT, LEFT),
        (":reuse=true,pods=2", LEFT, LEFT),
    ],
)
def test_dry_run_says_which_pods_take_the_steps_of_a_body(
    cli: CommandLine, said: str, second: str, join: str
) -> None:
    answer = cli(
        "run", "--dry-run", "--datastore-root=s3://bucket/team", f"--with=kubernetes{said}", flow=Body
    )
    assert answer.code == 0, answer.err
    told = [line for line in answer.out.splitlines() if line.startswith("# Step ")]
    assert told[2:4] == [f"# Step second{second}", f"# Step join{join}"]
    assert len(list(yaml.safe_load_all(answer.out))) == {"": 5, ":pods=2": 4}.get(said, 2)


def test_dry_run_shows_what_is_lent_by_its_names_only(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "planted-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    monkeypatch.setenv("HEADWAY_FORWARD_CREDENTIALS", "yes")
    answer = cli("run", "--label=x", "--dry-run", "--datastore-root=s3://bucket/team")
    secret, job = yaml.safe_load_all(answer.out)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    assert secret["stringData"] == dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "not shown")
    assert "planted" not in answer.out + answer.err
    assert "What the run's Secret lends is not shown" in answer.err


def test_dry_run_without_a_datastore_for_pods_says_that_a_run_would_end_there(cli: CommandLine) -> None:
    answer = cli("run", "--label=x", "--dry-run")
    assert answer.code == 0
    assert "A run would end here: datastore='local' is not possible" in answer.err
    assert "kind: Job" in answer.out


def test_dry_run_without_pods(cli: CommandLine) -> None:
    answer = cli("run", "--dry-run", flow=Here)
    assert (answer.code, answer.out) == (0, "")
    assert "Add --with kubernetes" in answer.err
