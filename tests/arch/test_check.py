#!/usr/bin/python3
"""The checker must fail where it should: each test makes a small tree with one fault in it."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class Check(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.TemporaryDirectory()
        self.addCleanup(self.tree.cleanup)
        for door in ("gateway/base/reading.h", "gateway/base/loop_uv.h", "adapters/adapter.h",
                     "adapters/adapters.h", "rules/rules.h", "rules/code.h", "config/config.h",
                     "gateway/core/sink.h", "gateway/core/registry.h", "gateway/mqtt/mqtt.h"):
            self.write(door, "#pragma once\n")

    def write(self, path, text):
        path = os.path.join(self.tree.name, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def check(self):
        run = subprocess.run([sys.executable, os.path.join(HERE, "check.py"),
                              "--root", self.tree.name], capture_output=True, text=True)
        return run.returncode, run.stdout

    def assert_refused(self, path, text, words):
        self.write(path, text)
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn(words, output)
        self.assertIn(path + ":", output)

    def assert_fine(self, path, text):
        self.write(path, text)
        status, output = self.check()
        self.assertEqual(status, 0, output)

    def test_a_tree_that_keeps_the_table_passes(self):
        self.assert_fine("gateway/mqtt/topics.c",
                         '#include <string.h>\n#include <MQTTClient.h>\n'
                         '#include "gateway/base/reading.h"\n#include "gateway/core/sink.h"\n')

    def test_an_empty_tree_is_refused(self):
        with tempfile.TemporaryDirectory() as empty:
            run = subprocess.run([sys.executable, os.path.join(HERE, "check.py"), "--root", empty],
                                 capture_output=True)
        self.assertEqual(run.returncode, 1)

    def test_a_room_that_is_not_in_the_row_is_refused(self):
        self.assert_refused("rules/bad.c", '#include "gateway/mqtt/mqtt.h"\n',
                            "rules may not include mqtt")

    def test_rooms_of_one_level_do_not_know_each_other(self):
        self.assert_refused("adapters/bad.c", '#include "rules/rules.h"\n',
                            "adapters may not include rules")

    def test_base_includes_no_room(self):
        self.assert_refused("gateway/base/bad.h", '#include "config/config.h"\n',
                            "base may not include config")

    def test_only_the_door_of_a_room_is_open(self):
        self.assert_refused("gateway/core/bad.c", '#include "rules/code.h"\n', "no door of rules")

    def test_the_writing_side_of_adapters_is_closed_to_others(self):
        self.assert_refused("gateway/core/bad.c", '#include "adapters/adapter.h"\n',
                            "no door of adapters")

    def test_what_a_room_keeps_is_no_door(self):
        self.assert_refused("rules/bad.c", '#include "gateway/base/loop_uv.h"\n', "no door of base")

    def test_inside_a_room_everything_is_open(self):
        self.assert_fine("rules/fine.c", '#include "rules/code.h"\n')

    def test_a_library_outside_its_home_is_refused(self):
        self.assert_refused("rules/bad.c", "#include <uv.h>\n", "<uv.h> lives in gateway/base/ only")

    def test_a_library_that_nobody_named_is_refused(self):
        self.assert_refused("rules/bad.c", "#include <zlib.h>\n", "in no line of the table")

    def test_an_indented_include_is_seen(self):
        self.assert_refused("rules/bad.c", "  #  include <modbus.h>\n", "lives in adapters/modbus/")

    def test_an_include_that_a_macro_hides_is_refused(self):
        self.assert_refused("rules/bad.c", "#include HEADER\n", "cannot be read")

    def test_includes_are_written_from_the_root(self):
        self.assert_refused("rules/bad.c", '#include "code.h"\n', "not there from the root")

    def test_the_own_header_comes_first(self):
        self.assert_refused("rules/code.c", '#include <string.h>\n#include "rules/code.h"\n',
                            "comes first")

    def test_a_file_outside_the_rooms_is_refused(self):
        self.assert_refused("gateway/stray.c", "int stray;\n", "belongs to no room")

    def test_a_file_that_is_too_long_is_refused(self):
        self.assert_fine("rules/long.c", "int x;\n" * 600)
        self.assert_refused("rules/long.c", "int x;\n" * 601, "601 lines")


if __name__ == "__main__":
    unittest.main()
