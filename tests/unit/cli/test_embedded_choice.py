"""When the embedded cluster is used: it is never started in these tests."""

from pathlib import Path
from typing import Any

import pytest
from cli_flows import Digits

from headway import FlowSpec, step
from headway.cli.embedded import names_cluster, use_embedded_cluster
from headway.cli.program import Options, Program
from headway.errors import SettingsError
from headway.flow.parse import parse_flow
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
