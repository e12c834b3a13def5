#!/usr/bin/python3
"""1-Wire sensors as the kernel shows them, in a folder that is ours."""
import os
import shutil
import unittest

import harness


class OneWire(harness.Case):
    def setUp(self):
        super().setUp()
        self.tree = self.path("w1")
        self.master = os.path.join(self.tree, "w1_bus_master1")
        os.makedirs(self.master)
        self.list_slaves()

    def list_slaves(self, *names):
        with open(os.path.join(self.master, "w1_master_slaves"), "w", encoding="utf-8") as file:
            file.write("\n".join(names) + "\n" if names else "not found.\n")

    def sensor(self, name, milli, crc="YES"):
        """A DS18B20: the scratchpad's text and the temperature, changed as one."""
        folder = os.path.join(self.tree, name)
        os.makedirs(folder, exist_ok=True)
        raw = milli * 16 // 1000 & 0xffff
        pad = f"{raw & 0xff:02x} {raw >> 8:02x} 4b 46 7f ff 0c 10"
        self.replace(os.path.join(folder, "w1_slave"),
                     f"{pad} 1c : crc=1c {crc}\n{pad} 1c t={milli}\n")
        self.replace(os.path.join(folder, "temperature"), f"{milli}\n")

    def replace(self, path, text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def start(self, devices, options=""):
        self.broker()
        self.seen = self.subscriber()
        self.run = self.gateway(self.config(
            devices, buses=f'w1: {{ adapter = "onewire"; connect = "sysfs:{self.tree}"; {options} }}'))

    FREEZER = 'freezer: { bus = "w1"; address = "28-0316a2794aff" }'

    def test_a_temperature_arrives(self):
        self.sensor("28-0316a2794aff", -18250)
        self.list_slaves("28-0316a2794aff")
        self.start(self.FREEZER)
        self.seen.state("freezer", temp=-18.25)

    def test_a_damaged_answer_is_no_value(self):
        self.sensor("28-0316a2794aff", 21500, "NO")
        self.list_slaves("28-0316a2794aff")
        self.start(self.FREEZER)
        self.assertEqual(self.seen.bad_state("freezer", "temp")[1], "crc")

    def test_a_sensor_that_is_not_there_is_no_value(self):
        self.start(self.FREEZER)
        self.seen.bad_state("freezer", "temp")
        self.seen.wait("t/freezer/availability", lambda m: m.payload == b"offline")

    def test_a_sensor_that_vanishes_and_comes_back(self):
        self.sensor("28-0316a2794aff", 4000)
        self.list_slaves("28-0316a2794aff")
        self.start(self.FREEZER)
        self.seen.state("freezer", temp=4)
        since = self.seen.mark()
        # The file goes while the master still lists it, as when a plug is pulled.
        shutil.rmtree(os.path.join(self.tree, "28-0316a2794aff"))
        state = self.seen.wait("t/freezer/state", lambda m: m.json["temp"] is None, since).json
        self.assertIn("temp", state["quality"])
        self.seen.wait("t/freezer/availability", lambda m: m.payload == b"offline", since)
        since = self.seen.mark()
        self.sensor("28-0316a2794aff", 5000)
        self.seen.state("freezer", since, temp=5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
