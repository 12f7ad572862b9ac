"""The benchmarks still work: one small round of Headway alone, whose figures say nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def quick(name: str, out: Path, *words: str) -> dict[str, Any]:
    """The works of a benchmark that ran, by name."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    done = subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", "--quick", "--out", str(out), *words],
        cwd=BENCHMARKS.parent,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert out.with_suffix(".svg").read_text().startswith("<svg")
    content = json.loads(out.read_text())
    assert content["commit"]
    assert content["sources"]
    works: dict[str, Any] = content["works"]
    return works


def test_steps_on_this_machine(tmp_path: Path) -> None:
    works = quick("local", tmp_path / "local.json")
    for name in ("local linear", "local foreach-100", "local foreach-1200", "local show", "local help"):
        (measured,) = works[name]["rounds"]
        assert measured["headway"]["seconds"] > 0


@pytest.mark.cluster
@pytest.mark.s3
def test_steps_as_pods_and_reading_them_back(tmp_path: Path) -> None:
    names = ("pods linear", "pods foreach-20", "pods cpu", "client folder", "client s3", "scale packed")
    works = quick("all", tmp_path / "all.json", "--only", *names)
    for name in ("pods linear", "pods foreach-20"):
        (measured,) = works[name]["rounds"]
        assert measured["floor"]["seconds"] > 0
        assert measured["headway"]["seconds"] > 0
    (measured,) = works["pods cpu"]["rounds"]
    assert measured["headway"]["cpu"] > measured["floor"]["cpu"] > 0
    (measured,) = works["scale packed"]["rounds"]
    assert 0 < measured["failing"]["objects"] < 20
    assert works["client folder"]["rounds"]
    assert works["client s3"]["rounds"]


@pytest.mark.cluster
@pytest.mark.s3
def test_data_the_time_of_one_task_and_wide_foreaches(tmp_path: Path) -> None:
    names = ("data", "timeline", "scale in-flight", "scale bodies", "pods foreach-200")
    works = quick("all", tmp_path / "all.json", "--only", *names)
    # Simulated nodes and numpy are not everywhere; what lacks them says so, and is left out.
    lacking = {name: work["lacks"] for name, work in works.items() if work["lacks"]}
    assert lacking.keys() <= {"scale in-flight", "data array"}, lacking
    assert all(work["rounds"] for name, work in works.items() if name not in lacking)
    for name in ("data array", "data dicts", "data pod"):
        if name not in lacking:
            (measured,) = works[name]["rounds"]
            assert measured["headway"]["store"] > 0
            assert measured["headway"]["load"] > 0
    (measured,) = works["timeline"]["rounds"]
    assert measured["bare"]["node"] > 0
    assert measured["volume"]["node"] > 0
    assert 0 < measured["headway"]["job"] < measured["headway"]["record"]
    (measured,) = works["scale bodies"]["rounds"]
    assert measured["headway"]["objects"] > 0
