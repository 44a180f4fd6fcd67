#!/usr/bin/env python3
"""Two Linux guests on one wire: two emulators, or one and QEMU, ping each other and move a file."""
import hashlib
import os
import shutil
import socket
import struct
import subprocess

import initramfs
import network_guest
import vm
from guest_test import Skip, case, check, run_cases

MEGABYTES = 2
QEMU = "qemu-system-i386"

# The one that listens sends noise that the other one, who asks for it, knows the sum of.
SERVER = """ifconfig eth0 192.168.7.1 || exit 1
nc -l -p 5000 </data
echo "sent all"
ping -c 3 192.168.7.2 || exit 2
sleep 3
"""
CLIENT = """ifconfig eth0 192.168.7.2 || exit 1
i=0; until ping -c 1 -W 1 192.168.7.1 >/dev/null; do i=$((i + 1)); [ $i -lt 100 ] || exit 1; done
nc 192.168.7.1 5000 >/tmp/data
echo "received $(md5sum </tmp/data)"
sleep 600 # until the server, which asks for more, is done
"""


def guest_options(context, name, script, wire, card, modules, data=None):
    folder = os.path.join(context.folder, name)
    os.mkdir(folder)
    return network_guest.options(
        folder, ["-netdev", f"socket,id=wire,{wire}", "-device", f"{card},netdev=wire"], modules,
        script, files={"data": data} if data else None)


def connect(context, other, wires, card, modules, capture=None):
    """OTHER is the emulator whose guest serves."""
    data = network_guest.noise(MEGABYTES)
    path = os.path.join(context.folder, "noise")
    with open(path, "wb") as file:
        file.write(data)
    server_options = guest_options(context, "server", SERVER, wires[0], card, modules, path)
    client_options = guest_options(context, "client", CLIENT, wires[1], card, modules)
    if capture:
        client_options += ["-object", f"filter-dump,id=dump,netdev=wire,file={capture}"]
    with vm.Vm(other, server_options, context.accelerator, context.patience) as server:
        with context.start(*client_options) as client:
            client.wait_serial("received .*", 200)
            check(f"received {hashlib.md5(data).hexdigest()}" in client.read_serial(),
                  client.read_serial())
            server.wait_serial(initramfs.DONE, 60)
            log = server.read_serial()
            check(f"{initramfs.DONE} 0" in log and " 3 packets received" in log, log)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stream_wires():
    port = free_port()
    return f"listen=127.0.0.1:{port}", f"connect=127.0.0.1:{port}"


def count_frames(path):
    """Those of a pcap file, whose headers must be whole."""
    with open(path, "rb") as file:
        data = file.read()
    check(struct.unpack("<IHHiIII", data[:24]) == (0xA1B2C3D4, 2, 4, 0, 0, 65536, 1), "file header")
    at, frames = 24, 0
    while at < len(data):
        _, _, kept, size = struct.unpack("<IIII", data[at:at + 16])
        check(kept == size and at + 16 + kept <= len(data), f"frame {frames} is cut")
        at, frames = at + 16 + kept, frames + 1
    return frames


@case
def two_guests_over_a_stream(context):
    capture = os.path.join(context.folder, "wire.pcap")
    connect(context, context.emulator, stream_wires(), "pcnet", ["pcnet32"], capture)
    frames = count_frames(capture)
    check(frames > MEGABYTES * 700, f"only {frames} frames were captured")
    if shutil.which("tcpdump"):
        printed = subprocess.run(["tcpdump", "-nr", capture, "tcp", "and", "port", "5000"],
                                 capture_output=True, text=True, check=True).stdout
        check(printed.count("192.168.7.1.5000") > MEGABYTES * 700, printed[-2000:])


@case
def two_guests_over_datagrams(context):
    one, two = free_port(), free_port()
    wires = (f"udp=127.0.0.1:{two},localaddr=127.0.0.1:{one}",
             f"udp=127.0.0.1:{one},localaddr=127.0.0.1:{two}")
    connect(context, context.emulator, wires, "rtl8139", ["8139cp"])


@case
def a_guest_and_one_of_qemu(context):
    qemu = shutil.which(QEMU)
    if not qemu:
        raise Skip(f"{QEMU} is missing")
    connect(context, qemu, stream_wires(), "pcnet", ["pcnet32"])


if __name__ == "__main__":
    run_cases()
