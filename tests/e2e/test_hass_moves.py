#!/usr/bin/python3
"""Home Assistant's side: what is renamed, goes to another device or into another form stays the same entity."""
import sys
import unittest

import harness
from hass_world import CONFIG, OLD, PUMP, TANK, World

sys.path.insert(0, harness.TOOLS)
from hass_log import Judge, retained_by  # noqa: E402

MOVE = {"migrate_discovery": True}


class HassMoves(World):
    def test_the_form_of_discovery_changes_and_changes_back_and_no_entity_is_forgotten(self):
        """The old form is told to let go, the new one comes, and only then the old one is cleared."""
        self.broker()
        self.seen = self.subscriber()
        self.start(TANK % OLD)
        self.announced("tank", "old", 0)
        self.running.stop()
        one, all_of_it = "homeassistant/sensor/test-tank/{}/config", f"{CONFIG}tank/config"
        shapes = ((all_of_it, one.format("level"), 'discovery = "entity";', TANK % OLD),
                  (one.format("old"), all_of_it, "", TANK % ""))
        for before, now, mqtt, devices in shapes:
            since = self.seen.mark()
            self.start(devices, mqtt)
            told = self.seen.wait(before, lambda m: m.json == MOVE, since)
            came = self.seen.wait(now, lambda m: m.json["device"], since)
            cleared = self.seen.wait(before, lambda m: m.payload == b"" and not m.retained, since)
            self.assertTrue(told.at + 1.5 <= came.at <= cleared.at - 1.5)
            self.running.wait_log(f"one message an? {'entity' if mqtt else 'device'}")
            self.running.stop()
        since = self.seen.mark()
        self.start(devices, mqtt)
        self.seen.wait(now, lambda m: m.json["device"], since)
        self.seen.state("tank", since, level=5)
        self.assertEqual(self.seen.find(before, since=since), [])
        ids = {m.json["uniq_id"] for m in self.seen.find(one.format("*"), lambda m: m.json["uniq_id"])}
        self.assertLessEqual({"test-tank-level", "test-tank-old"}, ids)

    def test_a_rule_that_goes_to_another_device_keeps_its_entity_which_is_never_there_twice(self):
        """Its old device is told to let go of what it has, and both are announced when that is done."""
        self.broker()
        self.seen = self.subscriber()
        key, rule = "rule-odd-state", 'odd: { sensor = "%s"; above = 1 }'
        self.start(TANK % "" + PUMP, rules=rule % "tank.level")
        self.announced("tank", key, 0)
        since = self.seen.mark()
        self.reload(TANK % "" + PUMP, rules=rule % "pump.power")
        told = self.config_of("tank", lambda m: m.json == MOVE, since)
        self.assertGreaterEqual(self.announced("pump", key, since) - told.at, 1.5)
        self.config_of("tank", lambda m: key not in m.json["components"], since)
        self.seen.wait("t/rule/odd/state", lambda m: m.json["state"] == "firing", since)
        judge = Judge("t", "homeassistant", "test")
        for message in self.seen.messages:
            judge.take(message.topic, message.payload, True)
        self.assertEqual([fault for fault in judge.faults if "unique id" in fault], [])

    def test_what_is_renamed_keeps_its_entity_its_history_and_the_state_of_its_alarm(self):
        full = 'tank: { bus = "sim"; channels: { level: { low = 5; limits: { high = 3 } } } }\n'
        renamed = ('kessel: { bus = "sim"; was = "tank"; channels: {\n'
                   'fill: { was = "level"; low = 5; limits: { high = 3 } } } }\n')
        self.broker()
        self.seen = self.subscriber()
        self.start(full)
        self.seen.wait("t/event", lambda m: m.json["event_type"] == "fired")  # which says that it is on disk
        before = len(self.seen.find("t/tank/state", lambda m: m.json["level"] == 5))
        first = self.config_of("tank", lambda m: m.json["components"]["rule-high-tank-level-state"])
        self.running.stop()
        since = self.seen.mark()
        self.start(renamed)
        again = self.config_of("tank", lambda m: m.json["state_topic"] == "t/kessel/state", since)
        for key, part in first.json["components"].items():
            self.assertEqual(again.json["components"][key]["uniq_id"], part["uniq_id"])
        state = self.seen.wait("t/rule/high@kessel.fill/state", since=since).json
        self.assertEqual(state["state"], "firing")
        self.assertEqual(self.seen.find("t/event", lambda m: m.json["rule"] == "high@kessel.fill"), [])
        self.running.stop()
        self.gateway(self.text(renamed) + f'web: {{ socket = "{self.path("api")}" }}')
        harness.wait_for(lambda: self.ask("status"))
        since = self.seen.mark()
        self.seen.state("kessel", since, fill=5)
        self.assertGreaterEqual(len(self.ask("history", "show", "kessel.fill")["points"]), before)

    def test_of_what_was_renamed_no_message_stays_with_a_broker_that_was_away(self):
        self.broker()
        self.seen = self.subscriber()
        way = self.proxy()
        for devices in (TANK % "", TANK.replace("tank: {", 'barrel: { was = "tank";') % ""):
            text = self.text(devices).replace(f"port = {self.the_broker.port}", f"port = {way.port}")
            self.running = self.gateway(text)
            if "tank:" in devices:
                self.seen.wait("t/tank/state")
                self.running.stop()
                way.shut()
        since = self.seen.mark()
        self.running.wait_log("trying again")
        way.open()
        for topic in ("t/tank/state", "t/tank/availability"):
            self.seen.wait(topic, lambda m: m.payload == b"", since)
        self.running.stop()
        kept = [topic for topic in retained_by(self.the_broker.port) if topic.startswith("t/")]
        self.assertEqual(sorted(kept), ["t/barrel/availability", "t/barrel/state", "t/health", "t/status"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
