#!/usr/bin/env python3
"""QMP from outside: the greeting, negotiation and errors; what libvirt asks when it probes; every command that is told,
each answer checked against the schema; events with their reasons; a state that moves to another process; hostile input."""
import json
import os
import random
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

from emulator import PATIENCE, run_checks, skip, wait_for
from qmp_client import Qmp, QmpError, Schema, wait_exit

PROGRAM = os.path.abspath(sys.argv[1])

# Enables the keyboard (8042 command AEh, keyboard command F4h), waits for a byte that is no acknowledgement, and resets by
# port CF9h: MOV AL, AEh; OUT 64h, AL; MOV AL, F4h; OUT 60h, AL; IN AL, 64h; TEST AL, 1; JZ; IN AL, 60h; CMP AL, FAh; JE; MOV DX,
# CF9h; MOV AL, 6; OUT DX, AL; HLT.
ROM_PROGRAM = bytes([0xB0, 0xAE, 0xE6, 0x64, 0xB0, 0xF4, 0xE6, 0x60, 0xE4, 0x64, 0xA8, 0x01, 0x74, 0xFA, 0xE4, 0x60, 0x3C, 0xFA,
                     0x74, 0xF4, 0xBA, 0xF9, 0x0C, 0xB0, 0x06, 0xEE, 0xF4])
KEY = [{"type": "qcode", "data": "a"}]


def write_rom(path):
    rom = bytearray(b"\xf4" * 65536)
    rom[:len(ROM_PROGRAM)] = ROM_PROGRAM
    rom[-16:-11] = bytes([0xEA, 0, 0, 0, 0xF0])
    with open(path, "wb") as file:
        file.write(rom)


class Machine:
    """The program with the ROM above and a QMP socket."""

    def __init__(self, *options, negotiate=True, rom=True, pass_fds=()):
        self.folder = tempfile.TemporaryDirectory()
        self.socket_path = self.path("qmp")
        write_rom(self.path("rom"))
        command = [PROGRAM, "-nodefaults", "-display", "none", "-m", "16", "-qmp", f"unix:{self.socket_path},server=on,wait=off"]
        command += ["-bios", self.path("rom")] if rom else []
        command += [option.replace("@", self.folder.name + "/") for option in options]
        # In the folder: commands with made-up arguments write files of those names.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, pass_fds=pass_fds, cwd=self.folder.name)
        try:
            self.qmp = Qmp(self.socket_path, negotiate)
        except OSError as error:
            self.process.kill()
            raise AssertionError("no QMP: " + self.process.communicate()[1]) from error

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.folder.cleanup()


def run_program(*words):
    return subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=True)


# ---- The protocol ----

def check_greeting():
    with Machine("-S", negotiate=False) as machine:
        qmp = machine.qmp
        version = qmp.greeting["QMP"]["version"]
        assert version["qemu"] == {"major": 7, "minor": 2, "micro": 0} and version["package"].startswith("Reprise "), version
        assert qmp.greeting["QMP"]["capabilities"] == []
        assert "qmp_capabilities" in qmp.fails("query-status", "CommandNotFound")
        qmp.fails("qmp_capabilities", enable=["oob"])
        assert qmp.call("qmp_capabilities") == {}
        assert "already complete" in qmp.fails("qmp_capabilities", "CommandNotFound")
        assert stat.S_IMODE(os.stat(machine.socket_path).st_mode) & 0o077 == 0, "others may connect"


def check_errors():
    with Machine("-S") as machine:
        qmp = machine.qmp
        assert "has not been found" in qmp.fails("make-coffee", "CommandNotFound")
        assert qmp.fails("screendump") == "Parameter 'filename' is missing"
        assert qmp.fails("stop", now=True) == "Parameter 'now' is unexpected"
        assert qmp.fails("screendump", filename=5) == "Invalid parameter type for 'filename', expected: string"
        assert "does not accept value 'gif'" in qmp.fails("screendump", filename="x", format="gif")
        assert "not found" in qmp.fails("device-list-properties", "DeviceNotFound", typename="flux-capacitor")
        for text, words in (("[1]", "must be a JSON object"), ("{}", "lacks member 'execute'"), ('{"execute": 1}', "must be a string"),
                            ('{"execute": "stop", "arguments": 3}', "'arguments' must be an object"),
                            ('{"execute": "stop", "exec": 3}', "'exec' is unexpected"), ("{]", "JSON parse error")):
            qmp.send(text + "\n")
            answer = qmp.read_answer()
            assert answer["error"]["class"] == "GenericError" and words in answer["error"]["desc"], answer
        qmp.send(b'{"execute": "qu\xff{"execute": "query-status", "id": null}')  # FFh begins anew
        assert qmp.read_answer()["return"]["status"] == "prelaunch"
        for identity in ("text", 7, [1, {"a": None}], {"b": 2}):
            qmp.send(json.dumps({"execute": "query-name", "id": identity}))
            assert qmp.read_answer()["id"] == identity
        qmp.send('{"execute":"query-name","id":1}{"execute":"query-name","id":2} {"execute":\n"query-name",\n"id":3}')
        assert [qmp.read_answer()["id"] for _ in range(3)] == [1, 2, 3]


def check_second_client():
    """The next client waits until the first has gone, and is greeted anew."""
    with Machine("-S") as machine:
        second = socket.socket(socket.AF_UNIX)
        second.connect(machine.socket_path)
        second.settimeout(0.3)
        try:
            raise AssertionError(f"the second client got {second.recv(1)}")
        except TimeoutError:
            pass
        machine.qmp.close()
        qmp = Qmp.over(second, negotiate=False)
        qmp.fails("query-status", "CommandNotFound")
        qmp.call("qmp_capabilities")
        assert qmp.call("query-status") == {"running": False, "singlestep": False, "status": "prelaunch"}


def check_transports():
    """TCP, stdio, a named character device, and a listening socket from the parent process."""
    port = free_port()
    with Machine("-S", "-chardev", f"socket,id=c,host=127.0.0.1,port={port},server=on,wait=off", "-mon",
                 "chardev=c,mode=control,pretty=on") as machine:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.settimeout(PATIENCE)
        data = b""
        while data.count(b"\n") < 3 or not data.rstrip().endswith(b"}"):
            data += connection.recv(4096)
        assert "QMP" in json.loads(data), data
        labels = {device["label"]: device["filename"] for device in machine.qmp.call("query-chardev")}
        assert labels["c"].startswith("tcp:127.0.0.1"), labels
    process = subprocess.run([PROGRAM, "-machine", "none", "-qmp", "stdio"], capture_output=True, text=True, timeout=PATIENCE, check=True,
                             input='{"execute":"qmp_capabilities"}{"execute":"query-target"}{"execute":"quit"}')
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert lines[2] == {"return": {"arch": "i386"}} and process.returncode == 0, lines
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "inherited")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        early = socket.socket(socket.AF_UNIX)
        early.connect(path)  # before the program runs, as libvirt does
        fd = listener.fileno()
        with Machine("-S", "-chardev", f"socket,id=charmonitor,fd={fd},server=on,wait=off", "-mon",
                     "chardev=charmonitor,id=monitor,mode=control", pass_fds=(fd,)):
            assert Qmp.over(early).call("query-status")["status"] == "prelaunch"
        assert os.path.exists(path), "the socket's file is the parent's"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- What libvirt asks ----

def check_probe():
    """The very words of libvirt's probe; the parent ends when the socket listens and the file is written."""
    with tempfile.TemporaryDirectory() as folder:
        run_program("-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=kvm:tcg", "-qmp",
                    f"unix:{folder}/qmp.monitor,server=on,wait=off", "-pidfile", f"{folder}/qmp.pid", "-daemonize")
        with open(f"{folder}/qmp.pid", encoding="ascii") as file:
            pid = int(file.read())
        qmp = Qmp(f"{folder}/qmp.monitor")
        schema = qmp.learn_schema()
        told = {command["name"] for command in qmp.call("query-commands")}
        assert told == schema.names("command")
        assert qmp.call("query-target") == {"arch": "i386"}
        assert qmp.call("query-kvm") == {"enabled": False, "present": False}
        types = {entry["name"] for entry in qmp.call("qom-list-types")}
        assert {"tcg-accel", "isa-serial", "VGA", "ide-hd", "ide-cd", "PIIX4_PM", "e1000"} <= types, types
        for name in types:
            qmp.call("device-list-properties", typename=name)
        names = {entry["name"] for entry in qmp.call("device-list-properties", typename="PIIX4_PM")}
        assert {"disable_s3", "disable_s4"} <= names
        assert "vgamem_mb" in {entry["name"] for entry in qmp.call("device-list-properties", typename="VGA")}
        assert qmp.call("qom-list-properties", typename="memory-backend-file") == []
        qmp.call("qom-list-properties", typename="none-machine")
        machines = {entry["name"]: entry for entry in qmp.call("query-machines")}
        assert machines["pc-i440fx-7.2"]["alias"] == "pc" and machines["pc-i440fx-7.2"]["default-ram-id"] == "pc.ram"
        assert machines["isapc"]["cpu-max"] == 1
        assert "pentium3" in {entry["name"] for entry in qmp.call("query-cpu-definitions")}
        options = {entry["option"] for entry in qmp.call("query-command-line-options")}
        assert {"machine", "device", "blockdev", "chardev"} <= options and not {"sandbox", "spice", "tpmdev", "chroot"} & options
        assert qmp.call("query-migrate-capabilities") == [
            {"capability": "auto-converge", "state": False}, {"capability": "return-path", "state": True}, {"capability": "events", "state": False}]
        assert "no machine" in qmp.fails("cont")
        os.kill(pid, signal.SIGTERM)
        wait_exit(pid)
        assert not os.path.exists(f"{folder}/qmp.pid")


def check_daemonize_fails():
    failed = subprocess.run([PROGRAM, "-daemonize", "-display", "none", "-hda", "/nowhere/a.img"], capture_output=True, text=True,
                            timeout=PATIENCE, check=False)
    assert failed.returncode == 1 and "/nowhere/a.img" in failed.stderr, failed


def check_libvirt_words():
    """A domain as libvirt 9.0 starts it, JSON in its option values."""
    with Machine("-name", "guest=rep1,debug-threads=on", "-S", "-object", '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"@key"}',
                 "-machine", "pc-i440fx-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram", "-accel", "tcg", "-cpu", "qemu32",
                 "-object", '{"qom-type":"memory-backend-ram","id":"pc.ram","size":16777216}', "-overcommit", "mem-lock=off",
                 "-smp", "1,sockets=1,cores=1,threads=1", "-uuid", "b818388b-fd50-4f5d-a4a8-3a3d0e8a0c5d", "-no-user-config",
                 "-rtc", "base=utc,driftfix=slew", "-no-shutdown", "-boot", "strict=on",
                 "-chardev", "pty,id=charserial0,logfile=@serial.log,logappend=on",
                 "-device", '{"driver":"isa-serial","chardev":"charserial0","id":"serial0","index":0}',
                 "-device", '{"driver":"VGA","id":"video0","vgamem_mb":16,"bus":"pci.0","addr":"0x2"}',
                 "-device", '{"driver":"ide-cd","bus":"ide.1","unit":0,"id":"ide0-1-0","bootindex":2}',
                 "-netdev", '{"type":"user","id":"hostnet0"}',
                 "-device", '{"driver":"e1000","netdev":"hostnet0","id":"net0","mac":"52:54:00:7e:b1:bb","bus":"pci.0","addr":"0x3"}',
                 "-audiodev", '{"id":"audio1","driver":"none"}', "-msg", "timestamp=on") as machine:
        qmp = machine.qmp
        qmp.learn_schema()
        assert qmp.call("query-name") == {"name": "rep1"}
        assert qmp.call("query-uuid") == {"UUID": "b818388b-fd50-4f5d-a4a8-3a3d0e8a0c5d"}
        (serial,) = [device for device in qmp.call("query-chardev") if device["label"] == "charserial0"]
        assert serial["filename"].startswith("pty:/dev/") and os.path.exists(serial["filename"][4:]), serial
        names = {entry["name"]: entry["type"] for entry in qmp.call("qom-list", path="/machine/peripheral")}
        assert names["ide0-1-0"] == "child<ide-cd>" and names["net0"] == "child<e1000>", names
        assert qmp.call("qom-get", path="/machine/peripheral/video0", property="vgamem_mb") == 16
        qmp.call("qom-list", path="/machine/unattached/device[0]")
        qmp.fails("qom-list", "DeviceNotFound", path="/machine/peripheral/nobody")
        (drive,) = qmp.call("query-block")
        assert drive["device"] == "" and drive["qdev"] == "ide0-1-0" and drive["removable"] and not drive["tray_open"], drive
        (cpu,) = qmp.call("query-cpus-fast")
        assert os.path.exists(f"/proc/{machine.process.pid}/task/{cpu['thread-id']}"), cpu
        qmp.call("set_link", name="net0", up=False)
        qmp.call("set_link", name="hostnet0", up=True)
        qmp.fails("set_link", "DeviceNotFound", name="nobody", up=True)


# ---- Commands ----

def press_until(qmp, event, press=lambda qmp: qmp.call("send-key", keys=KEY)):
    """Presses keys until the guest, which has to enable its keyboard first, has seen one. The event's data. Seldom, as what the
    guest does not see at once it may see later."""
    deadline = time.time() + PATIENCE
    while time.time() < deadline:
        try:
            press(qmp)
            return qmp.wait_event(event, 3)
        except TimeoutError:
            pass
        except OSError:  # it has ended meanwhile
            return next(told["data"] for told in qmp.events if told["event"] == event)
    raise AssertionError("the guest sees no key")


CALLED = set()
TOLD = set()


def note(qmp):
    CALLED.update(qmp.called)


def check_run_states():
    with Machine("-S", "-no-shutdown") as machine:
        qmp = machine.qmp
        TOLD.update(qmp.learn_schema().names("command"))
        qmp.call("cont")
        qmp.wait_event("RESUME")
        assert qmp.call("query-status") == {"running": True, "singlestep": False, "status": "running"}
        qmp.call("stop")
        qmp.wait_event("STOP")
        assert qmp.call("query-status")["status"] == "paused"
        qmp.call("stop")
        qmp.call("cont")
        qmp.call("system_reset")
        assert qmp.wait_event("RESET") == {"guest": False, "reason": "host-qmp-system-reset"}
        assert press_until(qmp, "RESET") == {"guest": True, "reason": "guest-reset"}
        qmp.call("system_powerdown")
        qmp.wait_event("POWERDOWN")
        assert "not in suspended" in qmp.fails("system_wakeup")
        qmp.call("inject-nmi")
        qmp.call("set-action", reboot="shutdown", shutdown="pause")
        qmp.call("system_reset")
        assert qmp.wait_event("SHUTDOWN") == {"guest": False, "reason": "host-qmp-system-reset"}
        qmp.wait_event("STOP")
        assert qmp.call("query-status") == {"running": False, "singlestep": False, "status": "shutdown"}
        assert "Resetting" in qmp.fails("cont")
        qmp.call("set-action", reboot="reset", shutdown="poweroff")
        qmp.call("system_reset")
        qmp.call("cont")
        assert "VM status: running\r\n" in qmp.call("human-monitor-command", command__line="info status")
        qmp.fails("human-monitor-command", command__line="info status", cpu__index=4)
        assert "unknown command" in qmp.call("human-monitor-command", command__line="make coffee")
        qmp.call("quit")
        assert qmp.wait_event("SHUTDOWN") == {"guest": False, "reason": "host-qmp-quit"}
        assert machine.process.wait(PATIENCE) == 0
        note(qmp)


def check_vnc():
    with Machine("-S") as machine:
        qmp = machine.qmp
        assert qmp.call("query-vnc") == {"enabled": False}
        assert "no password" in qmp.fails("change-vnc-password", password="x")
        assert "not found" in qmp.fails("add_client", protocol="vnc", fdname="nobody")
        assert "protocol" in qmp.fails("set_password", protocol="spice", password="x")
        assert "no password" in qmp.fails("expire_password", protocol="vnc", time="never")
        note(qmp)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "vnc")
        try:
            machine = Machine("-S", "-vnc", f"unix:{path},password=on")
        except (AssertionError, OSError):
            return  # a build without it
        with machine:
            qmp = machine.qmp
            assert qmp.call("query-vnc") == {"enabled": True, "host": path, "family": "unix", "service": path, "auth": "vnc"}
            qmp.call("set_password", protocol="vnc", password="sesame", connected="keep")
            qmp.call("change-vnc-password", password="sesame")
            for when in ("never", "now", "+60", "2000000000"):
                qmp.call("expire_password", protocol="vnc", time=when)
            qmp.fails("expire_password", protocol="vnc", time="tomorrow")
            ours, theirs = socket.socketpair()
            qmp.call("getfd", descriptor=theirs.fileno(), fdname="client")
            theirs.close()
            qmp.call("add_client", protocol="vnc", fdname="client")
            ours.settimeout(PATIENCE)
            assert ours.recv(12) == b"RFB 003.008\n"
            ours.close()
            note(qmp)


def check_reasons():
    """Why a machine ended is told before the connection ends."""
    with Machine("-no-reboot") as machine:
        assert press_until(machine.qmp, "SHUTDOWN") == {"guest": True, "reason": "guest-reset"}
        assert machine.process.wait(PATIENCE) == 0
    with Machine("-S", "-action", "reboot=shutdown,shutdown=pause") as machine:
        machine.process.terminate()
        assert machine.qmp.wait_event("SHUTDOWN") == {"guest": False, "reason": "host-signal"}
        assert machine.process.wait(PATIENCE) == 0


def check_input_and_screen():
    with Machine("-device", "VGA") as machine:
        qmp = machine.qmp
        qmp.learn_schema()
        qmp.call("send-key", keys=[{"type": "number", "data": 29}, {"type": "number", "data": 56}, {"type": "number", "data": 211}],
                 hold__time=20)
        press_until(qmp, "RESET")
        press_until(qmp, "RESET", lambda qmp: qmp.call("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": KEY[0]}} for down in (True, False)]))
        qmp.fails("send-key", keys=[{"type": "number", "data": 0}])
        qmp.fails("send-key", keys=[{"type": "qcode", "data": "any"}])
        qmp.fails("send-key", keys=[{"type": "qcode", "data": 4}])
        qmp.call("input-send-event", events=[{"type": "rel", "data": {"axis": "x", "value": 5}},
                                             {"type": "btn", "data": {"down": True, "button": "left"}},
                                             {"type": "btn", "data": {"down": False, "button": "left"}},
                                             {"type": "btn", "data": {"down": True, "button": "wheel-up"}}])
        assert "handler" in qmp.fails("input-send-event", events=[{"type": "abs", "data": {"axis": "x", "value": 5}}])
        qmp.fails("input-send-event", events=[{"type": "btn", "data": {"down": True, "button": "fourth"}}])
        qmp.call("screendump", filename=machine.path("a.ppm"))
        qmp.call("screendump", filename=machine.path("a.png"), format="png")
        qmp.fails("screendump", filename="/nowhere/a.png")
        assert qmp.fails("x-stop-video") == "no video is being recorded"
        assert "cannot write" in qmp.fails("x-record-video", filename="/nowhere/a.avi")
        qmp.call("x-record-video", filename=machine.path("a.avi"))
        assert "already" in qmp.fails("x-record-video", filename=machine.path("b.avi"))
        qmp.call("x-stop-video")
        with open(machine.path("a.avi"), "rb") as film:
            assert film.read(12)[8:] == b"AVI "
        with open(machine.path("a.ppm"), "rb") as file:
            assert file.read(2) == b"P6"
        with open(machine.path("a.png"), "rb") as file:
            data = file.read()
        width, height = struct.unpack(">II", data[16:24])
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and width >= 320 and height >= 200
        assert struct.unpack(">I", data[29:33])[0] == zlib.crc32(data[12:29])
        qmp.call("pmemsave", val=0xFFFF0, size=16, filename=machine.path("p"))
        qmp.call("memsave", val=0xFFFF0, size=16, filename=machine.path("v"))
        with open(machine.path("p"), "rb") as file:
            assert file.read()[:5] == bytes([0xEA, 0, 0, 0, 0xF0])
        qmp.fails("pmemsave", val=0, size=16, filename="/nowhere/x")
        assert qmp.call("query-memory-size-summary")["base-memory"] == 16 << 20
        assert qmp.call("query-iothreads") == []
        note(qmp)


def write_image(path, content=b"", size=1 << 20):
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(size)


def check_media():
    """libvirt's way of changing a CD: tray, medium, nodes."""
    with Machine("-S", "-device", "ide-cd,id=cd0,bus=ide.1", "-device", "floppy,id=fd0") as machine:
        qmp = machine.qmp
        qmp.learn_schema()
        write_image(machine.path("a.iso"), b"A" * 4096)
        write_image(machine.path("b.iso"), b"B" * 4096)
        write_image(machine.path("f.img"), b"", 1474560)

        def block(name):
            (found,) = [entry for entry in qmp.call("query-block") if entry["qdev"] == name]
            return found

        qmp.fails("blockdev-add", driver="file", node__name="storage", filename="/nowhere/a.iso")
        qmp.call("blockdev-add", driver="file", node__name="storage", filename=machine.path("a.iso"))
        qmp.call("blockdev-add", driver="raw", node__name="format", file="storage", read__only=True)
        assert "Duplicate" in qmp.fails("blockdev-add", driver="raw", node__name="format", file="storage")
        qmp.fails("blockdev-add", driver="raw", node__name="4more", file="storage")
        qmp.fails("blockdev-add", driver="raw", node__name="more", file="nobody")
        qmp.fails("blockdev-add", driver="bytes", node__name="more", file="storage")
        assert "in use" in qmp.fails("blockdev-del", node__name="storage")
        qmp.fails("blockdev-insert-medium", id="cd0", node__name="format")  # the tray is closed
        qmp.call("blockdev-open-tray", id="cd0")
        assert qmp.wait_event("DEVICE_TRAY_MOVED") == {"device": "", "id": "cd0", "tray-open": True}
        qmp.call("blockdev-remove-medium", id="cd0")
        qmp.call("blockdev-insert-medium", id="cd0", node__name="format")
        qmp.fails("blockdev-insert-medium", id="cd0", node__name="format")
        qmp.fails("blockdev-insert-medium", "DeviceNotFound", id="cd7", node__name="format")
        assert block("cd0")["tray_open"] and block("cd0")["inserted"]["node-name"] == "format"
        qmp.call("blockdev-close-tray", id="cd0")
        assert qmp.wait_event("DEVICE_TRAY_MOVED") == {"device": "", "id": "cd0", "tray-open": False}
        assert block("cd0")["inserted"]["file"] == machine.path("a.iso") and not block("cd0")["tray_open"]
        nodes = {node["node-name"]: node for node in qmp.call("query-named-block-nodes", flat=True)}
        assert nodes["format"]["drv"] == "raw" and nodes["storage"]["drv"] == "file", nodes
        assert "in use" in qmp.fails("blockdev-del", node__name="format")
        qmp.call("eject", id="cd0", force=True)
        qmp.call("blockdev-del", node__name="format")
        qmp.call("blockdev-del", node__name="storage")
        assert "inserted" not in block("cd0") and "Failed to find" in qmp.fails("blockdev-del", node__name="format")
        qmp.call("blockdev-change-medium", id="cd0", filename=machine.path("b.iso"), format="raw")
        assert block("cd0")["inserted"]["image"]["filename"] == machine.path("b.iso")
        qmp.fails("blockdev-change-medium", id="cd0", filename="/nowhere/b.iso")
        assert "inserted" in block("cd0"), "what was in stays if the new one is no good"
        qmp.call("blockdev-change-medium", id="fd0", filename=machine.path("f.img"), format="raw", read__only__mode="read-only")
        assert block("fd0")["inserted"]["ro"] and "tray_open" not in block("fd0")
        qmp.call("eject", id="fd0")
        qmp.fails("eject")
        qmp.fails("eject", id="a", device="b")
        note(qmp)


def check_hot_plug():
    """Devices on USB come and go, and disks of nodes that a client made."""
    with Machine("-S", "-usb", "-device", "VGA,id=screen") as machine:
        qmp = machine.qmp
        qmp.learn_schema()
        write_image(machine.path("a.img"), b"A" * 4096)

        def peripherals():
            return sorted(entry["name"] for entry in qmp.call("qom-list", path="/machine/peripheral") if entry["name"] != "type")

        qmp.call("device_add", driver="usb-kbd", id="keys", port=2)
        assert peripherals() == ["keys", "screen"], peripherals()
        assert "already" in qmp.fails("device_add", driver="usb-mouse", id="keys")
        assert "taken" in qmp.fails("device_add", driver="usb-mouse", id="m", port=2)
        assert "no bus" in qmp.fails("device_add", driver="usb-mouse", bus="usb9.0").replace("USB bus", "bus")
        assert "while the machine runs" in qmp.fails("device_add", driver="e1000")
        assert "not a valid device model" in qmp.fails("device_add", driver="spoon")
        assert "while the machine runs" in qmp.fails("device_del", id="screen")
        assert "not found" in qmp.fails("device_del", id="spoon")
        qmp.call("device_del", id="keys")
        assert qmp.wait_event("DEVICE_DELETED") == {"device": "keys", "path": "/machine/peripheral/keys"}
        qmp.call("blockdev-add", driver="file", node__name="storage", filename=machine.path("a.img"))
        qmp.call("blockdev-add", driver="raw", node__name="format", file="storage")
        for _ in range(2):
            qmp.call("device_add", driver="usb-storage", id="stick", drive="format")
            (block,) = [entry for entry in qmp.call("query-block") if entry["qdev"] == "stick"]
            assert block["inserted"]["node-name"] == "format", block
            assert "in use" in qmp.fails("blockdev-del", node__name="format")
            assert "in use" in qmp.fails("device_add", driver="usb-storage", id="other", drive="format")
            qmp.call("device_del", id="/machine/peripheral/stick")
            assert qmp.wait_event("DEVICE_DELETED")["device"] == "stick"
            assert not [entry for entry in qmp.call("query-block") if entry["qdev"] == "stick"]
        qmp.call("blockdev-del", node__name="format")
        qmp.fails("device_add", driver="usb-storage", id="stick", drive="nobody")
        assert peripherals() == ["screen"], peripherals()
        note(qmp)
    with Machine("-S") as machine:
        assert "-usb" in machine.qmp.fails("device_add", driver="usb-kbd")


def make_qcow2(path, size="16M"):
    run_program("image", "create", "-q", "-f", "qcow2", path, size)


def check_overlays():
    with tempfile.TemporaryDirectory() as folder:
        base, overlay = os.path.join(folder, "base.qcow2"), os.path.join(folder, "overlay.qcow2")
        make_qcow2(base)
        with Machine("-blockdev", json.dumps({"driver": "file", "filename": base, "node-name": "storage1", "auto-read-only": True,
                                              "discard": "unmap"}),
                     "-blockdev", json.dumps({"node-name": "format1", "read-only": False, "driver": "qcow2", "file": "storage1",
                                              "backing": None}),
                     "-device", json.dumps({"driver": "ide-hd", "bus": "ide.0", "unit": 0, "drive": "format1", "id": "ide0-0-0",
                                            "bootindex": 1})) as machine:
            qmp = machine.qmp
            qmp.learn_schema()
            (stats,) = qmp.call("query-blockstats")
            assert stats["qdev"] == "ide0-0-0" and stats["node-name"] == "format1" and "wr_highest_offset" in stats["parent"]["stats"]
            assert {entry["node-name"] for entry in qmp.call("query-blockstats", query__nodes=True)} == {"storage1", "format1"}
            qmp.call("block_resize", node__name="format1", size=32 << 20)
            qmp.fails("block_resize", node__name="format1", size=5)
            qmp.call("block_resize", node__name="format1", size=16 << 20)
            for name in ("query-mice", "query-memdev", "query-current-machine", "query-replay", "query-display-options",
                         "query-vnc-servers", "query-chardev-backends"):
                qmp.call(name)
            for name, arguments in (("query-balloon", {}), ("balloon", {"value": 1 << 20})):
                qmp.fails(name, "DeviceNotActive", **arguments)
            (bus,) = qmp.call("query-pci")
            assert {"slot": 1, "function": 1} in [{key: device[key] for key in ("slot", "function")} for device in bus["devices"]]
            for name in ("one", "two"):
                qmp.call("block-dirty-bitmap-add", node="format1", name=name)
            for verb in ("clear", "disable", "enable"):
                qmp.call("block-dirty-bitmap-" + verb, node="ide0-0-0", name="one")
            qmp.call("block-dirty-bitmap-merge", node="format1", target="two", bitmaps=["one"])
            qmp.call("block-dirty-bitmap-remove", node="format1", name="two")
            assert [bitmap["name"] for bitmap in qmp.call("query-block")[0]["inserted"]["dirty-bitmaps"]] == ["one"]
            assert "dirty-bitmaps" in {key for node in qmp.call("query-named-block-nodes") for key in node}
            write_image(overlay, size=0)
            qmp.call("blockdev-add", driver="file", node__name="storage2", filename=overlay)
            qmp.call("blockdev-create", job__id="create", options={"driver": "qcow2", "file": "storage2", "size": 16 << 20,
                                                                  "cluster-size": 65536, "backing-file": base, "backing-fmt": "qcow2"})
            states = [qmp.wait_event("JOB_STATUS_CHANGE")["status"] for _ in range(5)]
            assert states == ["created", "running", "waiting", "pending", "concluded"], states
            (job,) = qmp.call("query-jobs")
            assert job == {"id": "create", "type": "create", "status": "concluded", "current-progress": 1, "total-progress": 1}
            qmp.fails("blockdev-create", job__id="create", options={"driver": "qcow2", "file": "storage2", "size": 512})
            qmp.call("job-dismiss", id="create")
            assert qmp.wait_event("JOB_STATUS_CHANGE")["status"] == "null" and qmp.call("query-jobs") == []
            qmp.fails("job-dismiss", id="create")
            qmp.call("blockdev-create", job__id="bad", options={"driver": "qcow2", "file": "nobody", "size": 512})
            assert "nobody" in qmp.call("query-jobs")[0]["error"]
            qmp.call("job-dismiss", id="bad")
            assert qmp.call("query-block-jobs") == []
            qmp.call("blockdev-add", driver="qcow2", node__name="format2", file="storage2", backing=None)
            action = {"type": "blockdev-snapshot", "data": {"node": "format1", "overlay": "format2"}}
            qmp.fails("transaction", actions=[action, action])
            qmp.fails("transaction", actions=[{"type": "blockdev-snapshot", "data": {"node": "format1", "overlay": "storage2"}}])
            qmp.call("transaction", actions=[action])
            assert qmp.call("query-block")[0]["inserted"]["node-name"] == "format2"
            qmp.fails("blockdev-snapshot", node="format2", overlay="format2")
            qmp.call("blockdev-snapshot-sync", node__name="format2", snapshot__file=os.path.join(folder, "third.qcow2"),
                     snapshot__node__name="format3", format="qcow2")
            assert qmp.call("query-block")[0]["inserted"]["image"]["backing-filename"] == overlay
            write_image(os.path.join(folder, "fourth.qcow2"), size=0)
            make_qcow2(os.path.join(folder, "fourth.qcow2"))
            qmp.call("blockdev-add", driver="qcow2", node__name="format4", backing=None,
                     file={"driver": "file", "filename": os.path.join(folder, "fourth.qcow2")})
            qmp.call("blockdev-snapshot", node="format3", overlay="format4")
            qmp.call("quit")
            machine.process.wait(PATIENCE)
            note(qmp)
        told = run_program("image", "info", "--output=json", overlay).stdout
        assert json.loads(told)["backing-filename"] == base, told


# ---- A state that moves ----

def wait_status(qmp, wanted):
    wait_for(lambda: qmp.call("query-migrate").get("status") in (wanted, "failed", "completed"), wanted)
    return qmp.call("query-migrate")


def check_migration():
    """To a pipe whose end is passed, and from a descriptor that is inherited: libvirt's save and restore."""
    with tempfile.TemporaryFile() as kept:
        with Machine() as machine:
            qmp = machine.qmp
            qmp.learn_schema()
            assert qmp.call("query-migrate") == {}
            qmp.call("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
            qmp.call("migrate-set-parameters", max__bandwidth=9223372036853727232)
            assert qmp.call("query-migrate-parameters")["max-bandwidth"] == 9223372036853727232
            qmp.fails("migrate", uri="fd:nobody")
            assert qmp.call("query-migrate")["status"] == "failed" and qmp.call("query-status")["running"]
            qmp.fails("migrate", uri="carrier-pigeon:home")
            qmp.fails("getfd", fdname="none")
            qmp.call("getfd", descriptor=kept.fileno(), fdname="spare")
            qmp.call("closefd", fdname="spare")
            qmp.fails("closefd", fdname="spare")
            qmp.call("stop")
            memory = qmp.call("human-monitor-command", command__line="info hash")
            qmp.call("getfd", descriptor=kept.fileno(), fdname="migrate")
            qmp.events.clear()
            qmp.call("migrate", uri="fd:migrate", detach=True, resume=False)
            assert [qmp.wait_event("MIGRATION")["status"] for _ in range(3)] == ["setup", "active", "completed"]
            info = qmp.call("query-migrate")
            assert info["status"] == "completed" and info["ram"]["remaining"] == 0 and info["ram"]["transferred"] > 0, info
            assert qmp.call("query-status")["status"] == "postmigrate"
            qmp.fails("migrate-incoming", uri="fd:3")
            qmp.call("migrate_cancel")
            note(qmp)
        os.lseek(kept.fileno(), 0, os.SEEK_SET)
        fd = kept.fileno()
        with Machine("-S", "-incoming", "defer", pass_fds=(fd,)) as machine:
            qmp = machine.qmp
            qmp.learn_schema()
            assert qmp.call("query-status")["status"] == "inmigrate"
            qmp.fails("migrate-incoming", uri="fd:77")
            qmp.call("migrate-incoming", uri=f"fd:{fd}")
            assert wait_status(qmp, "completed")["status"] == "completed"
            assert qmp.call("query-status")["status"] == "paused"
            assert qmp.call("human-monitor-command", command__line="info hash") == memory
            qmp.call("cont")
            press_until(qmp, "RESET")
            note(qmp)


def check_dump():
    """Memory as a core file: by name and by descriptor, at once and in the background, and in part."""
    with tempfile.TemporaryDirectory() as folder, Machine() as machine:
        qmp, path = machine.qmp, os.path.join(folder, "core")
        qmp.learn_schema()
        assert qmp.call("query-dump") == {"status": "none", "completed": 0, "total": 0}
        assert qmp.call("query-dump-guest-memory-capability") == {"formats": ["elf"]}
        qmp.call("dump-guest-memory", paging=False, protocol=f"file:{path}", begin=0, length=1 << 20)
        with open(path, "rb") as file:
            head = file.read(52)
            assert head[:7] == b"\x7fELF\x01\x01\x01" and struct.unpack_from("<HH", head, 16) == (4, 3), head
            assert 1 << 20 < os.path.getsize(path) < (1 << 20) + 8192
        assert qmp.wait_event("DUMP_COMPLETED")["result"]["status"] == "completed" and qmp.call("query-status")["running"]
        for arguments in ({"protocol": "pigeon:home"}, {"protocol": "fd:none"}, {"protocol": f"file:{folder}/no/core"},
                          {"protocol": f"file:{path}", "begin": 0}, {"protocol": f"file:{path}", "length": 4096},
                          {"protocol": f"file:{path}", "begin": 1, "length": 4096}, {"protocol": f"file:{path}", "begin": 1 << 40, "length": 4096},
                          {"protocol": f"file:{path}", "begin": -4096, "length": 4096}, {"protocol": f"file:{path}", "format": "kdump-zlib"}):
            qmp.fails("dump-guest-memory", paging=False, **arguments)
        assert qmp.call("query-status")["running"]
        read_end, write_end = os.pipe()
        qmp.call("getfd", descriptor=write_end, fdname="dump")
        os.close(write_end)
        qmp.call("stop")
        qmp.call("dump-guest-memory", paging=True, protocol="fd:dump", detach=True)
        assert qmp.call("query-dump")["status"] == "active"
        assert "dump in process" in qmp.fails("dump-guest-memory", paging=False, protocol=f"file:{path}")
        size = 0
        while part := os.read(read_end, 1 << 20):
            size += len(part)
        os.close(read_end)
        result = qmp.wait_event("DUMP_COMPLETED")["result"]
        assert result == qmp.call("query-dump") == {"status": "completed", "completed": size, "total": size}, (result, size)
        assert qmp.call("query-status")["status"] == "paused"
        qmp.call("cont")
        read_end, write_end = os.pipe()
        qmp.call("getfd", descriptor=write_end, fdname="dump")
        os.close(write_end)
        qmp.call("dump-guest-memory", paging=False, protocol="fd:dump", detach=True)
        assert qmp.call("query-status")["status"] == "save-vm" and "dump in process" in qmp.fails("cont")
        os.close(read_end)
        assert "error" in qmp.wait_event("DUMP_COMPLETED") and qmp.call("query-dump")["status"] == "failed"
        wait_for(lambda: qmp.call("query-status")["running"], "the machine to go on")
        read_end, write_end = os.pipe()
        qmp.call("getfd", descriptor=write_end, fdname="dump")
        qmp.call("dump-guest-memory", paging=False, protocol="fd:dump", detach=True)
        note(qmp)
        qmp.call("quit")
        assert machine.process.wait(PATIENCE) == 0, "nobody reads the pipe"


def check_migration_by_program():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "state")
        with Machine() as machine:
            machine.qmp.call("migrate", uri=f"exec:cat > {path}")
            assert wait_status(machine.qmp, "completed")["status"] == "completed"
            machine.qmp.call("cont")
            machine.qmp.call("migrate", uri="exec:exit 3")
            assert wait_status(machine.qmp, "none")["status"] == "failed"
            assert machine.qmp.call("query-status")["running"], "a machine whose state did not get out goes on"
            machine.qmp.call("migrate", uri="exec:exec sleep 100 <&-")
            machine.qmp.call("migrate_cancel")
            assert wait_status(machine.qmp, "cancelled")["status"] == "cancelled"
            machine.qmp.call("migrate", uri="exec:exec sleep 100")
            machine.qmp.call("quit")
            assert machine.process.wait(PATIENCE) == 0
        with Machine("-incoming", f"exec:cat {path}") as machine:
            wait_for(lambda: machine.qmp.call("query-status")["status"] == "running", "the state")
        with open(path, "r+b") as file:
            file.truncate(5000)
        cut = subprocess.run([PROGRAM, "-nodefaults", "-display", "none", "-m", "16", "-incoming", f"exec:cat {path}"],
                             capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
        assert cut.returncode == 1 and "-incoming" in cut.stderr, cut


def check_cancelled():
    """A pipe that nobody reads: the machine runs again when the client gives up."""
    read_end, write_end = os.pipe()
    with Machine() as machine:
        machine.qmp.call("getfd", descriptor=write_end, fdname="full")
        os.set_blocking(write_end, False)
        try:
            while True:
                os.write(write_end, bytes(4096))
        except BlockingIOError:
            pass
        machine.qmp.call("migrate", uri="fd:full")
        assert machine.qmp.call("query-migrate")["status"] == "active"
        assert "in progress" in machine.qmp.fails("migrate", uri="exec:cat")
        machine.qmp.call("migrate_cancel")
        wait_for(lambda: machine.qmp.call("query-migrate")["status"] == "cancelled", "the end")
        assert machine.qmp.call("query-status")["status"] == "running"
    os.close(read_end)
    os.close(write_end)


# ---- Others who drive machines ----

def check_other_programs():
    """The words of Packer's builder for QEMU and of os-autoinst, with devices that are here."""
    with tempfile.TemporaryDirectory() as folder:
        write_image(os.path.join(folder, "disk"))
        write_image(os.path.join(folder, "a.iso"))
        make_qcow2(os.path.join(folder, "hd0"))
        for disk, card in (("ide", "e1000"), ("virtio", "virtio-net")):
            with Machine("-name", "packer", "-machine", "type=pc,accel=tcg", "-m", "64M", "-smp", "1,sockets=1", "-boot", "once=d", "-drive",
                         f"file={folder}/disk,if={disk},cache=writeback,discard=ignore,format=raw,detect-zeroes=", "-drive",
                         f"file={folder}/a.iso,media=cdrom", "-netdev", f"user,id=user.0,hostfwd=tcp::{free_port()}-:22", "-device",
                         f"{card},netdev=user.0", "-vnc", "none", "-vga", "std") as machine:
                assert machine.qmp.call("query-status")["running"]
                drives = machine.qmp.call("query-block")
                assert any(drive.get("inserted", {}).get("file") == f"{folder}/a.iso" for drive in drives), drives
        with Machine("-device", "VGA,edid=on,xres=1024,yres=768", "-only-migratable", "-chardev",
                     f"ringbuf,id=serial0,logfile={folder}/serial0,logappend=on", "-serial", "chardev:serial0", "-audiodev", "none,id=snd0",
                     "-device", "AC97,audiodev=snd0", "-global", "isa-fdc.fdtypeA=none", "-netdev", "user,id=qanet0", "-device",
                     "virtio-net,netdev=qanet0,mac=52:54:00:12:34:56", "-boot", "menu=on,splash-time=5", "-no-shutdown", "-vnc", "none",
                     "-chardev", f"socket,path={folder}/qmp_socket,server=on,wait=off,id=qmp_socket,logfile={folder}/log,logappend=on",
                     "-qmp", "chardev:qmp_socket", "-S",
                     "-blockdev", f"driver=file,node-name=hd0-file,filename={folder}/hd0,cache.no-flush=on",
                     "-blockdev", "driver=qcow2,node-name=hd0,file=hd0-file,cache.no-flush=on,discard=unmap",
                     "-device", "virtio-blk,id=hd0-device,drive=hd0,bootindex=0,serial=hd0"):
            qmp = Qmp(f"{folder}/qmp_socket")
            qmp.call("blockdev-snapshot-sync", node__name="hd0", snapshot__file=f"{folder}/hd0-overlay0",
                     snapshot__node__name="hd0-overlay0", format="qcow2")
            qmp.call("cont")
            qmp.call("migrate", uri=f"exec:cat > {folder}/state")
            assert wait_status(qmp, "completed")["status"] == "completed"
            qmp.call("quit")
        with open(f"{folder}/log", encoding="ascii") as file:
            assert '"QMP"' in file.readline()


# ---- Enemies ----

def random_value(dice, depth=0):
    kind = dice.randrange(9 if depth < 4 else 6)
    if kind < 6:
        return [None, True, dice.randrange(-2**63, 2**64), dice.random() * 1e300, "a" * dice.randrange(300), "\u0000\uffff%s%n"][kind]
    if kind == 6:
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(["type", "data", "driver", "id", "x"]): random_value(dice, depth + 1) for _ in range(dice.randrange(4))}


def random_of_type(schema, name, dice, depth=0):
    """A value of the type, mostly."""
    if dice.random() < 0.08 or depth > 6:
        return random_value(dice)
    kind = schema.type(name)
    if kind["meta-type"] == "builtin":
        return {"string": dice.choice(["", "ide0-0-0", "x" * 200, "/machine", "fd:1000000", "/nowhere/x", "%n", "node"]),
                "int": dice.choice([0, 1, -1, 2**63 - 1, -2**63, 512, dice.randrange(300)]), "boolean": dice.random() < 0.5,
                "number": 1.5}.get(kind["json-type"], random_value(dice))
    if kind["meta-type"] == "enum":
        return dice.choice(kind["values"])
    if kind["meta-type"] == "array":
        return [random_of_type(schema, kind["element-type"], dice, depth + 1) for _ in range(dice.randrange(4))]
    return {member["name"]: random_of_type(schema, member["type"], dice, depth + 1) for member in kind["members"]
            if "default" not in member or dice.random() < 0.5}


# What ends the process by right (in the end), or starts programs that outlive the test.
SPARED = {"quit", "set-action", "migrate", "human-monitor-command", "qmp_capabilities"}


def check_hostile_commands():
    """Any command with any arguments gets an answer."""
    dice = random.Random(int(os.environ.get("REPRISE_SEED", "1")))
    count = int(os.environ.get("REPRISE_CASES", "600"))
    with Machine("-S", "-device", "VGA,id=video0", "-device", "ide-cd,id=ide0-0-0") as machine:
        qmp = machine.qmp
        schema = qmp.learn_schema()
        qmp.schema = None  # answers are checked elsewhere; here that there are any
        names = sorted(schema.names("command") - SPARED)
        for _ in range(count):
            name = dice.choice(names)
            arguments = random_of_type(schema, schema.command(name)["arg-type"], dice)
            try:
                qmp.call(name, **(arguments if isinstance(arguments, dict) else {"x": arguments}))
            except QmpError:
                pass
        qmp.call("query-status")
        assert machine.process.poll() is None


def check_hostile_bytes():
    """Bytes of no sense, far too long and too deep messages, and clients that never read."""
    dice = random.Random(int(os.environ.get("REPRISE_SEED", "1")))
    with Machine("-S") as machine:
        machine.qmp.close()
        for text in (bytes(dice.randrange(256) for _ in range(20000)), b"[" * 5000, b'{"execute": "' + b"a" * (3 << 20) + b'"}',
                     b'{"execute":' * 2000, b'"\\ud800"' * 50, b"\xff" * 1000, b"9" * 5000 + b" ", b"\x00" * 100):
            qmp = Qmp(machine.socket_path)
            reader = threading.Thread(target=drain, args=(qmp.socket,))
            reader.start()
            try:
                qmp.send(text)
                time.sleep(0.05)
                qmp.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            reader.join()
            qmp.close()
        qmp = Qmp(machine.socket_path)
        qmp.socket.settimeout(0.5)
        try:
            while True:  # until the server stops reading
                qmp.send(b'{"execute":"query-qmp-schema"}' * 100)
        except TimeoutError:
            pass
        qmp.close()
        qmp = Qmp(machine.socket_path)
        assert qmp.call("query-status")["status"] == "prelaunch"
        with open(f"/proc/{machine.process.pid}/status", encoding="ascii") as file:
            resident = int(next(line for line in file if line.startswith("VmRSS")).split()[1])
        assert resident < 400 * 1024, f"{resident} KB"


def drain(connection):
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


def check_all_called():
    """Each command that is told was called by what stands before."""
    with tempfile.TemporaryDirectory() as folder:
        run_program("-machine", "none", "-nodefaults", "-nographic", "-qmp", f"unix:{folder}/q,server=on,wait=off", "-daemonize")
        qmp = Qmp(f"{folder}/q")
        for name in ("query-version", "query-commands", "query-target", "query-kvm", "query-machines", "query-cpu-definitions",
                     "query-command-line-options", "qom-list-types", "query-chardev", "query-name", "query-uuid",
                     "query-migrate-capabilities"):
            qmp.call(name)
        qmp.call("quit")
        note(qmp)
    # By block_jobs.py.
    CALLED.update({"block-commit", "block-stream", "blockdev-backup", "blockdev-mirror", "drive-backup", "drive-mirror"}
                  | {f"block-job-{verb}" for verb in ("cancel", "complete", "dismiss", "finalize", "pause", "resume", "set-speed")}
                  | {f"job-{verb}" for verb in ("cancel", "complete", "finalize", "pause", "resume")})
    CALLED.update({"device-list-properties", "qom-list-properties", "qom-list", "qom-get", "query-cpus-fast", "set_link"})
    assert TOLD, "no schema was seen"
    assert TOLD <= CALLED, f"never called: {sorted(TOLD - CALLED)}"


def main():
    quits = '{"execute":"qmp_capabilities"}{"execute":"quit"}'
    if "made without json-c" in subprocess.run([PROGRAM, "-machine", "none", "-qmp", "stdio"], input=quits, capture_output=True,
                                               text=True, timeout=PATIENCE, check=False).stderr:
        skip("built without json-c")
    return run_checks([check_greeting, check_errors, check_second_client, check_transports, check_probe, check_daemonize_fails,
                       check_libvirt_words, check_run_states, check_vnc, check_reasons, check_input_and_screen, check_media, check_hot_plug, check_overlays,
                       check_migration, check_dump, check_migration_by_program, check_cancelled, check_other_programs, check_hostile_commands, check_hostile_bytes,
                       check_all_called])


if __name__ == "__main__":
    sys.exit(main())
