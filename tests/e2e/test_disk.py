#!/usr/bin/python3
"""A disk that is not there, and comes: nothing waits for it, and what happened meanwhile is kept."""
import os
import unittest

import harness

RULE = 'full: { sensor = "tank.level"; above = 50 }\n'


class Disk(harness.Case):
    def start(self, level=80, rules=RULE, environment=None):
        if not hasattr(self, "the_broker"):
            self.broker()
            self.seen = self.subscriber()
        self.level = level
        self.running = self.gateway(
            self.config(f'tank: {{ bus = "sim"; every = "100ms"; channels: {{ level: {{ low = {level} '
                        '} } }\n', rules, buses='sim: { adapter = "sim" }') +
            f'store: {{ path = "{self.path("store")}"; commit_every = "1s" }}\n'
            f'web: {{ socket = "{self.path("api")}" }}\n', environment=environment)

    def events(self, kind):
        return [m.json for m in self.seen.find("t/event", lambda m: m.json["event_type"] == kind)]

    def history(self):
        answer = self.ask("history", "show", "tank.level")
        return answer["points"] if answer else []

    def test_a_disk_that_comes_late_gets_all_that_happened(self):
        self.write("store", "a file is where the folder should be")
        self.start()
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired").json
        self.assertFalse(event["durable"])
        self.seen.wait("t/rule/full/state", lambda m: m.json["state"] == "firing")
        harness.wait_for(lambda: (self.ask("status") or {}).get("problems"))
        self.assertIn("store", " ".join(self.ask("status")["problems"]))
        os.unlink(self.path("store"))
        again = self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired" and
                               m.json["durable"]).json
        self.assertEqual(again["id"], event["id"])
        harness.wait_for(self.history)
        harness.wait_for(lambda: not self.ask("status")["problems"])
        self.assertEqual({fired["id"] for fired in self.events("fired")}, {event["id"]})

    def test_what_was_committed_outlives_a_kill(self):
        self.start(level=20)
        harness.wait_for(self.history)
        self.running.wait_log("runs")
        harness.wait_for(lambda: (self.ask("status") or {"counters": {}})["counters"].get(
            "store_readings", 0) >= 15)
        kept = self.ask("status")["counters"]["store_readings"]
        self.running.process.kill()
        self.running.wait_end()
        self.start(level=20)
        harness.wait_for(lambda: self.ask("status"))
        run = self.command("history", "export", "--csv", "--socket", self.path("api"))
        self.assertGreaterEqual(run.stdout.count("tank.level,20"), kept)


if __name__ == "__main__":
    unittest.main(verbosity=2)
