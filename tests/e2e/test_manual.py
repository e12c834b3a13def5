#!/usr/bin/python3
"""What the manual pages show works, and the completion of the shell knows what the program knows."""
import os
import re
import subprocess
import unittest

import harness

MAN = os.path.join(harness.ROOT, "packaging", "man")
COMPLETION = os.path.join(harness.ROOT, "packaging", "completion", "thermogate.bash")
# What the rules of examples are about.
WORLD = """
buses: { sim: { adapter = "sim" } }
devices: {
  freezer: { bus = "sim"; channels: { temp: { wave = "sine"; low = 2; high = 5 } } }
  living:  { bus = "sim"; channels: { temp: { wave = "sine"; low = 2; high = 5 } } }
  outside: { bus = "sim"; channels: { temp: { wave = "sine"; low = 2; high = 5 %s } } } }
"""


def examples(page):
    """The text of every block between .EX and .EE, as a reader sees it."""
    with open(os.path.join(MAN, page), encoding="utf-8") as file:
        blocks = re.findall(r"^\.EX\n(.*?)^\.EE$", file.read(), re.MULTILINE | re.DOTALL)
    return [block.replace(r"\-", "-").replace(r"\e", "\\") for block in blocks]


class Manual(harness.Case):
    def check(self, *files):
        folder = os.path.join(self.folder, "etc")
        os.makedirs(os.path.join(folder, "conf.d"), exist_ok=True)
        self.write("etc/thermogate.cfg", files[0])
        self.write("etc/conf.d/more.cfg", "".join(files[1:]))
        check = self.command("check", os.path.join(folder, "thermogate.cfg"))
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_configs_are_good(self):
        configs = examples("thermogate.cfg.5.in")
        self.assertEqual(len(configs), 1)
        self.check(configs[0])

    def test_rules_are_good(self):
        rules, limits = examples("thermogate-rules.7")
        self.check(rules, WORLD % "")
        self.check(WORLD % limits)

    def test_commands_are_there(self):
        named = [name for block in examples("thermogate.1.in")
                 for name in re.findall(r"^thermogate (.*?)(?: --.*)?$", block, re.MULTILINE)]
        self.assertIn("demo", named)
        for name in named:
            self.assertIn(name, self.names())

    def usages(self):
        lines = self.command("--help").stdout.splitlines()
        return [line[2:].split("  ")[0] for line in lines if re.match(r"  [a-z]", line)]

    def names(self):
        return [re.match(r"[a-z]+( [a-z]+)?", usage).group() for usage in self.usages()]

    def complete(self, *words):
        script = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _thermogate "$1"; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, COMPLETION, harness.BINARY, *words],
                              capture_output=True, text=True, check=True, cwd=self.folder)
        return done.stdout.split()

    def test_the_shell_completes_every_command(self):
        for name in self.names():
            words = name.split()
            with self.subTest(command=name):
                self.assertIn(words[-1], self.complete(*words[:-1], ""))

    def test_the_shell_completes_the_options_of_a_command(self):
        for usage in self.usages():
            name = re.match(r"[a-z]+( [a-z]+)?", usage).group()
            with self.subTest(command=name):
                offered = self.complete(*name.split(), "--")
                self.assertTrue(set(re.findall(r"--[a-z]+", usage)) <= set(offered), offered)

    def test_the_shell_completes_names_of_templates(self):
        self.assertEqual(self.complete("templates", "show", "sdm63"), ["sdm630"])

    def test_the_shell_completes_files(self):
        self.write("mine.cfg", "")
        self.assertEqual(self.complete("check", "mi"), ["mine.cfg"])
        self.assertEqual(self.complete("run", "--config", "mi"), ["mine.cfg"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
