#!/usr/bin/python3
"""`thermogate forget` leaves nothing of ours with the broker, and all that is of others."""
import unittest

import harness

DEVICES = 'boiler: { bus = "sim"; every = "100ms"; channels: { temp: { low = 80; high = 90 } } }\n'
RULES = 'hot: { sensor = "boiler.temp"; above = 50 }\n'
FOREIGN = {"homeassistant/device/test-two-boiler/config": "{}", "tt/boiler/state": "1"}


class Forget(harness.Case):
    def setUp(self):
        super().setUp()
        self.broker()
        self.text = self.config(DEVICES, RULES, buses='sim: { adapter = "sim" }')
        self.text += f'web: {{ socket = "{self.path("sock")}" }}\n'

    def forget(self):
        return self.command("forget", "--config", self.path("thermogate.cfg"), "--socket",
                            self.path("sock"))

    def retained(self):
        """Topics of what the broker sends a new subscriber; `last` is retained, and sent after it."""
        seen = self.subscriber()
        seen.publish("last", "1")
        seen.wait("last")
        return {m.topic for m in seen.find("*", lambda m: m.retained)}

    def test_retained_messages_of_ours_go_and_others_stay(self):
        gateway = self.gateway(self.text)
        seen = self.subscriber()
        seen.wait("t/boiler/state")
        seen.wait("t/rule/hot/state")
        seen.wait("homeassistant/device/test-boiler/config")
        gateway.stop()
        self.publish_retained(FOREIGN)
        self.assertTrue({"t/status", "t/boiler/state"} <= self.retained())
        done = self.forget()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.retained(), set(FOREIGN))

    def publish_retained(self, messages):
        """As another gateway would; they are there when they have come back."""
        seen = self.subscriber()
        for topic, payload in messages.items():
            seen.publish(topic, payload, retain=True)
            seen.wait(topic)

    def test_a_gateway_that_runs_is_not_forgotten(self):
        gateway = self.gateway(self.text)
        gateway.wait_log("runs")
        done = harness.wait_for(lambda: (run := self.forget()).returncode and run, saying="a refusal")
        self.assertIn("stop it first", done.stderr)

    def test_no_broker_is_said(self):
        self.write("thermogate.cfg", self.text)
        self.the_broker.kill()
        done = self.forget()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"broker 127.0.0.1:\d+: .*nothing answers there")


if __name__ == "__main__":
    unittest.main(verbosity=2)
