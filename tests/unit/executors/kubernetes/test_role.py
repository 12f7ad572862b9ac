"""docs/role.yaml, what a launcher says that it needs, and what the code asks a cluster for: the same."""

import ast
from collections.abc import Iterator
from pathlib import Path

import yaml

from headway.executors.kubernetes.api import kinds
from headway.executors.kubernetes.api.kinds import Kind
from headway.executors.kubernetes.cluster import (
    NEEDED,
    NEEDED_FOR_GANGS,
    NEEDED_TO_LEND,
    NEEDED_TO_SWEEP,
    USEFUL,
)

ROOT = Path(__file__).parents[4]
SAID = {*NEEDED, *NEEDED_FOR_GANGS, *NEEDED_TO_LEND, *NEEDED_TO_SWEEP, *USEFUL}

#: Functions that ask a cluster something, and the verb of it; the kind is one of their arguments.
CALLS = {
    **{verb: verb for verb in ("create", "get", "list", "watch", "patch", "delete")},
    "_insist": "delete",
}
#: What belongs to no namespace: it is asked for, and done without where that is refused.
OUTSIDE = {"nodes", "namespaces"}
#: What ``doctor`` looks at where it may.
LOOKED_AT = {("list", "resourcequotas")}


def resource(kind: Kind[kinds.KubernetesObject]) -> str:
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def asked_for() -> Iterator[tuple[str, str]]:
    """Every (verb, resource) that stands in the executor's code with the kind's own name."""
    for path in (ROOT / "src/headway/executors/kubernetes").rglob("*.py"):
        if path.parent.name == "api":
            continue  # knows verbs, and asks for nothing by itself
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            for argument in node.args:
                kind = getattr(kinds, argument.id, None) if isinstance(argument, ast.Name) else None
                if called in CALLS and isinstance(kind, Kind):
                    yield CALLS[called], resource(kind)


def test_the_role_grants_what_is_said_to_be_needed_and_no_more() -> None:
    role = yaml.safe_load((ROOT / "docs/role.yaml").read_text(encoding="utf-8"))
    granted = [
        (verb, f"{name}.{group}" if group else name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for name in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert len(granted) == len(set(granted))
    assert set(granted) == SAID


def test_what_is_said_to_be_needed_is_what_the_code_asks_for() -> None:
    asked = {(verb, name) for verb, name in asked_for() if name not in OUTSIDE}
    # A watch begins with a list.
    asked |= {("list", name) for verb, name in asked if verb == "watch"}
    assert asked - LOOKED_AT == SAID
