#!/usr/bin/python3
"""Modbus by hand: `read` and `scan modbus`, over TCP and over a serial line."""
import json
import os
import signal
import subprocess
import unittest

import harness
from test_serial import Cable

# What units of a line hold; nothing else is there.
SDM630 = ["1/input 0=0x4366 0x8000 0x4366 0x8000", "1/input 70=0x4248 0", "1/input 346=0 0"]
XY_MD02 = ["5/input 1=215 480", "5/holding 257=5"]
STRANGE = ["9/holding 5=3"]


def sets(texts):
    """In the numbers that modbus-device takes."""
    for text in texts:
        where, _, values = text.partition("=")
        yield f"--set={where}=" + " ".join(str(int(value, 0)) for value in values.split())


class ModbusTools(harness.Case):
    def run_good(self, *arguments):
        run = self.command(*arguments, seconds=60 * harness.SLOWNESS)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def scan(self, address, *options):
        return self.run_good("scan", "modbus", address, "--timeout", f"{100 * harness.SLOWNESS}ms",
                             *options)

    def assert_good_config(self, text):
        check = self.command("check", self.write("found.cfg", text))
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_a_scan_finds_units_and_knows_their_templates(self):
        device = self.device("--sparse", *sets(SDM630 + XY_MD02 + STRANGE))
        found = self.scan(device.connect, "--unit", "1-9")
        self.assertIn('sdm630_1: { bus = "found"; unit = 1; template = "sdm630" }', found)
        self.assertIn('xy_md02_5: { bus = "found"; unit = 5; template = "xy_md02" }', found)
        self.assertIn("device_9: {", found)
        self.assertNotIn("unit = 2", found)
        self.assert_good_config(found)

    def test_a_device_is_asked_what_it_is(self):
        cable = self.plug_in(*XY_MD02, identity="Acme;B2;1.0")
        found = self.scan(f"serial:{cable.ends[0]}", "--unit", "5")
        self.assertIn("# it says: Acme B2 1.0", found)
        self.broker()
        socket = self.path("api.sock")
        bus = f'rs485: {{ adapter = "modbus"; connect = "serial:{cable.ends[0]}" }}'
        self.gateway(self.config('climate: { bus = "rs485"; unit = 5; template = "xy_md02" }',
                                 buses=bus) + f'web: {{ socket = "{socket}" }}\n').wait_log("is up")
        found = self.scan(f"serial:{cable.ends[0]}", "--unit", "5", "--socket", socket)
        self.assertIn("# it says: Acme B2 1.0", found)
        self.assertIn('bus = "rs485"', found)

    def test_progress_is_shown_and_ctrl_c_ends_it_with_what_was_found(self):
        device = self.device("--sparse", *sets(XY_MD02))
        screen, terminal = os.openpty()
        self.addCleanup(os.close, screen)
        scan = subprocess.Popen([harness.BINARY, "scan", "modbus", device.connect, "--timeout", "1s",
                                 "--unit", "5-247"], stdout=subprocess.PIPE, stderr=terminal, text=True)
        self.addCleanup(scan.wait)
        self.addCleanup(scan.kill)
        self.addCleanup(scan.stdout.close)
        os.close(terminal)
        shown = ""
        while "1 found, at most " not in shown:
            shown += os.read(screen, 4096).decode()
        self.assertRegex(shown, r"tcp://127\.0\.0\.1:\d+: unit \d+, 1 found, at most \d+m")
        scan.send_signal(signal.SIGINT)
        self.assertIn('template = "xy_md02"', scan.stdout.read())
        self.assertEqual(scan.wait(harness.SOON), 0)

    def test_a_scan_answers_programs(self):
        device = self.device("--sparse", *sets(XY_MD02))
        found = json.loads(self.scan(device.connect, "--unit", "4-5", "--json"))
        self.assertEqual(found["connect"], device.connect)
        self.assertEqual([unit["unit"] for unit in found["devices"]], [5])
        self.assertIn("xy_md02", found["devices"][0]["templates"])

    def test_who_answers_as_every_unit_is_found_once(self):
        found = self.scan(self.device("--set=holding 0=1").connect)
        self.assertIn("# it answers as every unit", found)
        self.assertEqual(found.count("unit = "), 1)

    def test_where_nobody_answers_it_says_so(self):
        run = self.command("scan", "modbus", f"tcp://127.0.0.1:{harness.free_port()}", "--unit", "1")
        self.assertEqual(run.returncode, 1)
        self.assertIn("nobody answers: 127.0.0.1:", run.stderr)

    def test_a_line_that_is_not_there_is_tried_once(self):
        run = self.command("scan", "modbus", "serial:/dev/no-such-line")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.count("trying"), 1)
        self.assertIn("is the stick plugged in?", run.stderr)

    def plug_in(self, *texts, identity=""):
        """A line with these devices; the first end is the gateway's."""
        cable = Cable()
        self.addCleanup(cable.pull)
        slave = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "modbus-device"), "--serial",
                              cable.ends[1], "--sparse", "--identity", identity, *sets(texts)], "slave")
        self.assertEqual(slave.line(), f"ready {cable.ends[1]}")
        self.addCleanup(slave.kill)
        return cable

    def test_a_line_is_scanned_and_read(self):
        cable = self.plug_in(*XY_MD02)
        found = self.scan(f"serial:{cable.ends[0]}", "--unit", "4-5")
        self.assertIn("baud = 9600", found)
        self.assertIn('template = "xy_md02"', found)
        self.assert_good_config(found)
        read = self.run_good("read", f"serial:{cable.ends[0]}", "input 1", "2", "--unit", "5")
        self.assertRegex(read, r"input 1 +0x00d7 .. +215 ")

    def test_a_line_that_the_gateway_holds_is_asked_through_it(self):
        cable = self.plug_in(*XY_MD02, *STRANGE)
        self.broker()
        subscriber = self.subscriber()
        socket = self.path("api.sock")
        config = self.config('climate: { bus = "rs485"; unit = 5; template = "xy_md02" }',
                             buses=f'rs485: {{ adapter = "modbus"; connect = "serial:{cable.ends[0]}" }}')
        self.gateway(config + f'web: {{ socket = "{socket}" }}\n')
        subscriber.state("climate", temperature=21.5)
        os.symlink(cable.ends[0], self.path("line"))
        line = "serial:" + self.path("line")
        read = self.run_good("read", line, "input 1", "2", "--unit", "5", "--socket", socket)
        self.assertRegex(read, r"input 1 +0x00d7 .. +215 ")
        self.assertIn("holding 5", self.run_good("read", line, "holding 5", "1", "--unit", "9",
                                                 "--socket", socket))
        found = self.scan(line, "--unit", "4-9", "--socket", socket)
        self.assertIn('xy_md02_5: { bus = "rs485"; unit = 5; template = "xy_md02" }', found)
        self.assertIn('device_9: { bus = "rs485"; unit = 9', found)
        self.assertNotIn("buses:", found)
        mark = subscriber.mark()
        subscriber.state("climate", since=mark, temperature=21.5)
        run = self.command("read", line, "input 7", "--unit", "5", "--socket", socket)
        self.assertIn("exception_2", run.stderr)
        run = self.command("read", line, "input 1", "--unit", "5", "--socket", self.path("none"))
        self.assertEqual(run.returncode, 1)

    def test_a_line_is_shared_with_other_masters(self):
        cable = self.plug_in(*XY_MD02, *STRANGE)
        self.broker()
        subscriber = self.subscriber()
        shared = f"tcp://127.0.0.1:{harness.free_port()}"
        bus = (f'rs485: {{ adapter = "modbus"; connect = "serial:{cable.ends[0]}"; share = "{shared}"; '
               'share_fresh = "10s" }')
        self.gateway(self.config('climate: { bus = "rs485"; unit = 5; template = "xy_md02" }', buses=bus))
        subscriber.state("climate", temperature=21.5)
        self.assertRegex(self.run_good("read", shared, "input 1", "2", "--unit", "5"), r"0x00d7 .. +215 ")
        self.assertIn("holding 5", self.run_good("read", shared, "holding 5", "1", "--unit", "9"))
        self.assertIn("exception_11", self.command("read", shared, "input 1", "--unit", "7",
                                                   "--timeout", "5s").stderr)
        self.assertIn('unit = 5; template = "xy_md02"', self.scan(shared, "--unit", "5", "--timeout", "5s"))

    def gateway_at_the_only_connection(self, *, bus="", **settings):
        """A gateway before a device that takes no second connection; its API's socket."""
        device = self.device(*(f"--set={place}={value}" for place, value in settings.values()))
        self.only = harness.Proxy(device.port)
        self.addCleanup(self.only.close)
        self.connect = f"tcp://127.0.0.1:{self.only.port}"
        self.broker()
        subscriber = self.subscriber()
        socket = self.path("api.sock")
        config = self.config('meter: { bus = "plant"; channels: { a: { register = "input 0" } } }',
                             buses=f'plant: {{ adapter = "modbus"; connect = "{self.connect}"; {bus} }}')
        self.gateway(config + f'web: {{ socket = "{socket}" }}\n')
        subscriber.state("meter", a=7)
        self.only.is_open = False
        return socket

    def test_a_connection_that_the_gateway_has_is_used_by_read_and_scan(self):
        socket = self.gateway_at_the_only_connection(a=("input 0", 7), b=("input 1", 215))
        read = self.run_good("read", self.connect, "input 1", "--socket", socket)
        self.assertRegex(read, r"input 1 +0x00d7 .. +215 ")
        found = self.scan(self.connect, "--unit", "1", "--socket", socket)
        self.assertIn('bus = "plant"; unit = 1', found)
        run = self.command("read", self.connect, "input 1", "--socket", self.path("none"))
        self.assertEqual(run.returncode, 1)

    def test_status_tells_how_a_bus_does(self):
        socket = self.gateway_at_the_only_connection(a=("input 0", 7))
        self.assertRegex(self.run_good("status", "--socket", socket),
                         r"plant +\d+ % busy, \d+ requests: 0 timeouts, 0 damaged")
        status = json.loads(self.run_good("status", "--json", "--socket", socket))
        self.assertGreater(status["traffic"]["bus_requests"]["plant"], 0)
        self.assertEqual(status["traffic"]["bus_timeouts"]["plant"], 0)

    def mbpoll(self, port, register, *values):
        """Reads a holding register with another master, or writes it."""
        return subprocess.run(["/usr/bin/mbpoll", "-1", "-q", "-m", "tcp", "-p", str(port), "-a", "1", "-t", "4",
                               "-o", "10", "-r", str(register + 1), "127.0.0.1", *map(str, values)],
                              capture_output=True, text=True, timeout=harness.SOON, check=False)

    def share(self, **options):
        port = harness.free_port()
        more = "".join(f" {key} = {value};" for key, value in options.items())
        self.gateway_at_the_only_connection(a=("input 0", 7), h=("holding 3", 1),
                                            bus=f'share = "tcp://127.0.0.1:{port}";{more}')
        return port

    def test_a_connection_is_shared_with_a_master_who_may_write(self):
        port = self.share(share_write="true")
        self.assertRegex(self.mbpoll(port, 3).stdout, r"\[4\]:\s+1\b")
        self.assertEqual(self.mbpoll(port, 3, 4660).returncode, 0)
        self.assertRegex(self.mbpoll(port, 3).stdout, r"\[4\]:\s+4660\b")
        self.assertEqual(self.mbpoll(port, 3, 5, 6).returncode, 0)
        self.assertRegex(self.mbpoll(port, 4).stdout, r"\[5\]:\s+6\b")

    def test_nobody_writes_through_a_share_where_it_is_not_said(self):
        port = self.share()
        self.assertNotEqual(self.mbpoll(port, 3, 4660).returncode, 0)
        self.assertRegex(self.mbpoll(port, 3).stdout, r"\[4\]:\s+1\b")

    def test_a_range_is_shown_in_all_types_and_orders(self):
        device = self.device("--set=input 0=17254 32768", "--set=coil 3=1")
        read = self.run_good("read", device.connect, "input 0", "2")
        self.assertRegex(read, r"float32 +230\.5 ")
        self.assertRegex(read, r"uint32 +1130790912 +2147500902 ")
        values = json.loads(self.run_good("read", device.connect, "input 0", "2", "--json"))
        self.assertEqual(values[0]["float32"]["ABCD"], 230.5)
        self.assertEqual(values[1]["raw"], 32768)
        self.assertIn("coil 3      1", self.run_good("read", device.connect, "coil 0", "5"))

    def test_what_cannot_be_read_is_said(self):
        device = self.device()
        run = self.command("read", device.connect, "input 119", "2")
        self.assertEqual(run.returncode, 1)
        self.assertIn("unit 1, input 119: exception_2", run.stderr)
        for words, said in ((("inptu 0",), "did you mean"), (("input 0", "126"), "1 to 125"),
                            (("input 0", "1", "--unit", "x"), "units go from 0 to 255")):
            run = self.command("read", device.connect, *words)
            self.assertEqual(run.returncode, 2)
            self.assertIn(said, run.stderr)


if __name__ == "__main__":
    harness.main()
