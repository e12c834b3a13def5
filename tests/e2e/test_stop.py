#!/usr/bin/python3
"""How it ends: orderly, and within a second whatever hangs."""
import signal
import time
import unittest

import harness
from harness import SLOWNESS


class Stop(harness.Case):
    def devices(self, connect):
        return (f'boiler: {{ bus = "plant"; connect = "{connect}"; unit = 1; channels: {{ '
                'level: { register = "holding 0"; type = "uint16" } } }')

    def start(self, connect=None, *options):
        connect = connect or self.device("--set", "holding 0=5").connect
        self.broker()
        self.seen = self.subscriber()
        return self.gateway(self.config(self.devices(connect)), *options)

    def ends_well(self, gateway, signum):
        self.seen.state("boiler", level=5)
        since = self.seen.mark()
        status, seconds = gateway.stop(signum)
        self.assertEqual(status, 0, gateway.errors())
        self.assertLess(seconds, 1.0 * SLOWNESS)
        self.seen.wait("t/status", lambda m: m.payload == b"offline", since)
        self.subscriber().wait("t/status", lambda m: m.retained and m.payload == b"offline")

    def test_sigterm_says_offline_and_ends_within_a_second(self):
        self.ends_well(self.start(), signal.SIGTERM)

    def test_sigint_says_offline_and_ends_within_a_second(self):
        self.ends_well(self.start(), signal.SIGINT)

    def test_run_for_ends_by_itself(self):
        started = time.monotonic()
        gateway = self.start(None, "--for", "3s")
        self.assertEqual(gateway.wait_end(), 0)
        self.assertGreater(time.monotonic() - started, 2.9)
        self.assertLess(time.monotonic() - started, 5 * SLOWNESS)
        self.seen.wait("t/boiler/state", lambda m: m.json["level"] == 5)
        self.seen.wait("t/status", lambda m: m.payload == b"offline")

    def test_a_device_that_hangs_holds_nothing_up(self):
        gateway = self.start(harness.SilentDevice(self).connect)
        self.seen.wait("t/status", lambda m: m.payload == b"online")
        status, seconds = gateway.stop()
        self.assertEqual(status, 0, gateway.errors())
        self.assertLess(seconds, 1.0 * SLOWNESS)

    def test_a_broker_that_hangs_holds_nothing_up(self):
        gateway = self.start()
        self.seen.state("boiler", level=5)
        broker = self.the_broker.process.process
        broker.send_signal(signal.SIGSTOP)
        self.addCleanup(broker.send_signal, signal.SIGCONT)
        status, seconds = gateway.stop()
        self.assertEqual(status, 0, gateway.errors())
        self.assertLess(seconds, 1.2 * SLOWNESS)

    def test_a_broker_that_is_not_there_holds_nothing_up(self):
        device = self.device("--set", "holding 0=5")
        self.broker().kill()
        gateway = self.gateway(self.config(self.devices(device.connect)))
        gateway.wait_log("(?i)broker|mqtt")
        status, seconds = gateway.stop()
        self.assertEqual(status, 0, gateway.errors())
        self.assertLess(seconds, 1.0 * SLOWNESS)

    def test_a_signal_while_it_starts_is_no_crash(self):
        gateway = self.start()
        status, _ = gateway.stop()
        # Before it listens to signals, the signal itself ends it: both are an end, none is a crash.
        self.assertIn(status, (0, -signal.SIGTERM))


if __name__ == "__main__":
    unittest.main(verbosity=2)
