#!/usr/bin/env python3
"""What recording costs: processor time for the same guest's work with and without -record, in turns; the median of the
ratios, and how fast the recording grows.

    record_bench.py PROGRAM [--rounds N]

The guest is a program of our own on the bare machine: a loop that stores, with a look at a port (and so at the clock) now
and then. It ends by debug exit.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile

ROM_BYTES = 64 * 1024
ROUNDS_OF_LOOP = 3000
# mov cx,R / l: mov dx,FFFFh / m: add [bx+200h],ax; inc bl; dec dx; jnz m; in al,61h; loop l; out 501h
PROGRAM_BYTES = (bytes([0xb9]) + ROUNDS_OF_LOOP.to_bytes(2, "little") + bytes([
    0xba, 0xff, 0xff,             # l: mov dx, 0FFFFh
    0x01, 0x87, 0x00, 0x02,       # m: add [bx+200h], ax
    0xfe, 0xc3,                   # inc bl
    0x4a, 0x75, 0xf7,             # dec dx / jnz m
    0xe4, 0x61, 0xe2, 0xf0,       # in al, 61h / loop l
    0xba, 0x01, 0x05, 0xb0, 0x10, 0xee, 0xf4]))


def write_rom(path):
    rom = bytearray(b"\xf4" * ROM_BYTES)
    rom[0:len(PROGRAM_BYTES)] = PROGRAM_BYTES
    rom[-16:-11] = bytes([0xea, 0x00, 0x00, 0x00, 0xf0])
    with open(path, "wb") as file:
        file.write(rom)


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=300, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--most", type=float, help="fail where recording costs more than so many percent")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rom, recording = os.path.join(folder, "rom"), os.path.join(folder, "run.rec")
        write_rom(rom)
        plain = [arguments.program, "-display", "none", "-serial", "none", "-monitor", "none", "-m", "16", "-bios", rom,
                 "-device", "isa-debug-exit"]
        ratios, times = [], []
        for _ in range(arguments.rounds):
            without, with_it = processor_seconds(plain), processor_seconds(plain + ["-record", recording])
            times.append(without)
            ratios.append(with_it / without)
        cost = (statistics.median(ratios) - 1) * 100
        print(f"recording costs {cost:.1f} % of processor time (median of {arguments.rounds}; "
              f"{statistics.median(times):.2f} s without), {os.path.getsize(recording) / statistics.median(times) / 1024:.0f} KB a second")
    return 1 if arguments.most is not None and cost > arguments.most else 0


if __name__ == "__main__":
    sys.exit(main())
