"""The components of cards: a step that makes some runs on, though Headway makes no card of them."""

from metaflow._aliases import aliases

_COMPONENTS = """
    Artifact BlankCard DefaultCard Error ErrorCard EventsTimeline Image JSONViewer Markdown MetaflowCard
    MetaflowCardComponent PageComponent ProgressBar PythonCode Table ValueBox VegaChart YAMLViewer
"""

__getattr__, __dir__ = aliases(
    __name__,
    {
        **dict.fromkeys(_COMPONENTS.split(), "headway.flow.cards:NoCard"),
        "get_cards": "headway.flow.cards:get_cards",
    },
)
