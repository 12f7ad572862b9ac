"""What a pod is told of a bucket, and lent of a launcher's access to it."""

from typing import Dict, Mapping

from headway.store.locations import S3Location
from headway.store.s3.credentials import CredentialChain
from headway.store.s3.endpoints import ENDPOINT_VARIABLES, REGION_VARIABLES, address_from_environment

#: What else a pod is given as it is set here.
PASSED_ON = ("AWS_ENDPOINT_URL_STS", "AWS_STS_REGIONAL_ENDPOINTS")

#: Names for the same; those of the first row say where the store is.
SAME = (ENDPOINT_VARIABLES, REGION_VARIABLES)


def environment(location: S3Location, environ: Mapping[str, str]) -> Dict[str, str]:
    """Endpoint and region as resolved here, profile files included, because a pod has no such files.

    Not ``AWS_CA_BUNDLE``, whose path means nothing in another machine's image: mount the file there.
    """
    address = address_from_environment(location.bucket, environ)
    found = {"AWS_REGION": address.region}
    if address.endpoint:
        found["AWS_ENDPOINT_URL_S3"] = address.endpoint
    return found


def credentials(location: S3Location, environ: Mapping[str, str]) -> Dict[str, str]:
    """The keys with which this process reaches the bucket, under the names that a pod reads.

    Raises:
        StoreConfigurationError: There are none.
    """
    found = CredentialChain(environ, address_from_environment(location.bucket, environ).region).get()
    values = {"AWS_ACCESS_KEY_ID": found.access_key, "AWS_SECRET_ACCESS_KEY": found.secret_key}
    if found.token:
        values["AWS_SESSION_TOKEN"] = found.token
    return values
