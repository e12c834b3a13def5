#!/usr/bin/python3
"""What the README and the documents tell people to type and to write works."""
import glob
import os
import re
import shlex
import subprocess
import unittest

import harness
from test_serial import Cable

README = os.path.join(harness.ROOT, "README.md")
DOCUMENTS = [README, *sorted(glob.glob(os.path.join(harness.ROOT, "packaging", "doc", "*.md")))]
SHELL = ("sh", "bash", "console", "shell")

# Needs what only the reader has; that such a command exists is tested all the same.
ELSEWHERE = ("run", "status", "write", "history", "reload", "rules", "simulate", "doctor", "setup")


class Document:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        with open(path, encoding="utf-8") as file:
            self.text = file.read()

    def blocks(self):
        """(words before it, language, text) of every fenced block."""
        parts = re.split(r"^```(\w*)\n(.*?)^```$", self.text, flags=re.MULTILINE | re.DOTALL)
        return zip(parts[0::3], parts[1::3], parts[2::3])

    def commands(self):
        """Lines of shell blocks, without prompts and comments, as words."""
        for _, language, text in self.blocks():
            if language in SHELL:
                for line in text.splitlines():
                    words = shlex.split(line.removeprefix("$ "), comments=True)
                    if words:
                        yield words

    def ours(self):
        return [words for words in self.commands() if os.path.basename(words[0]) == "thermogate"]

    def configs(self):
        return [text for _, language, text in self.blocks()
                if language not in SHELL and re.search(r"^\s*(buses|devices)\s*[:=]", text, re.MULTILINE)]

    def files(self):
        """(name, text) of the blocks whose paragraph ends with the name of a file."""
        for before, language, text in self.blocks():
            named = re.search(r"`([\w.-]+\.(?:cfg|csv))`:\n+$", before)
            if named and language not in SHELL:
                yield named[1], text


class Documents(harness.Case):
    def setUp(self):
        super().setUp()
        self.documents = [Document(path) for path in DOCUMENTS]
        self.devices = {}

    def assert_good(self, run):
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def write_files(self, document):
        for name, text in document.files():
            self.write(name, text)

    def test_every_config_passes_the_check(self):
        for document in self.documents:
            self.write_files(document)
            for text in document.configs():
                with self.subTest(document=document.name, config=text):
                    self.assert_good(self.command("check", self.write("document.cfg", text)))

    def test_the_first_config_of_the_readme_has_at_most_ten_lines(self):
        self.assertLessEqual(len(self.documents[0].configs()[0].strip().splitlines()), 10)

    def test_every_command_is_there(self):
        for document in self.documents:
            for words in document.commands():
                if "/" not in words[0] or words[0].startswith("/"):
                    continue
                with self.subTest(document=document.name, command=words):
                    name = words[0].removeprefix("./")
                    built = re.fullmatch(r"build/\w+/gateway/thermogate", name)
                    path = harness.BINARY if built else os.path.join(harness.ROOT, name)
                    self.assertTrue(os.access(path, os.X_OK), path)
        readme = [words[0].removeprefix("./") for words in self.documents[0].commands()]
        self.assertIn("packaging/quickstart", readme)
        self.assertIn("tests/run", readme)

    def test_every_command_of_the_gateway_knows_its_options(self):
        for document in self.documents:
            for words in document.ours():
                with self.subTest(document=document.name, command=words):
                    self.assert_good(self.command(*words[1:], "--help"))

    def cable(self):
        """A line with the device of the documents at its end: an XY-MD02 as unit 5."""
        if "cable" not in self.devices:
            cable = Cable()
            self.addCleanup(cable.pull)
            slave = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "modbus-device"),
                                  "--serial", cable.ends[1], "--sparse", "--set=5/input 1=215 480",
                                  "--set=5/holding 257=5"], "slave")
            self.assertEqual(slave.line(), f"ready {cable.ends[1]}")
            self.addCleanup(slave.kill)
            self.devices["cable"] = f"serial:{cable.ends[0]}"
        return self.devices["cable"]

    def network(self):
        if "network" not in self.devices:
            self.devices["network"] = self.device("--set=input 0=17254 32768").connect
        return self.devices["network"]

    def wire(self):
        """The kernel's folder of 1-Wire sensors, with two of them."""
        subprocess.run([harness.PYTHON, os.path.join(harness.TOOLS, "w1-tree"), self.path("w1"),
                        "28-0316a2794aff=21.5", "28-0316a27950c1=-18.25"], check=True,
                       timeout=harness.SOON)
        return f"sysfs:{self.path('w1')}"

    def file(self, document, path):
        """A file of ours as it is; one that the document has; else its first config."""
        ours = os.path.join(harness.ROOT, path)
        if not path.startswith("/") and os.path.exists(ours):
            return ours
        named = dict(document.files())
        name = os.path.basename(path)
        return self.write(name, named.get(name) or document.configs()[0])

    def stand_in(self, document, before, word):
        if word.endswith(".cfg"):
            return self.file(document, word)
        if word.startswith("serial:"):
            return self.cable()
        if word.startswith("tcp:"):
            return self.network()
        return "2s" if before == "--for" else word

    def test_the_commands_of_the_gateway_run(self):
        for document in self.documents:
            for words in document.ours():
                if words[1] in ELSEWHERE:
                    continue
                with self.subTest(document=document.name, command=words):
                    arguments = [self.stand_in(document, before, word)
                                 for before, word in zip(words, words[1:])]
                    if arguments[0] == "demo" and "--for" not in arguments:
                        arguments += ["--for", "2s"]
                    if arguments == ["scan", "onewire"]:
                        arguments += [self.wire()]
                    self.assert_good(self.command(*arguments, seconds=60 * harness.SLOWNESS))

    def test_files_that_they_name_are_there(self):
        for document in self.documents:
            for path in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.text):
                with self.subTest(document=document.name, path=path):
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(document.path), path)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
