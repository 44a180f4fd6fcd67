#!/usr/bin/env python3
"""Bochs as the oracle of system state: random cases run in Bochs and in Reprise, and their results compared.

    compare_state.py [--seed N] [--images N] [--cases N] [--case SEED/INDEX] [--qemu]

Prints each case on which they differ, with what it does and both results, and ends with status 1 if there is one.
known_differences.py says where Bochs is not followed, and why.
"""
import argparse
import concurrent.futures
import os
import struct
import subprocess
import sys
import tempfile

import emulators
import known_differences
import random_cases

FOLDER = emulators.FOLDER
SKIPPED = 77
RESULT_SIZE = 4 << 20
TRIPLE_FAULT = 0xFFFF
REGISTERS = ("vector eax ecx edx ebx esp ebp esi edi es ss ds fs gs ldtr tr eflags cr0 cr2 cr3 cr4 dr6 dr7 gdtr gdtr+ idtr "
             "idtr+").split()


class Result:
    def __init__(self, numbers, changes):
        self.registers = dict(zip(REGISTERS, numbers))
        self.memory = changes                   # {offset into the arena: new value}

    @property
    def vector(self):
        return self.registers["vector"]


def parse_results(data):
    """The results of all cases that ended."""
    magic, _, end, _ = struct.unpack_from("<4I", data)
    assert magic == 0x43415345, "the runner did not start"
    at, last, results = emulators.RESULTS - emulators.PROGRESS, end - emulators.PROGRESS, []
    while at < last:
        numbers = struct.unpack_from(f"<{len(REGISTERS) + 1}I", data, at)
        at += 4 * (len(REGISTERS) + 1)
        count, = struct.unpack_from("<I", data, at)
        pairs = struct.unpack_from(f"<{2 * count}I", data, at + 4)
        at += 4 + 8 * count
        results.append(Result(numbers[1:], dict(zip(pairs[::2], pairs[1::2]))))
    return results


def make_image(cases, folder, name="cases", marks=False):
    path, image = os.path.join(folder, name), os.path.join(folder, name + ".img")
    with open(path, "wb") as file:
        file.write(b"".join(case.encode() for case in cases))
    subprocess.run(["nasm", "-f", "bin", "-I", FOLDER + "/", "-I", os.path.join(emulators.ROOT, "roms/common/"),
                    f'-DCASES="{path}"', f"-DMARKS={int(marks)}", "-o", image, os.path.join(FOLDER, "case_runner.asm")], check=True)
    return image


def describe(result):
    lines = []
    if result.vector == TRIPLE_FAULT:
        return "triple fault"
    lines.append(" ".join(f"{name}={value:X}" for name, value in result.registers.items()))
    lines.append("memory: " + " ".join(f"{at:04X}={value:08X}" for at, value in result.memory.items()))
    return "\n    ".join(lines)


def find_differences(theirs, ours):
    """Names of registers and addresses in which two results differ."""
    found = [name for name in REGISTERS if theirs.registers[name] != ours.registers[name]]
    for at in sorted(set(theirs.memory) | set(ours.memory)):
        if theirs.memory.get(at) != ours.memory.get(at):
            found.append(at)
    return found


def compare(cases, expected, actual, who, counts):
    bad = 0
    for i, case in enumerate(cases):
        if i >= len(expected) or i >= len(actual):
            print(f"{who}: {'Bochs' if i >= len(expected) else who} stops at case {case.seed}")
            print("    " + "\n    ".join(case.text))
            return bad + 1
        found = find_differences(expected[i], actual[i])
        if not found:
            continue
        reason = known_differences.explain(case, expected[i], actual[i], found)
        if reason:
            counts[reason] = counts.get(reason, 0) + 1
            continue
        bad += 1
        names = " ".join(name if isinstance(name, str) else f"{name:04X}" for name in found)
        print(f"{who}: case {case.seed} ({case.name}) differs in {names}")
        print("  " + "\n  ".join(case.text))
        print(f"  Bochs:\n    {describe(expected[i])}\n  {who}:\n    {describe(actual[i])}")
    return bad


def compare_marks(options, cases, folder):
    """Stops at the end of each case and compares what is hidden behind the segment registers."""
    image = make_image(cases, folder, "marks", marks=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bochs = pool.submit(emulators.mark_bochs, image, len(cases))
        others = {f"Reprise ({accelerator})": pool.submit(emulators.mark_own, options.emu, image, accelerator)
                  for accelerator in options.accel}
        expected = bochs.result()
        others = {who: marks.result() for who, marks in others.items()}
    bad = 0
    for who, actual in others.items():
        missing = set(expected) ^ set(actual)
        if missing:
            print(f"{who}: not both stopped at cases {sorted(missing)[:10]}")
            bad += 1
        for i in sorted(set(expected) & set(actual)):
            found = [name for name in expected[i] if expected[i][name] != actual[i].get(name)]
            if found:
                bad += 1
                print(f"{who}: case {cases[i].seed} ({cases[i].name}), behind " + " ".join(found))
                print("  " + "\n  ".join(cases[i].text))
                for name in found:
                    for whose, state in (("Bochs", expected[i]), (who, actual[i])):
                        print(f"  {name} of {whose}: " + " ".join(f"{part:X}" for part in state.get(name, ())))
    print(f"{len(expected)} cases with marks, {bad} differ")
    return bad


def run_everywhere(options, image):
    """The results of Bochs, and {name: results} of the others."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bochs = pool.submit(emulators.collect_bochs, image, RESULT_SIZE)
        others = {f"Reprise ({accelerator})": pool.submit(emulators.collect_own, options.emu, image, RESULT_SIZE, accelerator)
                  for accelerator in options.accel}
        if options.qemu:
            others["QEMU"] = pool.submit(emulators.collect_qemu, image, RESULT_SIZE)
        return parse_results(bochs.result()), {who: parse_results(data.result()) for who, data in others.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--emu", default=os.path.join(emulators.ROOT, "build/release/reprise"))
    parser.add_argument("--seed", default="1")
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--cases", type=int, default=1000, help="in an image")
    parser.add_argument("--case", help="one alone")
    parser.add_argument("--accel", nargs="*", default=["jit", "interp"])
    parser.add_argument("--marks", type=int, default=0, help="stop at so many cases to compare hidden state")
    parser.add_argument("--qemu", action="store_true", help="a second opinion, for people")
    options = parser.parse_args()
    options.emu = os.path.abspath(options.emu)
    bad, total, counts = 0, 0, {}
    with tempfile.TemporaryDirectory(prefix="compare-state-") as folder:
        for number in range(options.images):
            if options.case:
                seed, _, index = options.case.partition("/")
                cases = [random_cases.make_case(seed, int(index))]
            else:
                cases = [random_cases.make_case(options.seed, number * options.cases + i) for i in range(options.cases)]
            image = make_image(cases, folder)
            try:
                expected, others = run_everywhere(options, image)
            except emulators.Missing as missing:
                print(f"skipped: {missing}")
                return SKIPPED
            total += len(expected)
            for who, actual in others.items():
                bad += compare(cases, expected, actual, who, counts)
        if options.marks:
            cases = [random_cases.make_case(options.seed + " marks", i) for i in range(options.marks)]
            bad += compare_marks(options, cases, folder)
    for reason, count in sorted(counts.items()):
        print(f"known difference, {count} times: {reason}")
    print(f"{total} cases, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
