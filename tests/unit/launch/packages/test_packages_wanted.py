"""What steps ask for: bases, overrides, versions, and what machine it is for."""

import sys
from pathlib import Path
from typing import Any

import pytest

from headway.config.kubernetes import KubernetesSettings
from headway.config.sources import Configuration
from headway.errors import FlowDefinitionError, HeadwayError, SettingsError
from headway.flow.catalogue import check_spec
from headway.flow.decorators import DecoratorSpec
from headway.flow.flow_catalogue import FLOW_DECORATORS
from headway.flow.graph import Graph, Node
from headway.launch.packages.pythons import python_within
from headway.launch.packages.wanted import Target, Wanted, requirement, wanted_by

HERE = "{}.{}".format(*sys.version_info[:2])


def spec(name: str = "pypi", **attributes: Any) -> DecoratorSpec:
    return DecoratorSpec(name, attributes, "flow.py:3")


def wanted(
    tmp_path: Path,
    *decorators: DecoratorSpec,
    pod: KubernetesSettings | None = None,
    **environ: str,
) -> Wanted | None:
    step = tuple(each for each in decorators if each.name == "pypi")
    base = tuple(each for each in decorators if each.name == "pypi_base")
    graph = Graph("Sample", [Node("start", "end", decorators=step)], "start", "start", decorators=base)
    pods = {"start": pod} if pod is not None else {}
    return wanted_by(graph, pods, Configuration.load(environ, tmp_path)).get("start")


def target(
    tmp_path: Path, environ: dict[str, str] | None = None, python: str | None = None, **pod: Any
) -> Target:
    decorator = spec(packages={"a": ""}, python=python)
    found = wanted(tmp_path, decorator, pod=KubernetesSettings(**pod), **(environ or {}))
    assert found is not None
    return found.target


def test_a_step_without_packages_wants_none(tmp_path: Path) -> None:
    assert wanted(tmp_path) is None
    assert wanted(tmp_path, spec()) is None


def test_a_steps_own_packages_join_those_of_the_flow_and_win(tmp_path: Path) -> None:
    base = spec("pypi_base", packages={"a": "1", "b": "2"})
    assert wanted(tmp_path, base) == Wanted(("a==1", "b==2"), Target(HERE))
    assert wanted(tmp_path, base, spec(packages={"b": ">=3", "c": ""})) == Wanted(
        ("a==1", "b>=3", "c"), Target(HERE)
    )


def test_a_step_can_be_left_out_and_taken_in(tmp_path: Path) -> None:
    base = spec("pypi_base", packages={"a": "1"})
    off = spec("pypi_base", packages={"a": "1"}, disabled=True)
    assert wanted(tmp_path, base, spec(disabled=True)) is None
    assert wanted(tmp_path, off) is None
    assert wanted(tmp_path, off, spec(disabled=False)) is not None


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2", "x==1.2"),
        ("", "x"),
        (">=1,<2", "x>=1,<2"),
        ("==1.2", "x==1.2"),
        ("~=1.2", "x~=1.2"),
        ("1.*", "x==1.*"),
    ],
)
def test_versions(version: str, expected: str) -> None:
    assert requirement("x", version) == expected


def test_packages_are_for_the_image_as_far_as_it_is_known(tmp_path: Path) -> None:
    assert target(tmp_path, image="python:3.12-slim") == Target("3.12", "x86_64", "glibc")
    assert target(tmp_path, image="registry.example.com/library/python:3.9") == Target(
        "3.9", "x86_64", "glibc"
    )
    assert target(tmp_path, image="python:3.12-alpine").libc == "musl"
    assert target(tmp_path, image="team/image:3.7").python == HERE
    assert target(tmp_path, image="team/image:3.7", python="3.10").python == "3.10"


def test_packages_are_for_the_nodes(tmp_path: Path) -> None:
    arm = {"kubernetes.io/arch": "arm64"}
    assert target(tmp_path, node_selector=arm).machine == "aarch64"
    assert target(tmp_path, {"HEADWAY_PACKAGES_PLATFORM": "linux/arm64/musl"}) == Target(
        HERE, "aarch64", "musl"
    )
    assert target(tmp_path, {"METAFLOW_KUBERNETES_CONDA_ARCH": "linux-aarch64"}).machine == "aarch64"
    assert target(tmp_path, {"METAFLOW_KUBERNETES_CONDA_ARCH": "linux-64"}).machine == "x86_64"
    with pytest.raises(SettingsError, match="linux/amd64 or linux/arm64"):
        target(tmp_path, {"HEADWAY_PACKAGES_PLATFORM": "windows"})


def test_a_step_on_this_machine_has_this_python(tmp_path: Path) -> None:
    assert wanted(tmp_path, spec(packages={"a": ""}, python=f"{HERE}.1")) is not None
    with pytest.raises(FlowDefinitionError, match=r"asks for 3\.4"):
        wanted(tmp_path, spec(packages={"a": ""}, python="3.4"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.9", "3.9"),
        ("3.9.7", "3.9"),
        ("==3.9.*", "3.9"),
        (">=3.9", "3.11"),
        (">=3.9,<3.12", "3.11"),
        ("~=3.10", "3.11"),
    ],
)
def test_versions_of_python(text: str, expected: str) -> None:
    assert python_within(text, "3.11") == expected


@pytest.mark.parametrize("text", ["", "three", ">=3.12", "<3.11", "3", ">=3.9,x"])
def test_versions_of_python_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"'3\.11'"):
        python_within(text, "3.11")


@pytest.mark.parametrize(
    "attributes",
    [
        {"packages": ["numpy"]},
        {"packages": {"--index-url": "1"}},
        {"packages": {"numpy": 1.26}},
        {"packages": {"numpy": "1; rm"}},
        {"packages": {"num py": "1"}},
        {"python": 3.11},
        {"python": "--x; y"},
        {"disabled": "no"},
    ],
)
def test_what_is_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(HeadwayError, match=r"allowed|not the name|has to be text"):
        check_spec(spec(**attributes), "step 'start'")
    with pytest.raises(HeadwayError, match=r"allowed|not the name|has to be text"):
        check_spec(spec("pypi_base", **attributes), "flow Sample", FLOW_DECORATORS)


@pytest.mark.parametrize(
    "name", ["numpy", "ray[default,tune]", "my-lib@https://host/my_lib-1-py3-none-any.whl"]
)
def test_what_packages_are_called(name: str) -> None:
    check_spec(spec(packages={name: ""}), "step 'start'")
