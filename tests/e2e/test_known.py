#!/usr/bin/python3
"""What Home Assistant knows of a gateway, and knows again: after a broker lost its memory, on a new card, with
hundreds of sensors, in any script."""
import json
import time
import unittest

import harness

BUS = 'sim: { adapter = "sim" }'
LABELS = ("Öltank Süd", "水泵 三号", "Freezer ❄️", "Ventilátor")


def device(number, channels, label):
    inside = " ".join(f"c{i}: {{ low = {i} }}" for i in range(channels))
    return f'd{number}: {{ bus = "sim"; label = "{label}"; channels: {{ {inside} }} }}\n'


class Known(harness.Case):
    def start(self, devices, mqtt="", store="s"):
        self.running = self.gateway(self.config(devices, buses=BUS, mqtt=mqtt) +
                                    f'store: {{ path = "{self.path(store)}" }}')

    def configs(self, since=0):
        """By topic, as they were last."""
        return {m.topic: m.payload for m in self.seen.find("homeassistant/*/config", since=since)}

    def entities(self, since=0):
        return sum(len(json.loads(payload)["components"]) for payload in self.configs(since).values())

    def test_two_hundred_entities_are_known_again_after_a_broker_lost_its_memory(self):
        broker = self.broker()
        self.seen = self.subscriber()
        self.start("".join(device(n, 9, LABELS[n % 4]) for n in range(20)))
        harness.wait_for(lambda: self.entities() >= 200 and len(self.seen.find("t/d*/state")) >= 20)
        broker.kill()
        self.running.wait_log("lost the broker")
        broker.start()
        began = time.monotonic()
        self.seen = self.subscriber()
        harness.wait_for(lambda: self.entities() >= 200, saying="200 entities")
        for number in range(20):
            self.seen.wait(f"t/d{number}/availability", lambda m: m.payload == b"online")
            self.seen.state(f"d{number}", c8=8)
        print(f"known again after {time.monotonic() - began:.1f} s")

    def test_labels_of_any_script_arrive_as_they_are_and_ids_do_not_hang_on_them(self):
        self.broker()
        self.seen = self.subscriber()
        self.start("".join(device(n, 1, label) for n, label in enumerate(LABELS)))
        for number, label in enumerate(LABELS):
            found = self.seen.wait(f"homeassistant/device/test-d{number}/config").json
            self.assertEqual(found["device"]["name"], label)
            self.assertEqual(found["components"]["c0"]["uniq_id"], f"test-d{number}-c0")

    def test_five_hundred_sensors_of_one_device_are_announced_in_both_forms(self):
        self.broker()
        self.seen = self.subscriber()
        self.start(device(0, 500, "Zähler"))
        whole = self.seen.wait("homeassistant/device/test-d0/config").json["components"]
        self.assertEqual(len(whole), 501)
        self.running.stop()
        self.start(device(0, 500, "Zähler"), 'discovery = "entity";', store="other")
        pattern = "homeassistant/*/test-d0/*/config"
        harness.wait_for(lambda: len({m.topic for m in self.seen.find(pattern)}) >= 501)
        alone = {m.topic.split("/")[3]: m.json["uniq_id"] for m in self.seen.find(pattern)}
        self.assertEqual(alone, {key: part["uniq_id"] for key, part in whole.items()})
        self.assertEqual(len(self.seen.find(pattern)), 501)

    def test_a_new_card_with_the_old_config_is_the_same_gateway(self):
        self.broker()
        self.seen = self.subscriber()
        devices = device(0, 3, "Keller") + device(1, 3, "Dach")
        told = []
        for card in ("old card", "new card"):
            since = self.seen.mark()
            self.start(devices, store=card)
            self.seen.wait("t/health", since=since)
            told.append(self.configs(since))
            self.running.stop()
        self.assertEqual(len(told[0]), 3)
        self.assertEqual(told[0], told[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
