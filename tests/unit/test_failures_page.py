"""The page of failures names every reason that the code can give, and tests that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
KUBERNETES = ROOT / "src/headway/executors/kubernetes"


def reasons() -> Iterator[str]:
    """The literal reasons in calls of Failure, Standstill and Refusal, and those that stand in tables."""
    for name in ("outcome", "standstill", "pod_events", "refusal", "inquiry", "lost_nodes", "executor"):
        for node in ast.walk(ast.parse((KUBERNETES / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                at = {"Failure": 1, "Standstill": 0, "Refusal": 0}.get(node.func.id)
                if at is not None and len(node.args) > at and isinstance(node.args[at], ast.Constant):
                    yield node.args[at].value
    for text in re.findall(
        r'^        "([A-Z][A-Za-z]+)",$', (KUBERNETES / "refusal.py").read_text(), re.MULTILINE
    ):
        yield text
    for text in re.findall(
        r'^        "([A-Z][A-Za-z]+)": "', (KUBERNETES / "outcome.py").read_text(), re.MULTILINE
    ):
        yield text


def test_every_reason_is_on_the_page() -> None:
    told = {reason for reason in reasons() if reason != "Pulling"}
    assert {"NodeLost", "ServiceAccount", "PreemptionByScheduler", "MultiAttach"} <= told
    missing = sorted(reason for reason in told if f"`{reason}`" not in PAGE)
    assert not missing, f"docs/failures.md does not name {missing}"


def test_every_test_on_the_page_exists() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_[a-z_]+)`", PAGE))
    assert len(named) > 10
    missing = sorted(name for name in named if f"def {name}(" not in written)
    assert not missing, f"docs/failures.md names tests that do not exist: {missing}"
