"""The page of settings says what the table of settings says, and names the variables that the code reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from headway.config.describe import reference
from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "settings.md"

#: What proves a setting that is no part of the manifest.
ELSEWHERE = {
    "hostname_resolution_timeout": "tests/unit/config/test_kubernetes_values.py",
    "start_failure_timeout": "tests/e2e/test_e2e_standing_still.py",
    "unschedulable_timeout": "tests/unit/executors/kubernetes_executor/test_executor_standstills.py",
    "job_terminate_mode": "tests/unit/executors/kubernetes_executor/test_executor_lost_pods.py",
    "reuse": "tests/unit/executors/kubernetes_executor/test_warm_pods.py",
    "idle_timeout": "tests/unit/runtime/test_worker.py",
    "pack": "tests/unit/executors/kubernetes_executor/test_packing.py",
    "pods": "tests/unit/executors/kubernetes_executor/test_warm_pods.py",
}


def proofs() -> dict[str, str]:
    """For each setting a test that fails if it loses its effect: a golden manifest in which it is said."""
    cases = (ROOT / "tests/unit/executors/kubernetes/manifest_cases.py").read_text(encoding="utf-8")
    said: dict[str, str] = {}
    for node in ast.walk(ast.parse(cases)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Case":
            name, *rest = node.args
            if not isinstance(name, ast.Constant):
                continue
            for key in rest[0].keys if rest and isinstance(rest[0], ast.Dict) else []:
                if isinstance(key, ast.Constant):
                    said.setdefault(key.value, f"manifests/{name.value}.json")
    links = {name: f"[{Path(path).stem}](../tests/golden/{path})" for name, path in said.items()}
    links |= {name: f"[{Path(path).stem}](../{path})" for name, path in ELSEWHERE.items()}
    missing = set(settings_of(KubernetesSettings)) - set(links)
    assert not missing, f"no golden manifest says {missing}"
    return links


def test_page_holds_the_table_as_it_is(update_golden: bool) -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = reference(proofs()).strip()
    if update_golden:
        page = re.sub(r"\| setting \| default .*?\n(?=\n)", lambda _: f"{table}\n", page, flags=re.DOTALL)
        PAGE.write_text(page, encoding="utf-8")
    assert table in page, "run this test with --update-golden"


def variables_read() -> Iterator[str]:
    """Every name that the code asks the configuration for."""
    for path in (ROOT / "src/headway").rglob("*.py"):
        if "localcluster" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("get", "first")
                and ast.unparse(node.func.value).endswith("configuration")
            ):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value


def test_page_names_every_variable_that_is_read() -> None:
    page = PAGE.read_text(encoding="utf-8")
    read = set(variables_read())
    assert "DEFAULT_DATASTORE" in read
    missing = sorted(name for name in read if f"`HEADWAY_{name}`" not in page)
    assert not missing, missing
