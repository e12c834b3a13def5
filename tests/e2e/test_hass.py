#!/usr/bin/python3
"""Home Assistant's side: what is removed from the config leaves it, whenever that happened."""
import unittest

from hass_world import BUS, CONFIG, OLD, PUMP, TANK, World


class Hass(World):
    def change_while_away(self):
        """Loses a channel and a device, and gains the right to write a level, which is another platform."""
        self.broker()
        self.seen = self.subscriber()
        self.start(TANK % OLD + PUMP)
        self.announced("tank", "old", 0)
        self.announced("pump", "power", 0)
        self.running.stop()
        since = self.seen.mark()
        self.start(TANK % "", 'commands = "all";')
        return since

    def platform(self, key, platform, since):
        return self.config_of("tank", lambda m: m.json["components"][key]["p"] == platform, since).at

    def test_what_was_removed_while_the_gateway_was_off_is_announced_and_removed_until_that_was_seen(self):
        since = self.change_while_away()
        shown, removed = self.announced("tank", "old", since), self.removed("tank", "old", since)
        self.assertGreaterEqual(removed - shown, 1.5)
        shown = self.announced("pump", "power", since)
        self.assertGreaterEqual(self.gone("pump", since) - shown, 1.5)
        removed = self.removed("tank", "level", since)
        self.assertGreaterEqual(removed - self.platform("level", "sensor", since), 1.5)
        self.assertGreaterEqual(self.platform("level", "number", since) - removed, 1.5)
        since = self.seen.mark()
        self.seen.publish("homeassistant/status", "online")
        self.announced("pump", "power", since)
        self.removed("tank", "old", since)
        self.gone("pump", since)
        self.platform("level", "number", since)
        # Seen is not yet acknowledged; at the next start of Home Assistant it is, and forgotten.
        since = self.seen.mark()
        self.seen.publish("homeassistant/status", "online")
        self.config_of("tank", lambda m: "old" not in m.json["components"], since)
        self.running.stop()
        since = self.seen.mark()
        self.start(TANK % "", 'commands = "all";')
        state = self.config_of("tank", lambda m: m.json["components"]["level"], since).json
        self.assertNotIn("old", state["components"])
        self.seen.state("tank", since, level=5)
        self.assertEqual(self.seen.find(f"{CONFIG}pump/config", lambda m: m.payload, since), [])

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

    def test_each_of_many_is_shown_when_it_is_wished(self):
        self.broker()
        self.seen = self.subscriber()
        rule = 'silent: { sensors = "*"; no_data_for = "1h"; ha = "each" }'
        self.gateway(self.config(TANK % "" + PUMP, rule, BUS))
        for device, key in (("tank", "rule-silent-tank-level-state"), ("pump", "rule-silent-pump-power-state"),
                            ("gateway", "rule-silent-state")):
            self.config_of(device, lambda m: m.json["components"][key])

    def test_a_reload_removes_with_all_that_the_broker_keeps_and_a_second_one_brings_back(self):
        rule = 'odd: { sensor = "pump.power"; above = 1 }'
        kept = ("t/pump/state", "t/pump/availability", "t/rule/odd/state")
        self.broker()
        self.seen = self.subscriber()
        self.start(TANK % OLD + PUMP, rules=rule)
        self.announced("tank", "old", 0)
        for topic in kept:
            self.seen.wait(topic)
        since = self.seen.mark()
        self.reload(TANK % "")
        self.removed("tank", "old", since)
        self.gone("pump", since)
        for topic in kept:
            self.seen.wait(topic, lambda m: m.payload == b"", since)
        since = self.seen.mark()
        self.reload(TANK % OLD + PUMP, rules=rule)
        self.announced("tank", "old", since)
        for topic in kept:
            self.seen.wait(topic, lambda m: m.payload, since)


if __name__ == "__main__":
    unittest.main(verbosity=2)
