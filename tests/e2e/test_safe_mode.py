#!/usr/bin/python3
"""What crashes three times soon after its start is started without its outputs, and says so."""
import json
import os
import unittest

import harness

DEVICES = ('tank: { bus = "sim"; every = "100ms"; channels: { level: { low = 80; writable = true; safe = 7 } } }\n'
           'valve: { bus = "sim"; every = "100ms"; channels: { open: { low = 0; writable = true } } }\n')
RULES = ('full: { sensor = "tank.level"; above = 50; '
         'on_fire = ( { write = "valve.open"; value = 1 }, { run = "siren" } ) }\n')


class SafeMode(harness.Case):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("run"))
        os.environ["RUNTIME_DIRECTORY"] = self.path("run")
        self.addCleanup(os.environ.pop, "RUNTIME_DIRECTORY")
        self.socket = self.path("run/thermogate.sock")
        self.broker()
        self.siren = self.path("siren")

    def start(self):
        text = self.config(DEVICES, RULES, buses='sim: { adapter = "sim" }') + (
            f'store: {{ path = "{self.path("store")}" }}\n'
            f'hooks: {{ siren: {{ command = [ "/usr/bin/touch", "{self.siren}" ] }} }}\n')
        gateway = self.gateway(text)
        harness.wait_for(lambda: self.ask("status").returncode == 0, saying="the answer of the gateway")
        return gateway

    def crash(self):
        self.start().kill()

    def ask(self, *words):
        return self.command(*words, "--socket", self.socket)

    def status(self):
        return json.loads(self.ask("status", "--json").stdout)

    def test_after_three_crashes_it_writes_only_safe_values_and_runs_no_hook(self):
        for _ in range(3):
            self.crash()
        if os.path.exists(self.siren):
            os.unlink(self.siren)
        gateway, seen = self.start(), self.subscriber()
        gateway.wait_log("safe mode")
        seen.state("tank", level=7)
        refused = self.ask("write", "valve.open", "1")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("safe mode", refused.stdout + refused.stderr)
        self.assertTrue(any("safe mode" in words for words in self.status()["problems"]))
        self.assertFalse(os.path.exists(self.siren))
        gateway.stop()

        self.start()
        self.assertFalse(any("safe mode" in words for words in self.status()["problems"]))
        self.assertEqual(self.ask("write", "valve.open", "1").returncode, 0)

    def test_a_wrong_config_is_no_crash(self):
        for _ in range(4):
            bad = self.gateway("nonsense: 1")
            self.assertEqual(bad.wait_end(), harness.CONFIG_ERROR)
        self.start()
        self.assertFalse(any("safe mode" in words for words in self.status()["problems"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
