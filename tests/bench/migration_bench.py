#!/usr/bin/env python3
"""How long a machine stands still when it moves to another process: a Linux guest of 64 MB at work, over loopback.

    tests/bench/migration_bench.py [--moves 30] [--memory 64] [--downtime-limit 100] PROGRAM
"""
import argparse
import os
import sys
import tempfile
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guests"))
import test_migration  # pylint: disable=wrong-import-position
import vm  # pylint: disable=wrong-import-position


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--memory", type=int, default=64)
    parser.add_argument("--downtime-limit", type=int, default=300, help="milliseconds, as in migrate_set_parameter")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        context = types.SimpleNamespace(folder=folder, start=lambda *words: vm.Vm(arguments.program, list(words)))
        image = os.path.join(folder, "disk")
        with open(image, "wb") as file:
            file.truncate(test_migration.DISK_BYTES)
        words = ["-m", str(arguments.memory)]
        machine = context.start(*test_migration.options(context, image), *words)
        machine.wait_serial("^round 2 ", 120)
        downtimes = []
        for number in range(arguments.moves):
            machine.execute(f"migrate_set_parameter downtime-limit {arguments.downtime_limit}")
            target, downtime = test_migration.move(context, machine, image, number, words)
            machine.close()
            machine = target
            machine.wait_serial("^round ", 60)
            downtimes.append(downtime)
        machine.close()
    downtimes.sort()
    print(f"{arguments.moves} moves of {arguments.memory} MB, downtime in ms: least {downtimes[0]}, median {downtimes[len(downtimes) // 2]}, "
          f"9 of 10 below {downtimes[len(downtimes) * 9 // 10]}, most {downtimes[-1]}")
    bounds = [5, 10, 20, 50, 100, 200, 500]
    for low, high in zip([0] + bounds, bounds + [float("inf")]):
        count = sum(low <= downtime < high for downtime in downtimes)
        if count:
            print(f"  {low:4} to {high:4} ms  {count:4}  {'#' * (count * 60 // len(downtimes))}")


if __name__ == "__main__":
    main()
