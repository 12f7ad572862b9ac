"""Signatures against openssl's, and keys that are none."""

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

from headway.store.gs.rs256 import encode, read_key, sign

MESSAGE = b"header.claims"

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the keys")


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout


@lru_cache(maxsize=4)
def new_key(bits: int) -> str:
    return openssl("genrsa", str(bits)).decode()


def pkcs8(pem: str) -> str:
    return openssl("pkcs8", "-topk8", "-nocrypt", given=pem.encode()).decode()


def pkcs1(pem: str) -> str:
    return openssl("rsa", "-traditional", given=pem.encode()).decode()


@needs_openssl
@pytest.mark.budget(6)  # to find primes is a matter of luck
@pytest.mark.parametrize("bits", [1024, 1028, 2048])
def test_signatures_are_those_of_openssl(tmp_path: Path, bits: int) -> None:
    pem = new_key(bits)
    (tmp_path / "key").write_text(pem)
    expected = openssl("dgst", "-sha256", "-sign", str(tmp_path / "key"), given=MESSAGE)
    assert "BEGIN RSA PRIVATE KEY" in pkcs1(pem)
    assert "BEGIN PRIVATE KEY" in pkcs8(pem)
    for form in (pkcs1(pem), pkcs8(pem), pkcs8(pem).replace("\n", "\r\n"), f"Bag attributes\n{pkcs8(pem)}"):
        assert sign(read_key(form), MESSAGE) == expected


@needs_openssl
def test_keys_that_cannot_be_used_are_told_without_a_part_of_them() -> None:
    pem = pkcs1(new_key(1024))
    lines = pem.splitlines()
    elliptic = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256").decode()
    locked = openssl("pkcs8", "-topk8", "-passout", "pass:secret", given=pem.encode()).decode()
    cases = {
        "it is no private key in PEM": ["", "nonsense", pem.replace("RSA PRIVATE KEY", "CERTIFICATE")],
        "it has a passphrase": [locked, pem.replace(lines[1], f"Proc-Type: 4,ENCRYPTED\n\n{lines[1]}")],
        "it is no RSA key": [elliptic],
        "it is cut off": ["\n".join([*lines[:4], lines[-1]])],
        "it is damaged": [pem.replace(lines[1], f"AAAA{lines[1][4:]}"), pem.replace(lines[-2], "A")],
        "its numbers do not belong together": [pem.replace(lines[2], lines[2].swapcase())],
    }
    for words, texts in cases.items():
        for text in texts:
            with pytest.raises(ValueError, match=words) as caught:
                read_key(text)
            assert not any(line in str(caught.value) for line in lines[1:-1])


@needs_openssl
def test_a_damaged_key_signs_nothing() -> None:
    key = read_key(pkcs1(new_key(1024)))
    with pytest.raises(ValueError, match="do not belong together"):
        sign(key._replace(exponent_p=key.exponent_p ^ 4), MESSAGE)
    assert str(key.prime_p) not in repr(key)


@pytest.mark.parametrize(
    ("data", "text"), [(b"", ""), (b"\xfb\xff\xbf", "-_-_"), (b"a", "YQ"), (b"ab", "YWI")]
)
def test_base64_of_tokens(data: bytes, text: str) -> None:
    assert encode(data) == text
