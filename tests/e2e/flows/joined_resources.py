from headway import FlowSpec, kubernetes, resources, step


class JoinedResourcesFlow(FlowSpec):
    """Two decorators that ask for resources: of each the larger one counts."""

    @kubernetes(cpu=0.04, memory=70)
    @resources(cpu=0.03, memory=90)
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    JoinedResourcesFlow()
