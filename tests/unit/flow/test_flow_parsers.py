"""The parsers for configurations and included files; what is expected here is what Metaflow 2.19 returns."""

import pytest

from headway.flow.parsers import (
    ParserError,
    conda_environment_yml_parser,
    pyproject_toml_parser,
    requirements_txt_parser,
    yaml_parser,
)


def test_yaml() -> None:
    assert yaml_parser("a: {b: [1, x]}") == {"a": {"b": [1, "x"]}}
    with pytest.raises(ParserError, match="not YAML"):
        yaml_parser("a: [")
    with pytest.raises(ParserError, match="not YAML"):
        yaml_parser("!!python/object/apply:os.system [ls]")


def test_requirements() -> None:
    found = requirements_txt_parser(
        "# all\n-e file:.\nnumpy==1.26.4\nrequests[socks,security]>=2.31,<3  # web\n\npandas\n"
        "lib @ git+https://example.org/lib.git@v1\nscipy ~= 1.11\npython==3.11.*\n"
    )
    assert found == {
        "packages": {
            "numpy": "1.26.4",
            "requests[security,socks]": "<3,>=2.31",
            "pandas": "",
            "lib@git+https://example.org/lib.git@v1": "",
            "scipy": "~=1.11",
        },
        "python": "3.11.*",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("numpy=1.26", "no requirement"),
        ("-r other.txt", "no requirement"),
        ("numpy; sys_platform == 'linux'", "environment marker"),
        ("python==3.10\npython==3.11", "twice"),
    ],
)
def test_requirements_that_cannot_be_taken(text: str, words: str) -> None:
    with pytest.raises(ParserError, match=words):
        requirements_txt_parser(text)


def test_pyproject() -> None:
    found = pyproject_toml_parser(
        '[project]\nrequires-python = ">=3.10"\ndependencies = ["numpy>=1.26", "x"]\n'
    )
    assert found == {"packages": {"numpy": ">=1.26", "x": ""}, "python": ">=3.10"}
    assert pyproject_toml_parser("[tool.x]\ny = 1") == {"packages": {}, "python": None}
    with pytest.raises(ParserError, match="not TOML"):
        pyproject_toml_parser("[project")
    with pytest.raises(ParserError, match="twice"):
        pyproject_toml_parser('[project]\nrequires-python = ">=3.10"\ndependencies = ["python==3.11"]')


def test_conda_environment() -> None:
    found = conda_environment_yml_parser(
        "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - numpy=1.26  # fast\n"
        "  - pandas\n  - scipy>=1.11\n  - lib==2\nprefix: /x\n"
    )
    assert found == {
        "packages": {"numpy": "1.26", "pandas": "", "scipy": ">=1.11", "lib": "2"},
        "python": "3.11",
    }
    for text, words in (
        ("- pip:\n", "section"),
        ("- a b\n", "no package"),
        ("- python=3\n- python=4\n", "twice"),
    ):
        with pytest.raises(ParserError, match=words):
            conda_environment_yml_parser(f"dependencies:\n{text}")
