"""Parsers for configurations and included files: YAML, requirements.txt, pyproject.toml, environment.yml.

The last three tell which packages are wanted, as ``{"packages": {name: version}, "python": version}``.
"""

import re
from importlib import import_module
from typing import Any, Dict, Iterable, List, Optional, Tuple

from headway.errors import UsageError

#: name, [extras], and what follows: a version specifier, or @ and a URL.
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[A-Za-z0-9._,\s-]*)\])?"
    r"\s*(?P<rest>.*)",
    re.DOTALL,
)
_SPECIFIER = re.compile(r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+")
_CONDA = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)\s*(?P<version>[=<>!~].*)?")
_COMMENT = re.compile(r"(^|\s+)#.*$")


class ParserError(UsageError):
    """A text is not what its parser reads."""

    headline = "A file cannot be read"


def yaml_parser(content: str) -> Any:
    """What a YAML text says, its tags refused.

    Args:
        content: The text.

    Raises:
        ParserError: It is no YAML, or there is no YAML library, as in a pod whose image has none.
    """
    try:
        import yaml  # the launcher has it; a pod must not need it to start
    except ImportError as error:
        raise ParserError(
            "There is no YAML library here (PyYAML).",
            "Use a Config, which is parsed where the run is started, or an image that has pyyaml.",
        ) from error
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ParserError(f"This is not YAML: {' '.join(str(error).split())}.") from error


def requirements_txt_parser(content: str) -> Dict[str, Any]:
    """The packages that a requirements.txt names.

    Args:
        content: Its text: requirements (PEP 508) without environment markers.

    Returns:
        ``packages``, name to version specifier ("" for any, without ``==``), and ``python``.

    Raises:
        ParserError: A line is none that can be taken.
    """
    lines = (line for line in _lines(content) if line != "-e file:.")
    return _collect((_requirement(line) for line in lines), None)


def pyproject_toml_parser(content: str) -> Dict[str, Any]:
    """The packages that the ``[project]`` of a pyproject.toml depends on.

    Args:
        content: Its text.

    Returns:
        As :func:`requirements_txt_parser`; ``python`` is what ``requires-python`` says.

    Raises:
        ParserError: It is no TOML, or a dependency is none that can be taken.
    """
    project = _toml(content).get("project", {})
    python = project.get("requires-python")
    found = (_requirement(line.strip()) for line in project.get("dependencies", []))
    return _collect(found, None if python is None else python.lstrip("=").strip())


def conda_environment_yml_parser(content: str) -> Dict[str, Any]:
    """The packages under ``dependencies:`` of a Conda environment.yml; its other sections are left out.

    Args:
        content: Its text.

    Returns:
        As :func:`requirements_txt_parser`.

    Raises:
        ParserError: A dependency is none that can be taken, such as a ``pip:`` section.
    """
    return _collect((_conda(line) for line in _conda_lines(content)), None)


def _lines(content: str) -> List[str]:
    stripped = (_COMMENT.sub("", line).strip() for line in content.splitlines())
    return [line for line in stripped if line]


def _requirement(line: str) -> Tuple[str, str, str]:
    """The name, how it is listed, and the version of one requirement."""
    match = _REQUIREMENT.fullmatch(line)
    if match is None:
        raise ParserError(f"'{line}' is no requirement of the form name==version.")
    name, rest = match["name"], match["rest"].strip()
    extras = ",".join(sorted(part.strip() for part in (match["extras"] or "").split(",") if part.strip()))
    listed = f"{name}[{extras}]" if extras else name
    url, semicolon, _ = rest.partition(" ;") if rest.startswith("@") else rest.partition(";")
    if semicolon:
        raise ParserError(
            f"'{line}' has an environment marker (;), which is not supported.",
            "List what the step needs on the machine it runs on.",
        )
    if rest.startswith("@"):
        return name, f"{listed}@{url[1:].strip()}", ""
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1]
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    if any(_SPECIFIER.fullmatch(part) is None for part in parts):
        raise ParserError(f"'{line}' is no requirement of the form name==version.")
    version = ",".join(sorted(part.replace(" ", "") for part in parts))
    return name, listed, version.lstrip("=")


def _conda_lines(content: str) -> Iterable[str]:
    inside = False
    for line in _lines(content):
        if line.lower().startswith("dependencies:"):
            inside = True
        elif inside and line.startswith("-"):
            yield line.lstrip("-").strip()
        else:
            inside = False


def _conda(line: str) -> Tuple[str, str, str]:
    if line.endswith(":"):
        raise ParserError(
            f"The section '{line}' of an environment.yml is not supported.", "List its packages."
        )
    match = _CONDA.fullmatch(line)
    if match is None:
        raise ParserError(f"'{line}' is no package of the form name=version.")
    version = (match["version"] or "").strip()
    return match["name"], match["name"], version.lstrip("=").strip() if version.startswith("=") else version


def _collect(found: Iterable[Tuple[str, str, str]], python: Optional[str]) -> Dict[str, Any]:
    packages: Dict[str, str] = {}
    for name, listed, version in found:
        if name.lower() != "python":
            packages[listed] = version
        elif python is not None and version:
            raise ParserError(f"Python's version is given twice: {python} and {version}.")
        else:
            python = version or None
    return {"packages": packages, "python": python}


def _toml(content: str) -> Dict[str, Any]:
    for name in ("tomllib", "tomli"):  # the first is there from Python 3.11 on
        try:
            toml: Any = import_module(name)
            break
        except ImportError:
            continue
    else:
        raise ParserError("There is no TOML library here.", "Use Python 3.11, or type: pip install tomli")
    try:
        found: Dict[str, Any] = toml.loads(content)
    except toml.TOMLDecodeError as error:
        raise ParserError(f"This is not TOML: {error}.") from error
    return found
