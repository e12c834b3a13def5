#!/usr/bin/python3
"""What packaging/doc/onewire.md shows of a scan, and says of config.txt and of reasons, is so. Its configs
and commands are those of test_documents.py."""
import os
import re
import unittest

import harness
from test_documents import Document

DOCUMENT = Document(os.path.join(harness.ROOT, "packaging", "doc", "onewire.md"))


class OneWireDoc(harness.Case):
    def block(self, start):
        return next(text for _, _, text in DOCUMENT.blocks() if text.startswith(start))

    def test_a_scan_prints_what_is_shown(self):
        """But for the folder, which is the test's."""
        rows, config = self.block("28-"), DOCUMENT.configs()[0]
        sensors = [row.split() for row in rows.splitlines()]
        tree = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "w1-tree"), self.path("w1"),
                             *(f"{row[0]}={row[3]}" for row in sensors), "--convert", "0.01"], "w1-tree")
        self.assertEqual(tree.line(), f"ready {self.path('w1')}")
        scan = self.command("scan", "onewire", f"sysfs:{self.path('w1')}")
        said = scan.stdout.replace(f'; connect = "sysfs:{self.path("w1")}"', "")
        self.assertEqual(sorted(said.splitlines()), sorted(f"{rows}\n{config}".splitlines()))

    def test_the_line_of_config_txt_is_that_of_the_messages(self):
        scan = self.command("scan", "onewire", f"sysfs:{self.path('nowhere')}")
        self.assertIn(f"add {self.block('dtoverlay').strip()} to config.txt", scan.stderr)

    def test_every_quality_is_one(self):
        rows = re.findall(r"^\| `(\w+)` \|", DOCUMENT.text, re.MULTILINE)
        with open(os.path.join(harness.ROOT, "gateway", "base", "reading.c"), encoding="utf-8") as file:
            names = re.findall(r'\] = "(\w+)"', file.read())
        self.assertTrue(rows)
        self.assertEqual(set(rows) - set(names), set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
