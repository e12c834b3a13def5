#!/usr/bin/python3
"""Who a gateway is to its broker: its ids, certificates and rights, and what the broker takes of it."""
import os
import signal
import subprocess
import unittest

import harness
from harness import SOON
from session_world import BUS, TANK, World

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Session(World):
    def tls_server(self, version):
        """One that speaks no other version, on a port of its own."""
        port, key, cert = harness.free_port(), self.path("key.pem"), self.path("cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", cert, "-subj", "/CN=localhost", "-days", "2"],
                       check=True, capture_output=True, timeout=SOON)
        server = self.process(["openssl", "s_server", "-accept", str(port), version, "-cert", cert,
                               "-key", key, "-cipher", "ALL:@SECLEVEL=0"], "server" + version)
        while server.line() != "ACCEPT":
            pass
        return port, server

    def test_two_clients_of_one_id_are_told_once(self):
        self.broker()
        first = self.through(self.the_broker.port, 'client_id = "twin";')
        first.wait_log("connected")
        self.through(self.the_broker.port, 'client_id = "twin";')
        first.wait_log("same client id \"twin\"", 2 * SOON)

    def test_two_gateways_of_one_name_are_told_once_and_an_earlier_run_is_none(self):
        self.broker()
        self.seen = self.subscriber("t/health")
        port = self.the_broker.port
        first = self.through(port)
        self.seen.wait("t/health")
        self.through(port, 'client_id = "one";')
        first.wait_log("another gateway publishes under t")
        self.through(port, 'client_id = "two";')
        harness.wait_for(lambda: len({m.json["instance"] for m in self.seen.find("t/health")}) == 3)
        self.assertLessEqual(first.errors().count("another gateway publishes"), 3)  # the log of all three

    def test_another_gateway_of_the_same_id_is_told_whatever_its_topics_and_an_earlier_run_is_none(self):
        self.broker()
        self.seen = self.subscriber()
        for form in ("device", "entity"):
            first = self.through(self.the_broker.port, f'discovery = "{form}"; ')
            since = self.seen.mark()
            self.seen.state("tank", since, level=5)
            other = self.config(TANK, buses=BUS, mqtt=f'client_id = "other"; discovery = "{form}"; ')
            second = self.gateway(other.replace('topic = "t"', 'topic = "other/t"'))
            first.wait_log("another gateway has the id test")
            self.assertNotIn("publishes under", first.errors())
            first.stop()
            second.stop()
            os.remove(first.log)
        since = self.seen.mark()
        alone = self.through(self.the_broker.port)  # the broker keeps what the other has announced
        self.seen.wait("homeassistant/device/test-tank/config", since=since)
        self.seen.state("tank", since, level=5)
        self.assertNotIn("another gateway", alone.errors())

    def test_health_has_what_the_rooms_know(self):
        self.broker()
        self.seen = self.subscriber()
        process = self.through(self.the_broker.port)
        health = self.seen.wait("t/health", lambda m: m.json["counters"]["mqtt_online"] == 1).json
        self.assertEqual(health["problems"], [])
        self.assertGreater(health["counters"]["resident_bytes"], 1e6)
        self.assertEqual((health["devices"], health["sensors"], health["rules"]), (1, 1, 0))
        process.stop()
        since = self.seen.mark()
        process = self.through(self.the_broker.port)
        again = self.seen.wait("t/health", lambda m: m.json["counters"], since).json
        self.assertNotEqual(again["instance"], health["instance"])
        self.assertNotIn("another gateway", process.errors())

    def test_mqtt_5_says_what_a_message_is_and_when_a_value_is_too_old(self):
        self.broker()
        listening = self.process(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.the_broker.port), "-V", "5",
                                  "-t", "#", "-F", "%t|%C|%E"], "listening")
        self.through(self.the_broker.port, 'expiry = "10m";')
        wanted = {"t/tank/state||600", "t/tank/availability|text/plain|", "t/health|application/json|",
                  "homeassistant/device/test-tank/config|application/json|"}
        while wanted:
            wanted.discard(listening.line())

    def test_a_certificate_of_our_own_is_shown_read_anew_and_its_end_told_in_time(self):
        port, tls = self.tls_broker()
        self.the_broker = self.Known(port)
        running = self.through(port, tls)
        running.wait_log("trying again")  # nobody whom the broker trusts has signed it
        self.sign("client", "ca")
        running.wait_log("connected")
        running.wait_log("certificate in .*client.pem ends in 4 days")

    def test_a_certificate_that_was_renewed_is_used_at_the_next_connection_and_a_reload_costs_none(self):
        port, tls = self.tls_broker()
        self.the_broker = self.Known(port)
        self.sign("client", "ca")
        self.running = self.through(port, tls)
        self.wait_broker("u'client'")
        self.request("client", "renewed")
        self.sign("client", "ca")
        self.running.process.send_signal(signal.SIGHUP)
        self.running.wait_log("reload: done")
        self.assertNotIn("lost the broker", self.running.errors())
        self.mosquitto.kill()
        self.start_mosquitto(port)
        self.wait_broker("u'renewed'")

    def test_a_cloud_with_a_password_is_known_by_the_certificates_of_the_system(self):
        self.write("password", "secret\n")
        subprocess.run(["mosquitto_passwd", "-b", "-c", self.path("users"), "gw", "secret"], check=True,
                       capture_output=True, timeout=SOON)
        port, _ = self.tls_broker(f"allow_anonymous false\npassword_file {self.path('users')}\n")
        self.the_broker = self.Known(port)
        login = f'username = "gw"; password_file = "{self.path("password")}"; tls: {{ }}'
        stranger = self.through(port, login)
        stranger.wait_log("certificate verify failed")
        stranger.stop()
        self.through(port, login, environment={"SSL_CERT_FILE": self.path("ca.pem")})
        self.wait_broker("u'gw'")

    def test_a_broker_of_a_cloud_with_narrow_limits_gets_all_within_them(self):
        """Less than QoS 2, nothing retained, few messages under way, none that is large."""
        self.the_broker = self.Known(self.broker_with(
            "max_qos 1\nretain_available false\nmax_inflight_messages 5\nmax_packet_size 4096\n"))
        self.seen = self.subscriber("t/#")
        self.running = self.through(self.the_broker.port, "qos: { readings = 2; events = 2 }")
        self.seen.state("tank", level=5)
        self.seen.wait("t/tank/availability")
        self.seen.wait("t/health")
        self.seen.state("tank", self.seen.mark(), level=5)
        self.assertNotRegex(self.running.errors(), "lost the broker|closed the connection")

    def test_what_the_user_may_not_write_is_said_and_the_rest_goes_on(self):
        self.write("acl", "topic readwrite t/#\n")
        self.the_broker = self.Known(self.broker_with(f"acl_file {self.path('acl')}\n"))
        self.seen = self.subscriber("t/#")
        running = self.through(self.the_broker.port)
        running.wait_log(r"refuses some of our messages \(reason 0x87\).* t/# and homeassistant")
        self.seen.state("tank", level=5)
        self.seen.wait("t/health")

    class Known:
        def __init__(self, port):
            self.port = port

    def broker_with(self, options):
        """A mosquitto with options of its own; its port."""
        port = harness.free_port()
        self.write("own.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
                   f"log_dest stderr\n{options}")
        self.start_mosquitto(port)
        return port

    def start_mosquitto(self, port):
        self.mosquitto = self.process([harness.MOSQUITTO, "-c", self.path("own.conf")], "mosquitto")
        harness.wait_for(lambda: harness.can_connect(port), saying="mosquitto")

    def wait_broker(self, words):
        harness.wait_for(lambda: words in self.mosquitto.errors(), saying=f"{words} in the log of mosquitto")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=SOON, cwd=self.folder)

    def sign(self, name, by):
        self.openssl("x509", "-req", "-in", f"{name}.req", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-days", "5",
                     "-CAcreateserial", "-copy_extensions", "copy", "-out", f"{name}.pem")

    def request(self, name, subject):
        """A new key, and the request to sign a certificate for it."""
        self.openssl("req", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.req", "-subj", f"/CN={subject}",
                     "-addext", "subjectAltName=IP:127.0.0.1")

    def tls_broker(self, wants="require_certificate true\nuse_identity_as_username true\n"):
        """A mosquitto that wants a certificate of its CA, and our options for it; the client's is of another."""
        for name in ("ca", "other"):
            self.openssl("req", "-x509", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem",
                         "-subj", f"/CN={name}")
        for name, by in (("server", "ca"), ("client", "other")):
            self.request(name, name)
            self.sign(name, by)
        port = self.broker_with(f"{wants}cafile {self.path('ca.pem')}\ncertfile {self.path('server.pem')}\n"
                                f"keyfile {self.path('server.key')}\n")
        return port, (f'tls: {{ ca_file = "{self.path("ca.pem")}"; cert_file = '
                      f'"{self.path("client.pem")}"; key_file = "{self.path("client.key")}" }};')

    def test_what_is_older_than_tls_1_2_is_refused(self):
        self.broker()
        port, server = self.tls_server("-tls1_2")
        self.through(port, "tls: { insecure = true }")
        while not server.line().startswith("CIPHER is"):
            pass
        port, server = self.tls_server("-tls1_1")
        self.through(port, "tls: { insecure = true }").wait_log(f":{port}: .*trying again")
        server.kill()
        self.assertNotIn("CIPHER is", "\n".join(server.lines.queue))

    def test_what_is_not_safe_is_said_at_every_start(self):
        self.broker()
        self.write("password", "secret\n")
        login = f'username = "gw"; password_file = "{self.path("password")}";'
        for more, words in ((login + ' tls: { insecure = true }', "certificate is not checked"),
                            (login, "without encryption")):
            text = self.config(TANK, buses=BUS, mqtt=more).replace("127.0.0.1", "no-such-host.invalid")
            running = self.gateway(text)
            running.wait_log(words)
            self.assertNotIn("secret\n", running.errors())
            running.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
