"""The page of settings holds every setting and variable: its default, where it lands, and the test that proves it.

Of a setting that lands in the manifest the words tell the place, like ``container resources.requests.cpu``; its
proof is a golden manifest that differs in this very place once the setting is not said.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from headway.config.describe import reference
from headway.config.fields import Setting, settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.overview import GENERAL

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "settings.md"

sys.path.append(str(ROOT / "tests/unit/executors/kubernetes"))

from manifest_cases import CASES, NOT_IN_THE_MANIFEST, manifest_of  # noqa: E402

SETTINGS = settings_of(KubernetesSettings)

_EXECUTOR = "tests/unit/executors/kubernetes_executor"

#: What proves a setting that is no part of the manifest.
ELSEWHERE = {
    "hostname_resolution_timeout": "tests/unit/launch/test_steps.py::test_where_the_ranks_of_a_gang_meet",
    "start_failure_timeout": "tests/e2e/test_e2e_why.py::test_every_real_cause_has_its_words_and_its_class",
    "unschedulable_timeout": "tests/e2e/test_e2e_why.py::test_every_real_cause_has_its_words_and_its_class",
    "infrastructure_retries": "tests/unit/launch/test_steps.py"
    "::test_how_often_the_infrastructure_may_end_a_task_is_a_setting",
    "fail_on_container_waiting_reasons": f"{_EXECUTOR}/test_executor_standstills.py"
    "::test_what_fail_on_container_waiting_reasons_names_is_not_waited_for",
    "job_terminate_mode": f"{_EXECUTOR}/test_executor_lost_pods.py"
    "::test_an_attempt_whose_pod_has_not_begun_is_given_up_when_it_is_cancelled",
    "reuse": f"{_EXECUTOR}/test_warm_pods.py::test_one_pod_goes_on_from_step_to_step",
    "idle_timeout": "tests/unit/runtime/test_worker.py::test_an_idle_worker_leaves_and_says_so",
    "pack": f"{_EXECUTOR}/test_packing.py::test_a_pods_share_of_a_foreach",
    "pods": f"{_EXECUTOR}/test_packing.py::test_a_pods_share_of_a_foreach",
    "pod_count": "tests/unit/config/test_kubernetes_values.py::test_more_pods_are_a_gang",
    "kubernetes_context": f"{_EXECUTOR}/test_cluster.py"
    "::test_the_settings_say_which_cluster_and_how_long_to_try",
    "incluster": "tests/unit/executors/kubernetes_api/test_kubeconfig_loading.py"
    "::test_incluster_is_the_pods_service_account_whatever_else_there_is",
    "api_request_timeout": f"{_EXECUTOR}/test_cluster.py"
    "::test_the_settings_say_which_cluster_and_how_long_to_try",
    "max_api_retries": "tests/unit/executors/kubernetes_api/test_kubernetes_client_retries.py"
    "::test_no_more_retries_than_are_wanted",
}

#: What Headway tells its own processes and nobody sets; and the beginnings of names that are put together.
INTERNAL = frozenset(
    f"HEADWAY_{name}"
    for name in (
        "ATTEMPT", "AZURE_STORAGE_TOKEN", "BATCH", "DATASTORE", "DATASTORE_SYSROOT_", "ENVIRONMENT",
        "GOOGLE_CREDENTIALS", "IDLE_TIMEOUT", "IMAGE",
        "INBOX", "INIT_SCRIPT", "IN_TASK", "KUBERNETES_", "MEMORY_LIMIT", "MEMORY_REQUEST", "NODE_IP", "NODE_NAME",
        "PATHSPEC", "POD_IP", "POD_LIMIT", "POD_NAME", "POD_NAMESPACE", "POD_UID", "SERVICE_ACCOUNT", "SPOT_NOTICE",
        "TASK_DATASTORE", "TERMINATION_LOG", "TMPFS", "WORK",
    )
)  # fmt: skip

_PLACES = {"container": "spec.template.spec.containers[train].", "pod": "spec.template.spec.", "Job": "spec."}


def place_of(setting: Setting) -> str:
    """The pattern of the places in a manifest that a setting's words name, "" where it lands elsewhere."""
    found = re.match(r"(container|pod|Job) ([^\s,;:]+)|(metadata\.[a-z]+) of", setting.lands)
    if found is None:
        return ""
    words = found[3] or _PLACES[found[1]] + ("" if found[2] == "spec" else found[2])
    # <vendor> stands for what another setting says.
    return ".+".join(re.escape(part) for part in re.split(r"<[^>]+>", words))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a manifest with its place; of lists by the name of the item, where it has one."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("name", index) if isinstance(item, Mapping) else index
            yield from leaves(item, f"{path}[{name}]")
    else:
        yield path, value


def golden_proof(name: str) -> str:
    """The golden manifest that differs where the setting lands once it is not said, "" if none does."""
    place = place_of(SETTINGS[name])
    for case in CASES:
        if name in case.said:
            changed = set(leaves(manifest_of(case))) ^ set(leaves(manifest_of(case.without(name))))
            if any(re.match(place, path) for path, _ in changed):
                return case.name
    return ""


def proofs() -> dict[str, str]:
    """For each setting a link to what fails if it loses its effect."""
    links = {}
    for name in SETTINGS:
        if name in ELSEWHERE:
            path, _, test = ELSEWHERE[name].partition("::")
            links[name] = f"[{test}](../{path})"
        else:
            case = golden_proof(name)
            assert case, f"{name}: no golden manifest shows it at {place_of(SETTINGS[name])}"
            links[name] = f"[{case}](../tests/golden/manifests/{case}.json)"
    return links


def test_page_holds_the_table_as_it_is(update_golden: bool) -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = reference(proofs()).strip()
    if update_golden:
        page = re.sub(r"\| setting \| default .*?\n(?=\n)", lambda _: f"{table}\n", page, flags=re.DOTALL)
        PAGE.write_text(page, encoding="utf-8")
    assert table in page, "run this test with --update-golden"


def test_what_is_not_in_the_manifest_is_proved_elsewhere() -> None:
    assert set(ELSEWHERE) == NOT_IN_THE_MANIFEST
    assert {name for name, setting in SETTINGS.items() if not place_of(setting)} == NOT_IN_THE_MANIFEST


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_proves_a_setting_speaks_of_it(name: str) -> None:
    path, _, test = ELSEWHERE[name].partition("::")
    assert speaks_of(path, test, (name, *(f"HEADWAY_{each}" for each in SETTINGS[name].variables)))


def speaks_of(path: str, test: str, names: tuple[str, ...]) -> bool:
    """Whether there is this test, in a file that says one of the names."""
    text = (ROOT / path).read_text(encoding="utf-8")
    defined = re.search(rf"^(async )?def {test}\(", text, re.MULTILINE)
    return bool(defined) and any(re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", text) for name in names)


# The other variables


def other_rows() -> Iterator[list[str]]:
    """The cells of the table of what is no setting of pods."""
    part = PAGE.read_text(encoding="utf-8").partition("# Other variables")[2].partition("\n#")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    assert lines[0] == "| variable | default | option | meaning | where it lands | proved by |"
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


ROWS = list(other_rows())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].split("`")[1])
def test_every_other_variable_has_its_place_and_its_proof(row: list[str]) -> None:
    variables, default, option, meaning, lands, proved = row
    assert all((default, option, meaning)), "of what there is none, say -"
    assert len(lands) > 3
    found = re.findall(r"\[(\w+)\]\(\.\./(tests/[\w/]+\.py)\)", proved)
    for name in re.findall(r"`HEADWAY_(\w+)`", variables):
        spellings = (f"HEADWAY_{name}", f"METAFLOW_{name}", f'"{name}"')
        assert any(speaks_of(path, test, spellings) for test, path in found), f"nothing proves {name}"


def test_config_show_knows_every_other_variable_and_its_default() -> None:
    assert {
        name: "" if row[1] == "-" else row[1]
        for row in ROWS
        for name in re.findall(r"`HEADWAY_(\w+)`", row[0])
    } == GENERAL


def variables_read() -> Iterator[str]:
    """Every name that the code asks the configuration for, or the environment by our prefix."""
    for path in (ROOT / "src/headway").rglob("*.py"):
        if "localcluster" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"\bHEADWAY_([A-Z0-9_]+)", node.value)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("get", "first")
                and ast.unparse(node.func.value).endswith("configuration")
            ):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value
            # Those of secrets are gone through one by one; a table of spellings has the same name.
            if (
                path.name != "misspelt.py"
                and isinstance(node, ast.Assign)
                and any(isinstance(target, ast.Name) and target.id == "SETTINGS" for target in node.targets)
            ):
                for item in ast.walk(node.value):
                    if isinstance(item, ast.Constant) and isinstance(item.value, str):
                        yield item.value


def test_page_names_every_variable_that_is_read() -> None:
    of_settings = {f"HEADWAY_{name}" for setting in SETTINGS.values() for name in setting.variables}
    of_others = {name for row in ROWS for name in re.findall(r"`(HEADWAY_\w+)`", row[0])}
    read = {f"HEADWAY_{name}" for name in variables_read()}
    assert {"HEADWAY_DEFAULT_DATASTORE", "HEADWAY_AZURE_KEY_VAULT_PREFIX"} <= read
    assert sorted(read - of_settings - of_others - INTERNAL) == []
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/headway").rglob("*.py"))
    kinds = {f"HEADWAY_DATASTORE_SYSROOT_{kind}" for kind in ("S3", "AZURE", "GS")}
    unread = {name for name in of_others - kinds if name.removeprefix("HEADWAY_") not in code}
    assert sorted(unread) == []
    assert sorted(INTERNAL - read) == []
