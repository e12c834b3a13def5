#!/usr/bin/python3
"""Every template that comes with the program is good, and reads a device made of its registers."""
import glob
import os
import re
import struct
import unittest

import harness

FOLDER = os.path.join(harness.ROOT, "config", "templates")
NAMES = sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(FOLDER, "*.cfg")))
COUNTS = {"int32": 2, "uint32": 2, "float32": 2, "int64": 4, "uint64": 4, "float64": 4}
FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q",
           "uint64": ">Q", "float32": ">f", "float64": ">d"}


def read(name):
    with open(os.path.join(FOLDER, name + ".cfg"), encoding="utf-8") as file:
        return file.read()


def setting(text, key, standard=None):
    """A plain value; read here in another way than the gateway does."""
    found = re.search(rf'\b{key} = (?:"([^"]*)"|([^;}}\s]+))', text)
    return (found[1] if found[1] is not None else found[2]) if found else standard


class Channel:
    """One channel of a template, a raw value that it can have, and what that means."""

    def __init__(self, name, text, order, number):
        self.name = name
        self.kind, address = setting(text, "register").split()
        self.address = int(address, 0)
        self.is_bit = self.kind in ("coil", "discrete")
        self.type = setting(text, "type", "uint16")
        self.order = setting(text, "order", order)
        codes = re.findall(r'"(\w+): ([^"]*)"', text)
        exponent = setting(text, "scale_register")
        self.exponent = int(exponent.split()[1], 0) if exponent else None
        scale = float(setting(text, "scale", "1")) * (0.1 if exponent else 1)
        if self.is_bit:
            self.raw, self.value = number % 2, number % 2
        elif codes:
            self.raw, self.value = int(codes[-1][0], 0), codes[-1][1]
        elif self.type.startswith("float"):
            self.raw = self.value = 230.5 + number
        else:
            self.raw = {1: 200 + number, 2: 123456 + number, 4: 12345678901 + number}[self.count]
            self.value = self.raw * scale

    @property
    def count(self):
        return COUNTS.get(self.type, 1)

    def words(self):
        if self.is_bit:
            return [self.raw]
        data = struct.pack(FORMATS[self.type], self.raw)
        words = list(struct.unpack(f">{len(data) // 2}H", data))
        return words[::-1] if self.order == "CDAB" else words

    def sets(self):
        yield f"{self.kind} {self.address}={' '.join(map(str, self.words()))}"
        if self.exponent is not None:
            yield f"{self.kind} {self.exponent}=-1"


def fillers(name):
    """What lies between a value and the register of its scale; set before all that has a meaning."""
    for channel in channels(name):
        if channel.exponent is not None:
            count = channel.exponent - channel.address
            yield f"{channel.kind} {channel.address}={' '.join(['0'] * count)}"


def registers(name):
    return [*fillers(name), *(text for channel in channels(name) for text in channel.sets())]


def channels(name):
    head, _, text = read(name).partition("channels: {")
    found = re.findall(r"^    (\w+): \{(.*?) \}$", text, re.MULTILINE | re.DOTALL)
    order = setting(head, "order", "ABCD")
    return [Channel(channel, body, order, i) for i, (channel, body) in enumerate(found)]


class Templates(harness.Case):
    def test_there_are_the_devices_that_people_have(self):
        self.assertGreaterEqual(len(NAMES), 16)
        listed = self.command("templates", "list").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in listed], NAMES)

    def test_each_is_good_and_fits_a_second_at_9600_baud(self):
        for name in NAMES:
            with self.subTest(template=name):
                check = self.command("check", "--template", os.path.join(FOLDER, name + ".cfg"))
                self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
                self.assertNotIn("warning", check.stdout)
                self.assertIn(f"{len(channels(name))} channels", check.stdout)

    def test_each_is_polled_whole_from_a_device_with_these_registers(self):
        sets = [f"{unit}/{text}" for unit, name in enumerate(NAMES, 1) for text in registers(name)]
        device = self.device("--sparse", *(f"--set={text}" for text in sets))
        self.broker()
        subscriber = self.subscriber()
        devices = "\n".join(f'{name}_1: {{ bus = "plant"; connect = "{device.connect}"; unit = {unit};'
                            f' template = "{name}"; only = "*" }}'
                            for unit, name in enumerate(NAMES, 1))
        self.gateway(self.config(devices, buses='plant: { adapter = "modbus"; timeout = "5s" }'))
        for name in NAMES:
            with self.subTest(template=name):
                self.assert_state(subscriber, name)
        discovery = subscriber.wait("homeassistant/device/*sdm630_1*").json["device"]
        self.assertEqual((discovery["manufacturer"], discovery["model"]), ("Eastron", "SDM630"))

    def assert_state(self, subscriber, name):
        wanted = channels(name)

        def whole(message):
            return all(message.json[channel.name] is not None for channel in wanted)
        state = subscriber.wait(f"t/{name}_1/state", whole).json
        for channel in wanted:
            with self.subTest(channel=channel.name):
                if isinstance(channel.value, str):
                    self.assertEqual(state[channel.name], channel.value)
                else:
                    self.assertAlmostEqual(state[channel.name], channel.value,
                                           delta=1e-6 * abs(channel.value) + 1e-9)

    def test_a_users_own_wins_and_a_device_overrides_it(self):
        os.mkdir(self.path("templates"))
        self.write("templates/sdm120.cfg",
                   'title = "ours"; source = "a note"; model = "other"\n'
                   'channels: { level: { register = "holding 3" }\n'
                   '            extra: { default = false; register = "holding 4"; unit = "V" } }\n')
        device = self.device("--set=holding 3=17 18 19")
        self.broker()
        subscriber = self.subscriber()
        at = f'bus = "plant"; connect = "{device.connect}"; template = "sdm120"'
        self.gateway(self.config(f"a: {{ {at} }}\n"
                                 f'b: {{ {at}; also = [ "ex*" ] }}\n'
                                 f"c: {{ {at}; channels: {{ extra: {{ scale = 2.0 }} }} }}\n"))
        self.assertNotIn("extra", subscriber.state("a", level=17))
        subscriber.state("b", level=17, extra=18)
        subscriber.state("c", level=17, extra=36)

    def check(self, devices):
        text = f'buses: {{ plant: {{ adapter = "modbus"; connect = "tcp://127.0.0.1" }} }}\n{devices}'
        check = self.command("check", self.write("t.cfg", text))
        self.assertEqual(check.returncode, harness.CONFIG_ERROR, check.stdout)
        return check.stdout

    def test_slips_are_said_in_place(self):
        said = self.check('devices: { a: { bus = "plant"; template = "sdm_630" } }\n')
        self.assertIn('t.cfg:2:43: error: there is no template "sdm_630"', said)
        self.assertIn('did you mean "sdm630"?', said)
        self.assertEqual(said.count("error:"), 1)
        said = self.check('devices: { a: { bus = "plant"; template = "sdm630"; only = [ "enrgy*" ] } }\n')
        self.assertIn('template "sdm630" has no channel "enrgy*"', said)
        self.assertIn('there is no template "../t"',
                      self.check('devices: { a: { bus = "plant"; template = "../t" } }\n'))

    def test_a_template_that_is_wrong_is_said_in_its_own_lines(self):
        path = self.write("mine.cfg", 'title = "mine"; source = "none"\n'
                                      'channels: { a: { register = "holding 70000" } }\n')
        check = self.command("check", "--template", path)
        self.assertEqual(check.returncode, harness.CONFIG_ERROR)
        self.assertIn("mine.cfg:2:29: error:", check.stdout)
        path = self.write("mine.cfg", 'titel = "mine"\n')
        self.assertIn('missing setting "title"', self.command("check", "--template", path).stdout)


if __name__ == "__main__":
    harness.main()
