"""How one Python snippet of the seeds becomes a flow that runs: what the document leaves to its reader."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Substitutions = Sequence[tuple[str, str]]

#: Sizes that fit a small node, whatever a document asks for; no node of the tests has a GPU.
SIZES = {
    "cpu": "0.2",
    "memory": "100",
    "disk": "50",
    "gpu": "None",
    "shared_memory": "8",
    "tmpfs_size": "8",
}

#: Substitutions for every run: sizes, the image that the node has, the namespace of the tests.
_EVERYWHERE = (
    (re.compile(rf"\b({'|'.join(SIZES)})=\d+"), lambda found: f"{found[1]}={SIZES[found[1]]}"),
    (re.compile(r"\bimage='[^']+'"), lambda _: "image='python:3.11'"),
    (re.compile(r"\bimage_pull_policy='Always'"), lambda _: "image_pull_policy='IfNotPresent'"),
    (re.compile(r"\bnamespace='[^']+'"), lambda _: "namespace='{namespace}'"),
)

#: A label that every node has.
ANY_NODE = "'kubernetes.io/os': 'linux'"


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        snippet: The key of the snippet.
        repaired: The whole snippet, where the document lost lines of it; every line that it kept is in it.
        helpers: Code that the document takes for granted.
        files: Modules that it takes for granted, by the name of their file.
        completes: Substitutions that make a fragment a whole flow.
        fits: Substitutions beyond :data:`_EVERYWHERE` without which it cannot run on the cluster of the tests.
        needs: Objects that must be in the namespace: "secret NAME", "serviceaccount NAME", "claim NAME".
        late: What is typed behind ``--with``.
        environment: Shell commands of the same document that are to be typed before it, by their title.
        prints: What the run prints, among other things.
    """

    snippet: str
    repaired: str = ""
    helpers: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    completes: Substitutions = ()
    fits: Substitutions = ()
    needs: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    environment: str = ""
    prints: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The snippet's key as the name of a file."""
        return re.sub(r"[^a-z0-9]+", "-", self.snippet.lower()).strip("-")

    def fitted(self, program: str, namespace: str) -> str:
        """The program with what makes it fit the cluster of the tests.

        Args:
            program: The whole flow.
            namespace: Where its pods are to run.
        """
        program = substituted(program, self.fits)
        for pattern, by in _EVERYWHERE:
            program = pattern.sub(by, program)
        return program.replace("'{namespace}'", f"'{namespace}'")


def on_any_node(instance: str, zone: str) -> tuple[str, str]:
    """The substitution for a selector of instance type and zone, as the documents write it."""
    selector = f"""'node.kubernetes.io/instance-type': '{instance}',
            'topology.kubernetes.io/zone': '{zone}'"""
    return selector, ANY_NODE


def substituted(text: str, substitutions: Substitutions) -> str:
    """The text with every substitution; one that finds nothing to replace is a mistake of the table."""
    for old, new in substitutions:
        assert old in text, f"{old!r} is not in\n{text}"
        text = text.replace(old, new)
    return text
