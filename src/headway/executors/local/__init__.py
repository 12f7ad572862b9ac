"""Attempts as processes on this machine."""
