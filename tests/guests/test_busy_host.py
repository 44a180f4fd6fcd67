#!/usr/bin/env python3
"""Test scripts do not depend on how busy the host is: repeated while a loop keeps each of its processors busy, no
verdict changes, and the state of every machine has the same hash after each million instructions, with both backends.

    test_busy_host.py [--emu PROGRAM] [--accel jit|interp] [--repeat N] [SCRIPT.lua...]
"""
import argparse
import contextlib
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
LONG = os.environ.get("REPRISE_LONG") == "1"
SHORT_SCRIPTS = ["demo", "seabios", "bootos", "floppybird", "mikeos"]
MODULES = ["guest", "dos_guest", "linux_guest"]
WITH_MATRIX = ["processor"]  # names its accelerators itself, and runs by the host's clock too
REPEAT_SHORT, REPEAT_LONG = 2, 200


class Suite:
    """Scripts, and what each did when nothing else ran: its status, and a file of hashes."""

    def __init__(self, program, scripts, folder):
        self.program, self.scripts, self.folder = program, scripts, folder
        self.expected = {script: self.run(script, "--hash-log", self.log(script)) for script in scripts}

    def log(self, script):
        return os.path.join(self.folder, os.path.basename(script) + ".hashes")

    def run(self, script, *options):
        scratch = os.path.join(self.folder, "scratch-" + os.path.basename(script))
        command = [self.program, "test", "--jobs", "1", "--out", os.path.join(self.folder, "failures"),
                   "--var", "roms=" + os.path.join(os.path.dirname(self.program), "roms"),
                   "--var", "cache=" + os.path.join(os.path.dirname(self.program), "guests"),
                   "--var", "scratch=" + scratch, *options, script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.output = done.stdout + done.stderr
        return done.returncode

    def repeat(self, accelerator):
        """Runs all scripts once more; tells what was different."""
        differences = []
        for script in self.scripts:
            status = self.run(script, "--hash-check", self.log(script), "-accel", accelerator)
            if status != self.expected[script]:
                differences.append(f"{script}: status {status}, not {self.expected[script]}: {self.output}")
        return differences

    def count_hashes(self):
        total = 0
        for script in self.scripts:
            with open(self.log(script), encoding="utf-8") as log:
                total += sum(1 for _ in log)
        return total


@contextlib.contextmanager
def busy_processors():
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build", "release", "reprise"))
    parser.add_argument("--accel", default="jit", choices=["jit", "interp"])
    parser.add_argument("--repeat", type=int, default=REPEAT_LONG if LONG else REPEAT_SHORT)
    parser.add_argument("scripts", nargs="*")
    args = parser.parse_args()
    args.emu = os.path.abspath(args.emu)
    scripts = [os.path.abspath(script) for script in args.scripts]
    if not scripts and LONG and args.accel == "jit":
        scripts = [path for path in sorted(glob.glob(os.path.join(HERE, "*.lua")))
                   if os.path.basename(path)[:-4] not in MODULES + WITH_MATRIX]
    elif not scripts:
        scripts = [os.path.join(HERE, name + ".lua") for name in SHORT_SCRIPTS]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(args.emu, scripts, folder)
        with busy_processors():
            for number in range(args.repeat):
                differences = suite.repeat(args.accel)
                failures += len(differences)
                for difference in differences:
                    print(f"repetition {number + 1}: {difference}", flush=True)
        hashes = suite.count_hashes()
    print(f"{args.repeat} repetitions of {len(scripts)} scripts with {hashes} hashes, {args.accel}: "
          f"{failures} runs were different")
    sys.exit(1 if failures or hashes == 0 else 0)


if __name__ == "__main__":
    main()
