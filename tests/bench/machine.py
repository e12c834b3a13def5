"""The processes of one measurement, and what /proc says of them. Only what was started here is ended,
each by its own pid, whatever happens."""
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from ports import free_port  # noqa: E402

MOSQUITTO = next((p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto") if os.path.exists(p)),
                 "mosquitto")


class Program:
    """A child with its output as lines."""

    def __init__(self, command, name, log):
        self.name, self.log, self.status = name, log, None
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=open(log, "ab"), text=True)
        self.pid = self.process.pid
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _tail(self):
        with open(self.log, errors="replace", encoding="utf-8") as file:
            return "".join(file.readlines()[-10:])

    def log_text(self):
        with open(self.log, errors="replace", encoding="utf-8") as file:
            return file.read()

    def wait_line(self, start, seconds):
        """The next line that begins with `start`."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(until - time.monotonic(), 0.001))
            except queue.Empty:
                raise TimeoutError(f"{self.name} did not say \"{start}\" within {seconds} s\n"
                                   f"{self._tail()}") from None
            if line is None:
                raise ProcessLookupError(f"{self.name} has ended\n{self._tail()}")
            if line.startswith(start):
                return line

    def rest(self, seconds):
        """What it still says until it ends by itself."""
        self.status = self.process.wait(seconds)
        self.reader.join(seconds)
        said = []
        while (line := self.lines.get_nowait()) is not None:
            said.append(line)
        return "\n".join(said)

    def end(self, seconds):
        """SIGTERM, and the rest of its output; SIGKILL when it does not go."""
        if self.process.poll() is not None:
            raise ProcessLookupError(f"{self.name} has ended by itself with "
                                     f"{self.process.returncode}\n{self._tail()}")
        self.process.terminate()
        return self.rest(seconds)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Machine:
    """All programs of one measurement, and a folder for their files."""

    def __init__(self, folder):
        self.folder, self.programs = folder, []
        self.broker_port, self.broker = free_port(), None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.kill()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, command, name):
        program = Program(command, name, os.path.join(self.folder, name + ".log"))
        self.programs.append(program)
        return program

    def start_broker(self):
        path = self.write("mosquitto.conf",
                          f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\n"
                          "persistence false\nlog_dest stderr\nlog_type error\nlog_type warning\n"
                          # Nagle's algorithm in the broker would be measured as ours.
                          "set_tcp_nodelay true\nmax_queued_messages 100000\n")
        self.broker = self.start([MOSQUITTO, "-c", path], "mosquitto")
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.broker_port), 1).close()
                return
            except OSError:
                if time.monotonic() > until:
                    raise TimeoutError("mosquitto does not listen") from None
                time.sleep(0.02)

    def kill_broker(self):
        self.broker.process.send_signal(signal.SIGKILL)
        self.broker.process.wait()


def _numbers(path):
    """`Name: 12 kB` lines as a dictionary."""
    values = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, rest = line.partition(":")
            first = rest.split()[:1]
            if first and first[0].isdigit():
                values[name] = int(first[0])
    return values


class Sample:
    """What a process has used up to now."""

    def __init__(self, pid):
        self.at = time.monotonic()
        self.cpu_ns = self.voluntary = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf-8") as file:
                self.cpu_ns += int(file.read().split()[0])
            self.voluntary += _numbers(f"/proc/{pid}/task/{task}/status")["voluntary_ctxt_switches"]
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        self.ticks = int(fields[11]) + int(fields[12])
        self.memory = _numbers(f"/proc/{pid}/status")

    def since(self, before):
        return {"seconds": self.at - before.at,
                "cpu_s": (self.cpu_ns - before.cpu_ns) / 1e9,
                "cpu_ticks_s": (self.ticks - before.ticks) / os.sysconf("SC_CLK_TCK"),
                "wakeups": self.voluntary - before.voluntary,
                "peak_mb": self.memory["VmHWM"] / 1024,
                "resident_mb": self.memory["VmRSS"] / 1024,
                "anonymous_mb": self.memory["RssAnon"] / 1024,
                "threads": self.memory["Threads"]}
