"""What a call in a pipeline inherits: the run's parameters. Loaded for tasks of pipelines only."""

from typing import Any, Iterable

from headway.call import CONSTANTS
from headway.flow.task import ArtifactSource


class _Parameters:
    """The run's parameters, as a task of it has them: without what its calls are given."""

    def __init__(self, source: ArtifactSource) -> None:
        self._source = source

    def names(self) -> Iterable[str]:
        return [name for name in self._source.names() if not name.startswith(CONSTANTS)]

    def load(self, name: str) -> object:
        return self._source.load(name)

    def ref(self, name: str) -> Any:
        return self._source.ref(name)


def without_constants(parameters: ArtifactSource) -> ArtifactSource:
    """The run's parameters, of which a task is to inherit no call's arguments; they can be loaded by name."""
    return _Parameters(parameters)
