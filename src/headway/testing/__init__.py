"""Fakes and conformance suites for Headway and for those who extend it."""
