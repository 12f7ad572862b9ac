"""``merge_artifacts``: which artifacts of its inputs a join takes over, decided by their content."""

from headway.errors import HeadwayError
from headway.flow.task import HIDDEN_PREFIX, ArtifactSource
from headway.plain import Callable, Dict, Iterable, List, Sequence, Set, Tuple

#: The types of stored values that Metaflow does not store.
_FUNCTIONS = frozenset({"function", "method"})


class MergeArtifactsError(HeadwayError):
    """``merge_artifacts`` was called where or how it cannot be."""

    headline = "Artifacts cannot be merged"


class UnhandledInMergeArtifactsError(MergeArtifactsError):
    """Inputs hold different values under the same name, and nothing says which counts.

    Args:
        artifact_names: The names.
    """

    def __init__(self, artifact_names: Sequence[str], step: str) -> None:
        listed = ", ".join(artifact_names)
        super().__init__(
            f"merge_artifacts in step '{step}': the inputs hold different values of {listed}.",
            f"Set self.{artifact_names[0]} yourself before the call, or leave it out: "
            f"self.merge_artifacts(inputs, exclude={list(artifact_names)!r}).",
        )
        self.artifact_names = list(artifact_names)


class MissingInMergeArtifactsError(MergeArtifactsError):
    """Artifacts that were asked for by name are in none of the inputs.

    Args:
        artifact_names: The names.
    """

    def __init__(self, artifact_names: Sequence[str], step: str) -> None:
        listed = ", ".join(artifact_names)
        super().__init__(
            f"merge_artifacts in step '{step}': no input has {listed}.",
            "Take these names out of include, or set them in a step before.",
        )
        self.artifact_names = list(artifact_names)


def choose_artifacts(
    step: str,
    sources: Iterable[ArtifactSource],
    is_set: Callable[[str], bool],
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
) -> Dict[str, ArtifactSource]:
    """Where each artifact to take over comes from.

    Args:
        step: The join, for errors.
        sources: The inputs, in split order.
        is_set: Whether the join has a value of this name already; it is left alone.
        exclude: Names to leave out.
        include: The only names to take, all of them needed.

    Raises:
        UnhandledInMergeArtifactsError: Some name has different contents among the inputs.
        MissingInMergeArtifactsError: No input has a name of include.
        MergeArtifactsError: Both include and exclude are given.
    """
    include = [include] if isinstance(include, str) else include
    exclude = [exclude] if isinstance(exclude, str) else exclude
    if include and exclude:
        raise MergeArtifactsError(
            f"merge_artifacts in step '{step}': include and exclude cannot both be given.",
            "Keep one of them.",
        )
    chosen: Dict[str, Tuple[str, ArtifactSource]] = {}
    functions: Dict[str, Dict[str, ArtifactSource]] = {}
    differing: List[str] = []
    skipped: Set[str] = set(exclude)
    for source in sources:
        for name in source.names():
            if name in skipped or name.startswith(HIDDEN_PREFIX) or (include and name not in include):
                continue
            if is_set(name):
                continue
            ref = source.ref(name)
            content = ref.sha256
            if getattr(ref, "type", "") in _FUNCTIONS and not include:
                functions.setdefault(name, {}).setdefault(content, source)
            elif name not in chosen:
                chosen[name] = (content, source)
            elif chosen[name][0] != content and name not in differing:
                differing.append(name)
    # Functions are no artifacts with Metaflow: one is taken over where nothing speaks against it, and is no conflict.
    for name, found in functions.items():
        if name not in chosen and len(found) == 1:
            chosen.update((name, each) for each in found.items())
    if differing:
        raise UnhandledInMergeArtifactsError(sorted(differing), step)
    missing = [name for name in include if name not in chosen and not is_set(name)]
    if missing:
        raise MissingInMergeArtifactsError(missing, step)
    return {name: source for name, (_, source) in chosen.items()}
