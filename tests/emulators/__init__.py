"""Emulators of the clouds' stores: real servers, programs of others, brought here once and started for the tests."""
