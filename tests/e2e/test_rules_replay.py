#!/usr/bin/python3
"""What rules would have done over recorded readings."""
import unittest

import harness

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
