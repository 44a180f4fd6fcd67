"""A client of QMP that checks every answer and event against the schema that the server tells."""
import array
import json
import os
import socket
import time


PATIENCE = 120  # seconds until something is taken to hang, on a host that has more to do


class QmpError(Exception):
    """An answer with "error"."""

    def __init__(self, answer):
        super().__init__(f"{answer['class']}: {answer['desc']}")
        self.error_class, self.text = answer["class"], answer["desc"]


class Schema:
    """query-qmp-schema's answer, and checks by it."""

    JSON_TYPES = {"string": str, "int": int, "boolean": bool, "number": (int, float)}

    def __init__(self, entries):
        self.entries = {(entry["meta-type"] in ("command", "event"), entry["name"]): entry for entry in entries}
        assert len(self.entries) == len(entries), "a name is told twice"

    def command(self, name):
        return self.entries[True, name]

    def type(self, name):
        return self.entries[False, name]

    def names(self, meta_type):
        return {entry["name"] for entry in self.entries.values() if entry["meta-type"] == meta_type}

    def check(self, type_name, value, place):
        """Fails where 'value' is not of the type."""
        kind = self.type(type_name)
        meta = kind["meta-type"]
        if meta == "builtin":
            if kind["json-type"] == "value":
                return
            assert isinstance(value, self.JSON_TYPES[kind["json-type"]]), f"{place}: {value!r} is no {type_name}"
            assert kind["json-type"] == "boolean" or not isinstance(value, bool), f"{place}: {value!r}"
        elif meta == "enum":
            assert value in kind["values"], f"{place}: {value!r} is no {type_name}"
            assert [member["name"] for member in kind["members"]] == kind["values"]
        elif meta == "array":
            assert isinstance(value, list), f"{place}: {value!r} is no list"
            for element in value:
                self.check(kind["element-type"], element, place + "[]")
        else:
            self.check_object(kind, value, place)

    def check_object(self, kind, value, place):
        assert isinstance(value, dict), f"{place}: {value!r} is no object"
        members = {member["name"]: member for member in kind["members"]}
        for name, member in members.items():
            assert name in value or "default" in member, f"{place}: no {name}"
        for name, part in value.items():
            if kind["name"] == "SchemaInfo" and name not in members:
                continue  # a union: what else is there depends on the meta-type
            assert name in members, f"{place}: {name} is not in the schema"
            self.check(members[name]["type"], part, f"{place}.{name}")

    def check_complete(self):
        """Whatever an entry refers to is there."""
        for entry in self.entries.values():
            for key in ("arg-type", "ret-type", "element-type"):
                assert key not in entry or (False, entry[key]) in self.entries, entry
            for member in entry.get("members", []):
                assert entry["meta-type"] == "enum" or (False, member["type"]) in self.entries, (entry["name"], member)


class Qmp:
    """One connection."""

    def __init__(self, address, negotiate=True, timeout=PATIENCE):
        deadline = time.time() + timeout
        while True:
            self.socket = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
            try:
                self.socket.connect(address)
                break
            except OSError:
                self.socket.close()
                if time.time() > deadline:
                    raise
                time.sleep(0.02)
        self.start(negotiate, timeout)

    def start(self, negotiate, timeout):
        self.socket.settimeout(timeout)
        self.data = b""
        self.events, self.called, self.schema, self.number = [], set(), None, 0
        self.greeting = self.read_message()
        if negotiate:
            self.call("qmp_capabilities")

    @classmethod
    def over(cls, connected, negotiate=True):
        """On a socket that is connected already."""
        self = cls.__new__(cls)
        self.socket = connected
        self.start(negotiate, PATIENCE)
        return self

    def read_message(self):
        while b"\n" not in self.data:
            part = self.socket.recv(1 << 16)
            if not part:
                raise ConnectionError("the server closed the connection")
            self.data += part
        line, _, self.data = self.data.partition(b"\n")
        return json.loads(line)

    def read_answer(self):
        while "event" in (message := self.read_message()):
            self.take_event(message)
        return message

    def take_event(self, message):
        stamp = message["timestamp"]
        assert abs(stamp["seconds"] - time.time()) < 600 and 0 <= stamp["microseconds"] < 1000000, stamp
        if self.schema is not None:
            event = self.schema.command(message["event"])
            self.schema.check(event["arg-type"], message.get("data", {}), message["event"])
        self.events.append(message)

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def call(self, name, /, descriptor=None, **arguments):
        """The answer's "return"; an underscore in an argument's name stands for a dash where QMP has one."""
        self.number += 1
        message = {"execute": name, "id": {"number": self.number}}
        if arguments:
            message["arguments"] = {key.replace("__", "-"): value for key, value in arguments.items()}
        data = json.dumps(message).encode() + b"\n"
        if descriptor is None:
            self.socket.sendall(data)
        else:
            self.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        answer = self.read_answer()
        assert answer["id"] == {"number": self.number}, answer
        self.called.add(name)
        if "error" in answer:
            raise QmpError(answer["error"])
        if self.schema is not None:
            self.schema.check(self.schema.command(name)["ret-type"], answer["return"], name)
        return answer["return"]

    def learn_schema(self):
        self.schema = Schema(self.call("query-qmp-schema"))
        self.schema.check_complete()
        return self.schema

    def fails(self, name, error_class="GenericError", /, **arguments):
        """The text of the error that the command must end with."""
        try:
            result = self.call(name, **arguments)
        except QmpError as error:
            assert error.error_class == error_class, error
            return error.text
        raise AssertionError(f"{name} did not fail: {result}")

    def wait_event(self, name, seconds=PATIENCE):
        """The data of the next event of that name, among those that came or come."""
        deadline = time.time() + seconds
        while True:
            for at, event in enumerate(self.events):
                if event["event"] == name:
                    del self.events[:at + 1]
                    return event.get("data", {})
            self.socket.settimeout(max(deadline - time.time(), 0.001))
            try:
                message = self.read_message()
            except TimeoutError as error:
                raise TimeoutError("no event " + name) from error
            finally:
                self.socket.settimeout(PATIENCE)
            assert "event" in message, message
            self.take_event(message)

    def close(self):
        self.socket.close()


def wait_exit(pid, seconds=PATIENCE):
    """Waits until a process that is not ours has gone."""
    deadline = time.time() + seconds
    while os.path.exists(f"/proc/{pid}"):
        assert time.time() < deadline, f"process {pid} stays"
        time.sleep(0.02)
