#!/usr/bin/python3
"""What packaging/doc/home-assistant.md shows is so: entities that its YAML names exist, topics are published, commands
are done. Its configs are also those of test_documents.py."""
import fnmatch
import json
import os
import re
import tomllib
import unittest

import harness
from test_documents import Document

DOCUMENT = Document(os.path.join(harness.ROOT, "packaging", "doc", "home-assistant.md"))
BASE = "thermogate/cellar/"


def slug(text):
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


class HomeAssistantDoc(harness.Case):
    def blocks(self, language):
        return [text for _, kind, text in DOCUMENT.blocks() if kind == language]

    def start(self, more=""):
        self.boiler = self.device("--set", "input 0=900", "--set", "coil 3=0")
        self.broker()
        self.seen = self.subscriber()
        config = DOCUMENT.configs()[0].replace("tcp://192.168.1.50", self.boiler.connect)
        config = re.sub(r"mqtt: \{.*?\}", f'mqtt: {{ host = "127.0.0.1"; port = {self.the_broker.port}; '
                        f'{more} }}\ndefaults: {{ every = "200ms" }}', config, count=1)
        config = config.replace("/var/lib/thermogate", self.path("store"))
        self.running = self.gateway(config)
        self.seen.wait(BASE + "event", lambda m: m.json["event_type"] == "fired")

    def entities(self):
        """As Home Assistant names them, when it meets them for the first time."""
        names = set()
        for message in self.seen.find("homeassistant/device/*/config"):
            device = message.json["device"]["name"]
            for part in message.json["components"].values():
                name = part.get("name") or part.get("dev_cla", "")
                names.add(f"{part['p']}.{slug(device + ' ' + name)}")
        return names

    def test_the_entities_of_the_yaml_exist(self):
        self.start()
        self.seen.wait("homeassistant/device/cellar-boiler/config")
        named = set(re.findall(r"\b(?:binary_)?(?:sensor|event)\.\w+", "".join(self.blocks("yaml"))))
        self.assertEqual(len(named), 4)
        self.assertEqual(named - self.entities(), set(), self.entities())

    def test_an_alarm_has_what_the_automation_uses(self):
        self.start()
        event = self.seen.find(BASE + "event")[0].json
        for attribute in set(re.findall(r"attributes\.(\w+)", "".join(self.blocks("yaml")))):
            self.assertIsNotNone(event[attribute], attribute)

    def test_the_topics_are_those_that_are_said(self):
        self.start('commands = "all";')
        for topic in re.findall(r"^\| `([\w@./]+)` \| .* \| yes \|$", DOCUMENT.text, re.MULTILINE):
            self.seen.wait(BASE + topic)
        telegraf = tomllib.loads(self.blocks("toml")[0])["inputs"]["mqtt_consumer"][0]
        filters = [topic.replace("+", "*") for topic in telegraf["topics"]]
        self.assertTrue(fnmatch.fnmatch(BASE + "boiler/state", filters[0]))
        state = self.seen.wait(BASE + "boiler/state", lambda m: m.json["flow_temp"] == 90).json
        self.assertRegex(state[telegraf["json_time_key"]], r"^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}[+-]\d\d:\d\d$")

    def test_a_renamed_device_is_the_one_that_it_was(self):
        renamed = re.search(r"^heating: \{.*$", DOCUMENT.text, re.MULTILINE)[0]
        boiler = re.search(r"boiler: \{(.*?)\n\}\n", DOCUMENT.configs()[0], re.DOTALL)
        place = re.search(r"connect = .*?; unit = \d+;", boiler[1])[0]
        config = DOCUMENT.configs()[0].replace(boiler[0].removesuffix("\n}\n"),
                                               renamed.replace("channels:", place + " channels:"))
        run = self.command("check", self.write("renamed.cfg", config))
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_ways_to_a_broker_are_good(self):
        ways = [text for text in self.blocks("") if text.startswith("mqtt:")]
        self.assertEqual(len(ways), 3)
        for text in ways:
            config = re.sub(r"^mqtt: \{.*?\}\n", lambda _, way=text: way, DOCUMENT.configs()[0], count=1, flags=re.MULTILINE)
            self.assertIn(text, config)
            run = self.command("check", self.write("broker.cfg", config))
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_each_instance_is_shown(self):
        rule = re.search(r"^rules: \{.*$", DOCUMENT.text, re.MULTILINE)[0]
        run = self.command("check", self.write("each.cfg", DOCUMENT.configs()[0] + rule))
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_flow_listens_to_what_is_published(self):
        self.start()
        flow = {node["id"]: node for node in json.loads(self.blocks("json")[1])}
        for node in flow.values():
            self.assertTrue(all(to in flow for wire in node.get("wires", []) for to in wire))
            if node["type"] == "mqtt in":
                self.seen.wait(node["topic"])
        self.assertIn("flow_temp", flow["tg_temp"]["rules"][0]["to"])

    def test_the_commands_are_done(self):
        self.start('commands = "all";')
        order = json.loads(self.blocks("json")[0])
        del order["ts"]  # it is old
        self.seen.publish(BASE + "boiler/pump/set", json.dumps(order))
        answer = self.seen.wait(BASE + "boiler/pump/result").json
        self.assertEqual((answer["result"], answer["id"]), ("ok", order["id"]))
        for topic, payloads in re.findall(r"^\| `([\w@./]+)/set` \| (.*) \|$", DOCUMENT.text, re.MULTILINE):
            for payload in re.findall("`(.+?)`", payloads):
                since = self.seen.mark()
                self.seen.publish(f"{BASE}{topic}/set", payload)
                words = self.seen.wait(f"{BASE}{topic}/result", since=since).json.get("words", "")
                self.assertNotRegex(words, "no such|not allowed|no value", f"{topic} {payload}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
