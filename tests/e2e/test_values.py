#!/usr/bin/python3
"""Values of a server that is not ours, as they reach a subscriber."""
import re
import struct
import unittest
from datetime import datetime

import harness


def float_registers(value):
    return " ".join(str(word) for word in struct.unpack(">HH", struct.pack(">f", value)))


class Values(harness.Case):
    def start(self, device, channels, extra=""):
        self.broker()
        self.seen = self.subscriber()
        self.running = self.gateway(self.config(
            f'boiler: {{ bus = "plant"; connect = "{device.connect}"; unit = 1; {extra} '
            f'label = "Heizkessel"; channels: {{ {channels} }} }}'))

    def test_every_kind_of_register_arrives_as_it_is(self):
        device = self.device("--set", "input 0=217", "--set", "input 1=-35", "--set",
                             "holding 10=65535 1 34464", "--set", f"holding 20={float_registers(1.5)}",
                             "--set", "coil 3=1", "--set", "discrete 7=1", "--set", "holding 30=8")
        self.start(device, '''
            flow: { register = "input 0"; type = "int16"; scale = 0.1; unit = "°C" }
            outside: { register = "input 1"; type = "int16"; scale = 0.1 }
            most: { register = "holding 10"; type = "uint16" }
            pulses: { register = "holding 11"; type = "uint32" }
            ratio: { register = "holding 20"; type = "float32" }
            pump: { register = "coil 3" }
            door: { register = "discrete 7" }
            dark: { register = "discrete 8" }
            fault: { register = "holding 30.3"; type = "bit" }
            fine: { register = "holding 30.2"; type = "bit" }''')
        state = self.seen.wait("t/boiler/state", lambda m: m.json["flow"] is not None)
        values = state.json
        self.assertRegex(values.pop("ts"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}([+-]\d\d:\d\d|Z)$")
        self.assertEqual(values, {"flow": 21.7, "outside": -3.5, "most": 65535, "pulses": 100000,
                                  "ratio": 1.5, "pump": 1, "door": 1, "dark": 0, "fault": 1,
                                  "fine": 0})
        self.assertIn(b'"flow":21.7,', state.payload.replace(b" ", b""))

    def test_a_change_arrives(self):
        device = self.device("--set", "holding 0=1")
        self.start(device, 'level: { register = "holding 0"; type = "uint16" }')
        self.seen.state("boiler", level=1)
        device.set("holding 0=2")
        self.seen.state("boiler", level=2)

    def test_a_register_that_is_not_there_is_null_and_takes_no_other_with_it(self):
        device = self.device("--set", "holding 0=5")
        self.start(device, '''
            here: { register = "holding 0"; type = "uint16" }
            gone: { register = "holding 500"; type = "uint16" }''')
        state, _ = self.seen.bad_state("boiler", "gone")
        self.assertEqual((state["here"], state["quality"]), (5, {"gone": "exception_2"}))

    def test_what_is_retained_is_there_for_who_comes_later(self):
        device = self.device("--set", "holding 0=7")
        self.start(device, 'level: { register = "holding 0"; type = "uint16" }')
        self.seen.state("boiler", level=7)
        self.seen.wait("t/boiler/availability", lambda m: m.payload == b"online")
        late = self.subscriber()
        late.wait("t/boiler/state", lambda m: m.retained and m.json["level"] == 7)
        late.wait("t/boiler/availability", lambda m: m.retained and m.payload == b"online")
        late.wait("t/status", lambda m: m.retained and m.payload == b"online")

    def test_an_impossible_value_is_null_with_its_reason(self):
        device = self.device("--set", "holding 0=900")
        self.start(device, 'level: { register = "holding 0"; type = "uint16"; valid = ( 0, 100 ) }')
        self.assertEqual(self.seen.bad_state("boiler", "level")[1], "implausible")

    def test_home_assistant_is_told_of_the_device(self):
        device = self.device("--set", "input 0=217")
        self.start(device, 'flow: { register = "input 0"; type = "int16"; scale = 0.1; '
                           'unit = "°C"; class = "temperature" }')
        message = self.seen.wait("homeassistant/device/test-boiler/config")
        told = message.json
        self.assertEqual(told["device"]["name"], "Heizkessel")
        flow = next(c for c in told["components"].values() if c["uniq_id"] == "test-boiler-flow")
        self.assertEqual((flow["p"], flow["dev_cla"], flow["unit_of_meas"]),
                         ("sensor", "temperature", "°C"))
        gateway = self.seen.wait("homeassistant/device/test-gateway/config")
        self.assertLess(self.seen.messages.index(gateway), self.seen.messages.index(message))
        self.subscriber().wait("homeassistant/device/test-boiler/config", lambda m: m.retained)

    def test_a_poll_of_several_requests_is_one_message(self):
        device = self.device("--set", "holding 0=1", "--set", "input 0=2", "--set", "coil 0=1")
        self.start(device, '''
            a: { register = "holding 0" } b: { register = "input 0" } c: { register = "coil 0" }
            d: { register = "holding 500" } e: { register = "input 500" }''', 'every = "500ms";')
        self.seen.state("boiler", a=1, b=2, c=1)
        since = self.seen.mark()
        harness.wait_for(lambda: len(self.seen.find("t/boiler/state", since=since)) >= 6)
        times = [datetime.fromisoformat(m.json["ts"])
                 for m in self.seen.find("t/boiler/state", since=since)]
        gaps = [(later - sooner).total_seconds() for sooner, later in zip(times, times[1:])]
        self.assertGreater(min(gaps), 0.2)

    def test_a_hundred_devices_on_one_server_all_arrive(self):
        device = self.device("--set", "holding 0=" + " ".join(str(i) for i in range(100)))
        self.broker()
        self.seen = self.subscriber()
        self.gateway(self.config("\n".join(
            f'd{i}: {{ bus = "plant"; connect = "{device.connect}"; unit = {i + 1}; every = "5s"; '
            f'channels: {{ v: {{ register = "holding {i}"; type = "uint16" }} }} }}'
            for i in range(100))))
        for i in range(100):
            self.seen.state(f"d{i}", v=i)

    def test_an_output_that_is_on_for_too_long_is_switched_off(self):
        device = self.device("--set", "coil 3=1")
        self.start(device, 'heater: { register = "coil 3"; writable = true; max_on = "1s" } '
                           'level: { register = "holding 0"; every = "1s" }')
        self.seen.state("boiler", heater=1, level=0)
        self.seen.state("boiler", heater=0)

    def test_what_a_device_forgets_is_written_before_it_is_read(self):
        device = self.device()
        self.start(device, 'level: { register = "holding 0" }', 'on_connect = "holding 0 = 42";')
        self.assertEqual(self.seen.wait("t/boiler/state", lambda m: m.json["level"] is not None)
                         .json["level"], 42)

    def test_the_log_has_no_complaint(self):
        device = self.device()
        self.start(device, 'level: { register = "holding 0"; type = "uint16" }')
        self.seen.state("boiler", level=0)
        self.assertEqual(self.running.stop()[0], 0)
        self.assertIsNone(re.search("error|warn", self.running.errors()), self.running.errors())


if __name__ == "__main__":
    unittest.main(verbosity=2)
