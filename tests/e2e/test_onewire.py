#!/usr/bin/python3
"""1-Wire sensors as the kernel shows them, in a folder that is ours."""
import grp
import os
import re
import shutil
import signal
import stat
import subprocess
import unittest

import harness

FREEZER = "28-0316a2794aff"


class OneWire(harness.Case):
    def sensor(self, what, name=FREEZER):
        """A temperature, or what is wrong with the sensor."""
        subprocess.run([harness.PYTHON, os.path.join(harness.TOOLS, "w1-tree"), self.path("w1"),
                        f"{name}={what}"], check=True, timeout=harness.SOON)

    def start(self, options="", more=""):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config(
            f'freezer: {{ bus = "w1"; address = "{FREEZER}" }} {more}',
            buses=f'w1: {{ adapter = "onewire"; connect = "sysfs:{self.path("w1")}"; {options} }}'))

    def test_a_temperature_arrives(self):
        self.sensor(-18.25)
        self.start()
        self.seen.state("freezer", temp=-18.25)
        self.sensor(-17.5)
        self.seen.state("freezer", temp=-17.5)

    def test_a_damaged_answer_is_no_value(self):
        self.sensor("crc")
        self.start()
        self.assertEqual(self.seen.bad_state("freezer", "temp")[1], "crc")

    def test_a_sensor_without_power_is_no_value(self):
        self.sensor("zeros")
        self.start()
        self.assertEqual(self.seen.bad_state("freezer", "temp")[1], "low_power")

    def test_a_sensor_that_is_not_there_is_no_value(self):
        self.sensor(20, "28-000000000001")
        self.start()
        self.seen.bad_state("freezer", "temp")
        self.seen.wait("t/freezer/availability", lambda m: m.payload == b"offline")

    def test_a_tree_that_is_not_there_yet(self):
        self.start()
        self.seen.bad_state("freezer", "temp")
        self.sensor(4)
        self.seen.state("freezer", temp=4)

    def test_a_sensor_that_vanishes_and_comes_back(self):
        self.sensor(4)
        self.start()
        self.seen.state("freezer", temp=4)
        since = self.seen.mark()
        # Its files go while its master still lists it, as when a plug is pulled.
        shutil.rmtree(os.path.realpath(os.path.join(self.path("w1"), FREEZER)))
        self.seen.bad_state("freezer", "temp", since)
        self.seen.wait("t/freezer/availability", lambda m: m.payload == b"offline", since)
        since = self.seen.mark()
        self.sensor(5)
        self.seen.state("freezer", since, temp=5)
        self.seen.wait("t/freezer/availability", lambda m: m.payload == b"online", since)

    def test_a_sensor_that_is_at_85_degrees_is_reported(self):
        self.sensor(85)
        self.start()
        self.seen.state("freezer", temp=85)
        # Before the first reading there may be a state that says so; after it none without a value.
        self.assertEqual(self.seen.find("t/freezer/state", lambda m: m.json["temp"] is None and
                                        m.json["quality"]["temp"] != "not_read"), [])

    def test_a_sensor_that_moves_to_another_master_is_followed(self):
        self.sensor(4)
        self.sensor(20, "28-0316a27950c1@2")
        self.start()
        self.seen.state("freezer", temp=4)
        self.sensor(5, FREEZER + "@2")
        self.seen.state("freezer", temp=5)

    def test_a_broken_sensor_takes_no_other_with_it(self):
        self.sensor("vanished")
        self.sensor(11.5, "28-0316a27950c1")
        self.start(more='cellar: { bus = "w1"; address = "28-0316a27950c1" }')
        self.seen.state("cellar", temp=11.5)
        self.seen.bad_state("freezer", "temp")

    def test_sensors_that_turn_up_are_taken_in(self):
        self.sensor(4)
        self.broker()
        self.seen = self.subscriber()
        found = "w1_" + FREEZER.replace("-", "_")
        buses = f'w1: {{ adapter = "onewire"; connect = "sysfs:{self.path("w1")}"; discover = true }}'
        config = self.config("", 'warm: { sensors = "*.temp"; above = 30 }', buses=buses)
        check = self.command("check", self.write("check.cfg", config))
        self.assertNotIn("warning", check.stdout + check.stderr)
        self.running = self.gateway(config)
        self.seen.state(found, temp=4)
        self.sensor(44, "28-0316a27950c1")
        self.seen.state("w1_28_0316a27950c1", temp=44)
        self.seen.wait("t/rule/*/state",
                       lambda m: m.json["state"] == "firing")
        self.running.wait_log("bus w1: found DS18B20 28-0316a27950c1; it is w1_28_0316a27950c1 here")
        since = self.seen.mark()
        self.seen.state(found, since, temp=4)
        # As soon as somebody names it, it has that name only.
        self.write("thermogate.cfg", self.config(
            f'freezer: {{ bus = "w1"; address = "{FREEZER.upper().replace("-", ".")}" }}', buses=buses))
        self.running.process.send_signal(signal.SIGHUP)
        self.seen.state("freezer", since, temp=4)
        since = self.seen.mark()
        self.seen.state("w1_28_0316a27950c1", since, temp=44)
        self.assertEqual(self.seen.find(f"t/{found}/state", since=since), [])

    def test_a_scan_prints_the_config_for_what_is_there(self):
        self.sensor(21.5)
        self.sensor("crc", "10-000802a3b4c5@2")
        scan = self.command("scan", "onewire", f"sysfs:{self.path('w1')}")
        self.assertEqual(scan.returncode, 0, scan.stderr)
        rows, block = scan.stdout.split("\n\n", 1)
        self.assertRegex(rows, f"(?m)^{FREEZER} +DS18B20 +w1_bus_master1 +21.5 °C")
        self.assertRegex(rows, "(?m)^10-000802a3b4c5 +DS18S20 +w1_bus_master2 +crc")
        check = self.command("check", self.write("pasted.cfg", block))
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertIn("2 devices, 2 sensors", check.stdout)

    def test_a_scan_of_nothing_says_what_to_do(self):
        scan = self.command("scan", "onewire", f"sysfs:{self.path('nowhere')}")
        self.assertEqual(scan.returncode, 1)
        self.assertIn("add dtoverlay=w1-gpio to config.txt", scan.stderr)

    def test_the_udev_rule_gives_the_group_what_it_needs(self):
        self.sensor(4)
        folder = os.path.realpath(os.path.join(self.path("w1"), FREEZER))
        wanted = [os.path.join(folder, "resolution"), os.path.join(folder, "features"),
                  os.path.join(folder, "..", "therm_bulk_read")]
        for path in wanted + [os.path.join(folder, "alarms")]:
            with open(path, "w", encoding="ascii") as file:
                file.write("12\n")
            os.chmod(path, 0o644)
        subprocess.run(self.udev_command(folder), shell=True, check=True, timeout=harness.SOON)
        for path in wanted:
            self.assertEqual(stat.filemode(os.stat(path).st_mode), "-rw-rw-r--", path)
        self.assertEqual(os.stat(os.path.join(folder, "alarms")).st_mode & stat.S_IWGRP, 0)

    def udev_command(self, folder):
        """What udev would run for the sensor in `folder`, for a group that is there."""
        rule = os.path.join(harness.ROOT, "packaging", "udev", "60-thermogate-w1.rules")
        with open(rule, encoding="utf-8") as file:
            command = re.search(r'^SUBSYSTEM=="w1".*RUN\+="(.*)"$', file.read(), re.MULTILINE)[1]
        group = grp.getgrgid(os.getgid()).gr_name
        return (command.replace("$$", "$").replace("%S%p", folder)
                .replace("chgrp thermogate", f"chgrp {group}"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
