"""Tries that fail in several ways, and what is told of each."""

import os
import signal
import sys

from metaflow import FlowSpec, Parameter, catch, current, retry, step
from metaflow.exception import MetaflowException


class Odd(MetaflowException):
    headline = "An odd thing"


class Trouble(FlowSpec):
    last = Parameter("last", default="none")

    @step
    def start(self):
        self.parts = ["well", "second", "never", "signal", "odd"]
        self.next(self.part, foreach="parts")

    @catch(var="why", print_exception=False)
    @retry(times=1, minutes_between_retries=0)
    @step
    def part(self):
        print(f"{self.input} out {current.retry_count}")
        print(f"{self.input} err {current.retry_count}", file=sys.stderr)
        self.tries = current.retry_count
        if self.input == "signal":
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.input == "odd":
            raise Odd("it is odd")
        if self.input == "never" or (self.input == "second" and current.retry_count == 0):
            raise ValueError(self.input)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.found = [
            [each.parts[each.index], getattr(each, "tries", None), bool(each.why)] for each in inputs
        ]
        self.next(self.guarded)

    @catch(var="refused", print_exception=False)
    @step
    def guarded(self):
        self.next(self.end)

    @step
    def end(self):
        print("no line end", end="")
        if self.last == "raise":
            raise Odd("the last one")


if __name__ == "__main__":
    Trouble()
