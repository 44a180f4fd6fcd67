#!/usr/bin/env python3
"""Measures checkpoints, clones and snapshots of booted guests, beside QEMU's savevm and loadvm.

    state_bench.py [--loops N] [--clones N] [--reference none] [--check] [--quick]

Linux is Debian's kernel with busybox (tests/guests/fetch_packages.py), DOS is FreeDOS from the
folder that REPRISE_GUESTS names. What is not there is left out. With --check the exit status is 1
if a restored machine's hash differs or the clones need more memory than they may.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from bench_common import REPOSITORY

sys.path.insert(0, os.path.join(REPOSITORY, "tests/guests"))
import fetch_packages  # pylint: disable=wrong-import-position
import initramfs  # pylint: disable=wrong-import-position

SKIPPED = 77
BUSY = "while :; do dd if=/dev/zero of=/tmp/x bs=64k count=32; ls -l /bin | md5sum; done\n"
QEMU_ROUNDS = 5
# 50 clones of Linux that ran for a guest second take less than this many times one guest's memory.
CLONES_LIMIT = 2.0


class Guest:
    """One guest: how both emulators start it, and when it is ready."""

    def __init__(self, name, bench, qemu, ready, serial):
        self.name = name
        self.bench = bench  # arguments of the program state_bench
        self.qemu = qemu
        self.ready = ready
        self.serial = serial  # it says so on its serial port; else on its screen


def find_guests(folder):
    """The guests that can be made here."""
    guests = []
    try:
        kernel = fetch_packages.kernel_image("686")
        initrd = initramfs.build(os.path.join(folder, "initramfs"))
        append = "console=ttyS0"
        guests.append(Guest("Linux", ["--kernel", kernel, "--initrd", initrd, "--append", append],
                            ["-kernel", kernel, "-initrd", initrd, "-append", append],
                            initramfs.READY, True))
    except fetch_packages.PackageMissing as reason:
        print(f"no Linux: {reason}", file=sys.stderr)
    image = os.path.join(os.environ.get("REPRISE_GUESTS", ""), "freedos-1440.img")
    if os.path.exists(image):
        drive = f"file={image},if=floppy,format=raw,readonly=on"
        guests.append(Guest("DOS", ["--floppy", image], ["-drive", drive, "-boot", "a"], "A:\\>",
                            False))
    return guests


def measure(args, guest, extra):
    """{name: number} of what the program state_bench prints."""
    command = [args.bench, "--accel", args.accel, "--ready", guest.ready, *guest.bench, *extra]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                            timeout=args.time_out).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


class Qemu:
    """QEMU with a qcow2 disk for its snapshots and a monitor on its standard input."""

    def __init__(self, args, guest, folder):
        disk = os.path.join(folder, "state.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1G"], check=True)
        self.log = os.path.join(folder, "serial.log")
        self.screen = os.path.join(folder, "screen.bin")
        self.guest = guest
        self.process = subprocess.Popen(
            [args.reference, "-accel", "tcg", "-m", "128", "-display", "none", "-net", "none",
             "-serial", f"file:{self.log}", "-monitor", "stdio", *guest.qemu,
             "-drive", f"file={disk},if=ide,format=qcow2"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.read_prompt()

    def read_prompt(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                raise RuntimeError("QEMU ended: " + text.decode(errors="replace"))
            text += piece
        return text

    def command(self, line):
        """Runs a monitor command and returns the seconds until the next prompt."""
        start = time.monotonic()
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.read_prompt()
        if b"Error" in answer:
            raise RuntimeError(answer.decode(errors="replace"))
        return time.monotonic() - start

    def is_ready(self):
        if self.guest.serial:
            if not os.path.exists(self.log):
                return False
            with open(self.log, "rb") as file:
                return self.guest.ready.encode() in file.read()
        self.command(f'pmemsave 0xb8000 4000 "{self.screen}"')
        with open(self.screen, "rb") as file:
            return self.guest.ready.encode() in file.read()[::2]

    def measure(self, time_out):
        """Medians of savevm and loadvm in milliseconds."""
        end = time.monotonic() + time_out
        while not self.is_ready():
            if time.monotonic() > end:
                raise RuntimeError("the guest does not get ready")
            time.sleep(0.2)
        time.sleep(1)
        saves, loads = [], []
        for number in range(QEMU_ROUNDS):
            saves.append(self.command(f"savevm s{number}"))
            time.sleep(0.5)
            loads.append(self.command(f"loadvm s{number}"))
            time.sleep(0.5)
        return statistics.median(saves) * 1000, statistics.median(loads) * 1000

    def end(self):
        self.process.kill()
        self.process.wait()


def measure_qemu(args, guest, folder):
    qemu = Qemu(args, guest, folder)
    try:
        return qemu.measure(args.time_out)
    finally:
        qemu.end()


def rows_of(args, guest, folder):
    """Rows of the table, and what is wrong."""
    snapshots = os.path.join(folder, guest.name + ".snapshots")
    idle = measure(args, guest, ["--loops", str(args.loops), "--clones", str(args.clones),
                                 "--snapshots", snapshots])
    rows = [("checkpoint", idle["checkpoint_ms_median"], idle["checkpoint_ms_99th"], None),
            (f"restore, {idle['pages_changed']:.0f} pages changed", idle["restore_ms_median"],
             idle["restore_ms_99th"], None)]
    different = idle["hashes_different"]
    if guest.serial:
        busy = measure(args, guest, ["--loops", str(max(args.loops // 50, 10)), "--instructions",
                                     "20000000", "--type", BUSY])
        rows.append((f"restore, {busy['pages_changed']:.0f} pages changed",
                     busy["restore_ms_median"], busy["restore_ms_99th"], None))
        different += busy["hashes_different"]
    saved = loaded = None
    if args.reference != "none":
        saved, loaded = measure_qemu(args, guest, folder)
    rows += [("snapshot to a new file", idle["first_save_ms"], None, None),
             ("snapshot after a guest second", idle["save_ms_median"], None, saved),
             ("load a snapshot", idle["load_ms_median"], None, loaded),
             ("make a clone", idle["clone_ms_median"], idle["clone_ms_99th"], None)]
    memory = idle["before_clones_mb"], idle["clones_run_mb"]
    problems = []
    if different:
        problems.append(f"{guest.name}: {different:.0f} hashes differ")
    if guest.serial and memory[1] > CLONES_LIMIT * memory[0]:
        problems.append(f"{guest.name}: clones need {memory[1]:.0f} MB")
    return rows, memory, problems


def number(value):
    return "-" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bench", default=os.path.join(REPOSITORY,
                                                        "build/release/tests/bench/state_bench"),
                        help="the program that measures (default: %(default)s)")
    parser.add_argument("--accel", default="jit", help="its accelerator (default: jit)")
    parser.add_argument("--reference", default="qemu-system-i386",
                        help="the program to compare with; 'none' for no comparison")
    parser.add_argument("--loops", type=int, default=10000, help="restores (default: 10000)")
    parser.add_argument("--clones", type=int, default=50, help="at once (default: 50)")
    parser.add_argument("--only", default="", help="Linux or DOS")
    parser.add_argument("--check", action="store_true", help="fail if something is not as it must")
    parser.add_argument("--quick", action="store_true", help="100 loops, 10 clones")
    parser.add_argument("--time-out", type=float, default=600, help="seconds for one guest")
    args = parser.parse_args()
    if args.quick:
        args.loops, args.clones = 100, 10
    if args.reference != "none" and not shutil.which(args.reference):
        sys.exit(f"{args.reference} is not installed; --reference none does without")
    problems = []
    with tempfile.TemporaryDirectory(prefix="reprise-state-") as folder:
        guests = [guest for guest in find_guests(folder) if args.only in ("", guest.name)]
        if not guests:
            print("skipped: no guests")
            sys.exit(SKIPPED)
        print("| guest | what | ms, median | 99th | QEMU |\n|---|---|---|---|---|")
        notes = []
        for guest in guests:
            rows, memory, wrong = rows_of(args, guest, folder)
            problems += wrong
            for name, median, worst, qemu in rows:
                print(f"| {guest.name} | {name} | {number(median)} | {number(worst)} "
                      f"| {number(qemu)} |")
            notes.append(f"{guest.name}: one guest takes {memory[0]:.0f} MB, with {args.clones} "
                         f"clones that each ran for a guest second {memory[1]:.0f} MB")
        print("\n" + "\n".join(notes))
    print("\n".join(problems) if problems else "All hashes are equal.")
    sys.exit(1 if problems and args.check else 0)


if __name__ == "__main__":
    main()
