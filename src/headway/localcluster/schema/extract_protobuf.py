"""Cut the field numbers of Kubernetes' protobuf encoding out of its published `.proto` files.

Run where the Go modules of Kubernetes are unpacked::

    python -m headway.localcluster.schema.extract_protobuf K8S_IO_API K8S_IO_APIMACHINERY > protobuf.json

Nothing in the product runs it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from headway.localcluster.schema.definitions import definitions

_PACKAGE = re.compile(r"^package ([\w.]+);", re.MULTILINE)
_MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*(optional|repeated)?\s*(map<\w+, ([\w.]+)>|[\w.]+) (\w+) = (\d+);", re.MULTILINE)
_SCALARS = {"string", "bytes", "bool", "int32", "int64", "double"}


def main(arguments: list[str]) -> None:
    """Write the table to standard output, one message a line.

    Args:
        arguments: Folders with `generated.proto` files below them.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for folder in arguments:
        for path in sorted(Path(folder).rglob("generated.proto")):
            found.update(_messages(path.read_text()))
    wanted, kept = list(definitions()), {}
    while wanted:
        name = wanted.pop()
        if name not in found or name in kept:
            continue
        kept[name] = found[name]
        wanted += [kind for _, _, kind in found[name].values()]
    lines = [f"{json.dumps(name)}:{json.dumps(kept[name], separators=(',', ':'))}" for name in sorted(kept)]
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


def _messages(text: str) -> dict[str, dict[str, list[str]]]:
    match = _PACKAGE.search(text)
    assert match is not None
    package = match.group(1)
    result = {}
    for name, body in _MESSAGE.findall(text):
        fields = {}
        for label, kind, value, field, number in _FIELD.findall(body):
            form = "map" if value else label or "optional"
            fields[number] = [field, form, _full(value or kind, package)]
        result[_full(name, package)] = fields
    return result


def _full(kind: str, package: str) -> str:
    if kind in _SCALARS:
        return kind
    name = kind.lstrip(".") if kind.startswith(".") else f"{package}.{kind}"
    return "io.k8s." + name.removeprefix("k8s.io.")


if __name__ == "__main__":
    main(sys.argv[1:])
