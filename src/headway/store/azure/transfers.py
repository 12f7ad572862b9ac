"""Blobs too large for one request: blocks, a few at a time, and the list that makes a blob of them."""

import os
from binascii import b2a_base64
from functools import partial
from typing import Any, List, Sequence

from headway.errors import StoreError
from headway.store.net.session import Session
from headway.store.net.transfers import THREADS, part_size, split_parts
from headway.store.parallel import run_parallel

#: Of one blob.
_MOST_BLOCKS = 50_000

#: Who commits a blob takes the blocks of all others who write it at that moment; they begin again.
_ROUNDS = 4


def put_in_blocks(session: Session[Any, Any], key: str, views: Sequence[memoryview], total: int) -> None:
    """Write a blob that is in memory, block by block; until all are there nobody sees any of it.

    Blocks that never become a blob are dropped by the service after a week.

    Args:
        session: Of the container.
        key: The full key.
        views: The content.
        total: Its length in bytes.
    """
    parts = split_parts(views, part_size(total, _MOST_BLOCKS))
    for left in reversed(range(_ROUNDS)):
        try:
            _put(session, key, parts)
            return
        except StoreError as error:
            if error.code != "InvalidBlockList" or not left:
                raise


def _put(session: Session[Any, Any], key: str, parts: Sequence[Sequence[memoryview]]) -> None:
    # Names of this upload's own: blocks of the same name, of two who write the blob at once, would get mixed.
    upload = os.urandom(8).hex()

    def send(number: int, part: Sequence[memoryview]) -> str:
        name = b2a_base64(f"{upload}-{number:06}".encode(), newline=False).decode()
        query = [("comp", "block"), ("blockid", name)]
        session.call("PUT", key, query, body=part, accept=(201,), doing="writing")
        return name

    names: List[str] = run_parallel(
        [partial(send, number, part) for number, part in enumerate(parts)], THREADS
    )
    listed = "".join(f"<Latest>{name}</Latest>" for name in names)
    body = [f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()]
    session.call("PUT", key, [("comp", "blocklist")], body=body, accept=(201,), doing="writing")
