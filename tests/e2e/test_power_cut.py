#!/usr/bin/python3
"""The power was out: what has changed over it is told once, when the clock is known; a stop or a crash is no cut."""
import os
import unittest

import harness
from test_notify import WebServer


class PowerCut(harness.Case):
    def setUp(self):
        super().setUp()
        self.broker()
        self.seen = self.subscriber()
        self.web = WebServer(self)

    def start(self, boot, level, clock=True):
        """In a boot of the machine of this name."""
        self.write("boot", boot + "\n")
        if clock:
            self.write("synchronised", "")
        since = self.seen.mark()
        self.running = self.gateway(self.config(
            f'tank: {{ bus = "sim"; every = "50ms"; label = "Tank"; channels: {{ level: {{ low = {level}; '
            f'precision = 1; unit = "cm" }} }} }}\n'
            'room: { bus = "sim"; every = "50ms"; channels: { temp: { low = 21 } } }',
            buses='sim: { adapter = "sim" }') +
            f'store: {{ path = "{self.path("store")}"; commit_every = "1s" }}\n'
            f'web: {{ socket = "{self.path("api")}" }}\n'
            f'notifiers: {{ phone: {{ type = "ntfy"; url = "{self.web.url("/topic")}" }} }}\n',
            environment={"THERMOGATE_BOOT_ID_FILE": self.path("boot"),
                         "THERMOGATE_CLOCK_FILE": self.path("synchronised")})
        self.seen.state("tank", since, level=level)

    def wait_stored(self):
        """Until the history has committed."""
        harness.wait_for(lambda: self.ask("status")["counters"]["store_readings"] > 0)

    def outages(self):
        """By id: one whose acknowledgement died with the gateway comes again."""
        return {m.json["id"] for m in self.seen.find("t/event", lambda m: m.json["event_type"] == "outage")}

    def cut(self):
        self.wait_stored()
        self.running.process.kill()

    def test_a_cut_is_told_once_as_an_event_and_to_people(self):
        self.start("first", 82)
        self.cut()
        self.start("second", 114)
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "outage").json
        self.assertRegex(event["note"], r"^Power was out \d\d:\d\d to \d\d:\d\d\. Tank 82\.0 to 114\.0 cm, "
                                        r"now steady\. Nothing else changed\.$")
        harness.wait_for(lambda: self.web.asked("/topic"))
        self.assertIn(event["note"], self.web.asked("/topic")[0]["body"])
        # The mark is of this boot now: a crash is no cut.
        self.cut()
        self.start("second", 60)
        self.running.wait_log("did not end in order")
        self.assertEqual(self.running.stop()[0], 0)
        # And an orderly stop is none either.
        self.start("third", 30)
        self.running.stop()
        self.assertEqual(self.running.errors().count("did not end in order"), 1)
        self.assertEqual(len(self.outages()), 1)

    def test_it_waits_for_the_clock_over_another_cut_and_a_stop(self):
        self.start("first", 82)
        self.cut()
        os.remove(self.path("synchronised"))
        self.start("second", 90, clock=False)
        self.running.process.kill()
        since = self.seen.mark()
        self.start("third", 100, clock=False)
        harness.wait_for(lambda: len(self.seen.find("t/tank/state", since=since)) > 50)  # 2.5 s
        self.running.stop()
        self.assertEqual(self.outages(), set())
        self.start("fourth", 114, clock=False)
        self.write("synchronised", "")
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "outage").json
        self.assertIn("Tank 82.0 to 114.0 cm", event["note"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
