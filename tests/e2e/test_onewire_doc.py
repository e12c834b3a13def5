#!/usr/bin/python3
"""What packaging/doc/onewire.md tells people to type and to write works."""
import os
import re
import unittest

import harness

DOCUMENT = os.path.join(harness.ROOT, "packaging", "doc", "onewire.md")


def blocks():
    """(language, text) of every fenced block."""
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


class OneWireDoc(harness.Case):
    def configs(self):
        return [text for language, text in blocks()
                if not language and re.search(r"^buses:", text, re.MULTILINE)]

    def test_every_config_passes_the_check(self):
        self.assertGreaterEqual(len(self.configs()), 6)
        for text in self.configs():
            with self.subTest(config=text):
                config = text[text.index("buses:"):] if text.startswith("28-") else text
                check = self.command("check", self.write("doc.cfg", config))
                self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_a_scan_prints_what_is_shown(self):
        """But for the folder of the test, which the shown one has not."""
        shown = next(text for text in self.configs() if text.startswith("28-"))
        sensors = [line.split() for line in shown.splitlines() if line.startswith("28-")]
        tree = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "w1-tree"), self.path("w1"),
                             *(f"{row[0]}={row[3]}" for row in sensors), "--convert", "0.01"], "w1-tree")
        tree.line()
        scan = self.command("scan", "onewire", f"sysfs:{self.path('w1')}")
        said = scan.stdout.replace(f'; connect = "sysfs:{self.path("w1")}"', "")
        self.assertEqual(sorted(said.split("\n")), sorted(shown.split("\n")))

    def test_the_commands_are_there(self):
        commands = [line for language, text in blocks() if language == "sh"
                    for line in text.splitlines()]
        self.assertIn("thermogate scan onewire", commands)

    def test_the_line_of_config_txt_is_that_of_the_messages(self):
        line = next(text for _, text in blocks() if text.startswith("dtoverlay")).strip()
        scan = self.command("scan", "onewire", f"sysfs:{self.path('nowhere')}")
        self.assertIn(f"add {line} to config.txt", scan.stderr)

    def test_every_quality_is_one(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            rows = re.findall(r"^\| `(\w+)` \|", file.read(), re.MULTILINE)
        with open(os.path.join(harness.ROOT, "gateway", "base", "reading.c"), encoding="utf-8") as file:
            names = re.findall(r'\] = "(\w+)"', file.read())
        self.assertTrue(rows)
        self.assertEqual(set(rows) - set(names), set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
