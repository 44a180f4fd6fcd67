#!/usr/bin/env python3
"""Linux on each network card: DHCP, ping, and the same megabytes in both directions by TCP."""
import hashlib
import os
import re

import initramfs
import network_guest
from guest_test import Skip, case, check, run_cases

CARDS = {
    "e1000": ["e1000"],
    "ne2k_pci": ["ne2k-pci"],
    "virtio-net-pci": ["virtio_pci", "virtio_net"],
    "rtl8139": ["8139cp"],
    "pcnet": ["pcnet32"],
}
MORE = os.environ.get("REPRISE_NETWORK_OPTIONS", "").split()
LONG = os.environ.get("REPRISE_LONG") == "1"
MEGABYTES = 100 if LONG else 5


def start(context, options):
    machine = context.start(*options)
    if "without libslirp" in machine.read_log():
        raise Skip("this build has no network 'user'")
    return machine


def transfer(context, card, modules, megabytes):
    data = network_guest.noise(megabytes)
    host = network_guest.Host(data)
    script = network_guest.TRANSFER.format(down=host.down, up=host.up)
    options = network_guest.options(context.folder, ["-netdev", "user,id=lan", "-device", f"{card},netdev=lan", *MORE], modules, script,
                                    memory=64 + 3 * megabytes)
    with start(context, options) as machine:
        machine.wait_serial(initramfs.DONE, 120 + 10 * megabytes)
        log = machine.read_serial()
        check(f"{initramfs.DONE} 0" in log, log)
        check("lease 10.0.2.15 10.0.2.2 10.0.2.3" in log, log)
        check("3 packets received, 0% packet loss" in log, log)
        checksum = hashlib.md5(data).hexdigest()
        check(f"received {checksum}" in log, f"the guest received other bytes: {log}")
        check(host.done.wait(120) and host.received.hexdigest() == checksum,
              f"the host received {host.received_bytes} other bytes")
        times = [float(word) for word in re.search(r"seconds (.*)", log).group(1).split()]
        print(f"{card}: {megabytes / max(times[1] - times[0], 0.01):.1f} MB/s to the guest, "
              f"{megabytes / max(times[3] - times[2], 0.01):.1f} MB/s from it")


def add_case(card, modules):
    def body(context):
        transfer(context, card, modules, MEGABYTES)
    body.__name__ = f"linux_transfers_with_{card}"
    case(body)


for name, needed in CARDS.items():
    add_case(name, needed)

if __name__ == "__main__":
    run_cases()
