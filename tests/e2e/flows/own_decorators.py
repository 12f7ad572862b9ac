from headway import FlowMutator, MutableFlow, MutableStep, Parameter, StepMutator, user_step_decorator


@user_step_decorator
def noted(step_name, flow, inputs, attributes):
    try:
        yield
    except ValueError as error:
        flow.caught = str(error)
    flow.noted = (step_name, attributes.get("label"))


class InPods(StepMutator):
    def init(self, **settings):
        self.settings = settings

    def mutate(self, mutable_step: MutableStep):
        mutable_step.add_decorator("kubernetes", deco_kwargs=self.settings)


class Extra(FlowMutator):
    def pre_mutate(self, mutable_flow: MutableFlow):
        mutable_flow.add_parameter("extra", Parameter("extra", default=mutable_flow.cfg.model.depth * 10))
