#!/usr/bin/env python3
"""Runs all benchmarks of speed and prints their tables: bare machine, Linux, boots, start.

Each script runs Reprise, QEMU's TCG and, where it can, the host itself in turns; this one puts their
programs into groups and compares the geometric means with what the project wants to reach.

    tests/bench/all.py                       everything, medians of five rounds (an hour)
    tests/bench/all.py --rounds 1 --skip boots,start
    tests/bench/all.py --json result.json    keeps the figures as well
    tests/bench/all.py --from result.json    prints the tables of kept figures
"""
import argparse
import json
import os
import subprocess
import sys

from bench_common import REPOSITORY, describe_problems, geometric_mean, ratio

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = {"linux": "linux_bench.py", "bare": "bench.py", "boots": "boot_bench.py",
           "start": "start_bench.py"}
NATIVE = "native"
# How many times as fast as TCG each group has to be, and how it is called in the table.
GOALS = {
    "integer": (2, "integer"),
    "memory": (1.5, "memory"),
    "float": (15, "float and SIMD"),
    "code": (15, "REP, JIT, self-modifying"),
    "system": (2.5, "system"),
    "real": (3, "16-bit"),
}
GOAL_OF_ALL = 5
GOAL_OF_BOOTS = 2
GOALS_OF_START = {"first instruction, ms": 30, "tiny kernel, ms": 40,
                  "Linux, MB beyond the guest's": 100}


def run_script(name, args):
    """The JSON that a script prints. Its exit status tells of checksums, which stand there, too."""
    command = [sys.executable, os.path.join(HERE, SCRIPTS[name]), "--json", "--emu", args.emu,
               "--accel", args.accel, "--reference", args.reference, "--rounds", str(args.rounds)]
    if args.quick:
        command.append("--quick")
    print(f"all.py: {SCRIPTS[name]}", file=sys.stderr, flush=True)
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    try:
        return json.loads(output)
    except json.JSONDecodeError:
        sys.exit(f"all.py: {' '.join(command)} printed no result")


def format_seconds(seconds):
    return "-" if seconds is None else f"{seconds:.3f} s"


def format_ratio(value):
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def ratios(row, result):
    """(times as fast as the reference, times native, the reference's times native)."""
    ours, *others = result["runners"]
    reference = next((runner for runner in others if runner != NATIVE), None)
    return ratio(row, reference, ours), ratio(row, ours, NATIVE), ratio(row, reference, NATIVE)


def grouped_rows(results):
    """[(group, row, its ratios)] of all programs that count, in the order of the goals."""
    rows = [(row["group"], row, ratios(row, result)) for result in results.values()
            for row in result.get("programs", []) if row["group"] in GOALS]
    order = list(GOALS)
    return sorted(rows, key=lambda entry: (order.index(entry[0]), entry[1]["name"]))


def row_cells(row, result_ratios):
    ours, *others = row["seconds"]
    seconds = [ours, *[runner for runner in others if runner != NATIVE], NATIVE]
    cells = [format_seconds(row["seconds"].get(runner)) for runner in seconds]
    return cells + [format_ratio(value) for value in result_ratios[:2]]


def print_programs(rows):
    print("| program | group | Reprise | QEMU's TCG | native | times as fast as TCG | times native |\n"
          + "|---" * 7 + "|")
    for group, row, result_ratios in rows:
        cells = " | ".join(row_cells(row, result_ratios))
        print(f"| {row['name']} | {GOALS[group][1]} | {cells} | {describe_problems(row)}".rstrip())


def mean_cells(rows):
    columns = zip(*(result_ratios for _, _, result_ratios in rows))
    return [format_ratio(geometric_mean([value for value in column if value]))
            for column in columns]


def print_groups(rows):
    print("\n| group | times as fast as TCG | goal | lowest | times native | TCG, times native |\n"
          + "|---" * 6 + "|")
    parts = [(title, goal, [row for row in rows if row[0] == group])
             for group, (goal, title) in GOALS.items()]
    for title, goal, members in [*parts, ("all", GOAL_OF_ALL, rows)]:
        known = [entry for entry in members if entry[2][0]]
        if known:
            cells = mean_cells(members)
            _, lowest, lowest_ratios = min(known, key=lambda entry: entry[2][0])
            print(f"| {title} ({len(known)}) | {cells[0]} | {goal} | "
                  f"{format_ratio(lowest_ratios[0])} ({lowest['name']}) | {cells[1]} | {cells[2]} |")


def print_boots(result):
    print("\n| boot | Reprise | QEMU's TCG | times as fast |\n|---|---|---|---|")
    values = []
    for row in result["programs"]:
        factor = ratios(row, result)[0]
        values += [factor] if factor else []
        cells = [format_seconds(row["seconds"].get(runner)) for runner in result["runners"]]
        print(f"| {row['name']} | {' | '.join(cells)} | {format_ratio(factor)} | "
              f"{describe_problems(row)}".rstrip())
    print(f"\nGeometric mean of the boots: {format_ratio(geometric_mean(values))} "
          f"(goal: {GOAL_OF_BOOTS} each)")


def format_figures(figures):
    if figures["median"] is None:
        return "-"
    least = f" (least {figures['least']:.1f})" if "least" in figures else ""
    return f"{figures['median']:.1f}{least}"


def print_start(result):
    runners = result["runners"]
    print("\n| start | " + " | ".join(runners) + " | goal: below |\n"
          + "|---" * (len(runners) + 2) + "|")
    for what in result["results"][runners[0]]:
        cells = [format_figures(result["results"][runner][what]) for runner in runners]
        print(f"| {what} | {' | '.join(cells)} | {GOALS_OF_START.get(what, '')} |")


def print_tables(results):
    any_result = next(iter(results.values()))
    print(f"Host: {any_result['host']}; {any_result['reference']}; medians of "
          f"{any_result['rounds']} rounds, CPU seconds of the emulator.\n")
    rows = grouped_rows(results)
    if rows:
        print_programs(rows)
        print_groups(rows)
    if "boots" in results:
        print_boots(results["boots"])
    if "start" in results:
        print_start(results["start"])


def parse_command_line():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"))
    parser.add_argument("--accel", default="jit")
    parser.add_argument("--reference", default="qemu-system-i386")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a sixteenth of the work")
    parser.add_argument("--skip", default="", help=f"of {','.join(SCRIPTS)}, by commas")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument("--from", dest="source", metavar="FILE", help="print those of --json")
    return parser.parse_args()


def main():
    args = parse_command_line()
    if args.source:
        with open(args.source, encoding="utf-8") as file:
            results = json.load(file)
    else:
        skipped = args.skip.split(",")
        results = {name: run_script(name, args) for name in SCRIPTS if name not in skipped}
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    print_tables(results)
    sys.exit(1 if any(row["mismatch"] for result in results.values()
                      for row in result.get("programs", [])) else 0)


if __name__ == "__main__":
    main()
