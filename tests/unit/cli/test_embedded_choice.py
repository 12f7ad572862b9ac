"""When the embedded cluster is used: it is never started in these tests."""

import pwd
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cli_flows import Digits

from headway import FlowSpec, step
from headway.cli.embedded import home_folder, names_cluster, use_embedded_cluster
from headway.cli.program import Options, Program
from headway.errors import SettingsError, UsageError
from headway.flow.parse import parse_flow
from headway.launch.packages.cache import cache_folder
from headway.localcluster import running, start
from headway.ui.writer import StreamWriter


class Local(FlowSpec):
    @step
    def only(self) -> None: ...


def uses(flow: Any) -> bool:
    return use_embedded_cluster(Program(flow, Options(), StreamWriter()), parse_flow(flow))


def test_what_names_a_cluster(tmp_path: Path) -> None:
    assert not names_cluster({}, tmp_path)
    assert names_cluster({"KUBECONFIG": "/x"}, tmp_path)
    assert names_cluster({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").touch()
    assert names_cluster({}, tmp_path)


def test_a_home_that_is_closed_or_missing_names_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a user in a container whose HOME is root's, or who has none at all."""
    assert not names_cluster({}, tmp_path / ("x" * 300))
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", _nobody)
    assert not names_cluster({}, home_folder())
    assert running() is None
    with pytest.raises(UsageError, match="has no place for its files") as caught:
        start()
    assert "export XDG_STATE_HOME" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="no place for packages"):
        cache_folder({})


def _nobody(uid: int) -> NoReturn:
    raise KeyError(uid)


def test_files_of_the_cluster_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for place, told in (
        (tmp_path / "file", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (Path("relative"), "no absolute path"),
    ):
        monkeypatch.setenv("XDG_STATE_HOME", str(place))
        assert running() is None
        with pytest.raises(UsageError, match=told) as caught:
            start()
        assert "export XDG_STATE_HOME=" in (caught.value.hint or "")


def test_it_is_left_alone_without_pods_where_another_is_named_or_where_it_is_forbidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not uses(Local)
    assert not uses(Digits), "KUBECONFIG names a cluster"
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HEADWAY_EMBEDDED_CLUSTER", "never")
    assert not uses(Digits)


def test_only_three_words_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_EMBEDDED_CLUSTER", "sometimes")
    with pytest.raises(SettingsError, match="auto, never or always"):
        uses(Digits)


@pytest.mark.parametrize("minutes", ["soon", "-1", "inf"])
def test_how_long_it_stays_without_work_is_a_number_of_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: str
) -> None:
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HEADWAY_EMBEDDED_CLUSTER", "always")
    monkeypatch.setenv("HEADWAY_EMBEDDED_CLUSTER_IDLE_MINUTES", minutes)
    with pytest.raises(SettingsError, match="HEADWAY_EMBEDDED_CLUSTER_IDLE_MINUTES"):
        uses(Digits)
