"""A port of 127.0.0.1 that is this process's until it ends, also while nobody listens on it: what
tests/unit/free_port.h does, and why, for Python."""
import fcntl
import os
import socket

FOLDER = "/tmp/thermogate-test-ports"
FIRST, LAST = 20000, 32000

locks = []  # kept open until the process ends


def is_unused(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def lock(port):
    try:
        os.mkdir(FOLDER)
        os.chmod(FOLDER, 0o1777)
    except FileExistsError:
        pass
    try:
        file = os.open(os.path.join(FOLDER, str(port)), os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    locks.append(file)
    return True


def free_port():
    span = LAST - FIRST
    for i in range(span):
        port = FIRST + (os.getpid() * 31 + i) % span
        if is_unused(port) and lock(port):
            return port
    raise OSError("no port is free")
