"""A sample of the matrix of shapes and features (tests/matrix), every step of it a pod, seen by client and commands."""

from collections.abc import Iterator

import pytest
from harness.target import Target
from harness.workspace import Workspaces
from matrix.cases import CASES, Case, sample
from matrix.ran import Place
from matrix.workshop import Workshop

SIZE, SEED, FLOWS = 30, 4, 10
#: Flows at a time: one small node has room for their pods.
AT_A_TIME = 5
#: Flows of the sample that are broken and resumed besides; other tests resume runs in other ways.
RESUMED = ("foreach-shared_content", "foreach-separator_parameter")
#: And shapes whose tasks are hardest to tell apart, where all that is looked at is what the resumed run took over.
TAKEN_OVER = ("nested_foreach-origins", "switch_in_foreach-origins", "parallel-origins")


def _fits(case: Case) -> bool:
    return not case.feature.in_pods and set(case.modes) != {"resume"}


PAIRS = [
    (case, mode)
    for case in sample(SIZE, SEED, FLOWS, _fits)
    for mode in case.modes
    if mode != "resume" or case.id in RESUMED
] + [(case, "resume") for case in CASES if case.id in TAKEN_OVER]


@pytest.fixture(scope="module")
def workshop(
    target: Target, workspaces: Workspaces, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    """All flows of the sample, several side by side."""
    workspace = workspaces()
    environ = workspace.variables({"HEADWAY_USER": "ann"})
    place = Place(environ["HEADWAY_DATASTORE_SYSROOT_S3"], environ, ("--with", "kubernetes"), in_pods=True)
    workshop = Workshop(tmp_path_factory.mktemp("matrix"), place, PAIRS, AT_A_TIME)
    yield workshop
    workshop.close()


@pytest.mark.parametrize(("case", "mode"), PAIRS, ids=[f"{case.id}-{mode}" for case, mode in PAIRS])
def test_case_in_pods(workshop: Workshop, case: Case, mode: str) -> None:
    workshop.check(case, mode)


def test_the_sample_is_as_large_as_it_is_said_to_be() -> None:
    assert len({case.id for case, _ in PAIRS}) >= SIZE
    assert sorted(case.id for case, mode in PAIRS if mode == "resume") == sorted(RESUMED + TAKEN_OVER)
