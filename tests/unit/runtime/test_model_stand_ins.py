"""Settings said with models of the ``kubernetes`` package, in a file that is imported where there is no such package."""

import subprocess
import sys
from pathlib import Path

import pytest

import headway

SOURCES = Path(headway.__file__).parents[1]

#: A pod's interpreter: nothing is installed in it.
LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
from headway.runtime.entry import load_flow
from headway.store.batch import Code
told = load_flow(Code("path", "flow.py", ("__main__", "told")), sys.argv[2])
print(told, [name for name in sys.modules if name.partition(".")[0] == "kubernetes"])
"""


def loaded(folder: Path, text: str, **others: str) -> subprocess.CompletedProcess[str]:
    (folder / "flow.py").write_text(text)
    for name, content in others.items():
        (folder.parent / f"{name}.py").write_text(content)
    command = [sys.executable, "-I", "-S", "-B", "-c", LOAD, str(SOURCES), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    return tmp_path / "flows"


@pytest.mark.parametrize(
    ("imports", "model"),
    [
        ("from kubernetes.client.models import V1Toleration", "V1Toleration"),
        ("from kubernetes.client import V1Toleration", "V1Toleration"),
        ("from kubernetes.client.models.v1_toleration import V1Toleration", "V1Toleration"),
        ("from kubernetes import client", "client.V1Toleration"),
        ("import kubernetes", "kubernetes.client.models.V1Toleration"),
        ("import kubernetes.client as k8s", "k8s.V1Toleration"),
    ],
)
def test_models_are_there_for_the_flows_code(folder: Path, imports: str, model: str) -> None:
    done = loaded(folder, f"{imports}\nmade = {model}(key='gpu', operator='Exists')\ntold = made.key\n")
    assert (done.stdout, done.stderr) == ("gpu []\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "from kubernetes.client import CoreV1Api",
        "from kubernetes import client, config",
        "import kubernetes.config",
        "import kubernetes\nkubernetes.config.load_incluster_config()",
        "import other",
        "from kubernetes.client.models import V1Pod\nimport other",
    ],
)
def test_what_talks_to_the_cluster_is_missed_as_ever(folder: Path, text: str) -> None:
    """And so is all of it by others' code, unless the flow's has asked for it: they may do without."""
    other = "import sys\nif 'kubernetes' in sys.modules:\n    import kubernetes.config\nimport kubernetes\n"
    text = f"import sys\nsys.path.append({str(folder.parent)!r})\n{text}\ntold = ''\n"
    done = loaded(folder, text, other=other)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'kubernetes" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("ModuleNotFoundError")


def test_once_the_code_is_there_it_is_told_that_the_package_is_missing(folder: Path) -> None:
    text = (
        "import kubernetes.client as k8s\n\n\nclass Told:\n    def __str__(self):\n        try:\n"
        "            k8s.CoreV1Api()\n        except ModuleNotFoundError as error:\n"
        "            return f'{error} {error.name}'\n\n\ntold = Told()\n"
    )
    assert loaded(folder, text).stdout == "No module named 'kubernetes' kubernetes []\n"
