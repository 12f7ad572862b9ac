"""What pipelines say to ZenML's server: taken as it is, since there is none."""

from typing import Any, Optional


class ArtifactConfig:
    """Names an output: ``Annotated[int, ArtifactConfig(name="rows")]``; what else is given has no effect."""

    def __init__(self, name: Optional[str] = None, **unheard: Any) -> None:
        self.name = name


class Model:
    """What ``model=`` of a step or pipeline is given; it has no effect, which is said when the pipeline runs."""

    def __init__(self, name: str, **unheard: Any) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Model({self.name!r})"
