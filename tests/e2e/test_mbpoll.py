#!/usr/bin/python3
"""Two masters that know nothing of each other, mbpoll (libmodbus) and ours, read the same registers of
pymodbus and agree: over TCP, and over a serial line."""
import os
import re
import struct
import subprocess
import unittest

import harness
from test_serial import Cable

MBPOLL = "/usr/bin/mbpoll"

# 3.14159 and -123456 high word first, then low word first; -2 and 65535 as they are.
FLOAT = struct.unpack(">HH", struct.pack(">f", 3.14159))
WHOLE = struct.unpack(">HH", struct.pack(">i", -123456))
REGISTERS = [*FLOAT, *WHOLE, *reversed(FLOAT), *reversed(WHOLE), 65534, 65535]

CHANNELS = {
    "pi": ("holding 0", "float32", "ABCD"),
    "low": ("holding 2", "int32", "ABCD"),
    "pi_swapped": ("holding 4", "float32", "CDAB"),
    "low_swapped": ("holding 6", "int32", "CDAB"),
    "minus": ("holding 8", "int16", None),
    "most": ("holding 9", "uint16", None),
}


def channel(name):
    register, kind, order = CHANNELS[name]
    return (f'{name}: {{ register = "{register}"; type = "{kind}";'
            + (f' order = "{order}";' if order else "") + " }")


class Mbpoll(harness.Case):
    def poll(self, target, address, kind, *options):
        """One value as mbpoll reads it; it counts references from 1."""
        run = subprocess.run([MBPOLL, "-1", "-q", "-a", "1", "-c", "1", "-r", str(address + 1), "-t", kind,
                              *options, target],
                             capture_output=True, text=True, timeout=harness.SOON, check=False)
        found = re.search(r"^\[\d+\]:\s+(\S+)", run.stdout, re.MULTILINE)
        self.assertTrue(found, run.stdout + run.stderr)
        return float(found.group(1))

    def read_all(self, target, *options):
        return {
            "pi": self.poll(target, 0, "4:float", "-B", *options),
            "low": self.poll(target, 2, "4:int", "-B", *options),
            "pi_swapped": self.poll(target, 4, "4:float", *options),
            "low_swapped": self.poll(target, 6, "4:int", *options),
            "minus": self.poll(target, 8, "4", *options),
            "most": self.poll(target, 9, "4", *options),
        }

    def compare(self, theirs, buses, connect):
        device = (f'm: {{ bus = "b"; {connect} unit = 1; channels: '
                  f'{{ {" ".join(map(channel, CHANNELS))} }} }}')
        self.broker()
        seen = self.subscriber()
        self.gateway(self.config(device, buses=buses))
        ours = seen.state("m", most=65535)
        self.assertAlmostEqual(ours["pi"], theirs["pi"], places=5)
        self.assertAlmostEqual(ours["pi_swapped"], theirs["pi_swapped"], places=5)
        self.assertEqual(ours["low"], theirs["low"])
        self.assertEqual(ours["low_swapped"], theirs["low_swapped"])
        # mbpoll shows registers of 16 bits with a sign behind.
        self.assertEqual(ours["minus"] % 65536, theirs["minus"] % 65536)
        self.assertEqual(ours["most"] % 65536, theirs["most"] % 65536)

    REGISTERS_SET = "holding 0=" + " ".join(map(str, REGISTERS))

    def test_over_tcp(self):
        device = self.device("--set", self.REGISTERS_SET)
        theirs = self.read_all("127.0.0.1", "-p", str(device.port))
        self.compare(theirs, 'b: { adapter = "modbus"; timeout = "2s" }', f'connect = "{device.connect}";')

    def test_over_a_serial_line(self):
        cable = Cable()
        self.addCleanup(cable.pull)
        slave = self.process([harness.PYTHON, os.path.join(harness.TOOLS, "modbus-device"), "--serial",
                              cable.ends[1], "--unit", "1", "--set", self.REGISTERS_SET], "slave")
        self.assertEqual(slave.line(), f"ready {cable.ends[1]}")
        theirs = self.read_all(cable.ends[0], "-m", "rtu", "-b", "19200", "-P", "none")
        self.compare(theirs, f'b: {{ adapter = "modbus"; connect = "serial:{cable.ends[0]}"; baud = 19200; '
                             'timeout = "2s" }', "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
