"""Decorators of the flow's own around a step: who hears of what fails before it."""

from metaflow import FlowSpec, Parameter, UserStepDecorator, catch, step, user_step_decorator


class Swallows(UserStepDecorator):
    """Takes whatever it hears of for settled."""

    def pre_step(self, step_name, flow, inputs=None):
        print("outer before")

    def post_step(self, step_name, flow, exception=None):
        print("outer after", repr(exception))


class Refuses(UserStepDecorator):
    def pre_step(self, step_name, flow, inputs=None):
        if flow.refuse:
            raise ValueError("not today")

    def post_step(self, step_name, flow, exception=None):
        print("inner after", repr(exception))


@user_step_decorator
def settles(step_name, flow, inputs):
    try:
        yield
    except KeyError as error:
        flow.settled = repr(error)


class Before(FlowSpec):
    refuse = Parameter("refuse", default=False)

    @settles
    @step
    def start(self):
        self.reached = True
        raise KeyError("x")
        self.next(self.guarded)

    @catch(var="failed", print_exception=False)
    @Swallows
    @Refuses
    @step
    def guarded(self):
        print("the step")
        self.next(self.end)

    @Swallows
    @Refuses
    @step
    def end(self):
        print("the end")


if __name__ == "__main__":
    Before()
