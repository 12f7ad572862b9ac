"""How far back a look into the feed goes, so that nothing is missed and little is listed again; pure.

Keys of the feed begin with the time, by the clock of who wrote them, and come to be listed in another
order: clocks differ, and a write may take its time. What is up to a *window* older than the newest
that was heard is still looked for. Where that is little, at every look. Where many pods talk it is
thousands of keys, nearly all of them known; then most looks go back only as far as reports have lately
come late, and every few seconds one over the whole window. That one begins where the window began
after the last such look, not where it begins now. So it finds all that whole looks at every moment in
between would have found: a report is heard later for it, by those few seconds at most, and never missed.
"""

from collections.abc import Iterable

#: Milliseconds by which clocks may differ and a report still be heard soon.
WINDOW_MS = 30_000
#: Keys in the window beyond which not every look goes over all of it: a page of a listing.
MANY = 1000
#: Seconds between two looks over all of it then.
WHOLE_EVERY = 5.0
#: Milliseconds by which a report may be older than the newest and be found by the looks in between in any case.
NEAR_MS = 2_000


class FeedWindow:
    """Where looks into a feed begin; all times in milliseconds since the epoch, those of looks in seconds.

    Args:
        newest: Before which nothing is of interest.
        many: Keys beyond which most looks are short.
    """

    def __init__(self, newest: int, many: int = MANY) -> None:
        self._newest = newest
        self._many = many
        #: Where the next whole look begins.
        self.floor = max(0, newest - WINDOW_MS)
        #: How much older than the newest reports have come of late.
        self._late = 0
        self._crowded = False
        self._whole = True
        self._whole_at = 0.0

    def begin(self, now: float) -> int:
        """Begin a look at this moment; from where on to list."""
        # A clock that was set back says nothing of how long ago the last one was.
        self._whole = not self._crowded or not 0 <= now - self._whole_at < WHOLE_EVERY
        return self.floor if self._whole else max(0, self._newest - min(WINDOW_MS, NEAR_MS + self._late))

    def end(self, now: float, listed: int, fresh: Iterable[int]) -> bool:
        """The look that was begun at this moment has brought what it found.

        Args:
            now: When it was begun.
            listed: How many keys there were.
            fresh: The times of the reports among them that were not known.

        Returns:
            Whether the floor may have moved: nothing older is listed again.
        """
        times = list(fresh)
        late = max((self._newest - ms for ms in times), default=0)
        # Slowly forgotten: one write that took long must not make every look long from then on.
        self._late = max(late, self._late // 2 if self._whole else self._late)
        # One pod whose clock is ahead must not hide what the others report.
        latest = int(now * 1000)
        self._newest = max([self._newest, *(min(ms, latest) for ms in times)])
        if self._whole:
            self._whole_at = now
            self._crowded = listed > self._many
            self.floor = max(0, self._newest - WINDOW_MS)
        return self._whole
