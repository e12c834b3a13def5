#!/usr/bin/python3
"""What the README tells people to type and to write works."""
import os
import re
import shlex
import unittest

import harness

README = os.path.join(harness.ROOT, "README.md")


def blocks():
    """(language, text) of every fenced block."""
    with open(README, encoding="utf-8") as file:
        return re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


class Readme(harness.Case):
    def commands(self):
        """Lines of shell blocks, without prompts and comments, as words."""
        for language, text in blocks():
            if language in ("sh", "bash", "console", "shell"):
                for line in text.splitlines():
                    words = shlex.split(line.removeprefix("$ "), comments=True)
                    if words:
                        yield words

    def configs(self):
        return [text for language, text in blocks()
                if language not in ("sh", "bash", "console", "shell")
                and re.search(r"^\s*(buses|devices)\s*[:=]", text, re.MULTILINE)]

    def test_every_config_passes_the_check(self):
        self.assertTrue(self.configs())
        for text in self.configs():
            with self.subTest(config=text):
                check = self.command("check", self.write("readme.cfg", text))
                self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_the_first_config_has_at_most_ten_lines(self):
        self.assertLessEqual(len(self.configs()[0].strip().splitlines()), 10)

    def test_every_command_is_there(self):
        ours = [words for words in self.commands()
                if "/" in words[0] and not words[0].startswith("/")]
        self.assertIn("packaging/quickstart", [words[0].removeprefix("./") for words in ours])
        self.assertIn("tests/run", [words[0].removeprefix("./") for words in ours])
        for words in ours:
            with self.subTest(command=words):
                name = words[0].removeprefix("./")
                built = re.fullmatch(r"build/\w+/gateway/thermogate", name)
                path = harness.BINARY if built else os.path.join(harness.ROOT, name)
                self.assertTrue(os.access(path, os.X_OK), path)

    def file(self, path):
        """A file of ours as it is; for the reader's own, the first config of the README."""
        ours = os.path.join(harness.ROOT, path)
        if not path.startswith("/") and os.path.exists(ours):
            return ours
        return self.write(os.path.basename(path), self.configs()[0])

    def test_the_commands_of_the_gateway_run(self):
        for words in self.commands():
            if os.path.basename(words[0]) != "thermogate":
                continue
            with self.subTest(command=words):
                if words[1] == "run":
                    continue  # needs what the reader has; the other tests run it
                arguments = [self.file(word) if word.endswith(".cfg") else word
                             for word in words[1:]]
                arguments = ["2s" if before == "--for" else word
                             for before, word in zip([""] + arguments, arguments)]
                if arguments[0] == "demo" and "--for" not in arguments:
                    arguments += ["--for", "2s"]
                run = self.command(*arguments, seconds=10 * harness.SLOWNESS)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_files_that_it_names_are_there(self):
        with open(README, encoding="utf-8") as file:
            text = file.read()
        for path in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            with self.subTest(path=path):
                self.assertTrue(os.path.exists(os.path.join(harness.ROOT, path)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
