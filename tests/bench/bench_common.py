"""What the benchmarks share: options, runs, medians, comparison of checksums."""
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEAST_SECONDS = 0.001


class Run:
    """The outcome of one program under one emulator."""

    def __init__(self, checksum, seconds, problem=None):
        self.checksum = checksum
        self.seconds = seconds
        self.problem = problem


def add_arguments(parser, cpu, rounds, time_out):
    """Adds the options that all benchmarks have; the values are the defaults."""
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"),
                        help="the program to measure (default: %(default)s)")
    parser.add_argument("--accel", default="jit", help="its accelerator (default: jit)")
    parser.add_argument("--reference", default="qemu-system-i386",
                        help="the program to compare with; 'none' for no comparison")
    parser.add_argument("--cpu", default=cpu, help="CPU model of both (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a sixteenth of the work")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--only", default="", help="names of programs, separated by commas")
    parser.add_argument("--time-out", type=float, default=time_out,
                        help="seconds for one run (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def host_description(args):
    """What has to stand beside figures: the processor's name, the programs' and their CPU model."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        name = (f"{fields['model name']} (family {fields['cpu family']}, "
                f"model {fields['model']})")
    except (OSError, KeyError):
        pass  # not Linux on an x86
    reference = ""
    if args.reference != "none":
        reference = subprocess.run([args.reference, "--version"], capture_output=True, text=True,
                                   check=False).stdout.partition("\n")[0]
    return {"host": name, "reference": reference, "cpu": args.cpu, "rounds": args.rounds}


def parse_arguments(parser):
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    return args


def emulator_commands(args):
    """{name in the table: start of the command line}, ours first."""
    # QEMU's own name for its translator; Reprise calls its backends jit and interp.
    accel = "tcg" if "qemu" in os.path.basename(args.emu) else args.accel
    name = f"{os.path.basename(args.emu)} {accel}"
    commands = {name: [args.emu, "-accel", accel, "-cpu", args.cpu]}
    if args.reference != "none":
        if not shutil.which(args.reference):
            sys.exit(f"{args.reference} is not installed; --reference none does without")
        commands["QEMU tcg"] = [args.reference, "-accel", "tcg", "-cpu", args.cpu]
    return commands


def choose_names(names, only):
    """Those of `names` that the option --only wants."""
    wanted = [name for name in only.split(",") if name]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit(f"no program {', '.join(unknown)}; there are {', '.join(names)}")
    return [name for name in names if not wanted or name in wanted]


def median_seconds(runs):
    if not runs or runs[-1].problem:
        return None
    return statistics.median(run.seconds for run in runs)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def ratio(row, over, under):
    """How many times the seconds of the runner `under` those of `over` are; None if unknown."""
    seconds = row["seconds"].get(over), row["seconds"].get(under)
    return seconds[0] / seconds[1] if None not in seconds else None


def summarize(results, runners, overhead=None, whole=()):
    """One row a program of {name: {runner: [Run, ...]}}: medians, checksums, and what is wrong.

    The seconds of the program `overhead` are subtracted from all but itself and those in `whole`.
    """
    base = dict.fromkeys(runners, 0.0)
    if overhead:
        base = {runner: median_seconds(results[overhead].get(runner)) or 0.0 for runner in runners}
    rows = []
    for name, by_runner in results.items():
        row = {"name": name, "seconds": {}, "checksums": {}, "problems": {}}
        for runner in runners:
            runs = by_runner.get(runner, [])
            total = median_seconds(runs)
            if overhead and name != overhead and name not in whole and total is not None:
                total = max(total - base[runner], LEAST_SECONDS)
            row["seconds"][runner] = total
            row["checksums"][runner] = sorted({run.checksum for run in runs if run.checksum})
            if runs and runs[-1].problem:
                row["problems"][runner] = runs[-1].problem
        row["mismatch"] = len(set().union(*row["checksums"].values())) > 1
        rows.append(row)
    return rows


def describe_problems(row):
    """What is wrong with a row, as text to be put behind it; empty if nothing is."""
    notes = ["CHECKSUMS DIFFER " + str(row["checksums"])] if row["mismatch"] else []
    notes += [f"{runner}: {problem}" for runner, problem in row["problems"].items()]
    return "  ".join(notes)
