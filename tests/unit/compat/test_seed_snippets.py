"""Every snippet of the seed documents is known, and yields the manifests of its golden file.

After a change on purpose: ``pytest tests/unit/compat --update-seeds``, then read the diff.
"""

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from seeds.case import Case
from seeds.documents import PYTHON, SEEDS, SHELL, all_snippets, prose_of, seed_documents
from seeds.flows import flow_file
from seeds.manifests import manifests_of
from seeds.shell import UNREAD, exports, is_known
from seeds.table import CASES, READS_RUNS

from headway.config.fields import settings_of
from headway.config.general import datastore_roots
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import resolve_kubernetes
from headway.config.sources import Configuration
from headway.flow.pod_attributes import KUBERNETES

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the seed documents are not here ({SEEDS})")

GOLDEN = Path(__file__).parents[2] / "golden" / "seeds"
DOCUMENTS = seed_documents()
SNIPPETS = {snippet.key: snippet for snippet in all_snippets() if snippet.kind == PYTHON}
by_slug = {"ids": lambda case: case.slug}

#: What code looks like, wherever it stands.
_CODE = re.compile(r"^\s*@\w|\bself\.|^\s*def |^\s*export |^\s*\w+ = |^python |^kubectl ")


def golden(name: str, found: object, update: bool) -> str:
    path = GOLDEN / f"{name}.json"
    if update:
        path.write_text(json.dumps(found, indent=2) + "\n")
    return path.read_text()


def test_the_table_knows_every_snippet_and_no_other() -> None:
    python = [snippet.key for snippet in all_snippets() if snippet.kind == PYTHON]
    known = [*(case.snippet for case in CASES), READS_RUNS]
    assert sorted(python) == sorted(known)
    assert len({case.slug for case in CASES}) == len(CASES)


def test_the_table_knows_every_shell_command() -> None:
    commands = [snippet for snippet in all_snippets() if snippet.kind == SHELL]
    assert [snippet.text for snippet in commands if not is_known(snippet)] == []
    assert len(commands) > 80


def test_what_is_left_of_the_documents_is_prose() -> None:
    left = [line for text in DOCUMENTS.values() for line in prose_of(text)]
    assert [line for line in left if _CODE.search(line)] == []


@pytest.mark.parametrize("case", CASES, **by_slug)
def test_a_snippet_yields_its_manifests(
    case: Case, metaflow: ModuleType, zenml: ModuleType, tmp_path: Path, update_seeds: bool
) -> None:
    variables = dict(exports(all_snippets())[case.environment]) if case.environment else {}
    found = manifests_of(flow_file(SNIPPETS[case.snippet], case), tmp_path, variables, case.late)
    assert found
    assert json.dumps(found, indent=2) + "\n" == golden(case.slug, found, update_seeds)


@pytest.mark.parametrize("case", [case for case in CASES if case.repaired], **by_slug)
def test_a_repaired_snippet_keeps_every_line_of_the_document(case: Case) -> None:
    kept = [line.strip() for line in case.repaired.splitlines()]
    lines = [line.strip() for line in SNIPPETS[case.snippet].text.splitlines() if line.strip()]
    lost = [line for line in lines if line not in kept]
    # Where the brackets went, an opening one may stand alone now.
    assert [line for line in lost if not any(whole.startswith(line) for whole in kept)] == []


def test_every_variable_sets_what_the_documents_say(tmp_path: Path, update_seeds: bool) -> None:
    found = {
        title: {f"{name}={value}": meaning(name, value, tmp_path) for name, value in variables}
        for title, variables in exports(all_snippets()).items()
    }
    assert found == json.loads(golden("exports", found, update_seeds))
    silent = [text for variables in found.values() for text, said in variables.items() if not said]
    assert {text.partition("=")[0] for text in silent} == {*UNREAD, "KUBECONFIG"}


def meaning(name: str, value: str, home: Path) -> dict[str, Any]:
    """The settings that this variable alone decides."""
    configuration = Configuration.load({"HOME": str(home), name: value}, home)
    resolved = resolve_kubernetes("train", configuration=configuration)
    said = {
        field: getattr(resolved.settings, field)
        for field, source in resolved.provenance.items()
        if source == name
    }
    roots = datastore_roots(configuration)
    said.update({f"{kind} datastore": root.value for kind, root in roots.items() if root.source == name})
    plain: dict[str, Any] = json.loads(json.dumps(said, default=str))
    return plain


def test_every_parameter_of_the_reference_page_is_one_of_ours() -> None:
    # Of some the page gives name, type and default in one attribute.
    rows = re.findall(r'<Parameter name="(\w+)[^"]*"(?: type="([^"]*)")?', DOCUMENTS["002"])
    ours = {name for each in KUBERNETES for name in (each.name, *each.aliases)}
    assert len(rows) > 20
    assert [name for name, _ in rows if name not in ours] == []
    written = {name: text.partition("default ")[2] for name, text in rows if "default " in text}
    defaults = {name: str(field.written_default) for name, field in settings_of(KubernetesSettings).items()}
    numbers = {name: text for name, text in written.items() if text.isdigit()}
    assert len(numbers) >= 3
    assert numbers == {name: defaults[name] for name in numbers}
    assert written["tmpfs_path"] == defaults["tmpfs_path"]


def test_no_golden_file_is_left_without_its_snippet() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {"exports", *(case.slug for case in CASES)}
