#!/usr/bin/python3
"""The demo needs nothing and shows what the gateway does."""
import os
import unittest

import harness


class Demo(harness.Case):
    def test_it_shows_values_and_alarms_and_ends_by_itself(self):
        run = self.command("demo", "--for", "12s", seconds=12 + 10 * harness.SLOWNESS)
        self.assertEqual(run.returncode, 0, run.stderr)
        for word in ("flow_temp", "°C", "freezer", "power", '"open"'):
            self.assertIn(word, run.stdout)
        self.assertRegex(run.stdout, r"(?i)fir|alarm")
        self.assertNotIn("error", run.stderr)

    def test_it_leaves_no_file_behind(self):
        self.assertEqual(self.command("demo", "--for", "1s").returncode, 0)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
