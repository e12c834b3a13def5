#!/usr/bin/python3
"""1-Wire masters that take the time of a conversion, and one of which a read does not come back."""
import json
import os
import unittest

import harness

GOOD = ["28-000000000001", "28-000000000002", "28-000000000003"]
HUNG = "28-0000000000ff"


class Lines(harness.Case):
    def start(self, *sensors, every="500ms"):
        self.tree = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "w1-tree"),
                                  self.path("w1"), *sensors, "--convert", "0.1"], "w1-tree")
        self.assertEqual(self.tree.line(), f"ready {self.path('w1')}")
        self.broker()
        self.seen = self.subscriber()
        devices = "\n".join(f'd{i}: {{ bus = "w1"; address = "{sensor.split("@")[0].split("=")[0]}" }}'
                            for i, sensor in enumerate(sensors))
        self.running = self.gateway(self.config(
            devices, buses=f'w1: {{ adapter = "onewire"; connect = "sysfs:{self.path("w1")}" }}',
            every=every))

    def counts(self):
        self.tree.process.terminate()
        return json.loads(self.tree.line())

    def read_again_and_again(self, device, times):
        """States of so many moments; one moment may be told twice, after a connect."""
        last = ""
        for _ in range(times):
            last = self.seen.wait(f"t/{device}/state", lambda message: message.json["temp"] == 21.5
                                  and message.json["ts"] > last).json["ts"]

    def test_sensors_of_a_master_are_measured_by_one_conversion(self):
        self.start(*(f"{address}=21.5" for address in GOOD))
        for i in range(len(GOOD)):
            self.read_again_and_again(f"d{i}", 3)
        self.running.stop()
        counts = self.counts()
        self.assertGreaterEqual(counts["reads"], 3 * len(GOOD))
        self.assertLessEqual(counts["conversions"], counts["reads"] / len(GOOD) + 1)

    def test_a_read_that_hangs_costs_its_own_master_only(self):
        self.start(*(f"{address}=21.5" for address in GOOD), f"{HUNG}@2=hang")
        self.seen.state("d0", temp=21.5)
        state, why = self.seen.bad_state("d3", "temp")
        self.assertEqual((state["temp"], why), (None, "timeout"))
        self.running.wait_log("bus w1: a line hangs since 10 s")
        since = self.seen.mark()
        for i in range(len(GOOD)):
            self.seen.state(f"d{i}", since, temp=21.5)
        status, seconds = self.running.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 3 * harness.SLOWNESS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
