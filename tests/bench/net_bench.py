#!/usr/bin/env python3
"""How fast Linux moves data over each network card, beside the same under QEMU in the same run.

    tests/bench/net_bench.py [--emu REPRISE] [--reference QEMU] [--megabytes N] [--rounds N]
                             [--only e1000,virtio-net-pci] [--json]

The other end is a program of the host, reached through the private network 'user'. Three parts: the
guest receives, it sends in small writes, it serves a file. What counts is the processor time that
the emulator takes, as other work on the host does not change that; megabytes a second of the guest's
own clock are printed, too. The programs are measured in turns.
"""
import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import time

import bench_common

sys.path.insert(0, os.path.join(bench_common.REPOSITORY, "tests", "guests"))
import fetch_packages  # pylint: disable=wrong-import-position
import network_guest  # pylint: disable=wrong-import-position
import vm  # pylint: disable=wrong-import-position

EXIT_SKIPPED = 77
CARDS = {
    "e1000": ["e1000"],
    "ne2k_pci": ["ne2k-pci"],
    "pcnet": ["pcnet32"],
    "rtl8139": ["8139cp"],
    "virtio-net-pci": ["virtio_pci", "virtio_net"],
}
PARTS = ["receive", "send", "serve"]

# The guest sleeps around each part, so that it does not matter when exactly the host looks.
SCRIPT = network_guest.START + """
part() {{
  sleep 1; echo "begin $1"; sleep 1
  read before rest </proc/uptime
  eval "$2"
  read after rest </proc/uptime
  echo "took $before $after"; sleep 1; echo "end"
}}
mkdir /www
dd if=/dev/zero of=/www/data bs=1M count={megabytes} 2>/dev/null
httpd -h /www
part receive "nc 10.0.2.2 {down} >/dev/null"
part send "nc 10.0.2.2 {up} </www/data"
part serve "while [ ! -e /www/served ]; do usleep 10000; netstat -t | grep -q ':80 .*TIME_WAIT' && touch /www/served; done"
"""


def processor_seconds(process):
    """User and system time of all threads."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port, expected):
    """Reads the file that the guest serves, to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=200) as connection:
        connection.sendall(b"GET /data HTTP/1.0\r\n\r\n")
        count = 0
        while part := connection.recv(1 << 18):
            count += len(part)
    if count < expected:
        raise RuntimeError(f"the guest served {count} bytes of {expected}")


def measure(emulator, card, megabytes, time_out):
    """{part: (MB a second of processor time, MB a second of the guest's clock, or of the host's
    where that asks)}"""
    data, port, result = network_guest.noise(megabytes), free_port(), {}
    host = network_guest.Host(data)
    script = SCRIPT.format(down=host.down, up=host.up, megabytes=megabytes)
    with tempfile.TemporaryDirectory() as folder:
        options = network_guest.options(
            folder, ["-cpu", "qemu32", "-netdev", f"user,id=lan,hostfwd=tcp:127.0.0.1:{port}-:80",
                     "-device", f"{card},netdev=lan"], CARDS[card], script, memory=96 + megabytes)
        with vm.Vm(emulator, options) as machine:
            for part in PARTS:
                machine.wait_serial(f"begin {part}", time_out)
                before = processor_seconds(machine.process)
                if part == "serve":
                    fetched = time.monotonic()
                    fetch(port, megabytes << 20)
                    fetched = time.monotonic() - fetched
                machine.wait_serial(f"(?s)begin {part}.*end", time_out)
                seconds = processor_seconds(machine.process) - before
                log = machine.read_serial()
                took = log[log.rindex("took "):].split()[1:3]
                took = float(took[1]) - float(took[0]) if part != "serve" else fetched
                result[part] = (megabytes / max(seconds, bench_common.LEAST_SECONDS),
                                megabytes / max(took, 0.01))
    if host.received_bytes != megabytes << 20:
        raise RuntimeError(f"the host received {host.received_bytes} bytes")
    return result


def measure_reference(emulator, card, megabytes, time_out):
    """As measure(); no speed where it does not come to an end: QEMU's ne2k_pci loses most of what it is to receive, and a
    hundred megabytes at 0.1 MB/s take longer than anybody waits."""
    try:
        return measure(emulator, card, megabytes, time_out)
    except vm.VmError as reason:
        print(f"{card}: the reference did not finish: {str(reason).splitlines()[0]}", file=sys.stderr)
        return {part: (0.0, 0.0) for part in PARTS}


def medians(rounds):
    return {part: tuple(statistics.median(one[part][i] for one in rounds) for i in (0, 1))
            for part in PARTS}


def print_row(card, part, speeds):
    cells = [f"{speeds[0][part][0]:7.1f}", f"{speeds[0][part][1]:7.1f}"]
    if len(speeds) > 1:
        cells += [f"{speeds[1][part][0]:7.1f}", f"{speeds[1][part][1]:7.1f}"]
        cells += [f"{speeds[0][part][0] / speeds[1][part][0]:5.2f}" if speeds[1][part][0] else "    -"]
    print(f"{card:16} {part:8} {'  '.join(cells)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--emu", default=os.path.join(bench_common.REPOSITORY,
                                                      "build/release/reprise"))
    parser.add_argument("--reference", default="qemu-system-i386", help="'none': no comparison")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="names of cards, separated by commas")
    parser.add_argument("--time-out", type=float, default=300)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="fail where we are slower")
    args = parser.parse_args()
    emulators = [args.emu] + ([args.reference] if args.reference != "none" else [])
    names = [name for name in args.only.split(",") if name] or list(CARDS)
    results, slower = {}, False
    try:
        fetch_packages.kernel_image("686")
    except fetch_packages.PackageMissing as reason:
        fetch_packages.exit_missing(reason)
    if not args.json:
        print("megabytes a second of processor time and of the guest's clock; QEMU's; how many "
              "times as fast by processor time")
    for name in names:
        rounds = [[(measure_reference if i else measure)(emulator, name, args.megabytes, args.time_out)
                   for i, emulator in enumerate(emulators)] for _ in range(args.rounds)]
        speeds = [medians([one[i] for one in rounds]) for i in range(len(emulators))]
        results[name] = speeds
        for part in PARTS:
            slower |= len(speeds) > 1 and speeds[0][part][0] < speeds[1][part][0]
            if not args.json:
                print_row(name, part, speeds)
    if args.json:
        print(json.dumps(results))
    return 1 if args.check and slower else 0


if __name__ == "__main__":
    sys.exit(main())
