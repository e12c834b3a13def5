#!/usr/bin/python3
"""The wall clock is not known yet, or jumps: alarms go by another one."""
import glob
import os
import time
import unittest

import harness

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
DAY_S = 86400


class Clock(harness.Case):
    def start(self, rules="", environment=None):
        self.broker()
        self.seen = self.subscriber()
        self.tank = self.device("--set", "holding 0=20")
        self.running = self.gateway(
            self.config(f'tank: {{ bus = "plant"; connect = "{self.tank.connect}"; unit = 1; channels: '
                        '{ level: { register = "holding 0"; type = "uint16" } } }\n', rules) +
            f'store: {{ path = "{self.path("store")}"; commit_every = "1s" }}\n'
            f'web: {{ socket = "{self.path("api")}" }}\n', environment=environment)
        self.seen.state("tank", level=20)

    def test_before_the_clock_is_known_there_is_no_time_and_then_it_is_corrected(self):
        self.start(environment={"THERMOGATE_CLOCK_FILE": self.path("synchronised")})
        state = self.seen.wait("t/tank/state", lambda m: m.json["level"] == 20).json
        self.assertIsNone(state["ts"])
        self.assertFalse(self.ask("status")["clock_good"])
        since = self.seen.mark()
        self.write("synchronised", "")
        self.seen.wait("t/tank/state", lambda m: m.json["ts"], since)
        self.assertTrue(self.ask("status")["clock_good"])
        points = harness.wait_for(
            lambda: (self.ask("history", "show", "tank.level") or {}).get("points"))
        now_ms = time.time() * 1000
        for point in points:
            self.assertLess(abs(point["at_ms"] - now_ms), 3600e3)

    @unittest.skipIf(harness.SLOWNESS > 1 or not FAKETIME, "sanitizers and libfaketime do not mix")
    def test_a_step_of_the_clock_moves_no_timer(self):
        step = self.write("step", "+0")
        self.start('full: { sensor = "tank.level"; above = 50; for = "3s" }', environment={
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": step, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"})
        self.tank.set("holding 0=80")
        self.seen.wait("t/rule/full/state", lambda m: m.json["state"] == "pending")
        began = time.monotonic()
        self.write("step", f"+{DAY_S}")
        state = self.seen.wait("t/tank/state", lambda m: m.json["ts"] and m.json["ts"][:10] != time.strftime(
            "%Y-%m-%d")).json
        self.assertEqual(state["level"], 80)
        self.assertEqual(self.seen.find("t/rule/full/state", lambda m: m.json["state"] == "firing"), [])
        self.seen.wait("t/rule/full/state", lambda m: m.json["state"] == "firing")
        self.assertGreater(time.monotonic() - began, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
