#!/usr/bin/python3
"""Home Assistant's side: what is removed from the config leaves it, whenever that happened."""
import signal
import sys
import unittest

import harness

sys.path.insert(0, harness.TOOLS)
from hass_log import Judge, retained_by  # noqa: E402

BUS = 'sim: { adapter = "sim" }'
TANK = 'tank: { bus = "sim"; label = "Öltank 🛢️"; channels: { level: { low = 5 } %s } }\n'
PUMP = 'pump: { bus = "sim"; label = "水泵"; channels: { power: { low = 7 } } }\n'
OLD = 'old: { low = 6 }'
CONFIG = "homeassistant/device/test-"


class Hass(harness.Case):
    def text(self, devices, mqtt="", rules=""):
        return self.config(devices, rules, BUS, mqtt) + f'store: {{ path = "{self.path("s")}" }}'

    def start(self, devices, mqtt=""):
        self.running = self.gateway(self.text(devices, mqtt))

    def config_of(self, device, test, since=0):
        return self.seen.wait(f"{CONFIG}{device}/config", test, since)

    def announced(self, device, key, since):
        """When a component came with more than its platform."""
        return self.config_of(device, lambda m: len(m.json["components"][key]) > 1, since).at

    def removed(self, device, key, since):
        return self.config_of(device, lambda m: list(m.json["components"][key]) == ["p"], since).at

    def gone(self, device, since):
        return self.config_of(device, lambda m: m.payload == b"" and not m.retained, since).at

    def change_while_away(self):
        self.broker()
        self.seen = self.subscriber()
        self.start(TANK % OLD + PUMP)
        self.announced("tank", "old", 0)
        self.announced("pump", "power", 0)
        self.running.stop()
        since = self.seen.mark()
        self.start(TANK % "")
        return since

    def test_what_was_removed_while_the_gateway_was_off_is_announced_and_removed_until_that_was_seen(self):
        since = self.change_while_away()
        shown, removed = self.announced("tank", "old", since), self.removed("tank", "old", since)
        self.assertGreaterEqual(removed - shown, 1.5)
        shown = self.announced("pump", "power", since)
        self.assertGreaterEqual(self.gone("pump", since) - shown, 1.5)
        since = self.seen.mark()
        self.seen.publish("homeassistant/status", "online")
        self.announced("pump", "power", since)
        self.removed("tank", "old", since)
        self.gone("pump", since)
        # Seen is not yet acknowledged; at the next start of Home Assistant it is, and forgotten.
        since = self.seen.mark()
        self.seen.publish("homeassistant/status", "online")
        self.config_of("tank", lambda m: "old" not in m.json["components"], since)
        self.running.stop()
        since = self.seen.mark()
        self.start(TANK % "")
        state = self.config_of("tank", lambda m: m.json["components"]["level"], since).json
        self.assertNotIn("old", state["components"])
        self.seen.state("tank", since, level=5)
        self.assertEqual(self.seen.find(f"{CONFIG}pump/config", lambda m: m.payload, since), [])

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
            told = self.seen.wait(before, lambda m: m.json == {"migrate_discovery": True}, since)
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

    def test_what_is_removed_leaves_also_as_a_single_entity(self):
        self.broker()
        self.seen = self.subscriber()
        self.start(TANK % OLD + PUMP, 'discovery = "entity";')
        topics = [f"homeassistant/sensor/test-{entity}/config" for entity in ("tank/old", "pump/power")]
        for topic in topics:
            self.seen.wait(topic, lambda m: m.json["stat_t"])
        self.running.stop()
        since = self.seen.mark()
        self.start(TANK % "", 'discovery = "entity";')
        for topic in topics:
            shown = self.seen.wait(topic, lambda m: m.json["stat_t"], since).at
            gone = self.seen.wait(topic, lambda m: m.payload == b"" and not m.retained, since).at
            self.assertGreaterEqual(gone - shown, 1.5)

    def test_what_is_renamed_keeps_its_entity_its_history_and_the_state_of_its_alarm(self):
        full = 'tank: { bus = "sim"; channels: { level: { low = 5; limits: { high = 3 } } } }\n'
        renamed = ('kessel: { bus = "sim"; was = "tank"; channels: {\n'
                   'fill: { was = "level"; low = 5; limits: { high = 3 } } } }\n')
        self.broker()
        self.seen = self.subscriber()
        self.start(full)
        self.seen.wait("t/rule/high@tank.level/state", lambda m: m.json["state"] == "firing")
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

    def test_a_rule_that_goes_to_another_device_keeps_its_entity_which_is_never_there_twice(self):
        """Its old device is told to let go of what it has, and both are announced when that is done."""
        self.broker()
        self.seen = self.subscriber()
        key, move = "rule-odd-state", {"migrate_discovery": True}
        alone = f"homeassistant/binary_sensor/test-{{}}/{key}/config"
        rule = 'odd: { sensor = "%s"; above = 1 }'
        for mqtt, topic, has in (("", CONFIG + "{}/config", lambda m: m.json["components"][key]["uniq_id"]),
                                 ('discovery = "entity"; ', alone, lambda m: m.json["uniq_id"])):
            self.running = self.gateway(self.text(TANK % "" + PUMP, mqtt, rule % "tank.level"))
            self.seen.wait(topic.format("tank"), has)
            since = self.seen.mark()
            self.write("thermogate.cfg", self.text(TANK % "" + PUMP, mqtt, rule % "pump.power"))
            self.running.process.send_signal(signal.SIGHUP)
            told = self.seen.wait(topic.format("tank"), lambda m: m.json == move, since)
            came = self.seen.wait(topic.format("pump"), has, since)
            self.assertGreaterEqual(came.at - told.at, 1.5)
            self.seen.wait("t/rule/odd/state", lambda m: m.json["state"] == "firing", since)
            if mqtt:
                self.seen.wait(topic.format("tank"), lambda m: m.payload == b"" and not m.retained, since)
            else:
                self.config_of("tank", lambda m: key not in m.json["components"], since)
            self.running.stop()
        judge = Judge("t", "homeassistant", "test")
        for message in self.seen.messages:
            judge.take(message.topic, message.payload, True)
        self.assertEqual([fault for fault in judge.faults if "unique id" in fault], [])

    def test_no_message_stays_with_the_broker_of_what_is_gone(self):
        """Removed by a reload; renamed while the gateway was off; and while the broker was away, too."""
        self.broker()
        self.seen = self.subscriber()
        rule = 'odd: { sensor = "pump.power"; above = 1 }'
        topics = ("t/pump/state", "t/pump/availability", "t/rule/odd/state")
        self.running = self.gateway(self.text(TANK % "" + PUMP, rules=rule))
        for topic in topics:
            self.seen.wait(topic)
        since = self.seen.mark()
        self.write("thermogate.cfg", self.text(TANK % ""))
        self.running.process.send_signal(signal.SIGHUP)
        self.gone("pump", since)
        for topic in topics:
            self.seen.wait(topic, lambda m: m.payload == b"", since)
        self.running.stop()
        self.the_broker.kill()
        self.start(TANK.replace("tank: {", 'barrel: { was = "tank";') % "")
        self.running.wait_log("trying again")
        self.the_broker.start()
        for topic in ("t/tank/state", "t/tank/availability"):
            self.the_broker.retain(topic, "old")
        self.seen = self.subscriber()
        for topic in ("t/tank/state", "t/tank/availability"):
            self.seen.wait(topic, lambda m: m.payload == b"")
        self.running.stop()
        kept = [topic for topic in retained_by(self.the_broker.port) if topic.startswith("t/")]
        self.assertEqual(sorted(kept), ["t/barrel/availability", "t/barrel/state", "t/health", "t/status"])

    def test_each_of_many_is_shown_when_it_is_wished(self):
        self.broker()
        self.seen = self.subscriber()
        rule = 'silent: { sensors = "*"; no_data_for = "1h"; ha = "each" }'
        self.gateway(self.config(TANK % "" + PUMP, rule, BUS))
        for device, key in (("tank", "rule-silent-tank-level-state"), ("pump", "rule-silent-pump-power-state"),
                            ("gateway", "rule-silent-state")):
            self.config_of(device, lambda m: m.json["components"][key])

    def test_a_reload_removes_and_a_second_one_brings_back(self):
        self.broker()
        self.seen = self.subscriber()
        self.start(TANK % OLD)
        self.announced("tank", "old", 0)
        for devices, wait in ((TANK % "", self.removed), (TANK % OLD, self.announced)):
            since = self.seen.mark()
            self.write("thermogate.cfg", self.text(devices))
            self.running.process.send_signal(signal.SIGHUP)
            wait("tank", "old", since)


if __name__ == "__main__":
    unittest.main(verbosity=2)
