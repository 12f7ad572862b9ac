"""Where a configuration value is found, and what is said of a file that cannot be read."""

import json
from pathlib import Path

import pytest

from headway.config.sources import Configuration
from headway.errors import SettingsError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "project" / "deep"
    folder.mkdir(parents=True)
    return folder


def write(path: Path, values: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def load(home: Path, cwd: Path, profile: str | None = None, **environ: str) -> Configuration:
    return Configuration.load({"HOME": str(home), **environ}, cwd, profile)


def value(configuration: Configuration, name: str = "X") -> object:
    found = configuration.get(name)
    return found.value if found else None


def test_the_first_place_that_holds_a_name_wins(home: Path, cwd: Path) -> None:
    """The places in order; each is taken away once it has been seen to win over all after it."""
    environ = {"HEADWAY_X": "1 variable", "METAFLOW_X": "2 variable"}
    project = cwd.parent / ".headway"
    files = [
        write(project / "config_dev.json", {"HEADWAY_X": "3 named, project"}),
        write(home / ".config/headway/config_dev.json", {"HEADWAY_X": "4 named, home"}),
        write(project / "config.json", {"HEADWAY_X": "5 project", "METAFLOW_X": "not this one"}),
        write(home / ".config/headway/config.json", {"METAFLOW_X": "6 home"}),
        write(cwd.parent.parent / ".metaflow/config.json", {"METAFLOW_X": "7 Metaflow's project"}),
        write(home / ".metaflowconfig/config_dev.json", {"METAFLOW_X": "8 Metaflow's home"}),
    ]
    seen = []
    for name in ("HEADWAY_X", "METAFLOW_X"):
        seen.append(str(value(load(home, cwd, "dev", **environ))))
        del environ[name]
    for file in files:
        seen.append(str(value(load(home, cwd, "dev"))))
        if file is not files[-1]:
            file.unlink()
    assert [text[0] for text in seen] == list("12345678")


def test_the_source_says_where(home: Path, cwd: Path) -> None:
    file = write(home / ".config/headway/config.json", {"METAFLOW_X": [1]})
    configuration = load(home, cwd, HEADWAY_Y="text")
    y, x = configuration.get("Y"), configuration.get("X")
    assert y is not None
    assert x is not None
    assert (y.value, y.source) == ("text", "HEADWAY_Y")
    assert (x.value, x.source) == ([1], f"{file}: METAFLOW_X")
    assert configuration.get("Z") is None
    assert configuration.first("Z", "X") == x


@pytest.mark.parametrize("empty", ["", None])
def test_what_is_empty_is_not_set(home: Path, cwd: Path, empty: str | None) -> None:
    write(cwd / ".headway/config.json", {"HEADWAY_X": empty})
    write(home / ".config/headway/config.json", {"HEADWAY_X": "further on"})
    assert value(load(home, cwd, HEADWAY_X="", METAFLOW_X="")) == "further on"


def test_false_and_zero_are_set(home: Path, cwd: Path) -> None:
    write(cwd / ".headway/config.json", {"HEADWAY_X": 0, "HEADWAY_Y": False})
    configuration = load(home, cwd)
    assert value(configuration) == 0
    assert value(configuration, "Y") is False


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("HEADWAY_HOME", "own"), ("XDG_CONFIG_HOME", "xdg"), ("METAFLOW_HOME", "~/mf")],
)
def test_the_homes_can_be_moved(home: Path, cwd: Path, tmp_path: Path, variable: str, folder: str) -> None:
    place = home / "mf" if folder.startswith("~") else tmp_path / folder
    inner = place / "headway" if variable == "XDG_CONFIG_HOME" else place
    write(inner / "config.json", {"METAFLOW_X": "moved"})
    setting = folder if folder.startswith("~") else str(place)
    assert value(load(home, cwd, **{variable: setting})) == "moved"


def test_a_named_configuration_lies_over_the_plain_one(home: Path, cwd: Path) -> None:
    write(home / ".config/headway/config.json", {"HEADWAY_X": "plain", "HEADWAY_Y": "plain"})
    write(home / ".config/headway/config_prod.json", {"HEADWAY_X": "prod"})
    for configuration in (
        load(home, cwd, "prod"),
        load(home, cwd, HEADWAY_PROFILE="prod"),
        load(home, cwd, METAFLOW_PROFILE="prod"),
        load(home, cwd, "prod", HEADWAY_PROFILE="missing"),
    ):
        assert (value(configuration), value(configuration, "Y")) == ("prod", "plain")
        assert configuration.profile == "prod"


def test_metaflows_profile_stands_in_place_of_its_plain_file(home: Path, cwd: Path) -> None:
    write(home / ".metaflowconfig/config.json", {"METAFLOW_X": "plain", "METAFLOW_Y": "plain"})
    assert value(load(home, cwd)) == "plain"
    write(home / ".metaflowconfig/config_prod.json", {"METAFLOW_X": "prod"})
    configuration = load(home, cwd, METAFLOW_PROFILE="prod")
    assert (value(configuration), value(configuration, "Y")) == ("prod", None)


def test_a_profile_of_ours_alone_keeps_metaflows_plain_file(home: Path, cwd: Path) -> None:
    write(home / ".metaflowconfig/config.json", {"METAFLOW_Y": "plain"})
    write(cwd / ".headway/config_dev.json", {"HEADWAY_X": "dev"})
    configuration = load(home, cwd, "dev")
    assert (value(configuration), value(configuration, "Y")) == ("dev", "plain")


def test_a_named_configuration_that_is_nowhere_is_an_error(home: Path, cwd: Path) -> None:
    with pytest.raises(SettingsError, match=r"profile='pord' \(METAFLOW_PROFILE\).*config_pord\.json"):
        load(home, cwd, METAFLOW_PROFILE="pord")


def test_the_nearest_project_file_hides_those_above(home: Path, cwd: Path) -> None:
    write(cwd.parent.parent / ".headway/config.json", {"HEADWAY_X": "far", "HEADWAY_Y": "far"})
    write(cwd.parent / ".headway/config.json", {"HEADWAY_X": "near"})
    (cwd / ".headway").mkdir()  # a datastore without a configuration hides nothing
    configuration = load(home, cwd)
    assert (value(configuration), value(configuration, "Y")) == ("near", None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"HEADWAY_X": tru}', r"line 1, column 15: Expecting value"),
        ('{\n  "HEADWAY_X" 1\n}', r"line 2, column 15: Expecting ':' delimiter"),
        ("[]", r"it holds a list"),
        ("", r"line 1, column 1"),
    ],
)
def test_a_file_that_is_not_an_object_is_named_with_the_place(
    home: Path, cwd: Path, content: str, problem: str
) -> None:
    file = write(home / ".config/headway/config.json", content)
    with pytest.raises(SettingsError, match=problem) as caught:
        load(home, cwd)
    assert str(file) in str(caught.value)
    assert "one JSON object" in caught.value.allowed


def test_a_file_that_is_not_utf_8_is_named(home: Path, cwd: Path) -> None:
    file = write(home / ".config/headway/config.json", "{}")
    file.write_bytes(b'{"HEADWAY_X": "\xff"}')
    with pytest.raises(SettingsError, match="byte 15 is not UTF-8"):
        load(home, cwd)


def test_a_key_without_prefix_is_an_error_in_our_files_only(home: Path, cwd: Path) -> None:
    write(home / ".metaflowconfig/config.json", {"KUBERNETES_CPU": 4, "SOME_OTHER": 1})
    write(cwd / ".headway/config.json", {"stacks": {}})
    assert value(load(home, cwd), "KUBERNETES_CPU") is None
    write(cwd / ".headway/config.json", {"KUBERNETES_CPU": 4})
    with pytest.raises(SettingsError, match="Write HEADWAY_KUBERNETES_CPU"):
        load(home, cwd)


def test_names_lists_what_is_set_anywhere(home: Path, cwd: Path) -> None:
    write(cwd / ".headway/config.json", {"HEADWAY_B": 1, "stacks": {}})
    assert load(home, cwd, METAFLOW_A="1", HEADWAY_B="2", HEADWAY_C="").names() == ["A", "B"]


def test_a_home_that_cannot_be_looked_into_holds_no_file(tmp_path: Path) -> None:
    """A closed one, in a container whose HOME is root's; here one whose name is too long for any file."""
    configuration = Configuration.load({"HOME": f"/{'x' * 300}"}, tmp_path)
    assert configuration.files == ()
