"""Every manifest is what its golden file says, and every setting shows in at least one of them.

After a change on purpose: ``pytest tests/unit/executors/kubernetes --update-golden``, then read the diff.
"""

import json
from pathlib import Path

import pytest
from manifest_cases import CASES, NOT_IN_THE_MANIFEST, SERVICE, Case, manifest_of

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings

GOLDEN = Path(__file__).parents[3] / "golden" / "manifests"


@pytest.mark.parametrize("case", [*CASES, SERVICE], ids=lambda case: case.name)
def test_the_manifest_is_the_golden_one(case: Case, update_golden: bool) -> None:
    found = json.dumps(manifest_of(case), indent=2) + "\n"
    path = GOLDEN / f"{case.name}.json"
    if update_golden:
        path.write_text(found)
    assert found == path.read_text()


def test_no_golden_file_is_left_without_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {case.name for case in [*CASES, SERVICE]}


@pytest.mark.parametrize("name", list(settings_of(KubernetesSettings)))
def test_every_setting_changes_a_golden_manifest(name: str) -> None:
    changed = [
        case.name
        for case in CASES
        if name in case.said and manifest_of(case) != manifest_of(case.without(name))
    ]
    if name in NOT_IN_THE_MANIFEST:
        assert not changed
    else:
        assert changed, f"{name}: say it in one of the cases"
