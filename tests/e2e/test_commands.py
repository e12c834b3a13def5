#!/usr/bin/python3
"""Commands over MQTT: what may be asked for, what is done, and what is answered."""
import json
import unittest

import harness

DEVICE = ('tank: {{ bus = "plant"; connect = "{connect}"; unit = 1; channels: {{ '
          'level: {{ register = "holding 0"; type = "uint16"; writable = true; min = 0; max = 100; '
          'step = 5 }} pump: {{ register = "coil 3"; writable = true }} '
          'mode: {{ register = "holding 2"; enum = [ "0: off", "4: auto", "6: hot water" ]; '
          'writable = true; safe = "auto" }} '
          'seal: {{ register = "holding 1"; type = "uint16" }} }} }}\n')
RULE = ('full: { sensor = "tank.level"; above = 50; adjustable = ( 10, 90, 1 ); '
        'ack = true }\n')


class Commands(harness.Case):
    def start(self, rights="all", rules=""):
        self.tank = self.device("--set", "holding 0=20", "--set", "coil 3=0")
        self.broker()
        self.seen = self.subscriber()
        mqtt = f'commands = "{rights}";' if rights else ""
        self.running = self.gateway(
            self.config(DEVICE.format(connect=self.tank.connect), rules, mqtt=mqtt) +
            f'web: {{ socket = "{self.path("api")}" }}\n')
        self.seen.state("tank", level=20)

    def order(self, place, payload):
        """The answer, and the event of it."""
        since = self.seen.mark()
        self.seen.publish(f"t/{place}/set", payload)
        answer = self.seen.wait(f"t/{place}/result", since=since).json
        event = self.seen.wait("t/event", lambda m: m.json["event_type"] == "command" and
                               m.json["via"] == "mqtt", since).json
        self.assertEqual(event["result"], answer["result"])
        return answer

    def assert_refused(self, place, payload, words):
        answer = self.order(place, payload)
        self.assertEqual(answer["result"], "refused")
        self.assertRegex(answer["words"], words)

    def test_a_value_is_written_read_back_and_shown(self):
        self.start()
        answer = self.order("tank/level", "45")
        self.assertEqual((answer["result"], answer["value"]), ("ok", 45))
        self.seen.state("tank", level=45)
        self.assertEqual(self.order("tank/pump", "ON")["result"], "ok")
        self.seen.state("tank", pump=1)

    def test_an_enumeration_is_written_by_its_text(self):
        self.start()
        answer = self.order("tank/mode", "hot water")
        self.assertEqual((answer["result"], answer["value"]), ("ok", "hot water"))
        self.seen.state("tank", mode="hot water")
        told = self.seen.find("t/event", lambda m: m.json["event_type"] == "command")[0].json
        self.assertEqual(told["value"], "hot water")
        self.assert_refused("tank/mode", "6", "write off, auto, hot water$")
        run = self.command("write", "tank.mode", "auto", "--socket", self.path("api"))
        self.assertEqual((run.returncode, run.stdout), (0, "tank.mode is auto now\n"))
        self.seen.state("tank", mode="auto")
        config = self.seen.wait("homeassistant/device/test-tank/config").json
        mode = config["components"]["mode"]
        self.assertEqual((mode["p"], mode["cmd_t"], mode["ops"]),
                         ("select", "t/tank/mode/set", ["off", "auto", "hot water"]))

    def test_a_rule_holds_an_enumeration(self):
        self.start(rules='full: { sensor = "tank.level"; above = 50; '
                         'while_firing = ( { write = "tank.mode"; value = "off" } ) }\n')
        self.assertEqual(self.order("tank/mode", "auto")["result"], "ok")
        self.tank.set("holding 0=60")
        self.seen.state("tank", level=60, mode="off")
        since = self.seen.mark()
        self.tank.set("holding 2=4")
        self.seen.state("tank", since, mode="auto")
        self.seen.state("tank", self.seen.mark(), mode="off")

    def test_what_may_not_be_written_is_not(self):
        self.start()
        self.assert_refused("tank/level", "101", "outside")
        self.assert_refused("tank/level", "7", "step")
        self.assert_refused("tank/level", "much", "no value")
        self.assert_refused("tank/seal", "1", "not writable")
        self.assert_refused("tank/nothing", "1", "no such sensor")
        self.assert_refused("tank", "explode", "no such command")

    def test_old_and_repeated_ones_are_refused_and_retained_ones_ignored(self):
        self.start()
        order = json.dumps({"value": 25, "id": "a7"})
        self.assertEqual(self.order("tank/level", order)["id"], "a7")
        self.assert_refused("tank/level", order, "already")
        self.assert_refused("tank/level", '{"value": 30, "ts": "2020-01-01T00:00:00Z"}', "late")
        self.running.stop()
        self.the_broker.retain("t/tank/level/set", "90")
        since = self.seen.mark()
        self.running = self.gateway(
            self.config(DEVICE.format(connect=self.tank.connect), mqtt='commands = "all";'))
        self.running.wait_log("retained command")
        self.seen.state("tank", since, level=25, mode="auto")  # which is safe
        self.assertEqual(self.seen.find("t/tank/state", lambda m: m.json["level"] == 90), [])

    def test_with_the_standard_rights_alarms_are_acknowledged_and_nothing_is_written(self):
        self.start(rights=None, rules=RULE)
        self.tank.set("holding 0=60")
        self.seen.wait("t/rule/full/state", lambda m: m.json["state"] == "firing")
        since = self.seen.mark()
        answer = self.order("rule/full", '{"command": "mute 1h", "by": "Ana", "note": "known"}')
        self.assertEqual(answer["result"], "ok")
        self.seen.wait("t/rule/full/state", lambda m: m.json["muted"], since)
        muted = self.seen.wait("t/event", lambda m: m.json["event_type"] == "muted", since).json
        self.assertEqual((muted["by"], muted["via"]), ("Ana", "mqtt"))
        self.assert_refused("rule/full", "disable", "not allowed")
        since = self.seen.mark()
        self.seen.publish("t/tank/level/set", "45")  # nobody listens there
        self.seen.state("tank", since, level=60)
        self.assertEqual(self.seen.find("t/tank/level/result"), [])

    def test_limits_standby_and_reload(self):
        self.start(rules=RULE)
        since = self.seen.mark()
        self.assertEqual(self.order("rule/full", "limit above=15")["result"], "ok")
        self.seen.wait("t/rule/full/state", lambda m: m.json["state"] == "firing", since)
        self.assert_refused("rule/full", "limit above=5", "10")
        since = self.seen.mark()
        self.assertEqual(self.order("rule/full", '{"command": "reset", "by": "Ana"}')["result"],
                         "ok")  # with the limit of the file it is no alarm
        self.seen.wait("t/event", lambda m: m.json["event_type"] == "cleared", since)
        told = self.seen.wait("t/event", lambda m: m.json["event_type"] == "command", since).json
        self.assertEqual((told["by"], told["via"], told["result"]), ("Ana", "mqtt", "ok"))
        self.assertEqual(self.order("tank", "standby 2h")["result"], "ok")
        self.seen.wait("t/rule/full/state", lambda m: m.json["muted"], since)
        self.assertEqual(self.order("tank", "resume")["result"], "ok")
        self.assertEqual(self.order("gateway", "reload")["result"], "ok")

    def test_a_reload_says_what_waits_for_the_next_start(self):
        self.start()
        reload = ("reload", "--socket", self.path("api"))
        self.assertEqual(self.command(*reload).stdout, "the config was read anew\n")
        with open(self.path("thermogate.cfg"), encoding="utf-8") as file:
            text = file.read()
        self.write("thermogate.cfg", text.replace("mqtt: {", 'mqtt: { gather = "7ms";'))
        self.assertRegex(self.command(*reload).stdout, "; changes of .*mqtt.* wait for the next start$")
        answer = self.order("gateway", "reload")
        self.assertEqual(answer["result"], "ok")
        self.assertIn("wait for the next start", answer["words"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
