#!/usr/bin/python3
"""A bad day, in rounds of an hour each: alarms all the time, a device that dies, a config that loses and
regains sensors, a broker that is killed, the gateway stopped and killed, the other form of discovery, a clock
that jumps. Everything that is published is judged by what Home Assistant forbids.

One round here; THERMOGATE_ROUNDS=24 (tests/bench/run day) is a day: each round moves the wall clock on by an
hour and has a twenty-fourth of the polls that a day has at the default interval of ten seconds."""
import itertools
import os
import signal
import sys
import unittest

import harness
from harness import SLOWNESS, SOON
from test_clock import FAKETIME

sys.path.insert(0, harness.TOOLS)
from hass_log import Judge, Listener, retained_by  # noqa: E402

ROUNDS = int(os.environ.get("THERMOGATE_ROUNDS", "1"))
HOUR_S = 3600
POLLS = 360 if ROUNDS > 1 else 1  # of a round, at least
EVERY_S = 0.1

SIM = ('tank: {{ bus = "sim"; label = "Öltank 🛢️"; area = "Keller"; channels: {{\n'
       'level: {{ wave = "square"; low = 1; high = 9; period = "2s"; unit = "°C"; class = "temperature"; '
       'limits: {{ high = 5.0 }} }}\n'
       'bell: {{ type = "event"; events = [ "ring", "ring", "hold on" ]; period = "500ms"; class = "doorbell" }}\n'
       'lamp: {{ low = 1; label = "灯" }} {old} }} }}\n')
OLD = 'old: { low = 6; label = "alt" }'
PUMP = 'pump: { bus = "sim"; channels: { power: { low = 7; unit = "W"; class = "power" } } }\n'
RULES = 'silent: { sensors = "*.level"; no_data_for = "1h"; ha = "each" }'
CONFIG = "homeassistant/device/test-{}/config"


class Day(harness.Case):
    def text(self, old=OLD, pump=PUMP, mqtt=""):
        meter = (f'meter: {{ bus = "plant"; connect = "{self.meter.connect}"; unit = 1; label = "电表"; channels: '
                 '{ count: { register = "holding 0"; type = "uint16"; writable = true; max = 100 } } }\n')
        buses = 'sim: { adapter = "sim" } plant: { adapter = "modbus"; timeout = "200ms" }'
        return (self.config(SIM.format(old=old) + pump + meter, RULES, buses, 'commands = "all"; ' + mqtt,
                            f"{EVERY_S}s") + f'store: {{ path = "{self.path("s")}" }}')

    def start(self, **options):
        environment = None
        if FAKETIME and SLOWNESS == 1:
            environment = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": self.path("step"),
                           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        self.options = options
        self.running = self.gateway(self.text(**options), environment=environment)

    def wait(self, topic, test, since):
        return self.log.wait(topic, test, since, SOON)

    def announced(self, device, since, part=b"components"):
        self.wait(CONFIG.format(device), lambda payload: part in payload, since)

    def gone(self, device, since):
        self.wait(CONFIG.format(device), lambda payload: payload == b"", since)

    def reload(self, **options):
        self.write("thermogate.cfg", self.text(**options))
        self.running.process.send_signal(signal.SIGHUP)

    def publish(self, topic, payload):
        self.judge.commands.add(topic)
        self.broker_client.publish(topic, payload)

    # -- what happens in an hour ---------------------------------------------------------------------

    def home_assistant_starts(self):
        since = self.log.mark()
        self.publish("homeassistant/status", "online")
        self.announced("tank", since)
        self.wait("t/tank/state", lambda payload: True, since)

    def sensors_go_and_come_back(self):
        since = self.log.mark()
        self.reload(old="", pump="")
        self.wait(CONFIG.format("tank"), lambda payload: b'"old":{"p":"sensor"}' in payload, since)
        self.gone("pump", since)
        since = self.log.mark()
        self.reload()
        self.announced("pump", since)

    def device_dies(self):
        since = self.log.mark()
        self.meter.kill()
        self.wait("t/meter/availability", lambda payload: payload == b"offline", since)
        self.meter.start()
        self.wait("t/meter/availability", lambda payload: payload == b"online", since)

    def somebody_commands(self):
        since = self.log.mark()
        self.publish("t/meter/count/set", "42")
        self.wait("t/meter/count/result", lambda payload: b'"ok"' in payload, since)
        self.publish("t/meter/count/set", "420")
        self.wait("t/meter/count/result", lambda payload: b'"refused"' in payload, since)
        self.publish("t/rule/high@tank.level/set", "mute 1s")
        self.wait("t/rule/high@tank.level/result", lambda payload: b'"ok"' in payload, since)

    def broker_dies(self):
        since = self.log.mark()
        self.broker_client.close()
        self.the_broker.kill()
        self.the_broker.start()
        self.broker_client = harness.Subscriber(self.the_broker.port, "none")
        for device in ("gateway", "tank", "meter"):
            self.announced(device, since)
        self.wait("t/tank/replay", lambda payload: True, since)

    def gateway_stops(self):
        self.running.stop()
        since = self.log.mark()
        self.start()
        self.announced("meter", since)

    def gateway_is_killed(self):
        self.running.process.kill()
        self.running.wait_end()
        since = self.log.mark()
        self.start()
        self.announced("meter", since)

    def discovery_changes_its_form(self):
        one, all_of_it = "homeassistant/sensor/test-tank/level/config", CONFIG.format("tank")
        for mqtt, before, topic in (('discovery = "entity"; ', all_of_it, one), ("", one, all_of_it)):
            self.running.stop()
            since = self.log.mark()
            self.start(mqtt=mqtt)
            self.wait(topic, lambda payload: b'"device"' in payload, since)
            self.wait(before, lambda payload: payload == b"", since)

    def clock_jumps(self, hour):
        since = self.log.mark()
        self.write("step", f"+{hour * HOUR_S}")
        self.wait("t/tank/state", lambda payload: True, since)

    def polled(self, times, since):
        polls = itertools.count(1)
        self.log.wait("t/tank/state", lambda payload: next(polls) >= times, since, SOON + 2 * times * EVERY_S)

    def hour(self, number):
        since = self.log.mark()
        self.clock_jumps(number)
        self.home_assistant_starts()
        self.sensors_go_and_come_back()
        self.device_dies()
        self.somebody_commands()
        self.broker_dies()
        self.gateway_stops()
        self.gateway_is_killed()
        if number % 6 == 2:  # test_hass.py has it, too
            self.discovery_changes_its_form()
        self.polled(POLLS, since)

    def test_the_judge_finds_what_is_forbidden(self):
        entity = '"a": {"p": "sensor", "uniq_id": "i", "val_tpl": "{{ value_json[\'a\'] }}", "stat_cla": "measurement"%s}'
        config = ('{"device": {"identifiers": ["test-gateway"], "name": "n"}, "origin": {"name": "o"}%s, '
                  '"state_topic": "t/d/state", "components": {' + entity + "}}")
        topic = CONFIG.format("d")
        good = [(topic, config % ("", ""), True), ("t/d/state", '{"ts": null, "a": 1}', True)]
        bad = [("t/status", "Online", True), ("t/status", "online", False), ("t/what", "", True), ("x/y", "", True), ("t/d/state", "", True),
               ("t/event", '{"event_type": "fired", "id": 1}', True), ("t/event", '{"event_type": "odd"}', False),
               ("t/d/state", '{"ts": null, "a": NaN}', True), ("t/d/state", '{"ts": null, "a": null}', True),
               ("t/d/state", '{"ts": null, "a": "ERR"}', True), ("t/d/state", '{"ts": null}', True), ("t/d/state", '{"ts": "2026-01-01", "a": 1}', True),
               ("t/d/replay", '[{"ts": null, "a": 1}]', False), ("t/d/replay", "[]", True),
               ("t/rule/r/state", '{"state": "odd"}', True), (topic, config % ("", ', "nam": "x"'), True),
               (topic, config % (', "name": "x"', ""), True), (topic, config % ("", ', "dev_cla": "power"'), True),
               (topic, config % ("", ', "ent_cat": "config"'), True), (topic, config % ("", ', "ops": ["on"]'), True), (topic, config % ("", ', "exp_aft": 3'), True),
               (CONFIG.format("other"), config % ("", ""), True), (topic, config % ("", ""), False),
               ("homeassistant/sensor/ä/a/config", config % ("", ""), True)]
        for more in [[]] + [[one] for one in bad]:
            judge = Judge("t", "homeassistant", "test", grace_s=0)
            for where, payload, retained in good + more:
                judge.take(where, payload.encode(), retained)
            self.assertEqual(judge.faults != [], more != [], more)

    def test_nothing_is_published_that_home_assistant_forbids(self):
        self.meter = self.device("--set", "holding 0=1")
        broker = self.broker()
        self.judge = Judge("t", "homeassistant", "test")
        self.log = Listener(self, broker.port, self.judge)
        self.broker_client = harness.Subscriber(broker.port, "none")
        self.addCleanup(lambda: self.broker_client.close())
        self.write("step", "+0")
        self.start()
        self.announced("meter", 0)
        for number in range(1, ROUNDS + 1):
            self.hour(number)
            self.assertEqual(self.judge.faults, [])
        self.running.stop()
        left = retained_by(broker.port)
        self.assertEqual(left["t/status"], b"offline")
        self.assertEqual([topic for topic in left if topic.endswith(("/event", "/set", "/result", "/replay"))], [])
        self.assertGreater(len(self.judge.events), 5 * ROUNDS)
        print(f"{ROUNDS} hours: {self.judge.count} messages, {len(self.judge.events)} events, no fault")


if __name__ == "__main__":
    unittest.main(verbosity=2)
