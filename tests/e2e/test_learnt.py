#!/usr/bin/python3
"""What the gateway finds out about devices: what it learns outlives a restart, what it counts is shown."""
import json
import socketserver
import struct
import threading
import unittest
import urllib.request

import harness


class Meter(socketserver.ThreadingTCPServer):
    """Holds its own number in each holding register, and gives no more than two at once."""
    daemon_threads = allow_reuse_address = True

    def __init__(self, case):
        super().__init__(("127.0.0.1", 0), Session)
        self.asked = []  # (address, count)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        case.addCleanup(self.server_close)
        case.addCleanup(self.shutdown)


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        while len(request := self.rfile.read(12)) == 12:
            number, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request)
            self.server.asked.append((address, count))
            if count > 2:
                answer = bytes([function | 0x80, 3])
            else:
                answer = struct.pack(f">BB{count}H", function, 2 * count,
                                     *range(address, address + count))
            self.wfile.write(struct.pack(">HHHB", number, 0, 1 + len(answer), unit) + answer)


class Learnt(harness.Case):
    def test_a_read_that_was_refused_is_not_asked_again_after_a_restart(self):
        meter = Meter(self)
        channels = " ".join(f'c{i}: {{ register = "holding {i}"; type = "uint16" }}'
                            for i in range(10, 14))
        self.broker()
        seen = self.subscriber()
        config = self.config(
            f'meter: {{ bus = "plant"; connect = "tcp://127.0.0.1:{meter.server_address[1]}"; '
            f'unit = 1; every = "100ms"; channels: {{ {channels} }} }}')
        config += f'store: {{ path = "{self.path("store")}" }}\n'
        first = self.gateway(config)
        seen.state("meter", c10=10, c13=13)
        harness.wait_for(lambda: len(meter.asked) > 4, saying="another poll")
        self.assertEqual(first.stop()[0], 0)
        self.assertEqual(meter.asked[:3], [(10, 4), (10, 2), (12, 2)])
        meter.asked.clear()
        since = seen.mark()
        second = self.gateway(config)
        seen.state("meter", since, c10=10, c13=13)
        self.assertEqual(second.stop()[0], 0)
        self.assertNotIn((10, 4), meter.asked)


class Counted(harness.Case):
    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def test_how_requests_went_is_in_the_api_and_in_metrics(self):
        self.port = harness.free_port()
        self.broker()
        seen = self.subscriber()
        device = self.device("--set", "holding 0=5")
        self.gateway(self.config(
            f'boiler: {{ bus = "plant"; connect = "{device.connect}"; unit = 1; channels: {{ '
            'here: { register = "holding 0" } gone: { register = "holding 500" } } }') +
            f'web: {{ socket = "{self.path("api")}"; listen = "127.0.0.1:{self.port}" }}\n')
        seen.bad_state("boiler", "gone")
        bus = json.loads(self.get("/api/v1/buses"))["buses"][0]["traffic"]
        traffic = json.loads(self.get("/api/v1/devices"))["devices"][0]["traffic"]
        api = json.loads(self.get("/api/v1/openapi.json"))
        answer = api["paths"]["/api/v1/devices"]["get"]["responses"]["200"]
        fields = answer["content"]["application/json"]["schema"]["properties"]["devices"]["items"]
        self.assertEqual(traffic.keys(), fields["properties"]["traffic"]["properties"].keys())
        self.assertEqual(bus.keys(), traffic.keys())
        self.assertGreater(traffic["exceptions"], 0)
        self.assertEqual(traffic["replies"], traffic["requests"])
        self.assertGreater(traffic["answer_p99_seconds"], 0)
        metrics = self.get("/metrics")
        self.assertRegex(metrics, r'\nthermogate_device_exceptions_total\{device="boiler"\} [1-9]')
        self.assertRegex(metrics, r'\nthermogate_bus_timeouts_total\{bus="plant"\} 0\n')
        self.assertRegex(metrics, r'\nthermogate_bus_answer_p50_seconds\{bus="plant"\} 0\.0')


if __name__ == "__main__":
    unittest.main(verbosity=2)
