"""Resolving with the real programs, from a folder of wheels: no network."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest
from wheels import index_of, make_wheel

from headway.errors import UsageError
from headway.launch.packages.resolver import Installer, command, environment, install, shortened
from headway.launch.packages.wanted import Target, Wanted

HERE = "{}.{}".format(*sys.version_info[:2])
POD = Target("3.11", "x86_64", "glibc")
UV = Installer(("uv", "pip"), is_uv=True)
PIP = Installer(("pip",))


@pytest.fixture
def uv() -> Installer:
    found = shutil.which("uv")
    if found is None:
        pytest.skip("no uv on this machine")
    return Installer((found, "pip"), is_uv=True)


@pytest.fixture
def pip() -> Installer:
    if importlib.util.find_spec("pip"):
        return Installer((sys.executable, "-m", "pip"))
    found = shutil.which("pip")
    if found is None:
        pytest.skip("no pip on this machine")
    return Installer((found,))


@pytest.fixture
def index(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "index"
    make_wheel(folder, "upper", requires="lower>=1")
    make_wheel(folder, "lower", "1.5")
    make_wheel(
        folder, "native", tag="cp311-cp311-manylinux_2_17_x86_64", files={"native.py": "CPU = 'x86_64'\n"}
    )
    make_wheel(
        folder, "native", tag="cp311-cp311-manylinux_2_28_aarch64", files={"native.py": "CPU = 'arm'\n"}
    )
    return {**os.environ, **index_of(folder)}


@pytest.mark.parametrize(("machine", "cpu"), [("x86_64", "x86_64"), ("aarch64", "arm")])
def test_wheels_are_those_of_the_pods_machine_and_what_they_need(
    uv: Installer, index: dict[str, str], tmp_path: Path, machine: str, cpu: str
) -> None:
    target = Target("3.11", machine, "glibc")
    install(Wanted(("native", "upper==1.0"), target), tmp_path / "site", uv, index)
    assert {path.name for path in (tmp_path / "site").glob("*.py")} == {"native.py", "upper.py", "lower.py"}
    assert cpu in (tmp_path / "site" / "native.py").read_text()


@pytest.mark.budget(10)  # pip takes seconds to start where much else runs
def test_pip_does_the_same(pip: Installer, index: dict[str, str], tmp_path: Path) -> None:
    wanted = Wanted(("native", "upper==1.0"), Target("3.11", "aarch64", "glibc"))
    install(wanted, tmp_path / "site", pip, index)
    assert {path.name for path in (tmp_path / "site").glob("*.py")} == {"native.py", "upper.py", "lower.py"}
    assert "arm" in (tmp_path / "site" / "native.py").read_text()


@pytest.mark.budget(10)  # as above
def test_pips_words_are_told(pip: Installer, index: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No matching distribution found for lower==9"):
        install(Wanted(("lower==9",), POD), tmp_path / "site", pip, index)


@pytest.mark.parametrize(
    ("requirement", "target"),
    [
        ("missing==1", POD),
        ("lower==9", POD),
        ("native", Target("3.10", "x86_64", "glibc")),
        ("native", Target("3.11", "x86_64", "musl")),
    ],
)
def test_what_cannot_be_resolved_is_said_in_the_resolvers_words(
    uv: Installer, index: dict[str, str], tmp_path: Path, requirement: str, target: Target
) -> None:
    with pytest.raises(UsageError) as caught:
        install(Wanted((requirement,), target), tmp_path / "site", uv, index)
    message = caught.value.message
    assert message.startswith(f"The packages {requirement} cannot be resolved for {target}:\n")
    assert requirement.partition("=")[0] in message.partition("\n")[2]
    assert len(message.splitlines()) < 9


def test_nothing_that_is_asked_for_is_taken_for_an_option() -> None:
    for installer in (UV, PIP):
        words = command(installer, Wanted(("a==1",), POD), Path("/x"), {})
        assert words[-2:] == ["--", "a==1"]
        assert "--only-binary" in words


def test_each_platform_is_asked_for_as_each_program_knows_it() -> None:
    wanted = Wanted(("a",), POD)
    assert "x86_64-manylinux_2_28" in command(UV, wanted, Path("/x"), {})
    pip = command(PIP, wanted, Path("/x"), {})
    assert {"manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"} <= set(pip)
    musl = Wanted(("a",), Target("3.11", "aarch64", "musl"))
    assert "aarch64-unknown-linux-musl" in command(UV, musl, Path("/x"), {})
    assert "musllinux_1_2_aarch64" in command(PIP, musl, Path("/x"), {})
    assert "--platform" not in command(PIP, Wanted(("a",), Target(HERE)), Path("/x"), {})


def test_uv_takes_the_indexes_that_pip_was_told_of_unless_it_has_its_own() -> None:
    pip = {"PIP_INDEX_URL": "https://a", "PIP_EXTRA_INDEX_URL": "https://b"}
    told = environment(pip)
    assert (told["UV_DEFAULT_INDEX"], told["UV_INDEX"]) == ("https://a", "https://b")
    assert "UV_DEFAULT_INDEX" not in environment({**pip, "UV_INDEX_URL": "https://c"})


def test_a_resolvers_words_are_shortened_and_hold_no_password() -> None:
    text = (
        "Looking in indexes: x\n" + "line\n" * 20 + "\x1b[31mERROR: https://ann:secret@host/ fails\x1b[0m\n"
    )
    found = shortened(text)
    assert found.splitlines()[-1] == "ERROR: https://host/ fails"
    assert len(found.splitlines()) == 6
