"""The controllers: jobs, garbage collection, namespaces, claims, endpoints."""
