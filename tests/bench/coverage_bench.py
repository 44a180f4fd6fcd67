#!/usr/bin/env python3
"""What coverage and profile of guest code cost: processor time for the same guest's work with and without them, in turns;
the median of the ratios.

    coverage_bench.py PROGRAM [--rounds N]

The guest is the loop of record_bench.py, which runs the same few blocks (the profile's samples), and the whole start of
the firmware before it (new code, for the coverage).
"""
import argparse
import os
import statistics
import sys
import tempfile

from record_bench import processor_seconds, write_rom

OPTIONS = {"coverage": ["-coverage", "@info"], "profile": ["-profile", "@profile"],
           "both": ["-coverage", "@info", "-profile", "@profile"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        write_rom(path("rom"))
        with open(path("map"), "w", encoding="ascii") as file:
            file.write("000f0000 T start\n")
        plain = [arguments.program, "-display", "none", "-serial", "none", "-monitor", "none", "-m", "16", "-bios", path("rom"),
                 "-device", "isa-debug-exit", "-symbols", path("map")]
        ratios = {name: [] for name in OPTIONS}
        for _ in range(arguments.rounds):
            for name, words in OPTIONS.items():
                without = processor_seconds(plain)
                ratios[name].append(processor_seconds(plain + [word.replace("@", folder + "/") for word in words]) / without)
        for name, values in ratios.items():
            print(f"{name:<10} costs {(statistics.median(values) - 1) * 100:5.1f} % of processor time (median of {arguments.rounds})")


if __name__ == "__main__":
    sys.exit(main())
