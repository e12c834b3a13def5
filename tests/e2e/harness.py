"""What the whole-gateway tests stand on: the real binary, a real broker, devices that are not ours, and
a subscriber that remembers everything. Whatever a test waits for has a deadline; whatever it started
is ended by its pid."""
import fnmatch
import json
import os
import queue
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(ROOT, "tests", "tools")
sys.path.insert(0, TOOLS)
from ports import free_port  # noqa: E402
from proxy import Proxy  # noqa: E402
BINARY = os.environ.get("THERMOGATE_BINARY", os.path.join(ROOT, "build/dev/gateway/thermogate"))
PYTHON = "/usr/bin/python3"
MOSQUITTO = next((p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto") if os.path.exists(p)),
                 "mosquitto")

# Sanitizers make everything slower; what must be quick is then allowed this many times the time.
SLOWNESS = 5 if os.environ.get("THERMOGATE_SANITIZE") else 1
SOON = 20 * SLOWNESS  # deadline of what comes at once on a machine that has nothing else to do

CONFIG_ERROR = 78


def wait_for(what, seconds=SOON, saying="it"):
    """The first true answer of what(); asked again and again until the deadline."""
    until = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"{saying} did not come within {seconds} s")
        time.sleep(0.02)


class Process:
    """A child with its output in a file, and as lines."""

    def __init__(self, command, log, environment=None):
        self.log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True,
                                            env={**os.environ, **(environment or {})})
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with self.process.stdout:
            for line in self.process.stdout:
                self.lines.put(line.rstrip("\n"))

    def line(self, seconds=SOON):
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no line within {seconds} s\n{self.errors()}") from None

    def errors(self):
        with open(self.log, errors="replace", encoding="utf-8") as file:
            return file.read()

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.reader.join()


class Broker:
    """A mosquitto of our own without memory: what is killed has forgotten all."""

    def __init__(self, case):
        self.case, self.port, self.process = case, free_port(), None
        self.start()

    def start(self):
        path = self.case.write("mosquitto.conf",
                               f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                               "persistence false\nlog_dest stderr\n")
        self.process = self.case.process([MOSQUITTO, "-c", path], "mosquitto")
        wait_for(lambda: self.process.process.poll() is not None or can_connect(self.port),
                 saying="mosquitto")

    def retain(self, topic, payload):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-r",
                        "-t", topic, "-m", payload], check=True, timeout=SOON)

    def kill(self):
        self.process.kill()


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Message:
    def __init__(self, topic, payload, retained):
        self.topic, self.payload, self.retained = topic, payload, retained
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.payload)

    def __repr__(self):
        return f"{self.topic} {self.payload[:300]!r}{' (retained)' if self.retained else ''}"


class Subscriber:
    """MQTT 3.1.1 at QoS 0, everything below a filter, in the order in which it came."""

    def __init__(self, port, topics="#"):
        self.messages, self.changed = [], threading.Condition()
        self.socket = socket.create_connection(("127.0.0.1", port), SOON)
        name = topics.encode()
        self.socket.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")
        self.socket.sendall(struct.pack(">BBHH", 0x82, 5 + len(name), 1, len(name)) + name + b"\x00")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.subscribed = threading.Event()
        self.reader.start()
        if not self.subscribed.wait(SOON):
            raise AssertionError("the broker does not answer")

    def _packet(self, stream):
        first = stream.read(1)
        length, shift = 0, 0
        while first:
            byte = stream.read(1)[0]
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return first[0], stream.read(length)
        return 0, b""

    def _read(self):
        self.socket.settimeout(None)
        try:
            with self.socket.makefile("rb") as stream:
                while True:
                    kind, body = self._packet(stream)
                    if kind == 0:
                        return
                    if kind == 0x90:
                        self.subscribed.set()
                    if kind >> 4 == 3:
                        self._take(kind, body)
        except (OSError, IndexError):
            return  # the broker has gone; who waits meets the deadline

    def _take(self, kind, body):
        size = body[0] << 8 | body[1]
        message = Message(body[2:2 + size].decode(), body[2 + size:], bool(kind & 1))
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def publish(self, topic, payload, retain=False):
        name = topic.encode()
        body = struct.pack(">H", len(name)) + name + payload.encode()
        self.socket.sendall(struct.pack(">BB", 0x31 if retain else 0x30, len(body)) + body)

    def mark(self):
        """How many messages have come: where a later wait may begin."""
        with self.changed:
            return len(self.messages)

    def find(self, topic, test=None, since=0):
        """All messages since then whose topic matches (a glob) and that pass the test."""
        with self.changed:
            return [m for m in self.messages[since:]
                    if fnmatch.fnmatchcase(m.topic, topic) and (test is None or passes(test, m))]

    def wait(self, topic, test=None, since=0, seconds=SOON):
        """The first of them."""
        until = time.monotonic() + seconds
        while True:
            with self.changed:
                count = len(self.messages)
            found = self.find(topic, test, since)
            if found:
                return found[0]
            with self.changed:
                left = until - time.monotonic()
                if left <= 0:
                    seen = self.messages[since:][-12:]
                    raise AssertionError(f"no such message on {topic} within {seconds} s; the last "
                                         f"of {len(self.messages) - since}: {seen}")
                if len(self.messages) == count:
                    self.changed.wait(left)

    def state(self, device, since=0, seconds=SOON, **values):
        """The first state of a device in which these channels have these values."""
        def test(message):
            state = message.json
            return all(name in state and state[name] == value for name, value in values.items())
        return self.wait(f"t/{device}/state", test, since, seconds).json

    def bad_state(self, device, channel, since=0):
        """The first state in which this channel was read in vain, and the reason."""
        def test(message):
            return message.json["quality"][channel] not in ("not_read", "")
        state = self.wait(f"t/{device}/state", test, since).json
        if state[channel] is not None:
            raise AssertionError(f"a bad value that is not null: {state}")
        return state, state["quality"][channel]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join()
        self.socket.close()


def passes(test, message):
    try:
        return test(message)
    except (ValueError, KeyError, TypeError):
        return False


class Device:
    """pymodbus on a port of its own."""

    def __init__(self, case, *options):
        self.case, self.options, self.port = case, options, free_port()
        self.start()

    def start(self, *options):
        self.process = self.case.process([PYTHON, os.path.join(TOOLS, "modbus-device"), "--port",
                                          str(self.port), *self.options, *options], "device")
        if self.process.line() != f"ready {self.port}":
            raise AssertionError(self.process.errors())

    def set(self, text):
        """`holding 3=17 18`; comes back when the device holds it."""
        self.process.tell("set " + text)
        if self.process.line() != "done":
            raise AssertionError(self.process.errors())

    def kill(self):
        self.process.kill()

    @property
    def connect(self):
        return f"tcp://127.0.0.1:{self.port}"


class SilentDevice:
    """Accepts connections and never says a word."""

    def __init__(self, case):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(50)
        self.connect = f"tcp://127.0.0.1:{self.socket.getsockname()[1]}"
        case.addCleanup(self.socket.close)


class Gateway(Process):
    """`thermogate run` on a config file."""

    def __init__(self, case, path, *options, environment=None):
        super().__init__([BINARY, "run", "--config", path, *options], case.path("gateway.log"),
                         environment)

    def wait_log(self, pattern, seconds=SOON):
        return wait_for(lambda: re.search(pattern, self.errors()), seconds, f"\"{pattern}\" in the log")

    def wait_end(self, seconds=SOON):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s\n{self.errors()}") from None

    def stop(self, signum=signal.SIGTERM):
        """Its exit status, and how many seconds it took to go."""
        started = time.monotonic()
        self.process.send_signal(signum)
        status = self.wait_end()
        return status, time.monotonic() - started


class Case(unittest.TestCase):
    """A test with a folder; all that it started ends with it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="thermogate-e2e-")
        self.folder = folder.name
        self.addCleanup(folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def process(self, command, name):
        process = Process(command, self.path(name + ".log"))
        self.addCleanup(process.kill)
        return process

    def broker(self):
        self.the_broker = Broker(self)
        return self.the_broker

    def proxy(self):
        """In front of the broker."""
        proxy = Proxy(self.the_broker.port)
        self.addCleanup(proxy.close)
        return proxy

    def subscriber(self, topics="#"):
        subscriber = Subscriber(self.the_broker.port, topics)
        self.addCleanup(subscriber.close)
        return subscriber

    def device(self, *options):
        return Device(self, *options)

    def config(self, devices, rules="", buses='plant: { adapter = "modbus"; timeout = "300ms" }',
               mqtt="", every="200ms"):
        """A whole config file around these devices and rules; the topics begin with `t`."""
        broker = f'mqtt: {{ host = "127.0.0.1"; port = {self.the_broker.port}; topic = "t"; {mqtt} }}'
        return (f'gateway: {{ name = "test"; id = "test" }}\n{broker}\n'
                f'defaults: {{ every = "{every}" }}\n'
                f"buses: {{ {buses} }}\ndevices: {{\n{devices}\n}}\nrules: {{\n{rules}\n}}\n")

    def gateway(self, config, *options, environment=None):
        gateway = Gateway(self, self.write("thermogate.cfg", config), *options,
                          environment=environment)
        self.addCleanup(lambda: self.assert_no_sanitizer_spoke(gateway.errors()))
        self.addCleanup(gateway.kill)
        self.addCleanup(self.show, gateway)
        return gateway

    def assert_no_sanitizer_spoke(self, text):
        self.assertNotRegex(text, "Sanitizer|runtime error:")

    def show(self, gateway):
        """The gateway's log, where a test has failed."""
        if not self._outcome.success:
            print(f"--- log of the gateway in {self.id()}\n{gateway.errors()[-4000:]}---")

    def ask(self, *arguments):
        """What the running gateway answers a subcommand, as JSON."""
        run = self.command(*arguments, "--json", "--socket", self.path("api"))
        return json.loads(run.stdout) if run.stdout.startswith("{") else None

    def command(self, *arguments, seconds=SOON):
        """Runs the binary to its end."""
        run = subprocess.run([BINARY, *arguments], capture_output=True, text=True, errors="replace",
                             timeout=seconds, stdin=subprocess.DEVNULL, cwd=self.folder)
        self.assert_no_sanitizer_spoke(run.stderr)
        return run


def main():
    unittest.main(verbosity=2)
