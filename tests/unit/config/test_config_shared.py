"""Which folders of this machine pods see, and how a run without an object store comes to its datastore."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway.config.datastore import Choice, choose_datastore
from headway.config.kubernetes import KubernetesSettings
from headway.config.shared import unseen_folder
from headway.config.sources import Sourced
from headway.errors import SettingsError

CLAIM = KubernetesSettings(persistent_volume_claims={"team": "/mnt/shared"})
LOCAL = {"local": Sourced("/mnt/shared/runs", "HEADWAY_DATASTORE_SYSROOT_LOCAL")}
S3 = {"s3": Sourced("s3://bucket/x", "HEADWAY_DATASTORE_SYSROOT_S3")}


def mounted(volume: dict[str, Any], *paths: str, **more: Any) -> KubernetesSettings:
    return KubernetesSettings(
        volumes=({"name": "v", **volume},),
        volume_mounts=tuple({"name": "v", "mountPath": path, **more} for path in paths),
    )


def seen_here(steps: dict[str, KubernetesSettings]) -> Callable[[str], str]:
    return unseen_folder(steps, lambda folder: True)


HOST = {"hostPath": {"path": "/somewhere"}}


@pytest.mark.parametrize(
    ("settings", "root"),
    [
        (CLAIM, "/mnt/shared"),
        (CLAIM, "/mnt/shared/deep/er/"),
        (mounted(HOST, "/mnt/"), "/mnt/shared"),
        (mounted({"nfs": {"server": "s", "path": "/x"}}, "/mnt"), "/mnt/shared"),
    ],
)
def test_a_shared_volume_over_the_folder_is_seen(settings: KubernetesSettings, root: str) -> None:
    assert seen_here({"train": settings})(root) == ""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (KubernetesSettings(), "mount nothing at /mnt/shared"),
        (mounted(HOST, "/mnt/share"), "mount nothing at /mnt/shared"),
        (mounted(HOST, "/mnt/shared/deeper"), "mount nothing at /mnt/shared"),
        (mounted({"emptyDir": {}}, "/mnt"), r"at /mnt is each pod's own \(emptyDir\)"),
        (mounted(HOST, "/mnt", readOnly=True), "may only read what they mount at /mnt"),
        (KubernetesSettings(use_tmpfs=True, tmpfs_path="/mnt"), "in memory and each pod's own"),
        (
            KubernetesSettings(
                persistent_volume_claims={"t": "/mnt"}, use_tmpfs=True, tmpfs_path="/mnt/shared"
            ),
            "at /mnt/shared is in memory",
        ),
    ],
)
def test_other_mounts_are_not(settings: KubernetesSettings, words: str) -> None:
    why = seen_here({"fine": CLAIM, "train": settings})
    with pytest.raises(SettingsError, match=rf"the pods of step train .*{words}|{words}"):
        choose_datastore("local", "/mnt/shared", LOCAL | S3, True, None, why)


@pytest.mark.parametrize(
    ("option", "root"), [("local", None), ("local", "/mnt/shared/x"), (None, "/mnt/shared/x")]
)
def test_a_folder_that_every_pod_sees_can_be_asked_for(option: str | None, root: str | None) -> None:
    chosen = choose_datastore(option, root, LOCAL | S3, True, None, seen_here({"train": CLAIM}))
    assert chosen == Choice("local", root or "/mnt/shared/runs")


def test_without_a_remote_root_it_is_taken_and_said() -> None:
    chosen = choose_datastore(None, None, LOCAL, True, None, seen_here({"train": CLAIM}))
    assert (chosen.kind, chosen.url) == ("local", "/mnt/shared/runs")
    assert chosen.reason == (
        "Datastore: /mnt/shared/runs (HEADWAY_DATASTORE_SYSROOT_LOCAL), which every pod mounts"
    )


def test_a_remote_root_that_is_configured_goes_first() -> None:
    assert choose_datastore(None, None, LOCAL | S3, True, None, seen_here({"train": CLAIM})).kind == "s3"


def test_an_explicit_default_of_local_goes_before_remote_roots_where_pods_see_it() -> None:
    default = Sourced("local", "HEADWAY_DEFAULT_DATASTORE")
    seen, unseen = seen_here({"train": CLAIM}), seen_here({"train": KubernetesSettings()})
    assert choose_datastore(None, None, LOCAL | S3, True, default, seen).kind == "local"
    assert choose_datastore(None, None, LOCAL | S3, True, default, unseen).kind == "s3"


def test_what_to_write_is_said() -> None:
    with pytest.raises(SettingsError) as caught:
        choose_datastore("local", "/mnt/other", LOCAL, True, None, seen_here({"train": CLAIM}))
    assert caught.value.hint is not None
    assert "HEADWAY_DATASTORE_SYSROOT_S3=s3://" in caught.value.hint
    assert """HEADWAY_KUBERNETES_PERSISTENT_VOLUME_CLAIMS='{"<claim>": "/mnt/other"}'""" in caught.value.hint


def test_what_only_pods_mount_is_no_datastore(tmp_path: Path) -> None:
    here, nowhere = str(tmp_path), str(tmp_path / "missing")
    for mount in (KubernetesSettings(persistent_volume_claims={"t": here}), mounted(HOST, here)):
        assert unseen_folder({"train": mount})(f"{here}/runs") == ""
    for mount in (KubernetesSettings(persistent_volume_claims={"t": nowhere}), mounted(HOST, nowhere)):
        why = unseen_folder({"train": mount})
        with pytest.raises(SettingsError, match=f"this machine has no folder {nowhere}.* step train"):
            choose_datastore("local", f"{nowhere}/runs", LOCAL, True, None, why)
