"""Whom to trust under TLS. Loaded where a server is reached by https only: ssl costs several milliseconds."""

from functools import lru_cache
from ssl import SSLContext, create_default_context, get_default_verify_paths
from typing import Optional

from headway.errors import StoreConfigurationError


@lru_cache(maxsize=8)
def tls_context(bundle: Optional[str]) -> SSLContext:
    """Verification against this file of authorities, or against the system's.

    Raises:
        StoreConfigurationError: The file cannot be read.
    """
    try:
        if bundle is None:
            return create_default_context(cafile=_bundled_authorities())
        return create_default_context(cafile=bundle)
    except OSError as error:
        raise StoreConfigurationError(
            f"the certificate authorities in {bundle} cannot be read: {error}",
            "SSL_CERT_FILE (for S3 also AWS_CA_BUNDLE) must name a readable file of PEM certificates.",
        ) from error


def _bundled_authorities() -> Optional[str]:
    """The authorities that certifi brings, for slim images whose system has none."""
    found = get_default_verify_paths()
    if found.cafile or found.capath:
        return None
    try:
        from certifi import where  # optional, and only in images that lack their own
    except ImportError:
        return None
    return str(where())
