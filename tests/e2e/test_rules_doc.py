#!/usr/bin/python3
"""Every example in the documents of the rules is a test that passes."""
import os
import re
import shutil
import unittest

import harness

FOLDER = os.path.join(harness.ROOT, "packaging", "doc")
FREEZER = '''
| rules: { freezer_warm: { sensor = "freezer.temp"; above = -15.0; for = "10m"; ack = true
|     severity = "critical"; notify = "phone"; message = "Freezer at {value}" } }
'''


def examples(name):
    """The blocks of a document that are tests."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        blocks = re.findall(r"^```\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if re.search("^test ", block, re.MULTILINE)]


class RulesDoc(harness.Case):
    def run_examples(self, name, least, before=""):
        shutil.copy(os.path.join(harness.ROOT, "tests", "rules", "house.cfg"),
                    self.path("thermogate.cfg"))
        self.assertGreaterEqual(len(examples(name)), least)
        for block in examples(name):
            with self.subTest(example=block):
                config = "" if "config thermogate.cfg" in block else "config thermogate.cfg\n"
                test = self.command("rules", "test", self.write("example.test",
                                                                config + before + block))
                self.assertEqual(test.returncode, 0, test.stdout + test.stderr)

    def test_those_of_the_tests_themselves(self):
        self.run_examples("rules-test.md", 2, FREEZER)

    def test_those_of_the_language(self):
        self.run_examples("rules.md", 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
