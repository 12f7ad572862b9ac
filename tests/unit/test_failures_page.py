"""The page of failures names every reason that the code can give, and tests that exist."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "headway"

#: Where the reason stands in the calls that make one.
PLACES = {"Failure": 1, "Standstill": 0, "Refusal": 0, "last_words": 0, "standing": 2}

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
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                at = PLACES.get(node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
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
        "GangIncomplete",
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


#: Why a reason may be played by fakes instead: no other excuse counts.
PLAYED = {
    "no such cluster here": "it takes a platform, a version or drivers that the tests do not have",
    "a node's own trouble": "it takes a node that is broken, which would be everybody's",
    "nothing of the cluster's": "it happens on the launcher's own machine, or between it and the datastore",
}


class Row(NamedTuple):
    """A row of the table: the reasons, the words, the class, and what proves them, by the excuse ("" for none)."""

    reasons: tuple[str, ...]
    words: str
    kind: str
    proofs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]


def rows() -> Iterator[Row]:
    table = PAGE.partition("| reason |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        first, words, kind, _, proof = (cell.strip() for cell in line.strip("| ").split(" | "))
        yield Row(tuple(re.findall(r"`([A-Z]\w+)`", first)), words, kind, tuple(proofs(proof)))


def proofs(cell: str) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Of each part of the last column: the excuse, the reasons that it is about (none: all of the row's), the tests."""
    for part in cell.split("; "):
        played = re.match(r"played \(([^)]*)\)", part)
        quoted = re.findall(r"`(\w+)`", part)
        tests = tuple(word for word in quoted if word.startswith("test_"))
        yield played[1] if played else "", tuple(word for word in quoted if word not in tests), tests


@cache
def words_of_module(path: Path) -> str:
    """Every literal text of a module, but for what documents it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return "\n".join(
        node.value
        for each in tree.body
        if not isinstance(each, ast.Expr)
        for node in ast.walk(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@cache
def homes() -> dict[str, list[Path]]:
    """The modules of each test."""
    found: dict[str, list[Path]] = {}
    for path in [*sorted((ROOT / "tests").rglob("test_*.py")), SOURCE / "testing/executor_suite.py"]:
        for name in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8")):
            found.setdefault(name, []).append(path)
    return found


def says(tests: Sequence[str], *, on_a_cluster: bool) -> str:
    """What stands in the modules of the tests; of end-to-end tests alone, or of others."""
    paths = {path for name in tests for path in homes()[name] if (path.parent.name == "e2e") == on_a_cluster}
    if on_a_cluster:
        return "\n".join(map(words_of_module, sorted(paths)))
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths))


def pieces(words: str) -> list[str]:
    """The longer parts of the words between what differs from case to case."""
    parts = re.split(r"[^\w' -]+", words)
    return [part.strip() for part in parts if len(part.split()) > 2]


def test_every_test_on_the_page_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 10
    missing = sorted(named - set(homes()))
    assert not missing, f"docs/failures.md names tests that do not exist: {missing}"


def test_every_reason_is_provoked_on_a_cluster_or_has_one_of_few_excuses() -> None:
    wrong: list[str] = []
    for row in rows():
        left = set(row.reasons)
        assert left, row
        for excuse, reasons, tests in row.proofs:
            assert tests, f"{row.reasons}: no test is named"
            if excuse:
                assert excuse in PLAYED, (
                    f"{row.reasons}: {excuse!r} is no reason to play it: {sorted(PLAYED)}"
                )
            said = says(tests, on_a_cluster=not excuse)
            # What is waited for has no record with its reason: the words are all that there is to see.
            # Nor has what is told at once and given up after ten minutes.
            waits = ("waits" in row.kind or "ten minutes" in row.kind) and any(
                each in said for each in pieces(row.words)
            )
            left -= {each for each in reasons or row.reasons if waits or re.search(rf"\b{each}\b", said)}
        wrong += sorted(left)
    assert not wrong, f"docs/failures.md: no test that it names for them asserts {wrong}"


def test_the_check_of_the_page_can_fail() -> None:
    assert says(["test_a_full_quota_is_waited_for"], on_a_cluster=True)
    assert not says(["test_a_full_quota_is_waited_for"], on_a_cluster=False)
    assert "MadeUp" not in says(["test_a_full_quota_is_waited_for"], on_a_cluster=True)
    assert dict.fromkeys(each for row in rows() for each, _, _ in row.proofs).keys() == {"", *PLAYED}
