"""The page of failures names every reason that the code can give, and tests that exist."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "headway"

#: Where the reason stands in the calls that make one.
PLACES = {"Failure": 1, "Standstill": 0, "Refusal": 0, "last_words": 0}

#: Where attempts are made and judged; below these, every module.
PACKAGES = ("executors", "launch", "runtime", "schedule", "store")

#: Where reasons of pods and events are given on in their own words, but for those that tell of no trouble.
GIVES_ON = ("outcome", "pod_events", "standstill")
NO_TROUBLE = ("_PROGRESS", "_SCALING", "_LACKING", "PULLING")


@cache
def modules() -> tuple[tuple[Path, str, ast.Module], ...]:
    paths = [path for package in PACKAGES for path in sorted((SOURCE / package).rglob("*.py"))]
    texts = [(path, path.read_text(encoding="utf-8")) for path in paths]
    # Most modules make none.
    return tuple(
        (path, text, ast.parse(text)) for path, text in texts if any(name in text for name in PLACES)
    )


def constants() -> dict[str, list[str]]:
    """The words and the tuples of words that modules call by a name in capitals."""
    found: dict[str, list[str]] = {}
    for _, _, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                words = list(literals(node.value, {}))
                name = node.targets[0].id
                if words and name.lstrip("_").isupper() and name not in NO_TROUBLE:
                    found[name] = words
    return found


def literals(node: ast.expr, named: Mapping[str, list[str]]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if node.value:
            yield node.value
    elif isinstance(node, ast.Tuple):
        for each in node.elts:
            yield from literals(each, named)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body, named)
        yield from literals(node.orelse, named)
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from literals(each, named)
    elif isinstance(node, ast.Name):
        yield from named.get(node.id, [])


def reasons() -> Iterator[str]:
    """The reasons in calls of Failure, Standstill and Refusal, those given on as a pod says them, and those in tables."""
    named = constants()
    for path, _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                at = PLACES.get(node.func.id)
                if at is not None and len(node.args) > at:
                    yield from literals(node.args[at], named)
            elif isinstance(node, ast.Compare) and path.stem in GIVES_ON:
                reason = isinstance(node.left, ast.Attribute) and node.left.attr == "reason"
                if reason and isinstance(node.ops[0], ast.In):
                    yield from literals(node.comparators[0], named)
    for name, pattern in (
        ("refusal", r'^        "([A-Z][A-Za-z]+)",$'),
        ("outcome", r'^        "([A-Z]\w+)": "'),
    ):
        text = (SOURCE / f"executors/kubernetes/{name}.py").read_text(encoding="utf-8")
        yield from re.findall(pattern, text, re.MULTILINE)


def test_every_reason_is_on_the_page() -> None:
    told = set(reasons())
    # One of each way in which the code says them.
    some = {
        "NodeLost",
        "ServiceAccount",
        "PreemptionByScheduler",
        "MultiAttach",
        "NodeShutdown",
        "OutOfMemory",
    }
    assert some <= told
    missing = sorted(reason for reason in told if f"`{reason}`" not in PAGE)
    assert not missing, f"docs/failures.md does not name {missing}"


def test_every_reason_on_the_page_is_the_codes() -> None:
    rows = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    named = {word for row in rows for word in re.findall(r"`([A-Z][A-Za-z]+)`", row)}
    # Errors of ours are reasons by their names.
    written = "\n".join(
        [*(text for _, text, _ in modules()), (SOURCE / "errors.py").read_text(encoding="utf-8")]
    )
    strange = sorted(
        word
        for word in named - set(reasons())
        if f'"{word}"' not in written and f"class {word}(" not in written
    )
    assert not strange, f"docs/failures.md names reasons that nothing gives: {strange}"


def test_every_test_on_the_page_exists() -> None:
    written = "\n".join(
        path.read_text(encoding="utf-8")
        for path in [*(ROOT / "tests").rglob("test_*.py"), SOURCE / "testing/executor_suite.py"]
    )
    named = set(re.findall(r"`(test_[a-z_]+)`", PAGE))
    assert len(named) > 10
    missing = sorted(name for name in named if f"def {name}(" not in written)
    assert not missing, f"docs/failures.md names tests that do not exist: {missing}"
