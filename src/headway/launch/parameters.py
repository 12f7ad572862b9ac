"""Stores what a run is given: parameters, constants and configurations; files by their content."""

from collections.abc import Mapping

from headway.flow.include_file import FileContent
from headway.store.artifacts import ArtifactStore
from headway.store.records import ArtifactRef


def store_parameters(artifacts: ArtifactStore, values: Mapping[str, object]) -> dict[str, ArtifactRef]:
    """Store the values that a run starts with.

    Raises:
        UnpicklableArtifactError: One of them cannot be pickled; then none is stored.
        StoreError: The datastore failed.
    """
    files = {name: value for name, value in values.items() if isinstance(value, FileContent)}
    stored = artifacts.save_many({name: value for name, value in values.items() if name not in files})
    for name, file in files.items():
        stored[name] = artifacts.save_file(name, file.data, file.name, file.encoding)
    return stored
