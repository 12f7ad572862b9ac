"""``@pipeline``: a name that can be imported, and says when it is used that there is nothing behind it yet."""

from typing import NoReturn

from headway.errors import FlowDefinitionError


def pipeline(*_: object, **__: object) -> NoReturn:
    """Flows that are functions are not built yet; flows are classes.

    Raises:
        FlowDefinitionError: Always.
    """
    raise FlowDefinitionError(
        "Pipelines of functions (@pipeline) are not built yet.",
        "Write the flow as a class: class MyFlow(FlowSpec), each function a method under @step that ends with "
        "self.next(self.the_next_one); what it is to hand on, it sets on self.",
    )
