"""Which datastore a run uses, and what is said where that cannot be told."""

import pytest

from headway.config.datastore import Choice, choose_datastore
from headway.config.sources import Sourced
from headway.errors import SettingsError

LOCAL = {"local": Sourced("/data/.headway", "default")}
S3 = {"s3": Sourced("s3://bucket/x", "HEADWAY_DATASTORE_SYSROOT_S3")}
GS = {"gs": Sourced("gs://bucket/y", "METAFLOW_DATASTORE_SYSROOT_GS")}


def test_a_run_without_remote_steps_stays_local_whatever_is_configured() -> None:
    assert choose_datastore(None, None, LOCAL | S3 | GS, False) == Choice("local", "/data/.headway")


def test_the_only_remote_root_is_used_and_said() -> None:
    choice = choose_datastore(None, None, LOCAL | S3, True)
    assert (choice.kind, choice.url) == ("s3", "s3://bucket/x")
    assert "s3://bucket/x" in choice.reason
    assert "HEADWAY_DATASTORE_SYSROOT_S3" in choice.reason


def test_several_remote_roots_are_named() -> None:
    with pytest.raises(SettingsError) as caught:
        choose_datastore(None, None, LOCAL | S3 | GS, True)
    for part in ("s3://bucket/x", "METAFLOW_DATASTORE_SYSROOT_GS", "--datastore=s3", "--datastore=gs"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("option", "root"), [(None, None), ("local", None), (None, "/data"), ("local", "/data")]
)
def test_a_remote_step_cannot_use_this_machines_folder(option: str | None, root: str | None) -> None:
    with pytest.raises(SettingsError, match="HEADWAY_DATASTORE_SYSROOT_S3=s3://"):
        choose_datastore(option, root, LOCAL, True)


def test_the_option_decides_without_a_word() -> None:
    assert choose_datastore("gs", None, LOCAL | S3 | GS, True) == Choice("gs", "gs://bucket/y")
    assert choose_datastore("s3", None, LOCAL | S3, False) == Choice("s3", "s3://bucket/x")
    assert choose_datastore("local", None, LOCAL | S3, False) == Choice("local", "/data/.headway")


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        ("s3://other/z/", "s3"),
        ("gs://other/z", "gs"),
        ("wasbs://c@a.blob.core.windows.net/z", "azure"),
        ("https://a.blob.core.windows.net/c/z", "azure"),
        ("/data/z", "local"),
        ("relative", "local"),
    ],
)
def test_a_root_given_wins_over_the_configured_and_tells_its_kind(root: str, kind: str) -> None:
    assert choose_datastore(None, root, LOCAL | S3, False) == Choice(kind, root.rstrip("/"))
    assert choose_datastore(kind, root, LOCAL | S3, False) == Choice(kind, root.rstrip("/"))


def test_an_option_without_a_root_says_what_to_set() -> None:
    with pytest.raises(SettingsError) as caught:
        choose_datastore("s3", None, LOCAL, True)
    assert "export HEADWAY_DATASTORE_SYSROOT_S3=s3://bucket/prefix" in str(caught.value)


@pytest.mark.parametrize(
    ("option", "root"), [("s4", None), ("s3", "gs://bucket"), (None, "ftp://host/x"), ("s3", "/data")]
)
def test_what_is_no_datastore_is_refused(option: str | None, root: str | None) -> None:
    with pytest.raises(SettingsError):
        choose_datastore(option, root, LOCAL, False)


def test_the_configured_default_is_used_and_said() -> None:
    default = Sourced("s3", "METAFLOW_DEFAULT_DATASTORE")
    choice = choose_datastore(None, None, LOCAL | S3, False, default)
    assert (choice.kind, choice.url) == ("s3", "s3://bucket/x")
    assert "METAFLOW_DEFAULT_DATASTORE" in choice.reason
    assert choose_datastore("local", None, LOCAL | S3, False, default).kind == "local"
    with pytest.raises(SettingsError, match="METAFLOW_DEFAULT_DATASTORE"):
        choose_datastore(None, None, LOCAL, False, default)


def test_a_default_of_local_does_not_keep_a_remote_step_from_the_only_remote_root() -> None:
    default = Sourced("local", "METAFLOW_DEFAULT_DATASTORE")
    assert choose_datastore(None, None, LOCAL | S3, True, default).kind == "s3"
    assert choose_datastore(None, None, LOCAL | S3, False, default).kind == "local"
