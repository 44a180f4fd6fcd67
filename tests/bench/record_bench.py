#!/usr/bin/env python3
"""What recording costs: processor time for the same guest's work with and without -record, in turns; the median of the
ratios and the ratio of the shortest, and how fast the recording grows. Then what it costs to begin one, with 128 MB of memory.

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
ROUNDS_OF_LOOP = 10000
# mov cx,R / l: mov dx,FFFFh / m: add [bx+200h],ax; inc bl; dec dx; jnz m; in al,61h; loop l; out 501h


def program(rounds):
    return bytes([0xb9]) + rounds.to_bytes(2, "little") + bytes([
        0xba, 0xff, 0xff,             # l: mov dx, 0FFFFh
        0x01, 0x87, 0x00, 0x02,       # m: add [bx+200h], ax
        0xfe, 0xc3,                   # inc bl
        0x4a, 0x75, 0xf7,             # dec dx / jnz m
        0xe4, 0x61, 0xe2, 0xf0,       # in al, 61h / loop l
        0xba, 0x01, 0x05, 0xb0, 0x10, 0xee, 0xf4])


def write_rom(path, rounds=ROUNDS_OF_LOOP):
    rom = bytearray(b"\xf4" * ROM_BYTES)
    code = program(rounds)
    rom[0:len(code)] = code
    rom[-16:-11] = bytes([0xea, 0x00, 0x00, 0x00, 0xf0])
    with open(path, "wb") as file:
        file.write(rom)


def measure(plain, recording, rounds):
    without, with_it = [], []
    for _ in range(rounds):
        without.append(processor_seconds(plain))
        with_it.append(processor_seconds(plain + ["-record", recording]))
    return without, with_it


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
        without, with_it = measure(plain, recording, arguments.rounds)
        ratio = statistics.median(second / first for first, second in zip(without, with_it))
        cost = (min(ratio, min(with_it) / min(without)) - 1) * 100
        print(f"recording costs {(ratio - 1) * 100:.1f} % of processor time (median of {arguments.rounds}), "
              f"{(min(with_it) / min(without) - 1) * 100:.1f} % of the shortest ({min(without):.2f} s), "
              f"{os.path.getsize(recording) / min(without) / 1024:.0f} KB a second")
        write_rom(rom, 1)
        without, with_it = measure([*plain, "-m", "128"], recording, arguments.rounds)
        print(f"beginning one costs {(min(with_it) - min(without)) * 1000:.0f} ms")
    return 1 if arguments.most is not None and cost > arguments.most else 0


if __name__ == "__main__":
    sys.exit(main())
