#!/usr/bin/python3
"""Rules read what the gateway knows of itself."""
import os
import unittest

import harness


class Own(harness.Case):
    def test_rules_read_broker_disk_clock_and_dead_buses(self):
        config = self.write("own.cfg", f'''
            mqtt: {{ host = "127.0.0.1"; port = {harness.free_port()} }}
            buses: {{ plant: {{ adapter = "modbus"; connect = "tcp://127.0.0.1:{harness.free_port()}" }} }}
            devices: {{ boiler: {{ bus = "plant"; unit = 1; every = "200ms"
                                   channels: {{ temp: {{ register = "input 0" }} }} }} }}
            rules: {{
              broker: {{ sensor = "gateway.broker"; equals = 0; on_fire = ( {{ log = "no broker" }} ) }}
              disk:   {{ sensor = "gateway.disk_free"; above = 0; on_fire = ( {{ log = "disk seen" }} ) }}
              bus:    {{ sensor = "plant.online"; equals = 0; on_fire = ( {{ log = "bus down" }} ) }}
              device: {{ sensor = "boiler.online"; equals = 0; on_fire = ( {{ log = "boiler away" }} ) }}
            }}''')
        run = self.command("run", "--config", config, "--for", "4s", seconds=20 * harness.SLOWNESS)
        for words in ("no broker", "disk seen", "bus down", "boiler away"):
            with self.subTest(words=words):
                self.assertIn(words, run.stdout + run.stderr)

    def test_while_a_bus_is_down_its_devices_raise_no_alarm_of_their_own(self):
        """Though one of them is due in an hour: it is asked at once."""
        self.broker()
        seen = self.subscriber()
        boiler = self.device("--set", "input 0=20")
        say = ('on_fire = ( {{ publish = "alarm/{0}"; payload = "" }} )'
               'on_clear = ( {{ publish = "over/{0}"; payload = "" }} )')
        self.gateway(self.config(
            'boiler: { unit = 1; bus = "plant"; channels: { temp: { register = "input 0" } } }'
            'pump: { unit = 2; bus = "plant"; every = "1h"; channels: { temp: { register = "input 0" } } }',
            f'bus: {{ sensor = "plant.online"; equals = 0; {say.format("bus")} }}\n'
            f'away: {{ sensor = "boiler.online"; equals = 0; {say.format("away")} }}\n'
            f'silent: {{ sensor = "boiler.temp"; no_data_for = "500ms"; {say.format("silent")} }}',
            f'plant: {{ adapter = "modbus"; connect = "{boiler.connect}"; timeout = "300ms" }}'))
        seen.state("boiler", temp=20)
        seen.state("pump", temp=20)
        boiler.kill()
        for rule in ("bus", "away", "silent"):
            seen.wait(f"t/rule/{rule}/state", lambda m: m.json["state"] == "firing")
        since = seen.mark()
        boiler.start("--set", "input 0=30")
        seen.state("boiler", since, temp=30)
        for rule in ("bus", "away", "silent"):
            seen.wait(f"t/rule/{rule}/state", lambda m: m.json["state"] == "ok", since)
        seen.wait("over/bus")
        self.assertEqual([m.topic for m in seen.find("alarm/*") + seen.find("over/*")], ["alarm/bus", "over/bus"])

    def test_rules_read_whether_the_supply_is_too_weak(self):
        """As the kernel of a Pi shows it."""
        os.mkdir(self.path("hwmon2"))
        self.write("hwmon2/name", "rpi_volt\n")
        self.write("hwmon2/in0_lcrit_alarm", "0\n")
        os.environ["THERMOGATE_HWMON"] = self.folder
        self.addCleanup(os.environ.pop, "THERMOGATE_HWMON")
        running = self.gateway('''
            buses: { pi: { adapter = "sim" } }
            devices: { d: { bus = "pi"; channels: { c: { } } } }
            rules: { weak: { sensor = "gateway.undervoltage"; equals = 1
                             on_fire = ( { log = "a weak supply" } )
                             on_clear = ( { log = "it is strong again" } ) } }''')
        running.wait_log("runs: 1 devices")
        self.write("hwmon2/in0_lcrit_alarm", "1\n")
        running.wait_log("a weak supply")
        self.write("hwmon2/in0_lcrit_alarm", "0\n")
        running.wait_log("it is strong again")


if __name__ == "__main__":
    unittest.main(verbosity=2)
