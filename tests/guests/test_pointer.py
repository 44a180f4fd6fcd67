#!/usr/bin/env python3
"""Where the host's pointer is the guest's is, too: by VNC, by a window on a virtual X server, by QMP; Linux tells what comes."""
import json
import os
import re
import shutil
import socket
import struct
import sys

import initramfs
import network_guest
from guest_test import REPOSITORY, Skip, case, check, run_cases

sys.path.insert(0, os.path.join(REPOSITORY, "tests", "frontend"))
from x_server import STATUS_LINE_HEIGHT, XServer  # pylint: disable=wrong-import-position

MOST = 32767
MODULES = ["uhci_hcd", "usbhid", "hid_generic", "evdev"]
# Each event has 16 bytes: time, type, code, value.
SCRIPT = """i=0; until grep -q Tablet /sys/class/input/event*/device/name; do i=$((i + 1)); [ $i -lt 30 ] || exit 1; sleep 1; done
exec 3</dev/input/$(grep -l Tablet /sys/class/input/event*/device/name | cut -d/ -f5)
echo "reader is ready"
od -A x -t x2 -v <&3
"""


def events(machine):
    """As (type, code, value)."""
    words = [int(word, 16) for line in re.findall(r"^[0-9a-f]{6,}((?: [0-9a-f]{4}){8})\r?$", machine.read_serial(), re.M)
             for word in line.split()]
    return [(words[at + 4], words[at + 5], words[at + 6] | words[at + 7] << 16) for at in range(0, len(words) - 7, 8)]


def start(context, *options, window=None):
    if context.is_qemu:
        raise Skip("the window's name is that of Reprise")
    machine = context.start(*network_guest.options(context.folder, ["-net", "none", "-usb", "-device", "usb-tablet", *options],
                                                   MODULES, SCRIPT), window=window)
    machine.wait_serial("reader is ready|" + initramfs.DONE, 100)
    return machine


def expect(machine, *wanted):
    """These events come; a place may be off by a pixel."""
    def near(one, other):
        return one[:2] == other[:2] and abs(one[2] - other[2]) <= (100 if one[0] == 3 else 0)
    machine.wait_until(lambda: all(any(near(one, other) for other in events(machine)) for one in wanted),
                       20, f"{wanted} among the events")


class VncPointer:
    """A client of the RFB protocol (RFC 6143) that only points."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rwb", buffering=0)
        self.receive(12)
        self.stream.write(b"RFB 003.008\n")
        self.receive(self.receive(1)[0])
        self.stream.write(b"\1")  # no authentication
        check(self.receive(4) == bytes(4), "the VNC server wants more")
        self.stream.write(b"\1")
        self.width, self.height = struct.unpack(">HH", self.receive(4))

    def receive(self, size):
        data = b""
        while len(data) < size:
            data += self.stream.read(size - len(data))
        return data

    def pointer(self, x, y, buttons=0):
        self.stream.write(struct.pack(">BBHH", 5, buttons, x, y))


@case
def by_vnc(context):
    path = os.path.join(context.folder, "vnc")
    with start(context, "-vnc", f"unix:{path}") as machine:
        client = VncPointer(path)
        client.pointer(client.width // 2, client.height - 1)
        expect(machine, (3, 0, MOST // 2), (3, 1, MOST))
        client.pointer(0, client.height // 4, 1)
        client.pointer(0, client.height // 4, 0)
        client.pointer(0, client.height // 4, 16)
        expect(machine, (3, 0, 0), (3, 1, MOST // 4), (1, 0x110, 1), (1, 0x110, 0), (2, 8, 0xFFFFFFFF))


@case
def by_the_window(context):
    for tool in ("Xvfb", "xdotool"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    server = XServer()
    try:
        with start(context, window=server.environment) as machine:
            machine.wait_until(server.window, 10, "the window")
            server.focus()
            width, height = server.size()
            height -= STATUS_LINE_HEIGHT
            window = server.window()[0]
            for x, y in ((10, 10), (width // 2, height // 4), (width // 4, height // 2)):
                server.run("xdotool", "mousemove", "--window", window, str(x), str(y))
                expect(machine, (3, 0, MOST * x // width), (3, 1, MOST * y // height))
            server.run("xdotool", "click", "1")
            expect(machine, (1, 0x110, 1), (1, 0x110, 0))
            check("releases" not in server.title(), "the window took the pointer: " + server.title())
            server.run("xdotool", "mousemove", "1279", "1023")  # it leaves, and comes to the edge
            server.run("xdotool", "mousemove", "--window", window, str(width - 1), str(height // 2))
            expect(machine, (3, 0, MOST))
    finally:
        server.close()


@case
def by_qmp(context):
    path = os.path.join(context.folder, "qmp")
    with start(context, "-qmp", f"unix:{path},server=on,wait=off") as machine, socket.socket(socket.AF_UNIX) as control:
        control.connect(path)
        stream = control.makefile("rw", encoding="utf-8")

        def call(name, **arguments):
            stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            stream.flush()
            for line in stream:
                answer = json.loads(line)
                if "return" in answer or "error" in answer:
                    return answer
            return {}

        call("qmp_capabilities")
        x, y = ({"type": "abs", "data": {"axis": axis, "value": value}} for axis, value in (("x", 1234), ("y", 99999)))
        press, release = ({"type": "btn", "data": {"down": down, "button": "right"}} for down in (True, False))
        check("return" in call("input-send-event", events=[x, y, press, release]), "input-send-event fails")
        expect(machine, (3, 0, 1234), (3, 1, MOST), (1, 0x111, 1), (1, 0x111, 0))
        told = events(machine)
        check(told.index((3, 1, MOST)) < told.index((0, 0, 0)), f"the axes did not move at once: {told}")
        check("error" in call("input-send-event", events=[{"type": "abs", "data": {"axis": "z", "value": 0}}]), "axis z")


run_cases()
