#!/usr/bin/python3
"""A broker that is killed again and again: events are told until it has acknowledged them."""
import unittest

import harness

BUS = 'sim: { adapter = "sim" }'
LAMP = 'lamp: { bus = "sim"; channels: { light: { wave = "square"; period = "200ms" } } }\n'
LIT = 'lit: { sensor = "lamp.light"; above = 0.5 }'


class BrokerKills(harness.Case):
    def test_no_event_is_lost_and_none_is_told_with_two_texts(self):
        broker = self.broker()
        proxy = self.proxy()  # it keeps the gateway out until somebody listens
        seen = [self.subscriber("t/event")]
        text = self.config(LAMP, LIT, BUS, every="20ms").replace(str(broker.port), str(proxy.port))
        running = self.gateway(f'{text}store: {{ path = "{self.path("s")}" }}')
        seen[0].wait("t/event")
        for _ in range(5):
            broker.kill()
            proxy.shut()
            broker.start()
            seen.append(self.subscriber("t/event"))
            proxy.open()
            seen[-1].wait("t/event")
        running.stop()
        told = {(m.json["id"], m.payload) for one in seen for m in one.find("t/event")}
        numbers = [int(number.split(":")[1]) for number, _ in told]
        self.assertEqual(sorted(numbers), list(range(1, len(numbers) + 1)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
