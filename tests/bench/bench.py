#!/usr/bin/python3
"""Measures the gateway: starts a broker, simulated devices, a subscriber and the gateway, and prints
what came of it next to what is wanted. Called by tests/bench/run.

The figures come from outside: processor time and memory from /proc, latencies and losses from the
subscriber, which finds in every message when the device answered (wire.h)."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from machine import Machine, Sample

FAST_PORT = 15020
AFTER_S = 30  # that the gateway has for the backlog when the broker is back


class Scenario:
    """One measurement: what runs, for how long, and what is looked at."""

    def __init__(self, name, what, devices, every, seconds=30, sim=(), mqtt="", expect=None,
                 figures=None, run="window", store=False):
        self.name, self.what, self.devices, self.every = name, what, devices, every
        self.seconds, self.sim, self.mqtt = seconds, list(sim), mqtt
        self.expect = devices if expect is None else expect
        self.figures, self.run, self.store = figures, run, store

    @property
    def every_ms(self):
        number, unit = self.every[:-1], self.every[-1]
        return int(number) * {"s": 1000, "m": 60000}[unit]


class Figure:
    """A number and what it should be: `must` fails the run, `want` is where the design wants it."""

    def __init__(self, name, value, want=None, must=None, least=False, digits=3, always=False):
        self.name, self.value, self.want, self.must = name, value, want, must
        self.least, self.digits, self.always = least, digits, always

    def _meets(self, limit):
        return limit is None or (self.value >= limit if self.least else self.value <= limit)

    def fails(self, quick):
        return not self._meets(self.must) and (self.always or not quick)

    def row(self):
        def limit(value):
            return "" if value is None else f"{'>=' if self.least else '<='} {value:g}"
        verdict = "MISSED" if not self._meets(self.must) else \
            "not yet" if not self._meets(self.want) else "ok"
        if self.want is None and self.must is None:
            verdict = ""
        return f"  {self.name:<44}{self.value:>12.{self.digits}f}  {limit(self.must):>10}" \
               f"  {limit(self.want):>10}  {verdict}"


def config(scenario, broker_port, folder):
    """The config file: ten registers a device and one rule each."""
    lines = [f'store: {{ path = "{folder}/store" }}'] if scenario.store else []
    lines += ['gateway: { name = "bench" }',
             f'mqtt: {{ host = "127.0.0.1"; port = {broker_port}; topic = "bench"; {scenario.mqtt} }}',
             'buses: { plant: { adapter = "modbus" } }', "devices: {"]
    for i in range(scenario.devices):
        channels = " ".join(f'c{c}: {{ register = "holding {c}"; type = "uint16" }}'
                            for c in range(10))
        lines.append(f'  d{i}: {{ bus = "plant"; connect = "tcp://127.1.{i // 250}.{i % 250 + 1}:'
                     f'{FAST_PORT}"; unit = 1; every = "{scenario.every}"; channels: {{ {channels} }} }}')
    lines += ["}", "rules: {"]
    lines += [f'  r{i}: {{ sensor = "d{i}.c5"; above = 500 }}' for i in range(scenario.devices)]
    return "\n".join(lines + ["}", ""])


def serial_config(broker_port, path, slaves=10):
    lines = ['gateway: { name = "bench" }',
             f'mqtt: {{ host = "127.0.0.1"; port = {broker_port}; topic = "bench" }}',
             f'buses: {{ line: {{ adapter = "modbus"; connect = "serial:{path}"; baud = 19200; '
             'parity = "even" } }', "devices: {"]
    for i in range(slaves):
        channels = " ".join(f'c{c}: {{ register = "holding {c}"; type = "uint16" }}'
                            for c in range(11))
        lines.append(f'  d{i}: {{ bus = "line"; unit = {i + 1}; every = "0s"; '
                     f'channels: {{ {channels} }} }}')
    return "\n".join(lines + ["}", ""])


def bare_config(scenario):
    """No broker and no store: what a poll costs, and a rule."""
    whole = config(scenario, 0, "").splitlines()
    return "\n".join(line for line in whole if not line.startswith("mqtt:"))


class LeftOut(Exception):
    """The gateway does not know what this scenario needs."""


class Bench:
    def __init__(self, options):
        self.options = options
        self.seconds = options.seconds or (5 if options.quick else None)

    def tool(self, name):
        return os.path.join(self.options.build, "tests", "bench", name)

    def check(self, path):
        """A config that the gateway refuses is not measured."""
        check = subprocess.run([self.options.gateway, "check", path], capture_output=True, text=True,
                               timeout=60)
        if check.returncode != 0:
            raise LeftOut((check.stdout + check.stderr).splitlines()[0])

    def window(self, scenario):
        return self.seconds or scenario.seconds

    def start(self, machine, scenario, measure_ms, warmup_ms):
        """Broker, devices, subscriber, gateway, in this order; (subscriber, gateway, sim)."""
        path = machine.write("bench.cfg", config(scenario, machine.broker_port, machine.folder))
        self.check(path)
        sim = machine.start([self.tool("bench-modbus-sim"), "--devices", str(scenario.devices),
                             "--port", str(FAST_PORT), *scenario.sim], "sim")
        sim.wait_line("ready", 20)
        subscriber = machine.start(
            [self.tool("bench-subscriber"), "--port", str(machine.broker_port),
             "--devices", str(scenario.devices), "--expect", str(scenario.expect),
             "--every", str(scenario.every_ms), "--warmup", str(warmup_ms),
             "--measure", str(measure_ms)], "subscriber")
        subscriber.wait_line("ready", 20)
        gateway = machine.start([self.options.gateway, "run", "--config", path], "gateway")
        return subscriber, gateway, sim

    def run_window(self, machine, scenario):
        """Warm up, measure, end."""
        warmup_ms = max(3000, min(scenario.every_ms, 10000))
        subscriber, gateway, sim = self.start(machine, scenario,
                                              1000 * self.window(scenario), warmup_ms)
        subscriber.wait_line("start", 90)
        before = Sample(gateway.pid)
        subscriber.wait_line("end", self.window(scenario) + 30)
        after = Sample(gateway.pid)
        counts = json.loads(subscriber.rest(10).strip().splitlines()[-1])
        ended = gateway.end(10)
        sim_counts = json.loads(sim.end(10).strip().splitlines()[-1])
        return counts, before, after, ended, gateway, sim_counts

    def run_away(self, machine, scenario):
        """The broker is killed, stays away, and comes back."""
        away_s = 5 if self.options.quick else 20
        subscriber, gateway, sim = self.start(machine, scenario, 0, 3000)
        subscriber.wait_line("start", 90)
        before = Sample(gateway.pid)
        time.sleep(3)
        machine.kill_broker()
        time.sleep(away_s)
        machine.start_broker()
        subscriber.wait_line("ready", 20)
        time.sleep(AFTER_S)
        after = Sample(gateway.pid)
        counts = json.loads(subscriber.end(10).strip().splitlines()[-1])
        ended = gateway.end(10)
        sim_counts = json.loads(sim.end(10).strip().splitlines()[-1])
        return counts, before, after, ended, gateway, sim_counts

    def run_raw(self, machine, scenario):
        """CPU time of a poll, in microseconds, of the least that can do the same requests."""
        raw = machine.start([self.tool("bench-raw-client"), "--devices", str(scenario.devices),
                             "--port", str(FAST_PORT), "--every", str(scenario.every_ms),
                             "--measure", str(500 * self.window(scenario))], "raw")
        raw.wait_line("end", self.window(scenario) + 30)
        raw = json.loads(raw.rest(10).strip().splitlines()[-1])
        return 1e6 * raw["cpu_s"] / raw["polls"]

    def run_bare(self, machine, scenario):
        """The gateway between two halves of the raw client, against the same devices: what else the
        machine does changes from minute to minute."""
        path = machine.write("bench.cfg", bare_config(scenario))
        self.check(path)
        sim = machine.start([self.tool("bench-modbus-sim"), "--devices", str(scenario.devices),
                             "--port", str(FAST_PORT), *scenario.sim], "sim")
        sim.wait_line("ready", 20)
        raw_us = self.run_raw(machine, scenario)
        gateway = machine.start([self.options.gateway, "run", "--config", path, "--for",
                                 f"{self.window(scenario) + 6}s"], "gateway")
        time.sleep(4)
        before = Sample(gateway.pid)
        time.sleep(self.window(scenario))
        after = Sample(gateway.pid)
        gateway.rest(20)
        raw_us = (raw_us + self.run_raw(machine, scenario)) / 2
        counts = json.loads(sim.end(10).strip().splitlines()[-1])
        counts["rate"] = 1000 * scenario.devices / scenario.every_ms
        said = re.search(r"(\d+) polls, (\d+) without an answer, (\d+) late", gateway.log_text())
        counts.update(raw_us=raw_us, failed=int(said[2]), late=int(said[3]))
        return counts, before, after, None, gateway, {}

    def run_replug(self, machine, scenario):
        """A line that is pulled and plugged in again under its name, over and over."""
        rounds, slowest = 5 if self.options.quick else 200, 0
        name = os.path.join(machine.folder, "stick")
        path = machine.write("bench.cfg", serial_config(machine.broker_port, name))
        gateway = None
        for i in range(rounds + 1):
            line = machine.start([self.tool("bench-serial-sim")], "line")
            if os.path.islink(name):
                os.unlink(name)
            os.symlink(line.wait_line("ready", 20).split()[1], name)
            began = time.monotonic()
            if not gateway:
                gateway = machine.start([self.options.gateway, "run", "--config", path], "gateway")
                before = Sample(gateway.pid)
            line.wait_line("asked", 60)
            if i > 0:
                slowest = max(slowest, time.monotonic() - began)
            line.kill()
        after = Sample(gateway.pid)
        gateway.end(10)
        return {"rounds": rounds, "slowest_s": slowest}, before, after, None, gateway, {}

    def run_dead(self, machine, scenario):
        """Eight slaves, and then two more that are dead."""
        alone, *_ = self.run_serial(machine, scenario, slaves=8)
        both, *rest = self.run_serial(machine, scenario, slaves=10, dead=2)
        both["alone_per_s"] = alone["cycles_per_s"]
        return both, *rest

    def run_serial(self, machine, scenario, slaves=10, dead=0):
        line = machine.start([self.tool("bench-serial-sim"), "--slaves", str(slaves), "--dead",
                              str(dead), "--settle", "3000"], "line")
        path = line.wait_line("ready", 20).split()[1]
        path = machine.write("bench.cfg", serial_config(machine.broker_port, path, slaves))
        self.check(path)
        gateway = machine.start([self.options.gateway, "run", "--config", path], "gateway")
        time.sleep(4)
        before = Sample(gateway.pid)
        time.sleep(self.window(scenario))
        after = Sample(gateway.pid)
        gateway.end(10)
        counts = json.loads(line.end(10).strip().splitlines()[-1])
        return counts, before, after, None, gateway, {}

    def measure(self, scenario):
        """All figures of one scenario, and the raw line."""
        with tempfile.TemporaryDirectory(prefix="thermogate-bench-") as folder, \
                Machine(folder) as machine:
            machine.start_broker()
            run = {"window": self.run_window, "away": self.run_away,
                   "serial": self.run_serial, "bare": self.run_bare, "dead": self.run_dead,
                   "replug": self.run_replug}[scenario.run]
            counts, before, after, ended, gateway, sim = run(machine, scenario)
        cost = after.since(before)
        raw = {"scenario": scenario.name, **counts, **cost, "sim": sim, "exit": gateway.status}
        figures = scenario.figures({**counts, "sim": sim}, cost)
        if gateway.status is not None:
            figures.append(Figure("exit status", gateway.status, must=0, always=True, digits=0))
        return figures, raw


def per_10k(counts, cost):
    return cost["cpu_s"] / max(counts["readings"], 1) * 10000


def whole(counts):
    """What must hold on any machine."""
    return [Figure("values that were damaged", counts["damaged"], must=0, always=True, digits=0)]


def figures_steady(cpu_must, cpu_want, p50_want, p99_must, p99_want):
    def figures(counts, cost):
        return [
            Figure("CPU s per 10,000 readings", per_10k(counts, cost), cpu_want, cpu_must, digits=4),
            Figure("latency p50 ms", counts["p50_ms"], p50_want),
            Figure("latency p99 ms", counts["p99_ms"], p99_want, p99_must),
            Figure("polls missed", counts["missed_polls"], must=0, digits=0),
            Figure("polls lost on the way", counts["lost_polls"], must=0, digits=0),
            Figure("resident MB", cost["resident_mb"], must=30, digits=1),
            Figure("resident MB, peak, while the config is read", cost["peak_mb"], 25, digits=1),
            Figure("anonymous MB", cost["anonymous_mb"], 12, digits=1),
            Figure("readings/s", counts["readings"] / counts["seconds"], digits=0),
            Figure("wake-ups/s", cost["wakeups"] / counts["seconds"], digits=0),
        ] + whole(counts)
    return figures


def figures_fastest(counts, cost):
    return [
        Figure("readings/s", counts["readings"] / counts["seconds"], 200000, least=True, digits=0),
        Figure("CPU s per 10,000 readings", per_10k(counts, cost), digits=4),
        Figure("polls lost on the way", counts["lost_polls"], want=0, digits=0),
        Figure("latency p99 ms", counts["p99_ms"]),
        Figure("resident MB, peak", cost["peak_mb"], digits=1),
    ] + whole(counts)


def figures_rate(every_s):
    def figures(counts, cost):
        interval_ms = max(counts["slowest_ms"], 1)
        return [
            Figure("slowest device, % of its rate", 100 * every_s * 1000 / interval_ms, 99.9, 99,
                   least=True, digits=1),
            Figure("longest gap, % of the interval", counts["longest_gap_ms"] / every_s / 10, 101,
                   digits=1),
            Figure("polls missed", counts["missed_polls"], must=0, digits=0),
            Figure("latency p99 ms", counts["p99_ms"]),
        ] + whole(counts)
    return figures


def figures_lying(counts, cost):
    return figures_rate(1)(counts, cost) + [
        Figure("devices believed (90 tell the truth)", counts["devices"], must=90, always=True,
               digits=0)]


def figures_bad(counts, cost):
    return figures_rate(1)(counts, cost) + [
        Figure("pause between two polls of a healthy one, p99 ms", counts["sim"]["pause_p99_ms"], 1010,
               digits=0),
        Figure("devices believed (600 tell the truth)", counts["devices"], must=600, always=True,
               digits=0)]


def figures_bare(counts, cost):
    ours = 1e6 * cost["cpu_s"] / cost["seconds"] / counts["rate"]
    return [
        Figure("CPU us a poll", ours),
        Figure("CPU us a poll of a raw epoll client", counts["raw_us"]),
        Figure("the one by the other", ours / counts["raw_us"], want=1.6),
        Figure("polls without an answer", counts["failed"], must=0, digits=0),
        Figure("polls late", counts["late"], must=0, digits=0),
    ]


def figures_dead(counts, cost):
    return [
        Figure("cycles/s of the eight, two dead", counts["cycles_per_s"]),
        Figure("cycles/s of the eight alone", counts["alone_per_s"]),
        Figure("of that, %", 100 * counts["cycles_per_s"] / counts["alone_per_s"], 90, 85, least=True,
               digits=1),
        Figure("requests too early", counts["hasty"] + counts["collisions"], must=0, always=True,
               digits=0),
    ]


def figures_replug(counts, cost):
    return [Figure("rounds", counts["rounds"], digits=0),
            Figure("slowest to be back, s", counts["slowest_s"], must=12, always=True, digits=1)]


def figures_away(counts, cost):
    not_live = counts["lost_polls"] + counts["replayed_polls"]
    return [
        Figure("readings lost", 10 * counts["lost_polls"], must=0, always=True, digits=0),
        Figure("readings that came late", 10 * counts["replayed_polls"], digits=0),
        Figure("of them out of order", 10 * counts["disorder"], must=0, always=True, digits=0),
        Figure("backlog delivered within s", AFTER_S - counts["replayed_ago_s"], 30, digits=1),
        Figure("latency p99 ms of what is live", counts["p99_ms"], 1000),
        Figure("polls missed", counts["missed_polls"] - not_live, must=0, digits=0),
        Figure("devices heard again", counts["devices"], must=100, least=True, always=True,
               digits=0),
    ] + whole(counts)


def figures_idle(counts, cost):
    return [
        Figure("resident MB", cost["resident_mb"], 17, digits=1),
        Figure("anonymous MB", cost["anonymous_mb"], 4, digits=1),
        Figure("wake-ups/s", cost["wakeups"] / counts["seconds"], 8, digits=1),
        Figure("CPU s a day", cost["cpu_s"] / counts["seconds"] * 86400, digits=1),
    ] + whole(counts)


def figures_serial(counts, cost):
    return [
        Figure("cycles/s", counts["cycles_per_s"], 4.10, 4.0, least=True),
        Figure("of possible", counts["cycles_possible"]),
        Figure("shortest silence ms", counts["silence_shortest_ms"], must=counts["silence_needed_ms"],
               least=True, always=True),
        Figure("mean silence ms", counts["silence_mean_ms"]),
        Figure("requests too early", counts["hasty"] + counts["collisions"], must=0, always=True,
               digits=0),
        Figure("requests damaged", counts["broken"], must=0, always=True, digits=0),
        Figure("CPU % of one core", 100 * cost["cpu_s"] / cost["seconds"], digits=2),
    ]


SCENARIOS = [
    Scenario("defaults", "1,000 devices each second, 10 registers, one rule each", 1000, "1s",
             figures=figures_steady(0.06, 0.035, 6, 25, 15)),
    Scenario("gather-0", "the same with gather = 0", 1000, "1s", mqtt='gather = "0ms";',
             figures=figures_steady(None, 0.07, 0.5, 3, 2)),
    Scenario("plain", "the same, a message a reading", 1000, "1s", mqtt='payload = "plain";',
             figures=figures_steady(None, 0.075, None, None, None)),
    Scenario("fastest", "100 devices as fast as possible", 100, "0s", seconds=15,
             figures=figures_fastest),
    Scenario("dead", "100 devices each second, 10 of them dead", 100, "1s", sim=["--dead", "10"],
             expect=90, figures=figures_rate(1)),
    Scenario("refusing", "100 devices each second, 10 of them refuse", 100, "1s",
             sim=["--refuse", "10"], expect=90, figures=figures_rate(1)),
    Scenario("slow", "1,000 devices each second that take 20 ms to answer", 1000, "1s",
             sim=["--delay", "20"], figures=figures_rate(1)),
    Scenario("lying", "100 devices each second, 10 lie about their length", 100, "1s",
             sim=["--lie", "10"], expect=90, figures=figures_lying),
    Scenario("away", "1,000 readings/s, the broker away for 20 s", 100, "1s", run="away",
             figures=figures_away, store=True),
    Scenario("away-memory", "the same without a store", 100, "1s", run="away",
             figures=figures_away),
    Scenario("idle", "10 devices each 10 s", 10, "10s", seconds=60, figures=figures_idle),
    Scenario("bare-1000", "1,000 devices each second, one rule each, no broker and no store", 1000,
             "1s", seconds=20, run="bare", figures=figures_bare),
    Scenario("bare-4000", "4,000 of them", 4000, "1s", seconds=20, run="bare", figures=figures_bare),
    Scenario("bad", "1,000 devices: 100 refuse, 100 are dead, 100 drop, 100 lie", 1000, "1s",
             sim=["--refuse", "100", "--dead", "100", "--drop", "100", "--lie", "100"], expect=600,
             figures=figures_bad),
    Scenario("serial-dead", "19200 8E1, 10 slaves, 2 of them dead", 10, "0s", run="dead",
             figures=figures_dead),
    Scenario("replug", "a serial line pulled and plugged in again", 10, "0s", run="replug",
             figures=figures_replug),
    Scenario("serial", "19200 8E1, 10 slaves x 11 registers", 10, "0s", run="serial",
             figures=figures_serial),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="folder of the release preset")
    parser.add_argument("--gateway", help="another program to measure")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=int, help="to measure each scenario")
    parser.add_argument("--only", action="append", choices=[s.name for s in SCENARIOS])
    parser.add_argument("--json", help="file to append the raw lines to")
    options = parser.parse_args()
    options.gateway = options.gateway or os.path.join(options.build, "gateway", "thermogate")

    bench, failed = Bench(options), []
    for scenario in SCENARIOS:
        if options.only and scenario.name not in options.only:
            continue
        print(f"\n{scenario.name}: {scenario.what}")
        print(f"  {'':<44}{'measured':>12}  {'must':>10}  {'want':>10}", flush=True)
        try:
            figures, raw = bench.measure(scenario)
        except LeftOut as reason:
            print(f"  left out: {reason}")
            continue
        except (TimeoutError, ProcessLookupError, subprocess.SubprocessError) as error:
            print(f"  {error}")
            failed.append(f"{scenario.name}: {str(error).splitlines()[0]}")
            continue
        for figure in figures:
            print(figure.row())
            if figure.fails(options.quick):
                failed.append(f"{scenario.name}: {figure.name} {figure.value:g}")
        print("  raw " + json.dumps(raw, separators=(",", ":")), flush=True)
        if options.json:
            with open(options.json, "a", encoding="utf-8") as file:
                file.write(json.dumps(raw) + "\n")
    print()
    for line in failed:
        print(f"failed: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
