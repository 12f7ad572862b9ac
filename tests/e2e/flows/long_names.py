from headway import FlowSpec, step


class LongNamesFlow(FlowSpec):
    """Two steps whose names differ only where a label has no more room."""

    @step
    def a_step_whose_name_is_longer_than_what_kubernetes_takes_as_the_value_of_a_label_1(self):
        self.next(self.a_step_whose_name_is_longer_than_what_kubernetes_takes_as_the_value_of_a_label_2)

    @step
    def a_step_whose_name_is_longer_than_what_kubernetes_takes_as_the_value_of_a_label_2(self):
        pass


if __name__ == "__main__":
    LongNamesFlow()
