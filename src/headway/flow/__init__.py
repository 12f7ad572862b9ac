"""Authoring: flows, steps, decorators and parameters, compiled to one graph."""
