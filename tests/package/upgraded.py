#!/usr/bin/python3
"""An upgrade, on a system that systemd has booted: config, state and alarms stay. Runs inside, as root;
called by tests/package/run."""
import glob
import json
import os
import unittest

from booted import EXTRA, FOLDER, UNIT, journal, main_pid, read, run, show, wait_for, write

OLD = glob.glob(os.path.join(FOLDER, "previous", "thermogate_*.deb"))[0]
NEW = glob.glob(os.path.join(FOLDER, "thermogate_*.deb"))[0]
MAIN = "/etc/thermogate/thermogate.cfg"
CONFIG = """
buses: { sim: { adapter = "sim" } }
devices: { boiler: { bus = "sim"; every = "200ms"; channels: {
  temp: { wave = "sine"; low = 90; high = 95; period = "5s" } } } }
rules: { hot: { sensor = "boiler.temp"; above = 80; ack = true; on_fire = ( { log = "it is hot" } ) } }
"""


def alarm():
    answer = json.loads(run("thermogate", "rules", "list", "--json").stdout)
    return next((rule for rule in answer["rules"] if rule["id"] == "hot"), None)


class Upgraded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("dpkg", "-i", OLD)
        write(EXTRA, CONFIG)
        write(MAIN, read(MAIN) + "# mine\n")
        run("systemctl", "reload", UNIT)
        wait_for(lambda: alarm()["state"] == "firing", "the alarm")
        run("thermogate", "rules", "ack", "hot", "--note", "seen")
        wait_for(lambda: alarm()["acked"], "the acknowledgement")
        cls.before, cls.old = alarm(), main_pid()
        cls.said = run("dpkg", "--force-confold", "-i", NEW)

    def test_1_the_new_program_runs(self):
        self.assertEqual(show("ActiveState"), "active", journal())
        self.assertNotEqual(main_pid(), self.old)
        version = run("dpkg-query", "-W", "-f", "${Version}", "thermogate").stdout
        self.assertIn(version, os.path.basename(NEW))

    def test_2_the_config_is_as_it_was(self):
        self.assertTrue(read(MAIN).endswith("# mine\n"))
        self.assertEqual(read(EXTRA), CONFIG)

    def test_3_the_alarm_fires_on_and_is_acknowledged(self):
        wait_for(lambda: alarm()["state"] == "firing", "the alarm")
        self.assertTrue(alarm()["acked"])

    def test_4_it_has_not_fired_anew(self):
        self.assertEqual(journal().count("it is hot"), 1)

    def test_5_history_is_there(self):
        rows = wait_for(lambda: run("thermogate", "history", "export", "--csv", "boiler.temp")
                        .stdout.splitlines()[1:], "history")
        self.assertTrue(rows)


if __name__ == "__main__":
    unittest.main(verbosity=2)
