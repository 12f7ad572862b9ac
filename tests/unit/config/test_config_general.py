"""Who runs, and the roots of the datastores."""

from pathlib import Path

import pytest

from headway.config.general import (
    branch_owner,
    check_root,
    datastore_roots,
    default_decorators,
    local_root,
    may_fork,
    name_profile,
    runtime_name,
    user,
)
from headway.config.sources import Configuration
from headway.errors import SettingsError


def configuration(cwd: Path, **environ: str) -> Configuration:
    return Configuration(environ, cwd)


def test_the_user_is_who_the_first_variable_says(tmp_path: Path) -> None:
    environ = {"HEADWAY_USER": "a", "METAFLOW_USER": "b", "SUDO_USER": "c", "USERNAME": "d", "USER": "e"}
    found = []
    for variable in list(environ):
        found.append(user(configuration(tmp_path, **environ), lambda: "login"))
        del environ[variable]
    found.append(user(configuration(tmp_path), lambda: "login"))
    assert found == ["a", "b", "c", "d", "e", "login"]


def test_a_branch_is_its_owners_or_else_the_users(tmp_path: Path) -> None:
    assert branch_owner(configuration(tmp_path), "ann") == "ann"
    assert branch_owner(configuration(tmp_path, METAFLOW_OWNER="zoe"), "ann") == "zoe"


def test_what_starts_runs_is_what_a_scheduler_says(tmp_path: Path) -> None:
    assert runtime_name(configuration(tmp_path)) == "dev"
    assert runtime_name(configuration(tmp_path, METAFLOW_RUNTIME_NAME="cron")) == "cron"


def test_nobody_is_an_error_that_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="export HEADWAY_USER"):
        user(configuration(tmp_path), lambda: None)


def test_a_container_may_stand_without_a_scheme_as_metaflow_has_it(tmp_path: Path) -> None:
    roots = datastore_roots(configuration(tmp_path, METAFLOW_DATASTORE_SYSROOT_AZURE="container/metaflow/"))
    assert roots["azure"].value == "azure://container/metaflow"


def test_roots_are_found_by_kind(tmp_path: Path) -> None:
    roots = datastore_roots(
        configuration(
            tmp_path,
            METAFLOW_DATASTORE_SYSROOT_S3="s3://bucket/metaflow/",
            HEADWAY_DATASTORE_SYSROOT_GS="gs://bucket",
            METAFLOW_DATASTORE_SYSROOT_AZURE="wasbs://container@account.blob.core.windows.net/metaflow",
        )
    )
    assert {kind: root.value for kind, root in roots.items()} == {
        "local": str(tmp_path / ".headway"),
        "s3": "s3://bucket/metaflow",
        "azure": "wasbs://container@account.blob.core.windows.net/metaflow",
        "gs": "gs://bucket",
    }
    assert roots["s3"].source == "METAFLOW_DATASTORE_SYSROOT_S3"


@pytest.mark.parametrize(
    ("kind", "root"),
    [
        ("S3", "bucket/metaflow"),
        ("S3", "s3://"),
        ("S3", "gs://bucket"),
        ("GS", "s3://bucket"),
        ("AZURE", "gs://container/metaflow"),
        ("AZURE", "/"),
        ("LOCAL", "s3://bucket"),
    ],
)
def test_a_root_of_another_kind_is_refused_where_it_was_set(tmp_path: Path, kind: str, root: str) -> None:
    variable = f"HEADWAY_DATASTORE_SYSROOT_{kind}"
    with pytest.raises(SettingsError, match=variable):
        datastore_roots(configuration(tmp_path, **{variable: root}))


def test_the_local_root_is_configured_or_the_nearest_or_here(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert local_root(configuration(deep)).value == str(deep / ".headway")
    (tmp_path / ".headway").mkdir()
    assert local_root(configuration(deep)).value == str(tmp_path / ".headway")
    configured = local_root(configuration(deep, HEADWAY_DATASTORE_SYSROOT_LOCAL="/data/"))
    assert (configured.value, configured.source) == ("/data", "HEADWAY_DATASTORE_SYSROOT_LOCAL")


def test_default_decorators_are_found(tmp_path: Path) -> None:
    found = default_decorators(configuration(tmp_path, METAFLOW_DEFAULT_DECOSPECS="kubernetes:cpu=2 retry"))
    name = "METAFLOW_DEFAULT_DECOSPECS"
    assert found == [("kubernetes:cpu=2", f"{name} kubernetes:cpu=2"), ("retry", f"{name} retry")]
    assert default_decorators(configuration(tmp_path)) == []


@pytest.mark.parametrize(
    ("root", "meant"), [("s3:/b/x", "s3://b/x"), ("gs:/b", "gs://b"), ("azure:/c", "azure://c")]
)
def test_an_url_that_lacks_a_slash_is_no_folder(root: str, meant: str) -> None:
    with pytest.raises(SettingsError, match="two slashes") as caught:
        check_root("local", root, "--datastore-root")
    assert caught.value.hint == f"Write {meant}."
    assert check_root("local", f"./{root}", "--datastore-root") == f"./{root}"


def test_what_was_typed_is_named_for_all_that_is_started(tmp_path: Path) -> None:
    (tmp_path / ".headway").mkdir()
    for name in ("prod", "dev"):
        (tmp_path / ".headway" / f"config_{name}.json").write_text("{}")
    environ = {"METAFLOW_PROFILE": "dev", "HEADWAY_HOME": str(tmp_path)}
    name_profile(Configuration.load(environ, tmp_path), environ)
    assert "HEADWAY_PROFILE" not in environ, "the variable that named it is there in any case"
    name_profile(Configuration.load(environ, tmp_path, "prod"), environ)
    assert environ["HEADWAY_PROFILE"] == "prod"
    assert Configuration.load(environ, tmp_path).profile == "prod"


def test_whether_local_tasks_may_be_forked(tmp_path: Path) -> None:
    assert may_fork(configuration(tmp_path))
    assert may_fork(configuration(tmp_path, HEADWAY_FORK_TASKS="auto"))
    assert not may_fork(configuration(tmp_path, HEADWAY_FORK_TASKS="never"))
    with pytest.raises(SettingsError, match=r"HEADWAY_FORK_TASKS.*auto or never"):
        may_fork(configuration(tmp_path, HEADWAY_FORK_TASKS="no"))
