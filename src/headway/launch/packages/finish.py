"""Makes a folder of installed packages fit for other places: compiled ahead, and free of this machine's paths."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from headway.launch.packages.wanted import Target

#: What an installer leaves that no package needs, and that would make the same set look like another.
_REMAINS = (".lock", "uv_cache.json")
#: From so many modules on it pays to compile them in several processes.
_MANY = 200
_SHEBANG = re.compile(rb"#!(?:/bin/sh\n'''exec'[^\n]*\n'''|[^\n]*python[^\n]*)\n")


def finish(site: Path, target: Target) -> None:
    """Prepare a folder of installed packages.

    Args:
        site: The folder.
        target: What they are for; nothing is compiled where this machine has not its Python.
    """
    for name in _REMAINS:
        for path in [*site.glob(name), *site.glob(f"*.dist-info/{name}")]:
            path.unlink()
    for script in (site / "bin").glob("*"):
        if not target.is_here and script.is_file():
            text = script.read_bytes()
            script.write_bytes(_SHEBANG.sub(b"#!/usr/bin/env python3\n", text, count=1))
    _compile(site, target)


def resolved_versions(site: Path) -> list[str]:
    """What is installed in a folder: ``numpy 2.4.6``, by name."""
    found = []
    for metadata in site.glob("*.dist-info/METADATA"):
        head = metadata.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
        fields = dict(re.findall(r"^(Name|Version): *(\S+)", head, re.MULTILINE))
        found.append(f"{fields.get('Name', metadata.parent.name)} {fields.get('Version', '')}".strip())
    return sorted(found, key=str.lower)


def is_portable(site: Path) -> bool:
    """Whether nothing in a folder is built for one machine."""
    tags = [
        tag
        for wheel in site.glob("*.dist-info/WHEEL")
        for tag in re.findall(r"^Tag: *(\S+)", wheel.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return all(tag.endswith("-any") for tag in tags)


def _compile(site: Path, target: Target) -> None:
    """Compile all modules, so that no pod has to; what does not compile is left to who imports it.

    A compiled module holds no time and is not compared with its source: files get new times on their way.
    """
    here = target.python == "{}.{}".format(*sys.version_info[:2])
    python = sys.executable if here else shutil.which(f"python{target.python}")
    if python is not None:
        many = sum(1 for _ in site.rglob("*.py")) > _MANY
        how = ["-qq", "-j", "0" if many else "1", "--invalidation-mode", "unchecked-hash", "-s", str(site)]
        subprocess.run([python, "-I", "-m", "compileall", *how, str(site)], check=False, capture_output=True)
