#!/usr/bin/python3
"""Devices and brokers that go away and come back."""
import signal
import unittest

import harness
from harness import SOON


class Outage(harness.Case):
    def one(self, device, name="boiler"):
        return (f'{name}: {{ bus = "plant"; connect = "{device.connect}"; unit = 1; channels: {{ '
                'level: { register = "holding 0"; type = "uint16" } } }\n')

    def start(self, devices, rules=""):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config(devices, rules))

    def test_a_dead_device_slows_no_other(self):
        alive = self.device("--set", "holding 0=5")
        dead = "".join(self.one(harness.SilentDevice(self), f"dead{i}") for i in range(5))
        self.start(dead + self.one(alive))
        self.seen.state("boiler", level=5)
        self.seen.wait("t/dead0/availability", lambda m: m.payload == b"offline")
        since = self.seen.mark()
        harness.wait_for(lambda: len(self.seen.find("t/boiler/state", since=since)) > 25)
        times = [m.at for m in self.seen.find("t/boiler/state", since=since)]
        gaps = [later - sooner for sooner, later in zip(times, times[1:])]
        self.assertLess((times[-1] - times[0]) / len(gaps), 0.21)
        self.assertLess(max(gaps), 0.35 * harness.SLOWNESS)

    def test_a_device_that_refuses_slows_no_other(self):
        alive = self.device("--set", "holding 0=5")
        gone = self.device()
        gone.kill()
        self.start(self.one(gone, "gone") + self.one(alive))
        self.assertIn(self.seen.bad_state("gone", "level")[1], ("disconnected", "timeout"))
        self.seen.wait("t/gone/availability", lambda m: m.payload == b"offline")
        since = self.seen.mark()
        harness.wait_for(lambda: len(self.seen.find("t/boiler/state", since=since)) > 10)

    def test_a_device_that_dies_is_told_and_comes_back_by_itself(self):
        device = self.device("--set", "holding 0=5")
        self.start(self.one(device))
        self.seen.state("boiler", level=5)
        self.seen.wait("t/boiler/availability", lambda m: m.payload == b"online")
        since = self.seen.mark()
        device.kill()
        self.seen.wait("t/boiler/availability", lambda m: m.payload == b"offline", since)
        state = self.seen.wait("t/boiler/state", lambda m: m.json["level"] is None, since).json
        self.assertIn(state["quality"]["level"], ("disconnected", "timeout", "stale"))
        since = self.seen.mark()
        device.start("--set", "holding 0=6")
        self.seen.wait("t/boiler/availability", lambda m: m.payload == b"online", since)
        self.seen.state("boiler", since, level=6)
        self.assertEqual(self.seen.find("t/boiler/state", lambda m: m.json["level"] == 0), [])

    def test_after_a_broker_came_back_without_memory_all_is_there_again(self):
        device = self.device("--set", "holding 0=50")
        self.start(self.one(device), 'warm: { sensor = "boiler.level"; above = 30 }')
        self.seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "firing")
        self.the_broker.kill()
        self.running.wait_log("(?i)broker|mqtt")
        self.the_broker.start()
        harness.wait_for(lambda: harness.can_connect(self.the_broker.port))
        # Whoever comes later finds it retained; that also needs the gateway to be back.
        seen = self.subscriber()
        for topic, test in (("t/status", lambda m: m.payload == b"online"),
                            ("t/boiler/availability", lambda m: m.payload == b"online"),
                            ("homeassistant/device/test-boiler/config", lambda m: m.json["device"]),
                            ("t/boiler/state", lambda m: m.json["level"] == 50),
                            ("t/rule/warm/state", lambda m: m.json["state"] == "firing")):
            seen.wait(topic, test)
        late = self.subscriber()
        for topic in ("t/status", "t/boiler/availability", "t/boiler/state", "t/rule/warm/state"):
            late.wait(topic, lambda m: m.retained)
        # An event that the old broker did not acknowledge comes again, as the same event.
        fired = self.seen.find("t/event") + seen.find("t/event")
        self.assertEqual({m.json["event_type"] for m in fired}, {"fired"})
        self.assertEqual(len({m.json["id"] for m in fired}), 1)

    def test_it_waits_for_a_broker_that_is_not_there_yet(self):
        device = self.device("--set", "holding 0=5")
        broker = self.broker()
        broker.kill()
        self.gateway(self.config(self.one(device))).wait_log("(?i)broker|mqtt")
        broker.start()
        self.subscriber().state("boiler", level=5)

    def test_who_is_killed_is_told_offline_by_the_broker(self):
        device = self.device("--set", "holding 0=5")
        self.start(self.one(device))
        self.seen.state("boiler", level=5)
        since = self.seen.mark()
        self.running.process.send_signal(signal.SIGKILL)
        self.seen.wait("t/status", lambda m: m.payload == b"offline", since)
        self.subscriber().wait("t/status", lambda m: m.retained and m.payload == b"offline")

    def test_what_the_devices_do_while_the_broker_is_away_is_known_when_it_is_back(self):
        device = self.device("--set", "holding 0=50")
        self.start(self.one(device), 'warm: { sensor = "boiler.level"; above = 30 }')
        self.seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "firing")
        self.the_broker.kill()
        self.running.wait_log("(?i)broker|mqtt")
        device.set("holding 0=10")
        self.the_broker.start()
        seen = self.subscriber()
        seen.state("boiler", level=10)
        seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "ok")
        self.assertEqual(len(seen.find("t/event", lambda m: m.json["event_type"] == "cleared")), 1)

    def test_a_short_outage_is_over_within_five_seconds(self):
        device = self.device("--set", "holding 0=5")
        self.start(self.one(device))
        self.seen.state("boiler", level=5)
        self.the_broker.kill()
        self.running.wait_log("(?i)broker|mqtt")
        self.the_broker.start()
        self.subscriber().state("boiler", level=5, seconds=min(5 * harness.SLOWNESS, SOON))


if __name__ == "__main__":
    unittest.main(verbosity=2)
