"""A gateway whose entities and topics come, go and move, as its broker and Home Assistant see it."""
import signal

import harness

BUS = 'sim: { adapter = "sim" }'
TANK = 'tank: { bus = "sim"; label = "Öltank 🛢️"; channels: { level: { low = 5; writable = true } %s } }\n'
PUMP = 'pump: { bus = "sim"; label = "水泵"; channels: { power: { low = 7 } } }\n'
OLD = 'old: { low = 6 }'
CONFIG = "homeassistant/device/test-"


class World(harness.Case):
    def text(self, devices, mqtt="", rules=""):
        return self.config(devices, rules, BUS, mqtt) + f'store: {{ path = "{self.path("s")}" }}'

    def start(self, devices, mqtt="", rules=""):
        self.running = self.gateway(self.text(devices, mqtt, rules))

    def reload(self, devices, rules=""):
        self.write("thermogate.cfg", self.text(devices, rules=rules))
        self.running.process.send_signal(signal.SIGHUP)

    def config_of(self, device, test, since=0):
        return self.seen.wait(f"{CONFIG}{device}/config", test, since)

    def announced(self, device, key, since):
        """When a component came with more than its platform."""
        return self.config_of(device, lambda m: len(m.json["components"][key]) > 1, since).at

    def removed(self, device, key, since):
        return self.config_of(device, lambda m: list(m.json["components"][key]) == ["p"], since).at

    def gone(self, device, since):
        return self.config_of(device, lambda m: m.payload == b"" and not m.retained, since).at
