"""Names that begin like a setting of pods and are none are told, and nothing else is."""

import json
from pathlib import Path

import pytest

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.misspelt import SETTINGS, misspelt_notices
from headway.config.sources import Configuration


def test_every_setting_is_known() -> None:
    table = {name for each in settings_of(KubernetesSettings).values() for name in each.variables}
    # Read where packages are resolved.
    others = {"KUBERNETES_CONDA_ARCH"}
    assert {name for name in table if name.startswith("KUBERNETES_")} | others == SETTINGS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HEADWAY_KUBERNETES_NAMESPCE", "; did you mean HEADWAY_KUBERNETES_NAMESPACE?"),
        ("METAFLOW_KUBERNETES_TOLERATION", "; did you mean METAFLOW_KUBERNETES_TOLERATIONS?"),
        ("HEADWAY_KUBERNETES_XYZZY_QUUX", "."),
    ],
)
def test_a_variable(tmp_path: Path, name: str, said: str) -> None:
    configuration = Configuration.load({"HOME": str(tmp_path), name: "x"}, tmp_path)
    assert misspelt_notices(configuration) == [f"{name} is not a setting{said}"]


@pytest.mark.parametrize(
    "name",
    [
        "METAFLOW_KUBERNETES_JOBSET_GROUP",
        "METAFLOW_KUBERNETES_WORKLOAD",
        "METAFLOW_KUBERNETES_NAMESPACE",
        "HEADWAY_KUBERNETES_REUSE",
        "METAFLOW_NAMESPCE",
        "KUBERNETES_SERVICE_HOST",
    ],
)
def test_what_is_known_or_none_of_our_business(tmp_path: Path, name: str) -> None:
    assert misspelt_notices(Configuration.load({"HOME": str(tmp_path), name: "x"}, tmp_path)) == []


def test_of_a_file_the_file_is_named_too(tmp_path: Path) -> None:
    file = tmp_path / ".metaflowconfig" / "config.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"METAFLOW_KUBERNETES_MEMROY": "1"}))
    (said,) = misspelt_notices(Configuration.load({"HOME": str(tmp_path)}, tmp_path))
    assert (
        said
        == f"{file}: METAFLOW_KUBERNETES_MEMROY is not a setting; did you mean METAFLOW_KUBERNETES_MEMORY?"
    )
