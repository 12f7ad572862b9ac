"""A small S3 client that needs nothing but the standard library, for pods and forked children."""
