"""Where an S3 bucket is reached: address, region, and how the bucket is named in a request."""

from typing import Mapping, NamedTuple, Optional

from headway.store.net.endpoints import Endpoint, parse_endpoint
from headway.store.s3.profiles import active_profile

#: In the order in which they count; the first two name only where Headway's datastore is.
ENDPOINT_VARIABLES = (
    "HEADWAY_S3_ENDPOINT_URL",
    "METAFLOW_S3_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
)
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")

#: The variables that may name the file of certificate authorities.
TRUST = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")

_DEFAULT_REGION = "us-east-1"


class S3Address(NamedTuple):
    """Where a bucket is.

    Attributes:
        bucket: Its name.
        region: The region requests are signed for.
        endpoint: The server of an S3-compatible store, None for AWS itself.
    """

    bucket: str
    region: str = _DEFAULT_REGION
    endpoint: Optional[str] = None

    @property
    def server(self) -> Endpoint:
        """The server to connect to; its path holds the bucket where the host does not."""
        if self.endpoint:
            server = parse_endpoint(self.endpoint)
            return server._replace(path=f"{server.path}/{self.bucket}")
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        host = f"s3.{self.region}.{domain}"
        # A dot in the name would not match the wildcard of the server's certificate.
        if "." in self.bucket:
            return Endpoint(True, host, 443, f"/{self.bucket}")
        return Endpoint(True, f"{self.bucket}.{host}", 443)


def address_from_environment(bucket: str, environ: Mapping[str, str]) -> S3Address:
    """The bucket's address by the usual variables and, after them, the active profile."""
    endpoint = next((environ[name] for name in ENDPOINT_VARIABLES if environ.get(name)), None)
    region = next((environ[name] for name in REGION_VARIABLES if environ.get(name)), None)
    if endpoint is None or region is None:
        profile = active_profile(environ)
        endpoint = endpoint or profile.get("endpoint_url")
        region = region or profile.get("region")
    return S3Address(bucket, region or _DEFAULT_REGION, endpoint)
