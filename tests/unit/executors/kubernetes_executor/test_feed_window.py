"""How far back looks into the feed go."""

from headway.executors.kubernetes.feed_window import MANY, NEAR_MS, WHOLE_EVERY, WINDOW_MS, FeedWindow

BEGIN = 1_800_000_000_000


class Looks:
    """Looks every half a second at a feed into which this many keys fall within the window."""

    def __init__(self, keys: int) -> None:
        self.window = FeedWindow(BEGIN)
        self.keys = keys
        self.now = BEGIN / 1000

    def look(self, late: int = 0, pause: float = 0.5) -> int:
        """One look, that brings a report of this moment and one so late; how far back from the newest it goes."""
        newest = int(self.now * 1000)
        self.now += pause
        back = newest - self.window.begin(self.now)
        now = int(self.now * 1000)
        self.window.end(self.now, self.keys * back // WINDOW_MS, [now, newest - late])
        return back


def test_a_feed_of_few_is_listed_over_the_whole_window_at_every_look() -> None:
    looks = Looks(MANY)
    assert {looks.look() for _ in range(30)} == {WINDOW_MS}


def test_of_many_most_looks_go_back_a_little_and_some_over_all_since_the_last_of_these() -> None:
    looks = Looks(20 * MANY)
    assert looks.look() == WINDOW_MS
    backs = [looks.look() for _ in range(40)]
    between = int(WHOLE_EVERY * 1000)
    assert set(backs) == {NEAR_MS, WINDOW_MS + between - 500}
    assert len([back for back in backs if back > NEAR_MS]) == 4


def test_looks_go_as_far_back_as_reports_come_late() -> None:
    looks = Looks(20 * MANY)
    looks.look(late=7_000)
    assert [looks.look(late=7_000) for _ in range(8)] == [NEAR_MS + 7_000] * 8
    assert [looks.look(late=60_000) for _ in range(8)][-1] >= WINDOW_MS


def test_what_came_late_once_is_forgotten() -> None:
    looks = Looks(20 * MANY)
    looks.look(late=20_000)
    assert looks.look() == NEAR_MS + 20_000
    for _ in range(200):
        last = looks.look()
    assert last == NEAR_MS


def test_a_clock_that_is_set_back_does_not_put_the_whole_look_off() -> None:
    looks = Looks(20 * MANY)
    looks.look()
    assert looks.look() == NEAR_MS
    looks.now -= 3600
    start = looks.window.floor
    assert looks.window.begin(looks.now) == start


def test_once_it_is_few_again_all_are_listed_again() -> None:
    looks = Looks(20 * MANY)
    looks.look()
    looks.keys = 10
    backs = [looks.look() for _ in range(20)]
    assert backs[-1] == WINDOW_MS
