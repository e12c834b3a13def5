#!/usr/bin/python3
"""1-Wire through Debian's own owserver, on sensors that it makes up."""
import shutil
import unittest

import harness

OWSERVER = shutil.which("owserver") or "/usr/bin/owserver"

# The addresses and values that `owserver --tester` makes of a list of chips.
TESTER = "DS18B20,DS18S20,DS2450,DS2408,DS2413,DS2423,DS2438"
DEVICES = '''
    hall: { bus = "ow"; address = "28.000028D70000" }
    cellar: { bus = "ow"; address = "10-000010ef0100"; channels: { temp: { label = "Keller" } } }
    tank: { bus = "ow"; address = "20.000020DF0200"; channels: {
        level: { property = "volt.A"; unit = "V"; scale = 10; offset = 1 } } }
    relay: { bus = "ow"; address = "29.000029D60300"; channels: {
        pio_0: { property = "PIO.0"; writable = true }
        pio_1: { property = "PIO.1"; writable = true }
        chip: { property = "type"; type = "text" } } }
    meter: { bus = "ow"; address = "1D.00001DE20500"; channels: {
        counter_a: { property = "counter.A"; counter = true }
        nothing: { } } }
    battery: { bus = "ow"; address = "A6.0000A6590600"; channels: { humidity: { } vdd: { property = "VDD" } } }
'''


class Server:
    """An owserver on made-up sensors."""

    def __init__(self, case, *options):
        self.case, self.port, self.options = case, harness.free_port(), options
        self.start()

    def start(self):
        self.process = self.case.process(
            [OWSERVER, "--foreground", "--error_print=2", "-p", f"127.0.0.1:{self.port}",
             *self.options], "owserver")
        harness.wait_for(lambda: harness.can_connect(self.port), saying="owserver")

    def kill(self):
        self.process.kill()


class OwServer(harness.Case):
    def start(self, server, devices=DEVICES, every="200ms"):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config(
            devices, buses=f'ow: {{ adapter = "onewire"; connect = "owserver://127.0.0.1:{server.port}" }}',
            every=every) + f'web: {{ socket = "{self.path("socket")}" }}\n')

    def test_sensors_of_several_families_arrive(self):
        self.start(Server(self, f"--tester={TESTER}"))
        self.seen.state("hall", temp=4)
        self.seen.state("cellar", temp=1.7)
        self.seen.state("tank", level=35)
        self.seen.state("relay", pio_0=0, pio_1=1, chip="DS2408")
        state, why = self.seen.bad_state("meter", "nothing")
        self.assertEqual((state["counter_a"], why), (34, "no_sensor"))
        self.seen.wait("t/battery/state", lambda m: m.json["humidity"] is not None)

    def test_degrees_are_celsius_whatever_the_server_likes(self):
        self.start(Server(self, "--Fahrenheit", f"--tester={TESTER}"))
        self.seen.state("hall", temp=4)

    def test_values_are_not_those_of_a_cache(self):
        server = Server(self, "--fake=28,28,28")
        addresses = self.addresses(server)
        self.start(server, "\n".join(f'd{i}: {{ bus = "ow"; address = "{address}" }}'
                                     for i, address in enumerate(addresses)))
        first = self.seen.wait("t/d0/state", lambda m: m.json["temp"] is not None).json["temp"]
        self.seen.wait("t/d0/state", lambda m: m.json["temp"] not in (None, first))

    def addresses(self, server):
        """Those that --fake has made up."""
        scan = self.command("scan", "onewire", f"owserver://127.0.0.1:{server.port}")
        return [line.split()[0] for line in scan.stdout.splitlines() if line.startswith("28-")]

    def test_thermometers_that_it_has_are_taken_in(self):
        server = Server(self, f"--tester={TESTER}")
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config("", buses=(
            f'ow: {{ adapter = "onewire"; connect = "owserver://127.0.0.1:{server.port}"; '
            'discover = true }')))
        self.seen.state("w1_28_000028d70000", temp=4)
        self.seen.state("w1_10_000010ef0100", temp=1.7)
        self.assertEqual(self.seen.find("t/w1_29*"), [])

    def test_a_server_that_is_killed_and_comes_back(self):
        server = Server(self, f"--tester={TESTER}")
        self.start(server)
        self.seen.state("hall", temp=4)
        since = self.seen.mark()
        server.kill()
        self.assertEqual(self.seen.bad_state("hall", "temp", since)[1], "disconnected")
        self.running.wait_log(f"bus ow: 127.0.0.1:{server.port} is down: ")
        since = self.seen.mark()
        server.start()
        self.seen.state("hall", since, temp=4)
        self.seen.state("relay", since, pio_1=1)
        self.running.wait_log(f"bus ow: 127.0.0.1:{server.port} is up")

    def test_a_server_that_is_not_there_yet(self):
        server = Server(self, f"--tester={TESTER}")
        server.kill()
        self.start(server)
        self.seen.bad_state("hall", "temp")
        server.start()
        self.seen.state("hall", temp=4)

    def test_a_sensor_that_is_not_there_is_no_value_and_takes_no_other_with_it(self):
        self.start(Server(self, f"--tester={TESTER}"),
                   DEVICES + 'gone: { bus = "ow"; address = "28.0000000000FF" }')
        self.assertEqual(self.seen.bad_state("gone", "temp")[1], "no_sensor")
        self.seen.state("hall", temp=4)

    def test_outputs_are_written_and_read_back(self):
        """The made-up DS2408 takes what is written and shows 0 and 1 as before."""
        self.start(Server(self, f"--tester={TESTER}"))
        self.seen.state("relay", pio_0=0, pio_1=1)
        socket = self.path("socket")
        good = self.command("write", "relay.pio_1", "ON", "--socket", socket)
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("relay.pio_1 is", good.stdout)
        differs = self.command("write", "relay.pio_0", "ON", "--socket", socket)
        self.assertNotEqual(differs.returncode, 0)
        self.assertIn("another value was read back", differs.stdout + differs.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
