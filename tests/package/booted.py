#!/usr/bin/python3
"""The life of the package on a system that systemd has booted: install, crash, reload, remove, purge.

Runs inside, as root, in the order of the names: each test begins where the one before ended. Called by
tests/package/run."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

UNIT = "thermogate.service"
FOLDER = os.path.dirname(os.path.abspath(__file__))
PACKAGE = glob.glob(os.path.join(FOLDER, "thermogate_*.deb"))[0]
EXTRA = "/etc/thermogate/conf.d/test.cfg"
# Folders in which a package could leave something.
PLACES = ("/etc", "/usr", "/lib", "/var/lib", "/run/thermogate")
# What apt, dpkg, systemd and the linker keep for themselves.
OTHERS = ("/var/lib/dpkg/", "/var/lib/systemd/", "/var/lib/apt/", "/etc/ld.so.cache", "/etc/passwd",
          "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/etc/.pwd.lock",
          "/var/lib/private", "/etc/machine-id")

SIMULATED = """
buses: { sim: { adapter = "sim" } }
devices: { boiler: { bus = "sim"; every = "200ms"; channels: {
  temp: { wave = "sine"; low = 20; high = 30; period = "5s" } } } }
"""


def run(*command, ok=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if ok and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def show(name):
    return run("systemctl", "show", "--value", "-p", name, UNIT).stdout.strip()


def wait_for(what, saying, seconds=20):
    until = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > until:
            log = run("journalctl", "-u", UNIT, "-n", "30", "--no-pager").stdout
            raise AssertionError(f"{saying} did not come within {seconds} s\n{log}")
        time.sleep(0.05)
    return answer


def main_pid():
    return int(show("MainPID"))


def runs_again(old):
    return lambda: main_pid() not in (0, old) and show("ActiveState") == "active"


def journal():
    return run("journalctl", "-u", UNIT, "--no-pager", "-o", "cat").stdout


def status():
    return json.loads(run("thermogate", "status", "--json").stdout)


def ready_ms():
    """From the start of the process to its READY=1."""
    return (int(show("ActiveEnterTimestampMonotonic"))
            - int(show("ExecMainStartTimestampMonotonic"))) / 1000


def files():
    found = set()
    for place in PLACES:
        for folder, names, more in os.walk(place):
            found.update(os.path.join(folder, name) for name in names + more)
    return {path for path in found if not path.startswith(OTHERS)}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def accounts():
    return [read(path) for path in ("/etc/passwd", "/etc/group")]


def listeners():
    """Local addresses of TCP sockets that listen, as the kernel writes them."""
    rows = [line.split() for path in ("/proc/net/tcp", "/proc/net/tcp6")
            for line in read(path).splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A"}


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def reset_starts():
    run("systemctl", "reset-failed", UNIT)


class Booted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files, cls.accounts, cls.listeners = files(), accounts(), listeners()

    def test_00_an_armv6_pi_is_refused_with_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            write(os.path.join(folder, "uname"), "#!/bin/sh\necho armv6l\n", 0o755)
            path = f"{folder}:{os.environ['PATH']}"
            refused = run("env", f"PATH={path}", "dpkg", "-i", PACKAGE, ok=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("packaging/build-deb --here", refused.stderr)
        self.assertEqual(files() - self.files, set())

    def test_01_installed_it_is_enabled_and_ready_within_a_second(self):
        run("dpkg", "-i", PACKAGE)
        self.assertEqual(show("ActiveState"), "active", journal())
        self.assertEqual(show("UnitFileState"), "enabled")
        print(f"ready after {ready_ms():.0f} ms")
        self.assertLess(ready_ms(), 1000)

    def test_02_no_port_is_open(self):
        self.assertEqual(listeners(), self.listeners)

    def test_03_the_journal_and_the_status_say_what_to_do_next(self):
        self.assertIn("/etc/thermogate/conf.d", journal())
        self.assertIn("nothing to poll yet", run("thermogate", "status").stdout)

    def test_04_everybody_may_ask_and_members_of_the_group_may_command(self):
        run("useradd", "--system", "asks")
        run("useradd", "--system", "--groups", "thermogate", "commands")
        run("setpriv", "--reuid=asks", "--regid=asks", "--init-groups", "thermogate", "status")
        reload = ("thermogate", "reload")
        self.assertNotEqual(run("setpriv", "--reuid=asks", "--regid=asks", "--init-groups",
                                *reload, ok=False).returncode, 0)
        run("setpriv", "--reuid=commands", "--regid=commands", "--init-groups", *reload)
        run("userdel", "asks")
        run("userdel", "commands")

    def test_05_a_reload_takes_up_what_is_in_conf_d(self):
        old = main_pid()
        write(EXTRA, SIMULATED)
        run("systemctl", "reload", UNIT)
        wait_for(lambda: status()["sensors_good"] == 1, "a value")
        self.assertEqual(main_pid(), old)

    def test_06_a_wrong_config_is_refused_and_the_old_one_runs_on(self):
        old = main_pid()
        write(EXTRA, SIMULATED.replace("adapter", "adaptor"))
        self.assertNotEqual(run("systemctl", "reload", UNIT, ok=False).returncode, 0)
        self.assertEqual((main_pid(), show("ActiveState")), (old, "active"))
        self.assertEqual(status()["sensors_good"], 1)
        self.assertIn("did you mean", journal())
        write(EXTRA, SIMULATED)
        run("systemctl", "reload", UNIT)

    def test_07_another_socket_is_found_by_commands_and_by_the_reload(self):
        other = "/run/thermogate/other.sock"
        for end in (f'web: {{ socket = "{other}"; }}\n', ""):
            write(EXTRA, SIMULATED + end)
            run("systemctl", "restart", UNIT)
            self.assertEqual(os.path.exists(other), bool(end))
            run("systemctl", "reload", UNIT)
            wait_for(lambda: status()["sensors_good"] == 1, "a value")
        reset_starts()

    def test_08_killed_it_comes_back(self):
        old = main_pid()
        os.kill(old, 9)
        wait_for(runs_again(old), "the restart")
        wait_for(lambda: status()["sensors_good"] == 1, "a value")

    def test_09_hanging_it_is_killed_by_the_watchdog_and_comes_back(self):
        os.makedirs("/run/systemd/system/thermogate.service.d", exist_ok=True)
        write("/run/systemd/system/thermogate.service.d/watchdog.conf", "[Service]\nWatchdogSec=2s\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", UNIT)
        old = main_pid()
        os.kill(old, 19)
        wait_for(runs_again(old), "the restart")
        self.assertIn("watchdog", run("journalctl", "-u", UNIT, "--no-pager").stdout.lower())
        os.unlink("/run/systemd/system/thermogate.service.d/watchdog.conf")
        os.rmdir("/run/systemd/system/thermogate.service.d")
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", UNIT)
        reset_starts()

    def test_10_after_three_fast_crashes_it_starts_in_safe_mode_until_it_is_restarted(self):
        for _ in range(3):
            old = main_pid()
            os.kill(old, 9)
            wait_for(runs_again(old), "the restart")
        self.assertTrue(any("safe mode" in words for words in status()["problems"]))
        self.assertIn("safe mode", show("StatusText"))
        run("systemctl", "restart", UNIT)
        self.assertEqual(status()["problems"], [])
        reset_starts()

    def test_11_secrets_are_for_the_service_alone(self):
        write("/etc/thermogate/broker.password", "secret\n")
        run("systemd-tmpfiles", "--create", "thermogate.conf")
        info = os.stat("/etc/thermogate/broker.password")
        self.assertEqual(info.st_mode & 0o777, 0o600)
        owner = run("stat", "-c", "%U", "/etc/thermogate/broker.password").stdout.strip()
        self.assertEqual(owner, "thermogate")

    def test_12_its_state_is_its_own(self):
        info = os.stat("/var/lib/thermogate")
        self.assertEqual(info.st_mode & 0o777, 0o750)
        self.assertTrue(os.path.exists("/var/lib/thermogate/state.db"))

    def test_13_systemd_finds_nothing_wrong_in_what_was_installed(self):
        run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/multi-user.target.wants/{UNIT}")
        if "verify" in run("udevadm", "--help").stdout:  # from Debian 13 on
            run("udevadm", "verify", *glob.glob("/usr/lib/udev/rules.d/*-thermogate-*.rules"))

    def test_14_it_is_removed_and_its_config_and_state_stay(self):
        said = run("dpkg", "-r", "thermogate").stdout
        self.assertIn("thermogate forget", said)
        self.assertFalse(os.path.exists("/usr/bin/thermogate"))
        self.assertTrue(os.path.exists(EXTRA))
        self.assertTrue(os.path.exists("/var/lib/thermogate/state.db"))
        self.assertFalse(os.path.exists("/run/thermogate"))

    def test_15_purged_nothing_is_left(self):
        run("dpkg", "-P", "thermogate")
        self.assertEqual(files() - self.files, set())
        self.assertEqual(accounts(), self.accounts)
        self.assertEqual(run("systemctl", "list-unit-files", "--no-legend", UNIT,
                             ok=False).stdout, "")


if __name__ == "__main__":
    unittest.main(verbosity=2, failfast="--failfast" in sys.argv, argv=sys.argv[:1])
