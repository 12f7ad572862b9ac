"""What obstore's errors tell, read from their text: it gives no codes."""

import re
from socket import gaierror
from ssl import SSLCertVerificationError

from headway.errors import StoreError
from headway.store.net.answers import Fault
from headway.store.net.markup import text_of

#: What the HTTP library says of a connection that ended before the answer did.
_CUT_OFF = ("IncompleteMessage", "ConnectionReset", "ConnectionAborted", "BrokenPipe", "UnexpectedEof")


def read_fault(error: Exception) -> Fault:
    """What the server said, from the text that obstore gives; status 0 where there was no answer."""
    text = _told(error)
    status = re.search(r"status code: (\d{3})[^:]*:?(.*)", text, re.DOTALL)
    if status is None:
        return Fault(0, "", "")
    code = text_of(text, "Code")
    foreign = bool(status.group(2).strip()) and not code
    return Fault(int(status.group(1)), code, text_of(text, "Message"), text_of(text, "Region"), foreign)


def read_cause(error: Exception) -> Exception:
    """The kind of network failure that obstore's text tells of."""
    text = str(error)
    if "dns error" in text:
        return gaierror()
    if "ConnectionRefused" in text or "Connection refused" in text:
        return ConnectionRefusedError()
    if "UnknownIssuer" in text or "invalid peer certificate" in text:
        untrusted = SSLCertVerificationError()
        untrusted.verify_message = "unknown issuer"
        return untrusted
    if "TimedOut" in text or "timed out" in text:
        return TimeoutError()
    if any(word in text for word in _CUT_OFF):
        return ConnectionResetError("the connection is cut off")
    # All before that tells of the request.
    return RuntimeError(first_line(error).rpartition("HTTP error: ")[2])


def is_behind_end(error: StoreError) -> bool:
    """Whether a range was refused because it begins behind the object's end."""
    return "InvalidRange" in str(error.__cause__)


def is_network(error: Exception) -> bool:
    """Whether it was the connection that failed, and not what obstore made of an answer."""
    return "HTTP error" in _told(error)


def first_line(error: Exception) -> str:
    """The message without what is for its developers."""
    return " ".join(_told(error).split())[:300]


def _told(error: Exception) -> str:
    return str(error).partition("\n\nDebug source")[0]
