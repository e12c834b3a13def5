#!/usr/bin/python3
"""A backup of a gateway that runs, put in place on a new card: alarms and history are as they were."""
import json
import os
import shutil
import subprocess
import unittest

import harness

DEVICES = 'tank: { bus = "sim"; every = "100ms"; channels: { level: { low = 80; high = 90 } } }\n'
RULES = 'full: { sensor = "tank.level"; above = 50; ack = true }\n'


class Backup(harness.Case):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("etc/conf.d"))
        self.socket = self.path("sock")
        self.broker()
        self.file = self.path("backup.tar.gz")
        self.write("etc/broker.password", "very secret\n")
        self.write("etc/conf.d/more.cfg", "defaults: { notify = [ ] }\n")

    def start(self):
        text = self.config(DEVICES, RULES, buses='sim: { adapter = "sim" }') + (
            f'store: {{ path = "{self.path("state")}"; commit_every = "1s" }}\n'
            f'web: {{ socket = "{self.socket}" }}\n')
        self.write("etc/thermogate.cfg", text)
        return self.run_on()

    def run_on(self):
        gateway = harness.Gateway(self, self.path("etc/thermogate.cfg"))
        self.addCleanup(gateway.kill)
        harness.wait_for(lambda: self.ask("status").returncode == 0, saying="its answer")
        return gateway

    def ask(self, *words):
        return self.command(*words, "--socket", self.socket)

    def good(self, *words):
        done = self.command(*words, "--config", self.path("etc/thermogate.cfg"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def alarm(self):
        return json.loads(self.ask("rules", "list", "--json").stdout)["rules"][0]

    def history(self):
        return self.ask("history", "export", "--csv").stdout.splitlines()[1:]

    def commit(self):
        """What has been read by now is on the disk: the one under way may be older, not the next."""
        for _ in range(2):
            size = os.path.getsize(self.path("state/history.db-wal"))
            harness.wait_for(lambda: os.path.getsize(self.path("state/history.db-wal")) > size,
                             saying="a commit")

    def members(self):
        done = subprocess.run(["tar", "-tzf", self.file], capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_on_a_new_card_everything_is_as_it_was(self):
        gateway = self.start()
        harness.wait_for(lambda: self.alarm()["state"] == "firing", saying="the alarm")
        self.assertEqual(self.ask("rules", "ack", "full").returncode, 0)
        before = self.history()[:5]
        self.commit()
        self.good("backup", self.file)
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        gateway.stop()

        shutil.rmtree(self.path("state"))
        shutil.rmtree(self.path("etc"))
        os.makedirs(self.path("etc/conf.d"))
        self.write("etc/thermogate.cfg", "# as it came\n")
        self.good("restore", self.file)
        self.assertTrue(os.path.exists(self.path("etc/conf.d/more.cfg")))
        self.run_on()
        harness.wait_for(lambda: self.alarm()["state"] == "firing", saying="the alarm")
        self.assertTrue(self.alarm()["acked"])
        harness.wait_for(lambda: set(before) <= set(self.history()), saying="history")

    def test_secrets_are_in_it_only_where_it_was_asked(self):
        self.write("etc/thermogate.cfg", f'store: {{ path = "{self.path("state")}" }}\n')
        self.good("backup", self.file)
        self.assertIn("config/thermogate.cfg", self.members())
        self.assertNotIn("config/broker.password", self.members())
        self.good("backup", self.file, "--secrets")
        self.assertIn("config/broker.password", self.members())

    def test_what_was_there_goes_aside(self):
        self.start().stop()
        self.good("backup", self.file)
        self.good("restore", self.file)
        self.assertTrue(os.path.exists(self.path("state/before-restore.state.db")))

    def test_it_is_not_restored_under_a_gateway_that_runs(self):
        self.start()
        self.good("backup", self.file)
        refused = self.ask("restore", self.file, "--config", self.path("etc/thermogate.cfg"))
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("stop it first", refused.stderr)

    def test_what_is_no_backup_changes_nothing(self):
        config = self.write("etc/thermogate.cfg", "# mine\n")
        for content in (b"nonsense", b""):
            self.write("backup.tar.gz", content)
            refused = self.command("restore", self.file, "--config", config)
            self.assertNotEqual(refused.returncode, 0)
        with open(config, encoding="utf-8") as file:
            self.assertEqual(file.read(), "# mine\n")
        self.assertFalse(os.path.exists(self.file + ".restored"))

    def test_names_that_are_too_long_are_refused_and_leave_nothing(self):
        config = self.write("etc/thermogate.cfg", f'store: {{ path = "{self.path("state")}" }}\n')
        longest = "x" * (os.pathconf("/", "PC_PATH_MAX") - 1)
        self.good("backup", self.file)
        for words in (("backup", longest, "--config", config),
                      ("restore", longest, "--config", config),
                      ("restore", self.file, "--config", longest)):
            refused = self.command(*words)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("File name too long", refused.stderr)
        self.assertFalse(os.path.exists(self.file + ".restored"))
        self.assertFalse(os.path.exists(self.path("state/before-restore.state.db")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
