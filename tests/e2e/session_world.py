"""A gateway with one tank, and what stands between it and its broker."""
import harness

BUS = 'sim: { adapter = "sim" }'
TANK = 'tank: { bus = "sim"; channels: { level: { low = 5 } } }\n'


class World(harness.Case):
    def through(self, port, more="", every="100ms", environment=None):
        """A gateway that takes this port for the broker's."""
        broker = self.the_broker.port
        text = self.config(TANK, buses=BUS, mqtt=more, every=every)
        return self.gateway(text.replace(f"port = {broker}", f"port = {port}"), environment=environment)
