#!/usr/bin/python3
"""People are told: over a web server that is not ours, once, and later when it was away."""
import json
import os
import unittest

import harness

ALARM = ('full: { sensor = "tank.level"; above = 50; notify = "phone"; message = "tank at {value}" }\n')


class WebServer:
    """tests/tools/web-recorder: what it was asked, and how it answers, which the path decides."""

    def __init__(self, case):
        self.record = case.path("web.record")
        self.process = case.process([harness.PYTHON, os.path.join(harness.TOOLS, "web-recorder"),
                                     self.record], "web")
        self.port = int(self.process.line())

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def asked(self, path):
        if not os.path.exists(self.record):
            return []
        with open(self.record, encoding="utf-8") as lines:
            return [entry for entry in map(json.loads, lines) if entry["path"] == path]


class Notify(harness.Case):
    def start(self, path, level=80):
        self.broker()
        self.seen = self.subscriber()
        self.web = WebServer(self)
        self.level = level
        self.running = self.gateway(self.text(path))
        self.seen.state("tank", level=level)

    def text(self, path):
        return (self.config(
            f'tank: {{ bus = "sim"; every = "100ms"; channels: {{ level: {{ low = {self.level} }} }} }}',
            ALARM, buses='sim: { adapter = "sim" }') +
            f'store: {{ path = "{self.path("store")}" }}\nweb: {{ socket = "{self.path("api")}" }}\n'
            f'notifiers: {{ phone: {{ type = "ntfy"; url = "{self.web.url(path)}" }} }}\n')

    def events(self, kind):
        return [m.json for m in self.seen.find("t/event", lambda m: m.json["event_type"] == kind)]

    def test_an_alarm_arrives_once_and_that_is_an_event(self):
        self.start("/topic")
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "notified").json
        self.assertEqual((event["rule"], event["result"], event["note"]), ("full", "ok", "phone"))
        asked = self.web.asked("/topic")
        self.assertEqual(len(asked), 1)
        self.assertIn("tank at 80", asked[0]["body"])
        self.assertEqual(len(self.events("fired")), 1)

    def test_what_could_not_be_sent_before_a_kill_is_sent_after_it(self):
        self.start("/status/503")
        harness.wait_for(lambda: self.web.asked("/status/503"))
        self.running.process.kill()
        self.running = self.gateway(self.text("/topic"))
        harness.wait_for(lambda: self.web.asked("/topic"))
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "notified").json
        self.assertEqual(event["result"], "ok")
        # The broker's word for it may not have been on disk yet: then it comes again, as the same.
        self.assertEqual(len({event["id"] for event in self.events("fired")}), 1)
        self.assertEqual(len(self.web.asked("/topic")), 1)

    def test_a_notifier_can_be_tried(self):
        self.start("/topic", level=10)
        run = self.command("notify", "test", "phone", "--socket", self.path("api"))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("phone: delivered", run.stdout)
        self.assertEqual(len(self.web.asked("/topic")), 1)
        run = self.command("notify", "test", "nobody", "--socket", self.path("api"))
        self.assertEqual(run.returncode, 1)
        self.assertIn('no notifier is called "nobody"', run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
