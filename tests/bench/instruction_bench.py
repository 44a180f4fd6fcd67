#!/usr/bin/env python3
"""Times single instructions under Reprise and QEMU's TCG, those first where Reprise is slower.

Each row of instruction_rows.py is a loop of a bare-metal program (instruction_bench.asm), in 16-bit
real mode or in 32-bit protected mode with paging. The guest takes the time by its time-stamp
counter, the shortest of several runs. A figure is that of one repetition of the row's body, with an
eighth of what counts its loop, which the row "empty loop" shows. With --check the program is only run, as a test: that every row ends.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import instruction_rows as table
from bench_common import REPOSITORY, geometric_mean

HERE = os.path.dirname(os.path.abspath(__file__))
COPIES = 8
EXIT_DONE = 33
REAL_ROWS = 90  # in one program, since their code has one segment

REGISTERS = {
    16: dict(a="ax", b="bx", c="cx", d="dx", si="si", di="di", bp="bp", sp="sp", w="2",
             near="real_near_procedure", farproc="real_far_procedure", far="0:real_far_procedure",
             farptr="mov word [bx], real_far_procedure\nmov word [bx + 2], 0", cs="0", vector="60h",
             s0="1000h", d0="2000h", page="3000h"),
    32: dict(a="eax", b="ebx", c="ecx", d="edx", si="esi", di="edi", bp="ebp", sp="esp", w="4",
             near="flat_near_procedure", farproc="flat_far_procedure",
             far="SELECTOR_CODE32:flat_far_procedure",
             farptr="mov dword [ebx], flat_far_procedure\nmov word [ebx + 4], SELECTOR_CODE32",
             cs="SELECTOR_CODE32", vector="2Fh", s0="DATA + 1000h", d0="DATA + 2000h",
             page="DATA + 3000h"),
}


class Row:
    def __init__(self, bits, fields, common_setup=""):
        fields = list(fields) + [""] * (4 - len(fields))
        mode = REGISTERS[bits]
        self.bits = bits
        self.name = ("16: " if bits == 16 else "32: ") + fields[0].format(**mode)
        self.body = fields[1].format(**mode)
        base = table.REAL_SETUP if bits == 16 else table.FLAT_SETUP
        self.setup = "\n".join([base, common_setup.format(**mode), fields[2].format(**mode)])
        self.prepare = fields[3]


def all_rows():
    rows = []
    for bits in (16, 32):
        rows.append(Row(bits, ("empty loop", " ")))
        rows += [Row(bits, fields) for fields in table.BOTH if fields[1]]
        rows += [Row(bits, fields, table.FLOAT_SETUP) for fields in table.X87]
        if bits == 16:
            rows += [Row(bits, fields) for fields in table.REAL]
        else:
            rows += [Row(bits, fields, table.VECTOR_SETUP) for fields in table.VECTOR]
            rows += [Row(bits, fields) for fields in table.FLAT]
    return rows


def write_row(lines, number, row):
    """A procedure for the row: its loop counts in memory, by SS, since all registers are the row's."""
    lines.append(f"row_{number}:")
    lines += row.setup.splitlines()
    lines.append(f".loop_{number}:")
    for copy in range(COPIES):
        lines += row.body.replace("@", f".l{number}_{copy}_").splitlines()
    lines += ["dec dword [ss:counter]", f"jnz near .loop_{number}", "mov esp, [ss:row_stack]"]
    lines += ["sub sp, 2" if row.bits == 16 else "sub esp, 4", "ret"]


def write_program(rows, path):
    """real_rows and flat_rows: procedures that time all of them."""
    lines = []
    for bits, name in ((16, "real_rows"), (32, "flat_rows")):
        chosen = [(number, row) for number, row in enumerate(rows) if row.bits == bits]
        lines += [f"bits {bits}", f"{name}:"]
        for number, row in chosen:
            lines += row.prepare.splitlines()
            lines += [f"mov eax, row_{number}", f"call time_row_{bits}"]
        lines.append("ret")
        for number, row in chosen:
            write_row(lines, number, row)
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


def split_rows(rows):
    """The rows of each program."""
    real = [row for row in rows if row.bits == 16]
    parts = [real[at:at + REAL_ROWS] for at in range(0, len(real), REAL_ROWS)]
    return parts + [[row for row in rows if row.bits == 32]]


def assemble(rows, folder, number):
    source = os.path.join(folder, f"rows_{number}.inc")
    image = os.path.join(folder, f"instructions_{number}.img")
    write_program(rows, source)
    subprocess.run(["nasm", "-f", "bin", "-w-all", "-I", HERE + "/",
                    "-I", os.path.join(REPOSITORY, "roms/common") + "/",
                    "-I", os.path.join(REPOSITORY, "roms/bench") + "/", f"-DROW_FILE='{source}'",
                    "-o", image, os.path.join(HERE, "instruction_bench.asm")], check=True)
    return image


def run(command, image, rows, time_out):
    """{row's name: (ticks, rounds)}"""
    argv = command + ["-m", "64", "-display", "none", "-net", "none", "-monitor", "none",
                      "-serial", "stdio", "-device", "isa-debug-exit", "-boot", "a", "-snapshot",
                      "-drive", f"file={image},format=raw,if=floppy"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=time_out,
                          check=False)
    lines = [line.split() for line in done.stdout.decode(errors="replace").splitlines()]
    results = [(int(line[0], 16), int(line[1], 16)) for line in lines
               if len(line) == 2 and len(line[0]) == len(line[1]) == 8]
    if done.returncode != EXIT_DONE or len(results) != len(rows):
        sys.exit(f"{command[0]}: {len(results)} of {len(rows)} rows, exit status "
                 f"{done.returncode}: {done.stdout[-200:]}")
    return dict(zip((row.name for row in rows), results))


def nanoseconds(results, ticks_per_ns):
    """{row's name: ns for one repetition of its body}, an eighth of the loop around them included."""
    return {name: ticks / rounds / ticks_per_ns / COPIES
            for name, (ticks, rounds) in results.items()}


def host_ticks_per_ns():
    """The rate of the host's time-stamp counter, which both show to their guests."""
    with open("/proc/cpuinfo", encoding="ascii") as file:
        speeds = [line for line in file if line.startswith("cpu MHz")]
    return float(speeds[0].split(":")[1]) / 1000


def print_table(times, rows, everything):
    """The worst row first; a ratio above 1 says that Reprise is faster."""
    ours, theirs = times["reprise"], times.get("tcg")
    if theirs is None:
        for row in sorted(rows, key=lambda row: -ours[row.name]):
            print(f"{row.name:44}{ours[row.name]:10.2f} ns")
        return
    ratios = {row.name: theirs[row.name] / ours[row.name] for row in rows}
    for name in sorted(ratios, key=ratios.get):
        if everything or ratios[name] < 1:
            print(f"{name:44}{ours[name]:10.2f} ns{theirs[name]:10.2f} ns{ratios[name]:9.2f}x")
    slower = sum(ratio < 1 for ratio in ratios.values())
    print(f"{len(rows)} rows, {slower} slower; geometric mean {geometric_mean(ratios.values()):.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"))
    parser.add_argument("--accel", default="jit")
    parser.add_argument("--reference", default="qemu-system-i386")
    parser.add_argument("--only", default="", help="rows whose names hold one of these words, separated by ;")
    parser.add_argument("--rounds", type=int, default=1, help="the shortest of so many runs counts")
    parser.add_argument("--all", action="store_true", help="print all rows, not only slower ones")
    parser.add_argument("--time-out", type=float, default=300)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="only that all rows end")
    args = parser.parse_args()
    words = [word for word in args.only.split(";") if word]
    rows = [row for row in all_rows() if row.name.endswith("empty loop") or not words
            or any(word in row.name for word in words)]
    rate = host_ticks_per_ns()
    commands = {"reprise": [args.emu, "-accel", args.accel, "-cpu",
                            f"max,tsc-frequency={int(rate * 1e9)}"]}
    if args.reference != "none" and not args.check:
        commands["tcg"] = [args.reference, "-accel", "tcg", "-cpu", "max"]
    with tempfile.TemporaryDirectory() as folder:
        parts = split_rows(rows)
        images = [assemble(part, folder, number) for number, part in enumerate(parts)]
        times = {name: [] for name in commands}
        for _ in range(args.rounds):
            for name, command in commands.items():
                results = {}
                for part, image in zip(parts, images):
                    results.update(run(command, image, part, args.time_out))
                times[name].append(nanoseconds(results, rate))
    shortest = {name: {row.name: min(one[row.name] for one in runs) for row in rows}
                for name, runs in times.items()}
    if args.json:
        print(json.dumps(shortest, indent=1))
    elif not args.check:
        print_table(shortest, rows, args.all)


if __name__ == "__main__":
    main()
