"""Judges everything that a gateway publishes by what Home Assistant was seen to refuse, to ignore or to
complain of. It knows nothing of the gateway's code: topics, keys and units are written down here once more."""
import json
import re
import subprocess
import threading
import time

TOP = set("device origin components availability availability_mode availability_topic payload_available "
          "payload_not_available state_topic command_topic qos encoding".split())
DEVICE = set("identifiers connections name manufacturer model model_id hw_version sw_version serial_number "
             "via_device suggested_area configuration_url".split())
ORIGIN = {"name", "sw_version", "support_url"}
COMMON = set("p uniq_id name ic ent_cat en qos avty avty_mode".split())
PLATFORMS = {
    "sensor": "stat_t val_tpl dev_cla unit_of_meas stat_cla sug_dsp_prc exp_aft json_attr_t ops frc_upd",
    "binary_sensor": "stat_t val_tpl dev_cla pl_on pl_off exp_aft json_attr_t off_dly frc_upd",
    "number": "stat_t val_tpl dev_cla unit_of_meas cmd_t cmd_tpl min max step mode",
    "switch": "stat_t val_tpl dev_cla cmd_t pl_on pl_off stat_on stat_off",
    "select": "stat_t val_tpl cmd_t cmd_tpl ops",
    "button": "dev_cla cmd_t pl_prs",
    "event": "stat_t val_tpl dev_cla evt_typ json_attr_t",
}
UNITS = {"temperature": "°C °F K", "humidity": "%", "power": "W kW MW", "energy": "Wh kWh MWh", "voltage": "V mV",
         "current": "A mA", "pressure": "Pa hPa kPa bar mbar psi", "frequency": "Hz kHz"}
COMMANDED = {"number", "switch", "select", "button"}
EVENTS = set("fired level cleared blind seeing acked muted unmuted enabled disabled limit command notified outage "
             "gateway".split())
RULE_STATES = {"ok", "pending", "firing", "recovering", "latched", "disabled"}

MOVE = b'{"migrate_discovery":true}'
TOGETHER_S = 1.5  # two configs of one device within that time: Home Assistant drops parts of the second
GRACE_S = 8       # until a change of the config is announced, and the old entity gone


class Listener:
    """All that a broker passes on, with the flags as they were published; comes back when the broker does."""

    def __init__(self, case, port, judge):
        self.judge, self.lines, self.changed = judge, [], threading.Condition()
        self.process = case.process(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-V", "5", "-q", "1", "-t",
                                     "#", "--retain-as-published", "-F", "%r %t %x"], "listener")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            retained, topic, payload = (self.process.lines.get() + " ").split(" ")[:3]
            with self.changed:
                self.lines.append((topic, bytes.fromhex(payload)))
                self.judge.take(topic, bytes.fromhex(payload), retained == "1")
                self.changed.notify_all()

    def mark(self):
        with self.changed:
            return len(self.lines)

    def wait(self, topic, test, since, seconds):
        """The first message from `since` on that passes."""
        until = time.monotonic() + seconds
        with self.changed:
            while True:
                for found, payload in self.lines[since:]:
                    if found == topic and test(payload):
                        return payload
                since = max(since, len(self.lines))
                if not self.changed.wait(until - time.monotonic()) and time.monotonic() > until:
                    raise AssertionError(f"nothing of the kind on {topic} within {seconds} s")


class Judge:
    def __init__(self, base, prefix, gateway, grace_s=GRACE_S):
        self.base, self.prefix, self.gateway, self.grace_s = base, prefix, gateway, grace_s
        self.faults, self.commands = [], set()
        self.count = 0
        self.configs = {}  # by discovery topic: when, payload
        self.entities = {}  # by discovery topic and key: the component with all that it inherits
        self.ids = {}  # by platform and unique id: topic and key
        self.events = {}  # by id: payload
        self.missing = {}  # by topic and key: since when a message lacks what an entity reads
        self.fresh = False  # the gateway has just connected, and announced nothing yet

    def fault(self, what, topic, payload=b""):
        self.faults.append(f"{what}: {topic} {payload[:300]!r}")

    def take(self, topic, payload, retained):
        self.count += 1
        if topic.startswith(self.prefix + "/") and topic.endswith("/config"):
            self.take_config(topic, payload, retained)
        elif topic.startswith(self.base + "/"):
            self.take_own(topic[len(self.base) + 1:].split("/"), topic, payload, retained)
        elif topic not in self.commands and topic != f"{self.prefix}/status":
            self.fault("a topic that is none of ours", topic, payload)

    # -- values ------------------------------------------------------------------------------------

    def parse(self, topic, payload):
        def refuse(word):
            raise ValueError(word)
        try:
            return json.loads(payload.decode(), parse_constant=refuse)
        except ValueError:
            self.fault("no JSON", topic, payload)
            return None

    def take_own(self, levels, topic, payload, retained):
        last = levels[-1]
        if topic in self.commands and last == "set":
            return
        never_retained = last in ("replay", "result", "event")
        if retained == never_retained:
            self.fault("retained" if retained else "not retained", topic, payload)
        if not payload and retained and (last == "availability" or last == "state" and len(levels) > 1):
            self.take_cleared(topic)
        elif last in ("status", "availability"):
            if payload not in (b"online", b"offline"):
                self.fault("neither online nor offline", topic, payload)
            self.fresh = self.fresh or (last == "status" and payload == b"online")
        elif levels == ["event"]:
            self.take_event(topic, payload)
        elif last == "event" and len(levels) == 3:
            self.take_happening(topic, payload)
        elif levels[0] == "rule" and last == "state":
            self.take_rule(topic, payload)
        elif last in ("state", "replay") and len(levels) == 2:
            states = self.parse(topic, payload)
            for state in states if last == "replay" else [states]:
                self.take_state(topic, payload, state, last == "replay")
        elif last in ("health", "result"):
            self.parse(topic, payload)
        else:
            self.fault("a topic that is not documented", topic, payload)
        if last == "state" and payload:
            self.check_readers(topic, payload)

    def take_state(self, topic, payload, state, late):
        if not isinstance(state, dict) or "ts" not in state:
            self.fault("no state of a device", topic, payload)
            return
        quality = state.get("quality", {})
        good = {key for key, value in state.items() if value is not None and key not in ("ts", "quality")}
        bad = set(state) - good - {"ts", "quality"}
        if bad != set(quality):
            self.fault("null without a reason, or a reason with a value", topic, payload)
        if late and not state["ts"]:
            self.fault("late, and without a time", topic, payload)
        if state["ts"] and not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}[+-]\d\d:\d\d", state["ts"]):
            self.fault("no time with a zone", topic, payload)

    def take_cleared(self, topic):
        """What is gone keeps no message; an entity that still reads there would complain."""
        if any(entity.get("stat_t") == topic for entity in self.entities.values()):
            self.fault("cleared, and an entity reads it", topic)

    def take_rule(self, topic, payload):
        state = self.parse(topic, payload) or {}
        if "firing" not in state and state.get("state") not in RULE_STATES:
            self.fault("no state of a rule", topic, payload)

    def take_event(self, topic, payload):
        event = self.parse(topic, payload) or {}
        if event.get("event_type") not in EVENTS:
            self.fault("an event of a type that is not announced", topic, payload)
        if self.events.setdefault(event.get("id"), payload) != payload:
            self.fault("one id for two events", topic, payload)

    def take_happening(self, topic, payload):
        """What a channel of events has brought: Home Assistant drops a type that was not announced."""
        event = self.parse(topic, payload) or {}
        announced = [one.get("evt_typ", []) for one in self.entities.values() if one.get("stat_t") == topic]
        if set(event) != {"event_type", "ts"} or any(event["event_type"] not in types for types in announced):
            self.fault("an event of a type that is not announced", topic, payload)

    # -- what entities read ------------------------------------------------------------------------

    def check_readers(self, topic, payload):
        """Home Assistant complains of each message in which a key is missing that an entity reads."""
        state = None
        for entity in self.entities.values():
            read = re.fullmatch(r"\{\{ value_json\['(\w+)'\] \}\}", entity.get("val_tpl", ""))
            if entity.get("stat_t") != topic or not read:
                continue
            state = state if state is not None else self.parse(topic, payload)
            if state is not None:
                self.check_value(entity, read[1], state, topic, payload)

    def check_value(self, entity, key, state, topic, payload):
        if key not in state:
            since = self.missing.setdefault((topic, key), time.monotonic())
            if time.monotonic() - since >= self.grace_s:
                self.fault(f"lacks {key}, which an entity reads", topic, payload)
            return
        self.missing.pop((topic, key), None)
        value = state[key]
        if entity["p"] == "binary_sensor" and value not in (0, 1, None):
            self.fault(f"{key} is no bit", topic, payload)
        numeric = {"dev_cla", "stat_cla", "unit_of_meas", "sug_dsp_prc"} & set(entity)
        if "ops" in entity and value is not None and value not in entity["ops"]:
            self.fault(f"{key} is none of its options", topic, payload)
        elif entity["p"] == "sensor" and numeric and "ops" not in entity and not isinstance(value, (int, float, type(None))):
            self.fault(f"{key} is no number", topic, payload)
        if isinstance(value, str) and len(value) > 255:
            self.fault(f"{key} is too long", topic, payload)

    # -- discovery ---------------------------------------------------------------------------------

    def take_config(self, topic, payload, retained):
        if not retained:
            self.fault("not retained", topic, payload)
        when, before = self.configs.get(topic, (0, payload))
        if {b"", MOVE}.isdisjoint((before, payload)) and before != payload and time.monotonic() < when + TOGETHER_S:
            self.fault("two configs at once", topic, payload)
        self.configs[topic] = time.monotonic(), payload
        config = self.parse(topic, payload) if payload else {}
        levels = topic[len(self.prefix) + 1:].split("/")
        if not all(re.fullmatch(r"[A-Za-z0-9_-]+", level) for level in levels):
            self.fault("a topic that Home Assistant does not take", topic)
        self.entities = {place: entity for place, entity in self.entities.items() if place[0] != topic}
        self.ids = {one: place for one, place in self.ids.items() if place[0] != topic}
        if not config or payload == MOVE:
            return
        if self.fresh and config["device"]["identifiers"] != [self.gateway + "-gateway"]:
            self.fault("not the gateway's own device first", topic, payload)
        self.fresh = False
        self.check_device(topic, config)
        if levels[0] == "device":
            self.take_device(topic, config)
        else:
            self.check_entity(topic, levels[2], {"p": levels[0], **config}, set(DEVICE_ALONE))

    def check_keys(self, what, found, known, topic):
        if set(found) - known:
            self.fault(f"unknown keys {sorted(set(found) - known)} in {what}", topic)

    def check_device(self, topic, config):
        self.check_keys("device", config["device"], DEVICE, topic)
        self.check_keys("origin", config["origin"], ORIGIN, topic)
        if not config["device"].get("identifiers") or not config["device"].get("name") or not config["origin"]["name"]:
            self.fault("a device without identifiers, name or origin", topic)

    def take_device(self, topic, config):
        self.check_keys("the top", config, TOP, topic)
        for key, part in config["components"].items():
            if part == {"p": part.get("p")}:
                continue  # it is removed
            entity = dict(part)
            if "state_topic" in config and "val_tpl" in part:
                entity.setdefault("stat_t", config["state_topic"])
            self.check_entity(topic, key, entity, set())

    def check_entity(self, topic, key, entity, more):
        platform = entity.get("p")
        if platform not in PLATFORMS:
            self.fault(f"unknown platform of {key}", topic)
            return
        self.check_keys(key, entity, COMMON | more | set(PLATFORMS[platform].split()), topic)
        place = topic, key
        if not entity.get("uniq_id") or self.ids.setdefault((platform, entity["uniq_id"]), place) != place:
            self.fault(f"no unique id of its own: {key}", topic)
        wanted = ["cmd_t"] if platform in COMMANDED else ["stat_t"]
        if platform == "event":
            wanted.append("evt_typ")
        if any(not entity.get(one) for one in wanted):
            self.fault(f"{key} lacks one of {wanted}", topic)
        if entity.get("dev_cla") in UNITS and entity.get("unit_of_meas") not in UNITS[entity["dev_cla"]].split():
            self.fault(f"the unit of {key} does not fit its class", topic)
        if platform == "sensor" and ((entity.get("dev_cla") == "enum") != bool(entity.get("ops")) or
                                     ("ops" in entity and {"unit_of_meas", "stat_cla"} & set(entity))):
            self.fault(f"{key} has options without the class enum, or a unit with them", topic)
        if entity.get("ent_cat", "diagnostic") != "diagnostic" and platform not in COMMANDED:
            self.fault(f"{key} only shows and is `config`", topic)
        if entity.get("exp_aft", 15) < 15 or entity.get("ret"):
            self.fault(f"{key} expires too soon, or has commands retained", topic)
        self.entities[place] = entity


DEVICE_ALONE = ("device", "origin", "availability", "availability_mode")


def retained_by(port):
    """What a broker would give to whoever comes now: topics, by payload."""
    run = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", "#", "-W", "1", "-F", "%r %t %x"],
                         capture_output=True, text=True, check=False)
    lines = [(line + " ").split(" ") for line in run.stdout.splitlines()]
    return {topic: bytes.fromhex(payload) for flag, topic, payload, *_ in lines if flag == "1"}
