#!/usr/bin/python3
"""The way to the broker, where it is not as it should be."""
import unittest

import harness
from session_world import World


class BadNetwork(World):
    def start(self, more=""):
        self.broker()
        self.seen = self.subscriber()
        self.way = self.proxy()
        self.running = self.through(self.way.port, more)
        self.seen.state("tank", level=5)
        self.seen.wait("t/health")  # the last of what a connect sends, states among it

    def test_a_connection_that_is_cut_is_made_anew_and_nothing_is_missing(self):
        self.start()
        for _ in range(2):
            since = self.seen.mark()
            self.seen.state("tank", since, level=5)
            self.way.cut()
            self.running.wait_log("lost the broker")
            self.seen.wait("t/tank/replay", since=since)
            self.seen.state("tank", since, level=5)

    def test_a_connection_that_stands_still_goes_on_where_it_was(self):
        self.start()
        self.way.hold(True)
        since = self.seen.mark()
        count = len(self.seen.find("t/tank/state", since=since))
        self.way.hold(False)
        harness.wait_for(lambda: len(self.seen.find("t/tank/state", since=since)) > count + 5)

    def test_a_connection_through_which_nothing_comes_is_noticed_and_what_was_sent_comes_again(self):
        self.start('keep_alive = "5s";')
        since = self.seen.mark()
        last = self.seen.state("tank", since, level=5)["ts"]
        self.way.lose()
        self.running.wait_log("lost the broker", 2 * harness.SOON)
        late = self.seen.wait("t/tank/replay", lambda m: m.json[-1]["ts"] > last, since).json
        self.assertTrue(all(state["level"] == 5 for state in late))
        self.assertEqual([state["ts"] for state in late], sorted(state["ts"] for state in late))
        self.seen.state("tank", self.seen.mark(), level=5)

    def test_a_way_that_is_slow_costs_nothing_but_its_time(self):
        self.start('commands = "all"; qos: { readings = 1 }')
        self.way.delay_s = 0.3
        since = self.seen.mark()
        for n in range(3):
            self.seen.publish("t/gateway/set", '{"command": "rescan", "id": "n%d"}' % n)
            self.seen.wait("t/gateway/result", lambda m, n=n: m.json["id"] == f"n{n}", since)
        told = self.seen.find("t/event", lambda m: m.json["event_type"] == "command", since)
        self.assertEqual(len({m.json["id"] for m in told}), len(told))
        stamps = [m.json["ts"] for m in self.seen.find("t/tank/state", since=since)]
        self.assertEqual(stamps, sorted(set(stamps)))
        self.assertNotIn("lost the broker", self.running.errors())

    def test_a_broker_that_accepts_and_says_nothing_is_given_up_and_does_not_hold_up_the_end(self):
        self.broker()
        silent = harness.SilentDevice(self)
        running = self.through(int(silent.connect.rsplit(":", 1)[1]))
        running.wait_log("no connection")
        status, seconds = running.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 2 * harness.SLOWNESS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
