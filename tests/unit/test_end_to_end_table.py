"""The table of what the end-to-end suite leaves out on one of its clusters names tests that there are."""

import ast
from pathlib import Path

import pytest
from harness.targets import EXCEPTIONS, TARGETS

SUITE = Path(__file__).parents[1] / "e2e"
TESTS = {
    node.name
    for path in SUITE.glob("test_*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def test_every_cluster_has_its_exceptions() -> None:
    assert EXCEPTIONS.keys() == TARGETS.keys()


@pytest.mark.parametrize("target", TARGETS)
def test_exceptions_are_tests_with_a_reason_of_one_line(target: str) -> None:
    assert EXCEPTIONS[target].keys() <= TESTS
    assert all(reason and "\n" not in reason for reason in EXCEPTIONS[target].values())
    assert not set.intersection(*(set(EXCEPTIONS[name]) for name in TARGETS)), "a test has to run somewhere"
