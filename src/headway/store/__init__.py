"""Datastores: blobs, records, logs, and the layout they share."""
