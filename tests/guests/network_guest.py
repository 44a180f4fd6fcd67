"""A Linux guest on a network, and the host's side of its transfers."""
import hashlib
import os
import random
import socket
import threading

import fetch_packages
import initramfs

# What the DHCP client does with its lease.
LEASE_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ifconfig $interface $ip netmask $subnet
route add default gw $router
echo "nameserver $dns" >/etc/resolv.conf
echo "lease $ip $router $dns"
"""

START = """ifconfig lo up
ifconfig eth0 up
dmesg | grep -i eth0
udhcpc -i eth0 -n -q -t 20 -T 1 -s /lease || exit 1
ping -c 3 10.0.2.2 || exit 2
"""

TRANSFER = START + """
read before rest </proc/uptime
nc 10.0.2.2 {down} >/tmp/data
read middle rest </proc/uptime
echo "received $(md5sum </tmp/data)"
read again rest </proc/uptime
nc 10.0.2.2 {up} </tmp/data
read after rest </proc/uptime
echo "seconds $before $middle $again $after"
ifconfig eth0
"""


def noise(megabytes):
    seed = random.Random(megabytes).randbytes(1 << 20)
    return b"".join(number.to_bytes(4, "big") + seed[4:] for number in range(megabytes))


class Host:
    """Sends data to whoever connects to one port, and takes what comes at another."""

    def __init__(self, data):
        self.data = data
        self.received = hashlib.md5()
        self.received_bytes = 0
        self.done = threading.Event()
        self.down = self._listen(self._send)
        self.up = self._listen(self._take)

    def _listen(self, serve):
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(listener, serve), daemon=True).start()
        return listener.getsockname()[1]

    @staticmethod
    def _accept(listener, serve):
        while True:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

    def _send(self, connection):
        connection.sendall(self.data)

    def _take(self, connection):
        while part := connection.recv(1 << 16):
            self.received.update(part)
            self.received_bytes += len(part)
        self.done.set()


def options(folder, card_options, modules, script, memory=128, append="", files=None):
    """Those of a machine that boots Linux with these modules and runs a script."""
    lease = os.path.join(folder, "lease")
    with open(lease, "w", encoding="ascii") as file:
        file.write(LEASE_SCRIPT)
    os.chmod(lease, 0o755)
    path = os.path.join(folder, "initrd")
    initramfs.build(path, modules=modules, script=script, files={"lease": lease, **(files or {})})
    return ["-m", str(memory), "-kernel", fetch_packages.kernel_image("686"), "-initrd", path,
            "-append", f"console=ttyS0 quiet net.ifnames=0 {append}", *card_options]
