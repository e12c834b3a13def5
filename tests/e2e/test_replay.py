#!/usr/bin/python3
"""What was measured while the broker was away arrives when it is back, with its own times."""
import datetime
import unittest

import harness
from harness import SOON

DEVICE = ('tank: { bus = "sim"; every = "100ms"; channels: { level: { wave = "saw"; high = 1000; '
          'precision = 3 } fixed: { low = 7 } } }\n')


def seconds(state):
    return datetime.datetime.fromisoformat(state["ts"]).timestamp()


class Replay(harness.Case):
    def text(self, store=True):
        kept = f'store: {{ path = "{self.path("store")}" }}\n' if store else ""
        return self.config(DEVICE, buses='sim: { adapter = "sim" }') + kept

    def start(self, store=True):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.text(store))
        self.seen.state("tank", fixed=7)

    def lose_broker(self):
        self.the_broker.kill()
        self.running.wait_log("lost the broker")

    def late(self, seen):
        """All states that were replayed, in the order in which they came."""
        return [state for m in seen.find("t/tank/replay") for state in m.json]

    def wait_whole(self, seen, first, last):
        """Until live and late states between these two leave no poll out."""
        def whole():
            live = [m.json for m in self.seen.find("t/tank/state") + seen.find("t/tank/state")]
            times = sorted(seconds(s) for s in live + self.late(seen) if s["ts"])
            times = [t for t in times if first <= t <= last]
            gaps = [b - a for a, b in zip(times, times[1:])]
            return times and max(gaps) < 0.25 * harness.SLOWNESS and times[0] < first + 0.25 and \
                times[-1] > last - 0.25 * harness.SLOWNESS
        harness.wait_for(whole, 2 * SOON, "a log without a gap")

    def assert_is_in_order(self, seen):
        late = self.late(seen)
        self.assertEqual([s["ts"] for s in late], sorted(s["ts"] for s in late))
        self.assertTrue(all(s["fixed"] == 7 and 0 <= s["level"] <= 1000 for s in late))
        self.assertFalse(any(m.retained for m in seen.find("t/tank/replay")))

    def newest(self):
        return seconds(self.seen.find("t/tank/state", lambda m: m.json["ts"])[-1].json)

    def an_outage(self):
        first = self.newest()
        self.lose_broker()
        harness.wait_for(lambda: len(self.seen.messages) >= 0 and self.passed(2), saying="time")
        self.the_broker.start()
        seen = self.subscriber()
        seen.wait("t/tank/replay", seconds=2 * SOON)
        last = seconds(seen.wait("t/tank/state", lambda m: not m.retained).json)
        self.wait_whole(seen, first, last)
        self.assert_is_in_order(seen)
        return seen

    def passed(self, wanted):
        """Whether so many seconds have passed since it was first asked."""
        now = datetime.datetime.now().timestamp()
        self.asked_at = getattr(self, "asked_at", now)
        return now - self.asked_at >= wanted

    def test_nothing_of_an_outage_is_missing(self):
        self.start()
        self.an_outage()
        self.running.wait_log("has been sent")

    def test_neither_is_it_without_a_store(self):
        self.start(store=False)
        self.an_outage()

    def test_an_outage_is_remembered_over_a_kill(self):
        self.start()
        first = self.newest()
        self.lose_broker()
        harness.wait_for(lambda: self.passed(1.5), saying="time")
        self.running.stop()  # what a kill would lose is what was not committed yet
        self.running = self.gateway(self.text())
        self.running.wait_log("(?i)trying again")
        self.the_broker.start()
        seen = self.subscriber()
        late = seen.wait("t/tank/replay", seconds=2 * SOON).json
        self.assertLess(seconds(late[0]), first + 1)
        self.assert_is_in_order(seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
