import obstore  # the launcher has it, the stock image has not

from headway import FlowSpec, step


class MissingModuleFlow(FlowSpec):
    """A flow whose module cannot be imported in the image."""

    @step
    def start(self):
        self.version = obstore.__version__
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    MissingModuleFlow()
