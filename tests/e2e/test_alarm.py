#!/usr/bin/python3
"""An alarm fires once and clears once, and everybody who should know is told."""
import unittest

import harness


class Alarm(harness.Case):
    def start(self, rules, value=20, channel=""):
        self.the_device = self.device("--set", f"holding 0={value}")
        self.broker()
        self.seen = self.subscriber()
        self.gateway(self.config(
            f'freezer: {{ bus = "plant"; connect = "{self.the_device.connect}"; unit = 1; channels: {{ '
            f'temp: {{ register = "holding 0"; type = "int16"; unit = "°C"; {channel} }} }} }}', rules))
        self.seen.state("freezer", temp=value)

    def go(self, value):
        """Sets the value and waits until it has been judged: two polls with it."""
        since = self.seen.mark()
        self.the_device.set(f"holding 0={value}")
        self.seen.state("freezer", since, temp=value)
        self.seen.state("freezer", self.seen.mark(), temp=value)

    def events(self, kind):
        return self.seen.find("t/event", lambda m: m.json["event_type"] == kind)

    def test_it_fires_once_and_clears_once(self):
        self.start('warm: { sensor = "freezer.temp"; above = 30; hysteresis = 2; severity = "critical" }')
        for value in (29, 30, 31, 35, 31, 29, 31, 28, 20, 29):
            self.go(value)
        fired, cleared = self.events("fired"), self.events("cleared")
        self.assertEqual((len(fired), len(cleared)), (1, 1))
        event = fired[0].json
        self.assertEqual((event["rule"], event["sensor"], event["severity"], event["value"],
                          event["limit"]), ("warm", "freezer.temp", "critical", 31, 30))
        self.assertFalse(fired[0].retained)
        self.assertEqual(cleared[0].json["value"], 28)
        self.assertNotEqual(event["id"], cleared[0].json["id"])

    def test_its_state_is_retained_and_follows(self):
        self.start('warm: { sensor = "freezer.temp"; above = 30; hysteresis = 2 }')
        self.seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "ok")
        self.go(31)
        self.seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "firing")
        self.subscriber().wait("t/rule/warm/state",
                               lambda m: m.retained and m.json["state"] == "firing")
        since = self.seen.mark()
        self.go(20)
        self.seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "ok", since)

    def test_limits_of_a_channel_are_rules(self):
        self.start("", channel="limits: { high = 30.0; hysteresis = 1.0 }")
        self.go(31)
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired").json
        self.assertEqual(event["rule"], "high@freezer.temp")

    def test_for_waits_and_a_short_peak_is_none(self):
        self.start('warm: { sensor = "freezer.temp"; above = 30; for = "2s" }')
        self.go(31)
        self.seen.wait("t/rule/warm/state", lambda m: m.json["state"] == "pending")
        self.go(20)
        since = self.seen.mark()
        self.go(31)
        begun = self.seen.find("t/freezer/state", lambda m: m.json["temp"] == 31, since)[0].at
        fired = self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired")
        self.assertGreater(fired.at - begun, 1.8)
        self.assertEqual(len(self.events("fired")), 1)

    def test_its_actions_are_published(self):
        self.start('warm: { sensor = "freezer.temp"; above = 30; '
                   'on_fire = ( { publish = "home/siren"; payload = "ON {value}" } ); '
                   'on_clear = ( { publish = "home/siren"; payload = "OFF" } ) }')
        self.go(31)
        self.seen.wait("home/siren", lambda m: m.payload == b"ON 31")
        self.go(20)
        self.seen.wait("home/siren", lambda m: m.payload == b"OFF")
        self.assertEqual(len(self.seen.find("home/siren")), 2)

    def test_a_rule_over_many_has_an_instance_each(self):
        device = self.device("--set", "holding 0=10 50")
        self.broker()
        seen = self.subscriber()
        self.gateway(self.config("\n".join(
            f'r{i}: {{ bus = "plant"; connect = "{device.connect}"; unit = 1; channels: {{ temp: '
            f'{{ register = "holding {i}"; type = "int16" }} }} }}' for i in range(2)),
            'hot: { sensors = "*.temp"; above = 40 }'))
        seen.wait("t/rule/hot@r1.temp/state", lambda m: m.json["state"] == "firing")
        seen.wait("t/rule/hot@r0.temp/state", lambda m: m.json["state"] == "ok")
        seen.wait("t/rule/hot/state", lambda m: m.json["firing"] == 1)

    def test_a_dead_device_fires_no_limit(self):
        self.start('cold: { sensor = "freezer.temp"; below = 10 }')
        self.the_device.kill()
        self.seen.wait("t/freezer/availability", lambda m: m.payload == b"offline")
        self.assertEqual(self.events("fired"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
