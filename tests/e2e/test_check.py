#!/usr/bin/python3
"""Every config that we hand out is good."""
import glob
import os
import unittest

import harness


class Check(harness.Case):
    def test_every_example_is_good(self):
        examples = glob.glob(os.path.join(harness.ROOT, "config", "examples", "*.cfg"))
        self.assertGreaterEqual(len(examples), 2)
        for path in examples:
            with self.subTest(example=os.path.basename(path)):
                check = self.command("check", path)
                self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
                self.assertNotIn("warning", check.stdout + check.stderr)

    def test_fragments_beside_the_file_are_read_too(self):
        os.mkdir(self.path("conf.d"))
        main = self.write("thermogate.cfg", 'buses: { plant: { adapter = "modbus" } }\n')
        self.write("conf.d/10-boiler.cfg",
                   'devices: { boiler: { bus = "plant"; connect = "tcp://127.0.0.1"; unit = 1;\n'
                   'channels: { level: { register = "holding 0" } } } }\n')
        self.write("conf.d/20-rules.cfg", 'rules: { warm: { sensor = "boiler.levle"; above = 3 } }\n')
        check = self.command("check", main)
        self.assertEqual(check.returncode, harness.CONFIG_ERROR)
        self.assertIn("20-rules.cfg:1:", check.stdout + check.stderr)

    def test_a_thousand_devices_are_checked_in_a_moment(self):
        devices = "\n".join(f'd{i}: {{ bus = "plant"; connect = "tcp://127.0.0.1"; unit = 1; channels: '
                            '{ v: { register = "holding 0" } } }' for i in range(1000))
        path = self.write("big.cfg", 'buses: { plant: { adapter = "modbus" } }\n'
                                     f"devices: {{\n{devices}\n}}\n")
        check = self.command("check", path, seconds=5 * harness.SLOWNESS)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_a_rule_that_nobody_hears_of_is_warned_of(self):
        path = self.write("idle.cfg", '''
            buses: { lab: { adapter = "sim" } }
            devices: { a: { bus = "lab"; channels: { x: { limits: { high = 1 } }; y: { } } } }
            rules: { mute: { sensors = "a.*"; above = 1 }
                     asked: { sensor = "a.x"; above = 2 }
                     loud: { when = "firing(asked)"; on_fire = ( { log = "loud" } ) } }''')
        check = self.command("check", path)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertEqual([line.partition("warning: ")[2] for line in check.stdout.splitlines() if "warning" in line],
                         ['rule "mute" neither notifies nor acts', 'rule "high@a.x" neither notifies nor acts'])

    def line(self, devices, every):
        devices = "\n".join(f'd{i}: {{ bus = "rs485"; unit = {i + 1}; every = "{every}"; channels: '
                            '{ v: { register = "holding 0" } } }' for i in range(devices))
        return self.write("line.cfg", 'buses: { rs485: { adapter = "modbus"; connect = '
                                      f'"serial:/dev/ttyUSB0" }} }}\ndevices: {{\n{devices}\n}}\n')

    def rules_over_a_thousand_sensors(self, count):
        channels = " ".join(f"c{i}: {{ }}" for i in range(100))
        devices = "\n".join(f'd{i}: {{ bus = "lab"; channels: {{ {channels} }} }}' for i in range(10))
        rules = "\n".join(f'r{i}: {{ sensors = "d*.c*"; above = {i}; on_fire = ( {{ log = "high" }} ) }}'
                          for i in range(count))
        return self.write("many.cfg", 'buses: { lab: { adapter = "sim" } }\n'
                                      f"devices: {{\n{devices}\n}}\nrules: {{\n{rules}\n}}\n")

    def test_so_many_instances_of_rules_and_no_more(self):
        check = self.command("check", self.rules_over_a_thousand_sensors(200), seconds=10 * harness.SLOWNESS)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        check = self.command("check", self.rules_over_a_thousand_sensors(201), seconds=10 * harness.SLOWNESS)
        self.assertEqual(check.returncode, 78)
        self.assertRegex(check.stdout + check.stderr, 'many.cfg:215:.*: error: rule "r200": '
                                                      "all rules together have more than 200000 instances")

    def test_the_share_of_a_line_is_foretold(self):
        check = self.command("check", self.line(20, "1s"))
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertRegex(check.stdout, r"(?m)^rs485: 49 % busy, 0\.5 s a cycle$")

    def test_more_than_a_line_can_carry_is_refused(self):
        check = self.command("check", self.line(20, "400ms"))
        self.assertEqual(check.returncode, harness.CONFIG_ERROR)
        self.assertRegex(check.stdout + check.stderr, 'its polls would take 121 % of the line\'s time')
        self.assertRegex(check.stdout + check.stderr, 'raise `every` of "d0", which takes 6 %')

    def table(self, rows):
        """A config whose devices are these lines of a table."""
        self.write("meters.csv", "name,connect,unit,template,label\n" + "\n".join(rows) + "\n")
        return self.write("table.cfg", 'buses: { plant: { adapter = "modbus" } }\n'
                                       'device_tables = ( { bus = "plant"; file = "meters.csv" } )\n')

    def test_four_thousand_lines_of_a_table_are_checked_in_a_moment(self):
        path = self.table(f"meter_{i},tcp://127.0.0.1,{1 + i % 200},sdm630,Meter {i}"
                          for i in range(4000))
        check = self.command("check", path, seconds=10 * harness.SLOWNESS)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertIn("4000 devices, 56000 sensors", check.stdout)

    def test_slips_in_a_table_are_said_with_line_and_column(self):
        path = self.table(["a,tcp://127.0.0.1,1,sdm630,A", "b,tcp://127.0.0.1,one,sdm630,B",
                           "c,tcp://127.0.0.1,3,sdm603,C", "d,tcp:/127.0.0.1,300,sdm630,D"])
        check = self.command("check", path)
        self.assertEqual(check.returncode, harness.CONFIG_ERROR)
        self.assertIn('meters.csv:4:21: error: there is no template "sdm603"', check.stdout)
        path = self.table(["a,tcp://127.0.0.1,1,sdm630,A", "b,tcp://127.0.0.1,one,sdm630,B",
                           "d,tcq://127.0.0.1,300,sdm630,D"])
        check = self.command("check", path)
        self.assertRegex(check.stdout, r'meters\.csv:3:19: error: "unit" must be a whole number')
        self.assertIn('meters.csv:4:3: error: "tcq://127.0.0.1" is no address of modbus', check.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
