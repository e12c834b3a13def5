#!/usr/bin/python3
"""Configs that are wrong in every way: a clear error at its place and exit status 78, from `check` and
from `run`, and never a crash; what only shows when it runs is a bad quality."""
import os
import unittest

import harness
from harness import CONFIG_ERROR

GOOD = '''gateway: { name = "test" }
buses: { plant: { adapter = "modbus" } }
devices: {
  boiler: { bus = "plant"; connect = "tcp://127.0.0.1:1"; unit = 1; channels: {
    level: { register = "holding 0"; type = "uint16" } } }
}
rules: { warm: { sensor = "boiler.level"; above = 30 } }
'''


class BadFile(harness.Case):
    def refused(self, path, *words):
        """Both commands refuse it; what `check` says has all these words."""
        run = self.command("run", "--config", path)
        self.assertEqual(run.returncode, CONFIG_ERROR, run.stderr)
        check = self.command("check", path)
        said = check.stdout + check.stderr
        self.assertEqual(check.returncode, CONFIG_ERROR, said)
        self.assertIn(os.path.basename(path), said)
        for word in words:
            self.assertIn(word, said)
        return said

    def refused_text(self, text, *words):
        return self.refused(self.write("bad.cfg", text), *words)

    def refused_at(self, text, line, column, *words):
        """The same, with an error at this place."""
        said = self.refused_text(text, *words)
        self.assertRegex(said, rf"(?m)bad\.cfg:{line}:{column}: error: ")
        self.assertRegex(said, r"(?m)^ *\^")

    def change(self, old, new):
        """The good config with one change, and where the change is."""
        self.assertIn(old, GOOD)
        before = GOOD[:GOOD.index(old)]
        line = before.count("\n") + 1
        return GOOD.replace(old, new, 1), line, len(before) - before.rfind("\n")

    def test_the_good_one_is_good(self):
        check = self.command("check", self.write("good.cfg", GOOD))
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_a_file_that_is_not_there(self):
        self.refused(self.path("nowhere.cfg"))

    def test_a_folder(self):
        os.mkdir(self.path("folder.cfg"))
        self.refused(self.path("folder.cfg"))

    def test_a_pipe_does_not_hang(self):
        os.mkfifo(self.path("pipe.cfg"))
        self.refused(self.path("pipe.cfg"))

    def test_a_device_file(self):
        self.refused("/dev/zero")

    @unittest.skipIf(os.getuid() == 0, "root may read everything")
    def test_a_file_that_may_not_be_read(self):
        path = self.write("secret.cfg", GOOD)
        os.chmod(path, 0)
        self.refused(path, "ermission")

    def test_an_empty_file_is_said_to_do_nothing(self):
        run = self.command("check", self.write("empty.cfg", ""))
        self.assertIn(run.returncode, (0, CONFIG_ERROR), run.stderr)
        self.assertTrue(run.stdout + run.stderr)

    def test_a_file_cut_at_every_place(self):
        for length in range(1, len(GOOD) - 2, 7):
            with self.subTest(length=length):
                run = self.command("check", self.write("cut.cfg", GOOD[:length]))
                self.assertIn(run.returncode, (0, CONFIG_ERROR), run.stderr)
                if run.returncode:
                    self.assertRegex(run.stdout + run.stderr, r"cut\.cfg:\d+:\d+: ")

    def test_binary(self):
        self.refused_text(bytes(range(256)) * 50)

    def test_the_gateway_itself_as_config(self):
        with open(harness.BINARY, "rb") as file:
            self.refused_text(file.read(3_000_000))

    def test_no_utf8(self):
        self.refused_text(GOOD.encode().replace(b'"test"', b'"t\xe4st"'))

    def test_a_nul_in_the_middle(self):
        self.refused_text(GOOD.replace("gateway", "gate\0way"))

    def test_five_megabytes(self):
        self.refused_text("# " + "x" * 78 + "\n" + "# comment\n" * 520_000, "4")

    def test_deep_nesting(self):
        self.refused_text("a: { " * 10_000 + "}" * 10_000)

    def test_an_include_is_refused(self):
        self.refused_text('@include "/etc/passwd"\n' + GOOD, "include")

    def test_a_missing_quote(self):
        text, line, _ = self.change('name = "test"', 'name = "test')
        self.assertRegex(self.refused_text(text), r"bad\.cfg:\d+:\d+: ")
        self.assertGreater(line, 0)

    def test_an_unknown_key_has_a_suggestion(self):
        text, line, column = self.change("register =", "regsiter =")
        self.refused_at(text, line, column, "regsiter", "register")

    def test_an_unknown_section(self):
        text, line, column = self.change("devices:", "devises:")
        self.refused_at(text, line, column, "devises", "devices")

    def test_a_wrong_type(self):
        text, line, column = self.change('"holding 0"', "17")
        self.refused_at(text, line, column, "register")

    def test_a_number_out_of_range(self):
        text, line, column = self.change("unit = 1", "unit = 900")
        self.refused_at(text, line, column + len("unit = "), "900")

    def test_an_integer_that_would_wrap(self):
        text, line, _ = self.change("unit = 1", "unit = 4294967297")
        self.assertRegex(self.refused_text(text), rf"bad\.cfg:{line}:\d+: ")

    def test_a_name_given_twice_is_shown_at_both_places(self):
        said = self.refused_text(GOOD + "rules: { }\n", "rules", "line 7, column 1")
        self.assertRegex(said, r"bad\.cfg:8:1: ")

    def test_a_key_given_twice(self):
        text, _, _ = self.change("unit = 1;", "unit = 1; unit = 2;")
        self.refused_text(text, "unit")

    def test_a_bus_that_is_not_there(self):
        text, line, column = self.change('bus = "plant"', 'bus = "plan"')
        self.refused_at(text, line, column + len("bus = "), "plan", "plant")

    def test_a_sensor_that_is_not_there(self):
        text, line, column = self.change('"boiler.level"', '"boiler.levle"')
        self.refused_at(text, line, column, "boiler.level")

    def test_an_adapter_that_is_not_there(self):
        text, line, column = self.change('"modbus"', '"modbuss"')
        self.refused_at(text, line, column, "modbus")

    def test_a_kind_of_register_that_is_not_there(self):
        text, line, column = self.change('"holding 0"', '"holdign 0"')
        self.refused_at(text, line, column, "holding")

    def test_an_address_beyond_the_last(self):
        text, line, column = self.change('"holding 0"', '"holding 65536"')
        self.refused_at(text, line, column)

    def test_a_name_that_is_no_slug(self):
        self.refused_text(GOOD.replace("boiler:", "Boiler:"), "Boiler")

    def test_an_address_of_no_scheme(self):
        text, line, column = self.change('"tcp://127.0.0.1:1"', '"127.0.0.1"')
        self.refused_at(text, line, column, "tcp://")

    def test_all_errors_are_said_at_once(self):
        text = GOOD.replace("type =", "tpye =").replace("above", "abvoe").replace("unit =", "unti =")
        self.refused_text(text, "tpye", "abvoe", "unti")

    def test_a_word_of_the_command_line_that_is_not_known(self):
        for arguments in (["rnu"], ["run", "--frobnicate"], ["run", "--for", "soon"], []):
            with self.subTest(arguments=arguments):
                run = self.command(*arguments)
                self.assertNotIn(run.returncode, (0, CONFIG_ERROR))
                self.assertTrue(run.stderr)


class BadWorld(harness.Case):
    """What no file can tell: places that are not there."""

    def start(self, devices, buses='plant: { adapter = "modbus"; timeout = "300ms" }'):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config(devices, buses=buses))

    def is_bad(self, device, *reasons):
        self.assertIn(self.seen.bad_state(device, "v")[1], reasons)
        self.seen.wait(f"t/{device}/availability", lambda m: m.payload == b"offline")

    def test_a_host_that_does_not_resolve(self):
        self.start('a: { bus = "plant"; connect = "tcp://no-such-host.invalid:502"; unit = 1; '
                   'channels: { v: { register = "holding 0" } } }')
        self.is_bad("a", "disconnected", "timeout")
        self.running.wait_log("no-such-host.invalid")

    def test_a_port_that_nobody_listens_on(self):
        self.start(f'a: {{ bus = "plant"; connect = "tcp://127.0.0.1:{harness.free_port()}"; unit = 1; '
                   'channels: { v: { register = "holding 0" } } }')
        self.is_bad("a", "disconnected", "timeout")

    def test_a_serial_line_that_is_not_there(self):
        self.start('a: { bus = "line"; unit = 1; channels: { v: { register = "holding 0" } } }',
                   'line: { adapter = "modbus"; connect = "serial:/dev/no-such-line"; baud = 19200 }')
        self.is_bad("a", "disconnected", "timeout")
        self.running.wait_log("/dev/no-such-line")

    def test_a_serial_line_that_is_no_line(self):
        self.start('a: { bus = "line"; unit = 1; channels: { v: { register = "holding 0" } } }',
                   f'line: {{ adapter = "modbus"; connect = "serial:{self.write("file", "")}" }}')
        self.is_bad("a", "disconnected", "timeout", "error")

    def test_a_file_that_is_not_there(self):
        self.start('a: { bus = "pi"; channels: { v: { file = "/sys/no/such/temp"; scale = 0.001 } } }',
                   'pi: { adapter = "sysfs" }')
        self.is_bad("a", "no_sensor", "error", "disconnected")

    def test_a_file_without_a_number(self):
        path = self.write("temp", "warm\n")
        self.start(f'a: {{ bus = "pi"; channels: {{ v: {{ file = "{path}" }} }} }}',
                   'pi: { adapter = "sysfs" }')
        self.seen.bad_state("a", "v")

    def test_registers_that_answer_exceptions_only(self):
        device = self.device()
        self.start(f'a: {{ bus = "plant"; connect = "{device.connect}"; unit = 1; channels: {{ '
                   'v: { register = "holding 5000" } w: { register = "input 6000" } } }')
        state, _ = self.seen.bad_state("a", "w")
        self.assertEqual((state["v"], state["w"]), (None, None))
        self.assertEqual(state["quality"], {"v": "exception_2", "w": "exception_2"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
