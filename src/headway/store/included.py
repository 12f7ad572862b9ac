"""Files that a run includes: the artifact says where the content is; whoever reads it gets the content."""

import io
from typing import Any, Callable, NamedTuple, Optional

from headway.store.records import ArtifactRef


class IncludedFile(NamedTuple):
    """The artifact of an included file.

    Attributes:
        content: Where its bytes are.
        name: The file's name where it was read.
        encoding: How its text is encoded, None for bytes.
    """

    content: ArtifactRef
    name: str = ""
    encoding: Optional[str] = None


def content_of(included: IncludedFile, load: Callable[[ArtifactRef], Any]) -> Any:
    """The file's text, its lines ended by a line feed whatever ended them there; or its bytes.

    Args:
        included: The artifact.
        load: Gives the value behind a reference.
    """
    data = load(included.content)
    if included.encoding is None:
        return data
    with io.TextIOWrapper(io.BytesIO(data), encoding=included.encoding) as text:
        return text.read()
