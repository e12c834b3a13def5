#!/usr/bin/python3
"""What outlives what: the whole gateway under kill -9 and power cuts, a reload of a thousand devices, and
a disk that stalls. Called by tests/bench/run state.

    kills         killed at random moments, under alarms and writes: no event lost, none told twice
    broker-kills  the broker is killed at random moments: no event lost, and soon told again
    cuts          power cuts: its disk, an ext4 in a file, is copied as it is and mounted; needs root
    reload        one of 1,000 devices changes: how long it takes, and whether a poll is missed
    stall         the disk stands still again and again while history is asked for: is the loop late?
"""
import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlencode

from bench import FAST_PORT, Figure
from machine import Machine
from proxy import Proxy

DEVICES = 20  # of the storm: each fires and clears several times a second
RELOADS = 10
EVENT_ID = re.compile(r'"id":"([0-9a-f]{16}):(\d+)"')


class Api:
    """The gateway's socket."""

    def __init__(self, path):
        self.path = path

    def ask(self, method, path, body=None, timeout=20):
        """(status, answer), (0, None) when nobody answers."""
        connection = http.client.HTTPConnection("localhost", timeout=timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout)
        try:
            connection.sock.connect(self.path)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def get(self, path, **query):
        return self.ask("GET", path + ("?" + urlencode(query) if query else ""))

    def wait(self, seconds=30):
        until = time.monotonic() + seconds
        while self.get("/api/v1/status")[0] != 200:
            if time.monotonic() > until:
                raise TimeoutError("the gateway does not answer")
            time.sleep(0.02)

    def events(self):
        """The whole log, oldest first."""
        events, query = [], {"max": 1000}
        while True:
            status, answer = self.get("/api/v1/events", **query)
            if status != 200:
                raise ValueError(f"the log of events answers {status}")
            events += answer["events"]
            if not answer["more"]:
                return events[::-1]
            query["before"] = answer["events"][-1]["row"]


class Listener:
    """Everything that a subscriber sees, in a file; it comes back by itself to a broker that was gone."""

    def __init__(self, machine, qos=1):
        self.path, self.port = os.path.join(machine.folder, "seen"), machine.broker_port
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-q", str(qos),
             "-t", "bench/event", "-t", "bench/ready"], stdout=open(self.path, "wb"))
        machine.programs.append(self)
        self.wait_for_more(self.say_ready)

    def say_ready(self):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port),
                        "-t", "bench/ready", "-m", "ready"], check=True)

    def wait_for_more(self, ask=lambda: time.sleep(0.005), seconds=20):
        """How long it took until something came."""
        size, started = os.path.getsize(self.path), time.monotonic()
        while os.path.getsize(self.path) == size:
            ask()
            if time.monotonic() > started + seconds:
                raise TimeoutError("the subscriber hears nothing")
        return time.monotonic() - started

    def kill(self):
        self.process.kill()
        self.process.wait()

    def events(self):
        """(id, payload) of each."""
        with open(self.path, encoding="utf-8") as lines:
            return [(f"{m[1]}:{m[2]}", m.string) for m in map(EVENT_ID.search, lines) if m]

    def ids(self):
        return [number for number, _ in self.events()]


def storm_config(folder, port, store):
    mqtt = f'mqtt: {{ host = "127.0.0.1"; port = {port}; topic = "bench" }}\n' if port else ""
    lines = [f'gateway: {{ name = "storm" }}\n{mqtt}store: {{ path = "{store}" }}\n'
             f'web: {{ socket = "{folder}/api" }}\n'
             'buses: { sim: { adapter = "sim" } }\ndevices: {']
    for i in range(DEVICES):
        lines.append(f'  d{i}: {{ bus = "sim"; every = "20ms"; channels: {{\n'
                     f'    level: {{ wave = "square"; high = 100; period = "{150 + 20 * i}ms" }}\n'
                     '    aim: { writable = true } } }')
    lines.append("}\nrules: {")
    lines += [f'  r{i}: {{ sensor = "d{i}.level"; above = 50 }}' for i in range(DEVICES)]
    return "\n".join(lines + ["}", ""])


def write_until(api, over):
    while not over.wait(0.02):
        api.ask("POST", "/api/v1/write",
                json.dumps({"sensor": f"d{random.randrange(DEVICES)}.aim",
                            "value": random.randrange(1000)}), timeout=1)


def count_wrong_lives(events):
    """How often an alarm fired twice, or cleared twice, in a row."""
    state, wrong = {}, 0
    for event in events:
        if event["type"] in ("fired", "cleared"):
            wrong += state.get(event["rule"], "cleared") == event["type"]
            state[event["rule"]] = event["type"]
    return wrong


def count_gaps(ids):
    """Numbers that are missing in the sequences of their boots."""
    boots = {}
    for boot, number in (i.split(":") for i in ids):
        boots.setdefault(boot, set()).add(int(number))
    return sum(max(numbers) - len(numbers) for numbers in boots.values())


def settled(api, listener, seconds=60):
    """The log, and what was seen, when all of it is that and nothing new comes; or as they are in the
    end."""
    until = time.monotonic() + seconds
    before = None
    while True:
        events, seen = api.events(), set(listener.ids())
        if events == before and {event["id"] for event in events} <= seen:
            return events, seen
        if time.monotonic() > until:
            return events, seen
        before = events
        time.sleep(2)


def run_kills(options):
    times = options.times or (10 if options.quick else 200)
    failed_starts = 0
    with tempfile.TemporaryDirectory() as folder, Machine(folder) as machine:
        machine.start_broker()
        listener = Listener(machine)
        config = machine.write("storm.cfg", storm_config(folder, machine.broker_port,
                                                         f"{folder}/store"))
        api, over = Api(f"{folder}/api"), threading.Event()
        writer = threading.Thread(target=write_until, args=(api, over))
        writer.start()
        try:
            for _ in range(times):
                gateway = machine.start([options.gateway, "run", "--config", config], "gateway")
                time.sleep(random.uniform(0.02, 0.8))
                failed_starts += gateway.process.poll() is not None
                gateway.kill()
        finally:
            over.set()
            writer.join()
        quiet = machine.write("quiet.cfg", storm_config(folder, machine.broker_port,
                                                        f"{folder}/store").replace("20ms", "1h"))
        machine.start([options.gateway, "run", "--config", quiet], "gateway")
        api.wait()
        events, seen = settled(api, listener)
        ids = [event["id"] for event in events]
    return [
        Figure("kill -9", times, digits=0),
        Figure("events", len(ids), must=times, least=True, digits=0),
        Figure("starts that failed", failed_starts, must=0, always=True, digits=0),
        Figure("events lost in the log", count_gaps(ids), must=0, always=True, digits=0),
        Figure("ids that are there twice", len(ids) - len(set(ids)), must=0, always=True, digits=0),
        Figure("alarms told twice", count_wrong_lives(events), must=0, always=True, digits=0),
        Figure("events that the subscriber lacks", len(set(ids) - seen), must=0, always=True,
               digits=0),
        Figure("events that the log lacks", len(seen - set(ids)), must=0, always=True, digits=0),
    ]


def kill_broker(machine, proxy, listener):
    """Once, at any moment; how long it took until events came again when it was back. The gateway
    finds it only when the subscriber is there: a broker without memory tells nobody later."""
    time.sleep(random.uniform(0, 1))
    machine.kill_broker()
    proxy.shut()
    time.sleep(random.uniform(0, 1.5))
    machine.start_broker()
    listener.wait_for_more(listener.say_ready)
    proxy.open()
    return listener.wait_for_more(seconds=120)


def run_broker_kills(options):
    times = options.times or (5 if options.quick else 50)
    with tempfile.TemporaryDirectory() as folder, Machine(folder) as machine:
        machine.start_broker()
        # At QoS 0 it gets everything before the gateway is told that the broker has it.
        listener, proxy = Listener(machine, qos=0), Proxy(machine.broker_port)
        text = storm_config(folder, proxy.port, f"{folder}/store")
        config = machine.write("storm.cfg", text)
        gateway = machine.start([options.gateway, "run", "--config", config], "gateway")
        listener.wait_for_more()
        waited = [kill_broker(machine, proxy, listener) for _ in range(times)]
        machine.write("storm.cfg", text.replace("20ms", "1h"))
        gateway.process.send_signal(signal.SIGHUP)
        events, seen = settled(Api(f"{folder}/api"), listener)
        told = listener.events()
        proxy.close()
    # The log keeps no more than so many; the numbers tell what was before them.
    lost = max(count_gaps(seen), len({event["id"] for event in events} - seen))
    return [
        Figure("broker kills", times, digits=0),
        Figure("events", len(seen), must=times, least=True, digits=0),
        Figure("events that the subscriber lacks", lost, must=0, always=True, digits=0),
        Figure("told more than once, with the same id", len(told) - len(seen), digits=0),
        Figure("of them with another text", len(set(told)) - len(seen), must=0, always=True, digits=0),
        Figure("until events came again, the longest, s", max(waited), must=5),
        Figure("median, s", sorted(waited)[times // 2]),
    ]


def mount(image, place):
    subprocess.run(["mount", "-o", "loop", image, place], check=True)


def cut(options, folder):
    """One power cut: how many events a subscriber saw before it, and how many of them are gone."""
    image, copy, disk = (os.path.join(folder, name) for name in ("image", "copy", "disk"))
    with open(image, "wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    mount(image, disk)
    try:
        with Machine(folder) as machine:
            machine.start_broker()
            listener = Listener(machine)
            config = machine.write("storm.cfg", storm_config(folder, machine.broker_port,
                                                             f"{disk}/store"))
            gateway = machine.start([options.gateway, "run", "--config", config], "gateway")
            Api(f"{folder}/api").wait()
            time.sleep(random.uniform(0.1, 0.8))
            os.kill(gateway.pid, signal.SIGSTOP)
            time.sleep(0.05)  # what is on its way to the subscriber arrives: it counts as seen
            seen = set(listener.ids())
            shutil.copyfile(image, copy)  # what the disk has, not what the kernel means to write
    finally:
        subprocess.run(["umount", disk], check=True)
    mount(copy, disk)
    try:
        with Machine(folder) as machine:
            config = machine.write("after.cfg", storm_config(folder, 0, f"{disk}/store"))
            machine.start([options.gateway, "run", "--config", config], "after")
            api = Api(f"{folder}/api")
            api.wait()
            kept = {event["id"] for event in api.events()}
    finally:
        subprocess.run(["umount", disk], check=True)
    return len(seen), len(seen - kept)


def run_cuts(options):
    times = options.times or (3 if options.quick else 50)
    seen = lost = 0
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "disk"))
        for _ in range(times):
            one_seen, one_lost = cut(options, folder)
            seen, lost = seen + one_seen, lost + one_lost
    return [
        Figure("power cuts", times, digits=0),
        Figure("events that a subscriber had seen", seen, must=times, least=True, digits=0),
        Figure("of them lost", lost, must=0, always=True, digits=0),
    ]


def reload_config(machine, changed):
    lines = [f'gateway: {{ name = "bench" }}\n'
             f'mqtt: {{ host = "127.0.0.1"; port = {machine.broker_port}; topic = "bench" }}\n'
             f'store: {{ path = "{machine.folder}/store" }}\nweb: {{ socket = "{machine.folder}/api" }}\n'
             'buses: { plant: { adapter = "modbus" } }\ndevices: {']
    channels = " ".join(f'c{c}: {{ register = "holding {c}"; type = "uint16" }}' for c in range(10))
    for i in range(1000):
        timeout = f' timeout = "{901 + changed}ms";' if i == 500 else ""
        lines.append(f'  d{i}: {{ bus = "plant"; connect = "tcp://127.1.{i // 250}.{i % 250 + 1}:'
                     f'{FAST_PORT}"; unit = 1; every = "1s";{timeout} channels: {{ {channels} }} }}')
    lines.append("}\nrules: {")
    lines += [f'  r{i}: {{ sensor = "d{i}.c5"; above = 500 }}' for i in range(1000)]
    return machine.write("bench.cfg", "\n".join(lines + ["}", ""]))


def run_reload(options):
    reloads = 3 if options.quick else RELOADS
    said = re.compile(r"reload: done in (\d+) ms, ([\d.]+) ms of it on the loop")
    with tempfile.TemporaryDirectory() as folder, Machine(folder) as machine:
        machine.start_broker()
        sim = machine.start([options.tool("bench-modbus-sim"), "--devices", "1000",
                             "--port", str(FAST_PORT)], "sim")
        sim.wait_line("ready", 20)
        subscriber = machine.start(
            [options.tool("bench-subscriber"), "--port", str(machine.broker_port), "--devices",
             "1000", "--expect", "1000", "--every", "1000", "--warmup", "3000",
             "--measure", str(3000 * (reloads + 1))], "subscriber")
        subscriber.wait_line("ready", 20)
        config = reload_config(machine, 0)
        gateway = machine.start([options.gateway, "run", "--config", config], "gateway")
        subscriber.wait_line("start", 90)
        for i in range(reloads):
            reload_config(machine, i + 1)
            gateway.process.send_signal(signal.SIGHUP)
            until = time.monotonic() + 3
            while time.monotonic() < until:  # the pace of the measurement, not a wait
                time.sleep(0.05)
        subscriber.wait_line("end", 30)
        counts = json.loads(subscriber.rest(10).strip().splitlines()[-1])
        gateway.end(10)
        with open(gateway.log, encoding="utf-8") as log:
            done = [tuple(map(float, match)) for match in said.findall(log.read())]
    return [
        Figure("reloads that were done", len(done), must=reloads, least=True, always=True, digits=0),
        Figure("the longest, ms", max(d[0] for d in done), want=300, digits=0),
        Figure("of it on the loop, the longest, ms", max(d[1] for d in done), want=5),
        Figure("polls missed", counts["missed_polls"], must=0, digits=0),
        Figure("polls lost on the way", counts["lost_polls"], must=0, digits=0),
    ]


def import_year(api, sensor):
    """A reading each minute for a year back, in parts."""
    now_ms, minutes = int(time.time() * 1000), 365 * 24 * 60
    for first in range(0, minutes, 50000):
        rows = "".join(f"{now_ms - (minutes - i) * 60000},{sensor},{20 + i % 97 / 10},,good\n"
                       for i in range(first, min(first + 50000, minutes)))
        status, answer = api.ask("POST", "/api/v1/import", rows, timeout=60)
        if status != 200:
            raise ValueError(f"the import answers {status}: {answer}")


def time_query(api, sensor, span, times):
    """Median of how long a question takes, in ms, HTTP included."""
    took = []
    for _ in range(times):
        started = time.monotonic()
        status, answer = api.get("/api/v1/history", sensor=sensor, **{"from": span})
        took.append((time.monotonic() - started) * 1000)
        if status != 200 or len(answer["points"]) < 100:
            raise ValueError(f"history answers {status} with {len(answer['points'])} points")
    return sorted(took)[len(took) // 2]


def run_stall(options):
    seconds = 5 if options.quick else 30
    with tempfile.TemporaryDirectory() as folder, Machine(folder) as machine:
        stalled = os.path.join(folder, "stalled")
        config = machine.write("stall.cfg", f'gateway: {{ name = "bench" }}\n'
                               f'store: {{ path = "{folder}/store"; commit_every = "1s" }}\n'
                               f'web: {{ socket = "{folder}/api" }}\n'
                               'buses: { sim: { adapter = "sim" } }\ndevices: {\n' + "\n".join(
            f'  d{i}: {{ bus = "sim"; every = "1s"; channels: {{ ' + " ".join(
                f'c{c}: {{ wave = "random"; high = 100 }}' for c in range(10)) + " } }"
            for i in range(100)) + "\n}\nrules: { " + "\n".join(
                f'  r{i}: {{ sensor = "d{i}.c0"; above = 50 }}' for i in range(100)) + "}\n")
        environment = {"LD_PRELOAD": options.tool("libbench-stall.so"), "BENCH_STALL": stalled}
        os.environ.update(environment)
        gateway = machine.start([options.gateway, "run", "--config", config], "gateway")
        for name in environment:
            del os.environ[name]
        api = Api(f"{folder}/api")
        api.wait()
        import_year(api, "d0.c0")
        day = time_query(api, "d0.c0", "24h", 11)
        year = time_query(api, "d0.c0", "365d", 11)
        api.get("/api/v1/status")  # from here on lateness is measured
        until, asked, stalls = time.monotonic() + seconds, 0, 0
        while time.monotonic() < until:
            with open(stalled, "w", encoding="utf-8"):
                stalls += 1
            for _ in range(20):
                asked += api.get("/api/v1/history", sensor="d0.c0", **{"from": "365d"})[0] == 200
            os.unlink(stalled)
            time.sleep(0.5)
        time.sleep(max(0, 10.5 - seconds))  # what lateness is asked for spans ten seconds at least
        loop = api.get("/api/v1/status")[1]["loop"]
        gateway.end(30)
    return [
        Figure("a sensor's day, ms", day, want=10),
        Figure("a sensor's year, ms", year, want=50),
        Figure("stalls of 2 s or until the next", stalls, digits=0),
        Figure("questions answered meanwhile", asked, must=1, least=True, digits=0),
        Figure("lateness of the loop p99, ms", loop["p99_us"] / 1000, want=5),
        Figure("the latest, ms", loop["max_us"] / 1000),
    ]


PARTS = {"kills": run_kills, "broker-kills": run_broker_kills, "cuts": run_cuts,
         "reload": run_reload, "stall": run_stall}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="folder of the release preset")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--times", type=int, help="of kills and cuts")
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="all without one")
    options = parser.parse_args()
    options.gateway = os.path.join(options.build, "gateway", "thermogate")
    options.tool = lambda name: os.path.join(options.build, "tests", "bench", name)
    failed = []
    for part in options.part or PARTS:
        print(f"\n{part}")
        print(f"  {'':<44}{'measured':>12}  {'must':>10}  {'want':>10}", flush=True)
        for figure in PARTS[part](options):
            print(figure.row(), flush=True)
            if figure.fails(options.quick):
                failed.append(f"{part}: {figure.name} {figure.value:g}")
    print()
    for line in failed:
        print(f"failed: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
