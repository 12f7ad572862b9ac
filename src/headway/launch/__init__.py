"""The launcher: wires settings, scheduler, executors and journal, and drives a run."""
