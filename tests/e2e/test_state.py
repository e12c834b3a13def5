#!/usr/bin/python3
"""What outlives a restart, and what a reload changes."""
import os
import signal
import unittest

import harness

STORE = 'store: {{ path = "{folder}" }}\n'
BUS = 'sim: { adapter = "sim" }'


def level(value, name="tank"):
    return (f'{name}: {{ bus = "sim"; every = "100ms"; channels: {{ level: {{ low = {value}; '
            'writable = true; safe = 7 } } }\n')


RULE = ('full: { sensor = "tank.level"; above = 50; severity = "critical"; '
        'on_fire = ( { publish = "t/siren"; payload = "ON" } ) }\n')


class State(harness.Case):
    def start(self, devices, rules=RULE):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.text(devices, rules))

    def text(self, devices, rules=RULE):
        return self.config(devices, rules, buses=BUS) + STORE.format(folder=self.path("store"))

    def reload(self, gateway, text):
        self.write("thermogate.cfg", text)
        gateway.process.send_signal(signal.SIGHUP)

    def events(self, kind, since=0):
        return [m.json for m in self.seen.find("t/event", lambda m: m.json["event_type"] == kind,
                                               since)]

    def test_kill_9_neither_forgets_an_alarm_nor_tells_it_twice(self):
        self.start(level(80))
        first = self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired").json
        self.seen.wait("t/siren", lambda m: m.payload == b"ON")
        self.running.process.kill()
        self.seen.wait("t/status", lambda m: m.payload == b"offline")
        since = self.seen.mark()
        again = self.gateway(self.text(level(80)))
        self.seen.wait("t/rule/full/state", lambda m: m.json["state"] == "firing", since)
        state = self.seen.wait("t/rule/full/state",
                               lambda m: m.json["state"] == "firing" and m.json["since"], since)
        self.assertEqual(state.json["since"][:19], first["since"][:19])
        self.seen.state("tank", since, level=80)
        self.assertEqual({event["id"] for event in self.events("fired")}, {first["id"]})
        self.reload(again, self.text(level(10)))
        self.seen.wait("t/event", lambda m: m.json["event_type"] == "cleared", since)
        self.assertEqual(len(self.events("cleared")), 1)
        again.stop()

    def total(self, since=0, least=0):
        return self.seen.wait("t/house/state", lambda m: (m.json["total"] or 0) > least,
                              since).json["total"]

    def wait_for_commits(self, n):
        times = set()
        harness.wait_for(lambda: times.add(os.stat(self.path("store/history.db-wal")).st_mtime_ns)
                         or len(times) > n, saying=f"{n} commits")

    def test_kill_9_takes_nothing_from_a_total_that_the_history_has(self):
        """It is saved each hour; what was read since comes from there."""
        self.broker()
        self.seen = self.subscriber()
        config = self.config(level(100), buses=BUS) + (
            f'store: {{ path = "{self.path("store")}"; commit_every = "1s" }}\n'
            'derived: { house: { channels: { total: { value = "total(tank.level)" } } } }\n')
        first = self.gateway(config)
        self.total(least=50)
        first.stop()
        since = self.seen.mark()
        second = self.gateway(config)
        saved = self.total(since)
        read = self.total(since, saved + 200)
        self.wait_for_commits(2)
        since = self.seen.mark()
        second.process.kill()
        self.seen.wait("t/status", lambda m: m.payload == b"offline", since)
        since = self.seen.mark()
        self.gateway(config)
        self.assertGreaterEqual(self.total(since), read)

    def test_a_reload_takes_up_what_is_new_and_refuses_what_is_wrong(self):
        self.start(level(10))
        self.seen.state("tank", level=10)
        since = self.seen.mark()
        self.reload(self.running, self.text(level(10) + level(33, "other")))
        self.seen.state("other", since, level=33)
        self.reload(self.running, self.text(level(10) + 'broken: { bus = "nowhere" }'))
        self.running.wait_log("nothing was changed")
        since = self.seen.mark()
        self.seen.state("other", since, level=33)
        result = self.seen.wait("t/event", lambda m: m.json.get("result") == "refused")
        self.assertEqual(result.json["via"], "signal")

    def test_a_stop_writes_what_is_safe(self):
        self.start(level(10))
        self.seen.state("tank", level=10)
        since = self.seen.mark()
        self.assertEqual(self.running.stop()[0], 0)
        self.seen.wait("t/tank/state", lambda m: m.json["level"] == 7, since)

    def test_without_a_place_for_the_store_alarms_go_on(self):
        self.write("store", "a file is where the folder should be")
        self.start(level(80))
        self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired")


if __name__ == "__main__":
    unittest.main(verbosity=2)
