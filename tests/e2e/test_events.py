#!/usr/bin/python3
"""Events of a device, each by itself, from a register to Home Assistant and to an alarm."""
import http.client
import json
import socket
import unittest
from datetime import datetime, timedelta, timezone

import harness

BELL = '''door: { bus = "plant"; connect = "%s"; unit = 1; label = "Haustür"; channels: {
    event: { register = "holding 0"; type = "event"; enum = [ "1: open", "2: closed" ]; icon = "mdi:door" }
    light: { register = "holding 1" } } }'''
BUSY = r'''door_busy: { when = "count(door.event, \"open\", 1h) > 20"; on_fire = ( { log = "busy door" } ) }'''
KNOCKS = r'''knocks: { when = "count(door.event, \"open\", 6s) > 2"; min_samples = 1 }'''
TOPIC = "t/door/event/event"


class Events(harness.Case):
    light = 5

    def start(self, rules="", mqtt="", store=False, port=None):
        text = self.config(BELL % self.the_device.connect, rules, mqtt=mqtt, every="50ms")
        if port:
            text = text.replace(f"port = {self.the_broker.port};", f"port = {port};", 1)
        text += f'web: {{ socket = "{self.path("api")}" }}\n'
        if store:
            text += f'store: {{ path = "{self.path("store")}"; commit_every = "1s" }}\n'
        self.running = self.gateway(text)
        return self.running

    def open_world(self, **options):
        self.the_device = self.device("--set", "holding 0=1", "--set", "holding 1=5")
        self.broker()
        self.seen = self.subscriber()
        self.start(**options)
        self.looked()

    def looked(self):
        """Until the gateway has seen what stands in the register now: both are read in one request."""
        self.light += 1
        self.the_device.set(f"holding 1={self.light}")
        self.seen.state("door", light=self.light)

    def happen(self, code, text=None):
        """Another code in the register, and the event that comes of it."""
        since = self.seen.mark()
        self.the_device.set(f"holding 0={code}")
        self.looked()
        return self.seen.wait(TOPIC, lambda m: m.json["event_type"] == text, since) if text else None

    def told(self):
        return [m.json["event_type"] for m in self.seen.find(TOPIC)]

    def test_each_change_is_one_event_and_none_is_retained(self):
        self.open_world()
        self.happen(2, "closed")
        self.happen(0)
        event = self.happen(2, "closed")
        self.happen(1, "open")
        self.looked()
        self.assertEqual(self.told(), ["closed", "closed", "open"])
        self.assertRegex(event.json["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}([+-]\d\d:\d\d|Z)$")
        late = self.subscriber()
        late.wait("t/door/state", lambda m: m.retained)
        self.assertEqual(late.find("t/door/event*"), [])
        self.assertEqual(self.seen.find("t/door/state", lambda m: "event" in m.json), [])

    def test_nothing_is_told_again_by_a_reconnect_or_a_restart(self):
        self.open_world(store=True)
        self.happen(2, "closed")
        self.the_broker.kill()
        self.running.wait_log("lost the broker")
        self.the_broker.start()
        harness.wait_for(lambda: harness.can_connect(self.the_broker.port))
        self.seen = self.subscriber()
        self.looked()
        self.assertEqual(self.told(), [])
        self.running.stop()
        self.start(store=True)
        self.looked()
        self.assertEqual(self.told(), [])
        self.happen(1, "open")
        self.assertEqual(self.told(), ["open"])

    def test_what_happens_while_the_broker_is_away_comes_late_with_its_own_time(self):
        self.the_device = self.device("--set", "holding 0=1", "--set", "holding 1=5")
        self.broker()
        self.seen = self.subscriber()
        proxy = self.proxy()
        self.start(store=True, port=proxy.port)
        self.looked()
        proxy.shut()
        self.running.wait_log("lost the broker")
        happened = 0
        for code in (2, 1, 2):
            self.the_device.set(f"holding 0={code}")
            happened += 1
            harness.wait_for(lambda: self.count_of_history() >= happened, saying="the event")
        proxy.open()

        def late():
            polls = [poll for m in self.seen.find("t/door/replay") for poll in m.json]
            return [poll["event"] for poll in polls if "event" in poll]
        harness.wait_for(lambda: late() == ["closed", "open", "closed"], saying="the late events")
        self.assertEqual(self.told(), [])

    def count_of_history(self):
        answer = self.ask("history", "show", "door.event") or {"points": []}
        return sum(point["count"] for point in answer["points"])

    def test_home_assistant_is_told_which_events_there_are(self):
        self.open_world()
        config = self.seen.wait("homeassistant/device/test-door/config").json
        entity = config["components"]["event"]
        self.assertEqual((entity["p"], entity["stat_t"], entity["evt_typ"], entity["ic"]),
                         ("event", TOPIC, ["open", "closed"], "mdi:door"))
        self.assertEqual(entity["uniq_id"], "test-door-event")
        self.assertNotIn("val_tpl", entity)

    def test_each_entity_alone_and_bare_values_too(self):
        self.open_world(mqtt='discovery = "entity"; payload = "both"')
        entity = self.seen.wait("homeassistant/event/test-door/event/config").json
        self.assertEqual((entity["stat_t"], entity["evt_typ"]), (TOPIC, ["open", "closed"]))
        self.happen(2, "closed")
        self.happen(0)
        self.happen(2, "closed")
        harness.wait_for(lambda: len(self.seen.find("t/door/event")) == 2)
        self.assertEqual([(m.payload, m.retained) for m in self.seen.find("t/door/event")],
                         [(b"closed", False)] * 2)

    def test_an_alarm_counts_them_and_clears_by_itself(self):
        self.open_world(rules=KNOCKS)
        for _ in range(100):
            if self.seen.find("t/event"):
                break
            self.happen(0)
            self.happen(1, "open")
        fired = self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired").json
        self.assertEqual(fired["rule"], "knocks")
        self.seen.wait("t/event", lambda m: m.json["event_type"] == "cleared")

    def test_the_door_that_is_busy(self):
        """The example of the rule language: an hour of which the gateway has seen the last part."""
        self.open_world(rules=BUSY, store=True)
        times = [datetime.now(timezone.utc) - timedelta(seconds=3000 - 100 * i) for i in range(20)]
        rows = [f"{at.isoformat(timespec='milliseconds')},door.event,open,,good\n" for at in times]
        path = self.write("door.csv", "time,sensor,value,unit,quality\n" + "".join(rows))
        run = self.command("history", "import", path, "--socket", self.path("api"))
        self.assertIn("20 lines stored", run.stdout)
        self.running.stop()
        since = self.seen.mark()
        self.start(rules=BUSY, store=True)
        self.seen.wait("t/rule/door_busy/state", lambda m: m.json["state"] == "ok", since)
        self.looked()
        self.assertEqual(self.seen.find("t/event", since=since), [])
        self.happen(2, "closed")
        self.looked()
        self.assertEqual(self.seen.find("t/event", since=since), [])
        self.happen(1, "open")
        self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired", since)
        self.running.wait_log("busy door")

    def api(self, path):
        """An open answer of the gateway."""
        link = socket.socket(socket.AF_UNIX)
        self.addCleanup(link.close)
        link.settimeout(harness.SOON)
        link.connect(self.path("api"))
        link.sendall(f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = http.client.HTTPResponse(link)
        answer.begin()
        return answer

    def test_who_listens_to_the_gateway_gets_each(self):
        self.open_world()
        stream = self.api("stream?match=door.event")
        for code in (2, 0, 2, 1):
            self.happen(code)
        heard = []
        while heard[-1:] != ["open"]:
            line = stream.readline()
            if line.startswith(b"data: ") and b'"door.event"' in line:
                heard.append(json.loads(line[6:]).get("value"))
        self.assertEqual([value for value in heard if value], ["closed", "closed", "open"])
        sensor = json.load(self.api("sensors?match=door.event"))["sensors"][0]
        self.assertEqual((sensor["kind"], sensor["options"]), ("event", ["open", "closed"]))

    def test_people_see_what_has_happened(self):
        self.open_world(store=True)
        self.happen(2, "closed")
        self.happen(0)
        self.happen(2, "closed")
        harness.wait_for(lambda: self.count_of_history() == 2, saying="the history")
        points = [p["value"] for p in self.ask("history", "show", "door.event")["points"] if p["count"]]
        self.assertEqual(points, ["closed", "closed"])
        self.assertEqual(self.ask("status")["sensors_good"], 2)


if __name__ == "__main__":
    harness.main()
