"""TLS as Go's clients do it, so that every cluster that kubectl accepts is accepted here."""

import contextlib
import os
import ssl
import tempfile
from pathlib import Path

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import TlsSettings
from headway.executors.kubernetes.api.auth import CertificatePair


def tls_context(settings: TlsSettings, certificate: CertificatePair | None, source: str) -> ssl.SSLContext:
    """Build the TLS settings of a connection.

    Args:
        settings: What to trust.
        certificate: The client certificate, if any.
        source: Where the settings came from, for messages.

    Raises:
        ClusterConfigurationError: If a certificate or key cannot be used.
    """
    ca = settings.ca_data
    try:
        context = ssl.create_default_context(cadata=ca.decode("ascii") if ca is not None else None)
    except (ssl.SSLError, ValueError) as error:
        raise ClusterConfigurationError(
            f"The certificate authority of {source} is not a PEM certificate.",
            "Fetch the kubeconfig again from where it came from.",
        ) from error
    # Python 3.13 refuses authorities without certain extensions, which kubeadm, k3s and others issue;
    # and like Go, an intermediate certificate that is named as trusted is an anchor by itself.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _add_certificate(context, certificate, source)
    return context


def _add_certificate(context: ssl.SSLContext, pair: CertificatePair, source: str) -> None:
    # OpenSSL takes a client certificate from a file only: one that nobody else can read, for a moment.
    descriptor, name = tempfile.mkstemp(prefix="headway-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pair.certificate.rstrip() + b"\n" + pair.key)
        # Never ask at the terminal for the password of an encrypted key.
        context.load_cert_chain(name, password=b"")
    except (ssl.SSLError, ValueError) as error:
        raise ClusterConfigurationError(
            f"The client certificate of {source} and its key cannot be used together: {_reason(error)}.",
            "Fetch the kubeconfig again from where it came from; keys with a password are not supported.",
        ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or "not PEM, or an encrypted key"
