from headway import FlowSpec, step


class NestedFlow(FlowSpec):
    """Three levels of foreach: 2 regions, 2 models each, 2 seeds each."""

    @step
    def start(self):
        self.regions = ["eu", "us"]
        self.next(self.region, foreach="regions")

    @step
    def region(self):
        self.where = self.input
        self.models = [1, 2]
        self.next(self.model, foreach="models")

    @step
    def model(self):
        self.which = self.input
        self.seeds = [10, 20]
        self.next(self.seed, foreach="seeds")

    @step
    def seed(self):
        self.score = f"{self.where}-{self.which}-{self.input}"
        self.place = [index for index, _, _ in self.foreach_stack()]
        self.next(self.join_seeds)

    @step
    def join_seeds(self, inputs):
        self.scores = [task.score for task in inputs]
        self.places = [task.place for task in inputs]
        self.next(self.join_models)

    @step
    def join_models(self, inputs):
        self.scores = [task.scores for task in inputs]
        self.places = [task.places for task in inputs]
        self.next(self.join_regions)

    @step
    def join_regions(self, inputs):
        self.scores = [task.scores for task in inputs]
        self.places = [task.places for task in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    NestedFlow()
