"""Graph shapes and features, each pair a case: flows are rendered, run on this machine, and looked at.

By default a sample runs. ``dev.py matrix`` (``--matrix``) runs all; ``-k foreach-merge_plain`` chooses
cases, and ``--show-flow`` prints the flow of each.
"""

from collections.abc import Iterator

import pytest
from matrix.cases import CASES, Case, sample
from matrix.features import FEATURES
from matrix.ran import local_place
from matrix.shapes import SHAPES
from matrix.workshop import Workshop, render_alone

#: How many cases run where nobody asks for all, the seed that chooses them, and how many flows they are.
SAMPLE = (60, 4, 12)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    cases = CASES if metafunc.config.getoption("--matrix") else sample(*SAMPLE)
    pairs = [(case, mode) for case in cases for mode in case.modes]
    metafunc.parametrize(("case", "mode"), pairs, ids=[f"{case.id}-{mode}" for case, mode in pairs])


@pytest.fixture(scope="session")
def workshop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Runs the flows of the cases that were chosen, and of no others."""
    wanted = [
        (item.callspec.params["case"], item.callspec.params["mode"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_case"
    ]
    folder = tmp_path_factory.mktemp("matrix")
    workshop = Workshop(folder, local_place(folder), wanted)
    yield workshop
    workshop.close()


def test_case(case: Case, mode: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--show-flow"):
        print(render_alone(case))
    request.getfixturevalue("workshop").check(case, mode)


def test_the_matrix_is_as_large_as_it_is_said_to_be() -> None:
    assert len(SHAPES) >= 15
    assert len(FEATURES) >= 45
    assert len(CASES) >= 400
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
    assert {case.feature.name for case in CASES} == {feature.name for feature in FEATURES}
    assert {case.shape.name for case in CASES} == {shape.name for shape in SHAPES}
    assert not [case.id for case in CASES if not case.modes]
