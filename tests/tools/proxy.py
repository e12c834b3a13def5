"""Between a client and a server on this machine: a connection that stands still, is slow, loses all or ends."""
import socket
import threading
import time

CONNECT_S = 10


class Proxy:
    """Passes on what comes and goes; whoever connects while it is shut is turned away."""

    def __init__(self, port):
        self.to, self.passes, self.is_open, self.pairs = port, True, True, []
        self.delay_s, self.lossy = 0, set()
        self.changed = threading.Condition()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(20)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                if not self.is_open:
                    raise ConnectionRefusedError
                broker = socket.create_connection(("127.0.0.1", self.to), CONNECT_S)
            except OSError:
                client.close()
                continue
            broker.settimeout(None)
            self.pairs.append((client, broker))
            for ends in ((client, broker), (broker, client)):
                threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source, target):
        try:
            while data := source.recv(65536):
                with self.changed:
                    self.changed.wait_for(lambda: self.passes)
                time.sleep(self.delay_s)
                if source not in self.lossy:
                    target.sendall(data)
        except OSError:
            pass
        self._end(source, target)

    def _end(self, *sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hold(self, held):
        with self.changed:
            self.passes = not held
            self.changed.notify_all()

    def lose(self):
        """All that is on its way through the connections that there are, for ever; new ones are well."""
        self.lossy.update(one for pair in self.pairs for one in pair)

    def shut(self):
        self.is_open = False
        self.cut()

    def open(self):
        self.is_open = True

    def cut(self):
        for pair in self.pairs:
            self._end(*pair)
            for one in pair:
                one.close()
        self.pairs = []

    def close(self):
        self.hold(False)
        self.cut()
        self._end(self.socket)
        self.socket.close()
