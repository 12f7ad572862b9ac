"""What `config show` and the documentation say comes from the table, whole and without secrets."""

from collections import defaultdict
from pathlib import Path

from headway.config.describe import reference, rows
from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.config.sources import Configuration


def test_rows_tell_value_and_source() -> None:
    configuration = Configuration({"METAFLOW_KUBERNETES_SECRETS": "a,b"}, Path("/"))
    decorator = Layer({"cpu": "1.50", "env": {"TOKEN": "hunter2"}}, "@kubernetes on step train")
    found = {
        row.name: row
        for row in rows(resolve_kubernetes("train", decorator=decorator, configuration=configuration))
    }
    assert found["cpu"][1:] == ("1.5", "@kubernetes on step train")
    assert found["secrets"][1:] == ("a,b", "METAFLOW_KUBERNETES_SECRETS")
    assert found["env"].value == "(set)"
    assert found["gpu"][1:] == ("", "default")
    assert found["tmpfs_tempdir"].value == "true"
    assert list(found) == list(settings_of(KubernetesSettings))


def test_the_reference_has_a_line_for_each_setting() -> None:
    lines = reference(defaultdict(str)).splitlines()
    assert len(lines) == 2 + len(settings_of(KubernetesSettings))
    assert lines[2].startswith("| `cpu` | 1 | `HEADWAY_KUBERNETES_CPU` |")
    assert any("python:<the launcher's version>" in line for line in lines)
    assert all(line.count(" | ") == 5 for line in lines[2:])
