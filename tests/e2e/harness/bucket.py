"""The object store as the tests see it: keys under the suite's own prefix."""

from collections.abc import Mapping

from obstore.store import S3Store


class Bucket:
    """One bucket below one prefix.

    Args:
        name: The bucket.
        prefix: Everything the suite writes begins with this.
        variables: How to reach the server, in the variables of AWS' tools.
    """

    def __init__(self, name: str, prefix: str, variables: Mapping[str, str]) -> None:
        self.name = name
        self.prefix = prefix
        region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "us-east-1"
        endpoint = (
            variables.get("AWS_ENDPOINT_URL_S3")
            or variables.get("AWS_ENDPOINT_URL")
            or f"https://s3.{region}.amazonaws.com"
        )
        self._store = S3Store(
            name,
            prefix=prefix,
            region=region,
            access_key_id=variables["AWS_ACCESS_KEY_ID"],
            secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            endpoint=endpoint,
            client_options={"allow_http": endpoint.startswith("http://")},
        )

    def names(self, under: str = "") -> list[str]:
        """Every key below the prefix, relative to it."""
        return [item["path"] for page in self._store.list(under or None) for item in page]

    def read(self, name: str) -> bytes:
        """What is kept under a key."""
        return bytes(self._store.get(name).bytes())

    def clear(self) -> None:
        """Delete everything below the prefix."""
        if keys := self.names():
            self._store.delete(keys)
