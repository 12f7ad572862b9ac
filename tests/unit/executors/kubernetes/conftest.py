"""``pytest tests/unit/executors/kubernetes --update-golden`` writes the golden manifests anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden manifests anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    # The option exists only where this folder was named on the command line.
    return bool(request.config.getoption("--update-golden", default=False))
