#!/usr/bin/python3
"""Modbus over a serial line: two pseudo-terminals, joined like the two ends of a cable, with a slave of
pymodbus at the other end."""
import os
import select
import threading
import tty
import unittest

import harness


class Cable:
    """What is written at one end is read at the other; `pull()` takes both ends away."""

    def __init__(self):
        self.masters, self.slaves = zip(*(os.openpty() for _ in range(2)))
        for slave in self.slaves:
            tty.setraw(slave)
        self.ends = [os.ttyname(slave) for slave in self.slaves]
        self.pulled_read, self.pulled_write = os.pipe()
        self.carrier = threading.Thread(target=self._carry, daemon=True)
        self.carrier.start()

    def _carry(self):
        other = dict(zip(self.masters, reversed(self.masters)))
        while True:
            ready, _, _ = select.select([*self.masters, self.pulled_read], [], [])
            if self.pulled_read in ready:
                return
            for master in ready:
                os.write(other[master], os.read(master, 4096))

    def pull(self):
        if self.carrier.is_alive():
            os.write(self.pulled_write, b"x")
            self.carrier.join()
            for fd in (*self.masters, *self.slaves, self.pulled_read, self.pulled_write):
                os.close(fd)


class Serial(harness.Case):
    def plug_in(self, *options):
        """A cable with a slave at its end; the near end is always found under the same name."""
        cable = Cable()
        self.addCleanup(cable.pull)
        slave = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "modbus-device"), "--serial",
                              cable.ends[1], "--unit", "1", *options], "slave")
        self.assertEqual(slave.line(), f"ready {cable.ends[1]}")
        self.addCleanup(slave.kill)
        if os.path.islink(self.path("ttyUSB0")):
            os.unlink(self.path("ttyUSB0"))
        os.symlink(cable.ends[0], self.path("ttyUSB0"))
        return cable

    def start(self, devices, rules=""):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config(devices, rules, buses=(
            f'line: {{ adapter = "modbus"; connect = "serial:{self.path("ttyUSB0")}"; baud = 19200; '
            'parity = "even"; timeout = "200ms" }')))

    METER = ('meter: { bus = "line"; unit = 1; channels: { power: { register = "holding 0"; '
             'type = "uint32" } temp: { register = "input 5"; type = "int16"; scale = 0.1 } } }')

    def test_values_arrive(self):
        self.plug_in("--set", "holding 0=1 34464", "--set", "input 5=-35")
        self.start(self.METER)
        self.seen.state("meter", power=100000, temp=-3.5)

    def test_a_slave_that_is_not_there_takes_no_other_with_it(self):
        self.plug_in("--set", "holding 0=0 7")
        self.start(self.METER + ' gone: { bus = "line"; unit = 9; channels: { v: { register = '
                   '"holding 0" } } }')
        self.assertEqual(self.seen.bad_state("gone", "v")[1], "timeout")
        since = self.seen.mark()
        for _ in range(5):
            self.seen.state("meter", since, power=7)
            since = self.seen.mark()

    def test_a_stick_that_is_pulled_and_plugged_in_again(self):
        """Then the bus is down, and that is all that people are told; also one that is silent is not up."""
        cable = self.plug_in("--set", "holding 0=0 7")
        say = 'equals = 0; on_fire = ( {{ publish = "alarm/{0}"; payload = "" }} )'
        self.start(self.METER + 'gone: { bus = "line"; unit = 9; channels: { v: { register = "holding 0" } } }',
                   f'line: {{ sensor = "line.online"; {say.format("line")} }}\n'
                   f'meter: {{ sensor = "meter.online"; {say.format("meter")} }}')
        self.seen.state("meter", power=7)
        self.seen.bad_state("gone", "v")
        since = self.seen.mark()
        cable.pull()
        self.seen.wait("alarm/line", since=since)
        self.seen.bad_state("meter", "power", since)
        self.seen.wait("t/meter/availability", lambda m: m.payload == b"offline", since)
        since = self.seen.mark()
        self.plug_in("--set", "holding 0=0 8")
        self.seen.state("meter", since, power=8)
        self.seen.wait("t/meter/availability", lambda m: m.payload == b"online", since)
        self.assertFalse(self.seen.find("alarm/meter"))

    def test_it_ends_within_a_second_while_nobody_answers(self):
        self.plug_in()
        self.start('gone: { bus = "line"; unit = 9; channels: { v: { register = "holding 0" } } }')
        self.seen.wait("t/status", lambda m: m.payload == b"online")
        status, seconds = self.running.stop()
        self.assertEqual(status, 0, self.running.errors())
        self.assertLess(seconds, 1.0 * harness.SLOWNESS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
