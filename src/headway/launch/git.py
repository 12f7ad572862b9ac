"""What a repository says of the code that is run: commit, branch and origin, read from its files.

No process is started for it, so that it costs next to nothing; whether files were changed since the
commit would take one, and is not told.
"""

import json
import re
from pathlib import Path

_SHA = re.compile(r"[0-9a-f]{40,64}")
_CREDENTIALS = re.compile(r"(?<=://)[^/@]+@")


def git_facts(folder: Path) -> dict[str, str]:
    """What :func:`git_info` tells, as a fact about a run: JSON under ``git-info``."""
    found = git_info(folder)
    return {"git-info": json.dumps(found)} if found else {}


def git_info(folder: Path) -> dict[str, str]:
    """``commit_sha``, ``branch_name`` and ``repo_url``, as far as they are known; nothing outside a repository.

    Args:
        folder: A folder of the repository.
    """
    try:
        found = _repository(folder)
        return {} if found is None else _told(*found)
    except (OSError, ValueError):
        # A courtesy: a run needs no repository.
        return {}


def _repository(folder: Path) -> tuple[Path, Path] | None:
    """The repository's own folder, and the one it shares with its other work trees."""
    marker = next((each / ".git" for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if marker is None:
        return None
    if marker.is_file():
        marker = marker.parent / marker.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
    common = marker / "commondir"
    if common.is_file():
        return marker, marker / common.read_text(encoding="utf-8").strip()
    return marker, marker


def _told(own: Path, common: Path) -> dict[str, str]:
    head = (own / "HEAD").read_text(encoding="utf-8").strip()
    reference = head.removeprefix("ref: ") if head.startswith("ref: ") else ""
    told = {"commit_sha": _commit(reference, own, common) if reference else head}
    if reference:
        told["branch_name"] = reference.removeprefix("refs/heads/")
    told["repo_url"] = _CREDENTIALS.sub("", _origin(common))
    return {name: value for name, value in told.items() if value}


def _commit(reference: str, own: Path, common: Path) -> str:
    for folder in (own, common):
        file = folder / reference
        if file.is_file():
            return file.read_text(encoding="utf-8").strip()
    packed = common / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    found = (line.partition(" ") for line in lines)
    return next((sha for sha, _, name in found if name == reference and _SHA.fullmatch(sha)), "")


def _origin(common: Path) -> str:
    import configparser  # most folders are no repository

    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    # Git indents its values, which would make them go on with the line before.
    text = (common / "config").read_text(encoding="utf-8")
    try:
        parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    except configparser.Error:
        return ""
    return parser.get('remote "origin"', "url", fallback="") or ""
