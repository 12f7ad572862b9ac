"""Packages that the image does not have: a small one for all steps, numpy for one, none for the last."""

import os

from headway import FlowSpec, kubernetes, pypi, pypi_base, step


@pypi_base(packages={"iniconfig": "2.0.0"})
class PackagedFlow(FlowSpec):
    @step
    def start(self):
        import iniconfig

        print("start has iniconfig in", os.path.basename(os.path.dirname(os.path.dirname(iniconfig.__file__))))
        self.next(self.train)

    @pypi(packages={"numpy": ">=2"})
    @kubernetes(memory=150)
    @step
    def train(self):
        import iniconfig
        import numpy

        self.total = int(numpy.arange(10).sum())
        print("train has numpy", numpy.__version__ >= "2", iniconfig.__name__, numpy.__file__)
        self.next(self.end)

    @pypi(disabled=True)
    @step
    def end(self):
        try:
            import numpy
        except ImportError:
            print("end has no numpy, total", self.total)
        else:
            print("end has numpy of", numpy.__file__, "total", self.total)


if __name__ == "__main__":
    PackagedFlow()
