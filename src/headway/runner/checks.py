"""What a Runner is made with, looked at before a process is started with it."""

import os
from collections.abc import Mapping
from pathlib import Path

from headway.runner.errors import ArgumentTypeError, FlowFileMissingError, WorkingFolderMissingError


def checked_env(env: object) -> dict[str, str]:
    """The variables.

    Raises:
        ArgumentTypeError: A name or a value is no text, which no process can be given.
    """
    if env is None:
        return {}
    if not isinstance(env, Mapping):
        raise _wrong("env", env, 'a dict of texts: env={"NAME": "value"}')
    for name, value in env.items():
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"env: the name {name!r} is no text ({_kind(name)}).", f"Write {str(name)!r}."
            )
        if not isinstance(value, str):
            raise ArgumentTypeError(
                f"env: the value of {name!r} is {value!r} ({_kind(value)}).",
                "Leave it out." if value is None else f"Write {str(value)!r}.",
            )
    return dict(env)


def checked_cwd(cwd: object, name: str = "cwd") -> Path:
    """The working folder, by its whole path; this process's where none is named.

    Args:
        cwd: It, or None.
        name: What the argument is called.

    Raises:
        ArgumentTypeError: It is no path.
        WorkingFolderMissingError: There is no such folder.
    """
    folder = Path(_path(name, cwd or ".")).absolute()
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise WorkingFolderMissingError(f"{name}: {folder} {what}.", "Name the folder that the run works in.")
    return folder


def checked_file(flow_file: object, cwd: Path) -> str:
    """The flow's file, by its whole path: that in the working folder, else that in this process's.

    Raises:
        ArgumentTypeError: It is no path.
        FlowFileMissingError: There is no such file.
    """
    path = _path("flow_file", flow_file)
    found = [folder / path for folder in (cwd, Path.cwd()) if (folder / path).exists()]
    for each in found:
        if each.is_file():
            return str(each)
    if found:
        raise FlowFileMissingError(
            f"{path} is a folder, and no flow file.", "Name the file in it that holds the flow."
        )
    raise FlowFileMissingError(
        f"There is no flow file {path} in {cwd}.", "Name it from there, or by its whole path."
    )


def checked_profile(profile: object) -> str | None:
    """The name of a configuration.

    Raises:
        ArgumentTypeError: It is no text.
    """
    if profile is None or isinstance(profile, str):
        return profile
    raise _wrong("profile", profile, "the name of a configuration")


def checked_timeout(seconds: object) -> float:
    """For how long to wait.

    Raises:
        ArgumentTypeError: It is no number.
    """
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return seconds
    raise _wrong("file_read_timeout", seconds, "seconds, such as 60")


def _path(name: str, value: object) -> str:
    if isinstance(value, (str, os.PathLike)):
        path: object = os.fspath(value)
        if isinstance(path, str):
            return path
    raise _wrong(name, value, "a path")


def _wrong(name: str, value: object, wanted: str) -> ArgumentTypeError:
    return ArgumentTypeError(f"{name} is {value!r} ({_kind(value)}).", f"Give it {wanted}.")


def _kind(value: object) -> str:
    return type(value).__name__
