"""A step with packages, in a pod and as a process of its own: imported from where they were brought."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
from pod_cases import Pod
from runtime_cases import FLOW

from headway.launch.packages.parts import parts_of
from headway.runtime.packages import use_packages
from headway.runtime.pod import BROKEN, DONE
from headway.store import layout
from headway.store.batch import Batch, Packages

HERE = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def a_pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def make_site(folder: Path) -> Path:
    folder.mkdir()
    (folder / "brought.py").write_text("VALUE = 41\n")
    (folder / "extra").mkdir()
    (folder / "extra" / "from_pth.py").write_text("")
    (folder / "some.pth").write_text("extra\n")
    return folder


def with_packages(pod: Pod, batch: Batch, python: str = HERE, machine: str = "", libc: str = "") -> Batch:
    parts = list(parts_of(make_site(pod.folder / "site")))
    for part in parts:
        pod.store.put(layout.packages(FLOW, part.sha256), part.data)
    index = json.dumps({"parts": [part.sha256 for part in parts]}).encode()
    sha256 = hashlib.sha256(index).hexdigest()
    pod.store.put(layout.packages(FLOW, sha256), index)
    packages = Packages(sha256, python, machine, libc)
    return pod.stored(batch._replace(code=batch.code._replace(packages=packages)))


BODY = """
    import subprocess
    import brought, from_pth
    print(brought.VALUE, os.path.basename(os.path.dirname(brought.__file__)))
    code = "import brought; print(brought.VALUE + 1)"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip())
    self.next(self.start)
"""


def test_a_step_and_what_it_starts_import_them(a_pod: Pod) -> None:
    life = a_pod.live(with_packages(a_pod, a_pod.step(BODY)))
    assert life.code == DONE, life.stderr
    assert life.stdout == "41 packages\n42\n"


def test_a_warm_pod_brings_them_once(a_pod: Pod) -> None:
    batch = with_packages(a_pod, a_pod.step(BODY))
    a_pod.order(0, batch)
    life = a_pod.ended(a_pod.begin_warm(HEADWAY_IDLE_TIMEOUT="0.05"), batch)
    assert life.code == DONE, life.stderr
    assert life.stdout == "41 packages\n42\n"


@pytest.mark.parametrize(
    ("python", "machine", "libc", "words"),
    [
        ("3.4", "", "", f"the image python:x has Python {HERE}"),
        (HERE, "sparc", "glibc", "the pod is linux/"),
    ],
)
def test_a_pod_that_they_are_not_for_says_what_it_has(
    a_pod: Pod, python: str, machine: str, libc: str, words: str
) -> None:
    batch = with_packages(a_pod, a_pod.step("pass"), python, machine, libc)
    life = a_pod.live(batch, HEADWAY_IMAGE="python:x")
    assert life.code == BROKEN
    assert life.words["reason"] == "SettingsError"
    assert words in life.words["message"]
    assert "python='" in life.words["hint"] or "HEADWAY_PACKAGES_PLATFORM=linux/" in life.words["hint"]


def test_a_batch_tells_of_them_and_an_older_one_does_not(a_pod: Pod) -> None:
    batch = with_packages(a_pod, a_pod.step("pass"))
    assert Batch.decode(batch.encode()) == batch
    raw = json.loads(batch.encode())
    raw["code"] = raw["code"][:6]
    assert Batch.decode(json.dumps(raw).encode()).code.packages is None


def test_they_come_behind_the_standard_library_and_before_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "site")
    monkeypatch.setattr(sys, "path", ["/flow", "/lib/python3", "/lib/python3/site-packages"])
    monkeypatch.setenv("PYTHONPATH", "/mine")
    use_packages(Packages("", HERE, folder=str(site)))
    assert sys.path == ["/flow", "/lib/python3", str(site), str(site / "extra"), "/lib/python3/site-packages"]
    assert os.environ["PYTHONPATH"] == f"{site}{os.pathsep}/mine"
