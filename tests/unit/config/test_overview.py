"""What ``config show`` says of all that is configured besides pods: values with their places, and no secret."""

import json
from pathlib import Path

import pytest

from headway.config.overview import GENERAL, general_rows, misspelt_names, pod_rows, shown_value
from headway.config.sources import Configuration


def configured(tmp_path: Path, environ: dict[str, str], **keys: object) -> Configuration:
    folder = tmp_path / ".headway"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(keys))
    return Configuration.load({"HEADWAY_HOME": str(tmp_path / "home"), **environ}, tmp_path)


def test_what_is_set_is_told_with_its_place_and_the_rest_with_its_default(tmp_path: Path) -> None:
    environ = {"METAFLOW_DEFAULT_DATASTORE": "s3", "USER": "ann", "HEADWAY_DATASTORE_ROOT": "s3://x/y"}
    configuration = configured(tmp_path, environ, HEADWAY_S3_WORKER_COUNT=4, HEADWAY_FORWARD_CREDENTIALS=True)
    file = tmp_path / ".headway" / "config.json"
    assert general_rows(configuration, every=False) == [
        ("HEADWAY_DEFAULT_DATASTORE", "s3", "METAFLOW_DEFAULT_DATASTORE"),
        ("HEADWAY_S3_WORKER_COUNT", "4", f"{file}: HEADWAY_S3_WORKER_COUNT"),
        ("HEADWAY_FORWARD_CREDENTIALS", "true", f"{file}: HEADWAY_FORWARD_CREDENTIALS"),
        ("HEADWAY_HOME", str(tmp_path / "home"), "HEADWAY_HOME"),
    ]
    every = general_rows(configuration, every=True)
    assert [row.name for row in every] == [f"HEADWAY_{name}" for name in GENERAL]
    assert ("HEADWAY_EMBEDDED_CLUSTER", "auto", "default") in every
    assert ("HEADWAY_USER", "ann", "default") in every


@pytest.mark.parametrize(
    ("environ", "option", "row"),
    [
        ({"METAFLOW_PROFILE": "prod"}, None, ("HEADWAY_PROFILE", "prod", "METAFLOW_PROFILE")),
        ({"METAFLOW_PROFILE": "dev"}, "prod", ("HEADWAY_PROFILE", "prod", "--config-name")),
        ({}, "prod", ("HEADWAY_PROFILE", "prod", "--config-name")),
    ],
)
def test_the_named_configuration_is_told_with_who_named_it(
    tmp_path: Path, environ: dict[str, str], option: str | None, row: tuple[str, str, str]
) -> None:
    folder = tmp_path / ".headway"
    folder.mkdir()
    (folder / "config_prod.json").write_text("{}")
    configuration = Configuration.load({**environ, "HEADWAY_HOME": str(folder)}, tmp_path, option)
    assert row in general_rows(configuration, every=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("s3://bucket/root", "s3://bucket/root"),
        ("https://ann:hush@store.example.com/x", "https://…@store.example.com/x"),
        ("https://acc.blob.core.windows.net/c?sig=hush&se=1", "https://acc.blob.core.windows.net/c?…"),
        ('kubernetes:env={"TOKEN":"hush"} retry', "(set)"),
        ('environment:vars={"TOKEN":"hush"}', "(set)"),
        ({"env": [{"name": "TOKEN", "value": "hush"}]}, "(set)"),
        ("kubernetes:cpu=2 retry:times=3", "kubernetes:cpu=2 retry:times=3"),
        ({"a": [1, True]}, '{"a": [1, true]}'),
        (False, "false"),
    ],
)
def test_what_lets_anybody_in_is_not_shown(value: object, shown: str) -> None:
    assert shown_value(value) == shown


def test_what_is_set_for_pods_is_told_where_no_step_tells_it(tmp_path: Path) -> None:
    environ = {
        "HEADWAY_KUBERNETES_CPU": "2",
        "METAFLOW_KUBERNETES_ENV": '{"A": "hush"}',
        "HEADWAY_KUBERNETES_SANDBOX_INIT_SCRIPT": "export A=hush",
        "METAFLOW_DEFAULT_CONTAINER_IMAGE": "team/image:1",
    }
    rows = pod_rows(configured(tmp_path, environ))
    assert ("cpu", "2", "HEADWAY_KUBERNETES_CPU") in rows
    assert ("image", "team/image:1", "METAFLOW_DEFAULT_CONTAINER_IMAGE") in rows
    assert ("env", "(set)", "METAFLOW_KUBERNETES_ENV") in rows
    assert "hush" not in str(rows)


def test_a_name_that_is_nearly_one_is_told(tmp_path: Path) -> None:
    environ = {
        "HEADWAY_DEFAULT_DATASTOR": "s3",
        "METAFLOW_RUN_MAX_WORKER": "3",
        "HEADWAY_RUN_MAX_WORKERS": "3",
        "HEADWAY_SOMETHING_ELSE": "x",
        "METAFLOW_SERVICE_URL": "x",
        "HEADWAY_KUBERNETES_CPUS": "told by every command",
    }
    assert misspelt_names(configured(tmp_path, environ), ["RUN_MAX_WORKERS"]) == [
        "HEADWAY_DEFAULT_DATASTOR is not a setting; did you mean HEADWAY_DEFAULT_DATASTORE?",
        "METAFLOW_RUN_MAX_WORKER is not a setting; did you mean HEADWAY_RUN_MAX_WORKERS?",
    ]
    assert misspelt_names(Configuration({"HEADWAY_USER": "ann"}, str(tmp_path)), []) == []
