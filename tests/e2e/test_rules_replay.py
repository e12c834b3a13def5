#!/usr/bin/python3
"""What rules would have done over recorded readings."""
import math
import os
import re
import unittest

import harness

MONTH = 30 * 1440  # minutes
FREEZER = '''buses: { lab: { adapter = "sim" } }
devices: { freezer: { bus = "lab"; every = "1m"; channels: { temp: { unit = "°C" } } } }
rules: { freezer_warm: { sensor = "freezer.temp"; above = -15.0; for = "1m" } }
'''

CONFIG = '''
gateway: {{ name = "cellar" }}
web: {{ socket = "{socket}" }}
store: {{ path = "{store}"; commit_every = "1s" }}
buses: {{ lab: {{ adapter = "sim" }} }}
devices: {{ room: {{ bus = "lab"; every = "200ms"
                     channels: {{ temp: {{ wave = "square"; low = 20; high = 30; period = "2s" }} }} }} }}
derived: {{ twice: {{ channels: {{ temp: {{ value = "room.temp * 2" }} }} }} }}
rules: {{ warm: {{ sensor = "room.temp"; above = 25.0; for = "1m" }}
          double: {{ sensor = "twice.temp"; above = 50.0 }} }}
'''


class RulesReplay(harness.Case):
    def config(self):
        return self.write("replay.cfg", CONFIG.format(socket=self.path("socket"),
                                                      store=self.path("store")))

    def replay(self, *words):
        replay = self.command("rules", "replay", "--config", self.config(), *words)
        return replay.returncode, replay.stdout, replay.stderr

    def test_a_file_of_readings(self):
        rows = [f"2026-11-21T13:{minute:02}:00Z,room.temp,{26 if 3 <= minute < 8 else 20},°C,good"
                for minute in range(12)]
        rows.insert(5, "2026-11-21T13:04:30Z,twice.temp,1,,good")  # reckoned anew
        rows.append("2026-11-21T13:12:00Z,cellar.level,7,,good")
        path = self.write("readings.csv", "time,sensor,value,unit,quality\n" + "\n".join(rows))
        code, out, errors = self.replay("--csv", path)
        self.assertEqual(code, 0, errors)
        self.assertIn(":03:00  double  fired", out)
        self.assertIn(":08:00  double  cleared", out)
        self.assertIn("1 readings are of sensors", errors)
        self.assertIn("14 readings, ", out)
        self.assertEqual(self.replay("--csv", path)[1], out)  # exactly the same again

    def test_a_line_that_is_none(self):
        path = self.write("readings.csv", "time,sensor,value\nnoon,room.temp,1\n")
        code, _, errors = self.replay("--csv", path)
        self.assertEqual(code, 1)
        self.assertIn("line 2: the time is none", errors)

    def test_the_example_of_the_tuning_in_the_documents(self):
        """A freezer that is defrosted every third day, and wavers about the limit then."""
        with open(os.path.join(harness.ROOT, "packaging", "doc", "rules.md"),
                  encoding="utf-8") as file:
            lines = re.search(r"^```\n\$ thermogate (rules tune [^\n]*)\n(.*?)^```$", file.read(),
                              re.MULTILINE | re.DOTALL)
        rows = []
        for minute in range(MONTH):
            defrost = 3.2 if 500 <= minute % 4320 < 525 else 0
            value = -17.5 + 0.6 * math.sin(minute / 30) + 0.2 * math.sin(minute * 1.9) + defrost
            rows.append(f"{1761955200000 + minute * 60000},freezer.temp,{value:.1f},°C,good")
        path = self.write("month.csv", "\n".join(rows))
        config = self.write("thermogate.cfg", FREEZER)
        words = lines.group(1).replace("--last 30d", f"--csv {path}").split()
        tune = self.command(*words, "--config", config, seconds=60 * harness.SLOWNESS)
        self.assertEqual(tune.returncode, 0, tune.stderr)
        out = tune.stdout.replace(config, "/etc/thermogate/thermogate.cfg")
        at = 0
        for line in lines.group(2).splitlines():
            if line != "  ...":
                self.assertIn(line, out)
                at = out.index(line, at)  # in this order

    def test_a_rule_that_there_is_not_cannot_be_tuned(self):
        path = self.write("readings.csv", "1000,room.temp,1\n")
        tune = self.command("rules", "tune", "cold", "--csv", path, "--config", self.config())
        self.assertEqual(tune.returncode, 78)
        self.assertIn('there is no rule "cold"', tune.stderr)

    def test_the_history_of_a_gateway_that_runs(self):
        gateway = self.process([harness.BINARY, "run", "--config", self.config()], "gateway")
        ended = []

        def has_history():
            code, out, _ = self.replay("--history", "--socket", self.path("socket"))
            ended.append(out)
            return code == 0 and "double  fired" in out and "double  cleared" in out

        harness.wait_for(has_history, saying="an alarm in the replay")
        explain = self.command("rules", "explain", "double", "--socket", self.path("socket"))
        self.assertIn("it watches for: twice.temp above 50", explain.stdout)
        self.assertRegex(explain.stdout, r"\n  twice\.temp +(40|60)\n")
        stats = self.command("rules", "stats", "--socket", self.path("socket"))
        self.assertRegex(stats.stdout, r"\n[1-9]\d* +(\d+s|-|0ms) +- +double\n")
        tune = self.command("rules", "tune", "double", "--last", "1h", "--config", self.config(),
                            "--socket", self.path("socket"))
        self.assertRegex(tune.stdout, r"double over .* readings; \* is as it is")
        self.assertRegex(tune.stdout, r"\n\* 50 +0 +0s +[1-9]")
        self.assertRegex(tune.stdout, r'\n    above = 50; hysteresis = \d+; for = "1m"\n|set well')
        gateway.kill()

    def test_a_start_refills_windows_from_the_history(self):
        config = self.write("refill.cfg", '''
            store: {{ path = "{}"; commit_every = "1s" }}
            buses: {{ lab: {{ adapter = "sim" }} }}
            devices: {{ room: {{ bus = "lab"; every = "200ms"; channels: {{ temp: {{ low = 21 }} }} }} }}
            rules: {{ full: {{ when = "avg(room.temp, #30) > 20"
                              on_fire = ( {{ log = "thirty samples" }} ) }} }}
            '''.format(self.path("store")))
        first = self.command("run", "--config", config, "--for", "4s", seconds=20 * harness.SLOWNESS)
        self.assertNotIn("thirty samples", first.stdout + first.stderr)
        again = self.command("run", "--config", config, "--for", "4s", seconds=20 * harness.SLOWNESS)
        self.assertIn("thirty samples", again.stdout + again.stderr)

    def test_a_total_goes_on_over_a_restart(self):
        config = self.write("total.cfg", '''
            store: {{ path = "{}"; commit_every = "1s" }}
            buses: {{ lab: {{ adapter = "sim" }} }}
            devices: {{ room: {{ bus = "lab"; every = "100ms"; channels: {{ power: {{ low = 100 }} }} }} }}
            rules: {{ much: {{ when = "total(room.power) > 310"
                              on_fire = ( {{ log = "more than three seconds" }} ) }} }}
            '''.format(self.path("store")))
        first = self.command("run", "--config", config, "--for", "3s", seconds=20 * harness.SLOWNESS)
        self.assertNotIn("more than three", first.stdout + first.stderr)
        again = self.command("run", "--config", config, "--for", "3s", seconds=20 * harness.SLOWNESS)
        self.assertIn("more than three", again.stdout + again.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
