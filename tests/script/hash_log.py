#!/usr/bin/env python3
"""A script's runs are one: the state hash after each million instructions is the same in every run, with both backends,
and while the host is busy. The script types, sends to a serial port, and goes back to a checkpoint.

    hash_log.py PROGRAM DEMO_IMAGE [REPETITIONS on the busy host]"""
import os
import shutil
import subprocess
import sys
import tempfile

PROGRAM, DEMO = sys.argv[1], sys.argv[2]
REPETITIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
HERE = os.path.dirname(os.path.abspath(__file__))


def run(*options):
    with tempfile.NamedTemporaryFile("r") as log:
        done = subprocess.run([PROGRAM, "test", "--hash-log", log.name, "--var", "demo=" + DEMO, "hash_log.lua", *options],
                              capture_output=True, text=True, timeout=250 + 10 * REPETITIONS, cwd=os.path.join(HERE, "failing"))
        lines = log.read().splitlines()
    if done.returncode != 0:
        sys.exit(f"FAIL {options}: {done.stdout}{done.stderr}")
    return lines


def expect_same_each_time(name, *options):
    lines = run("--repeat", str(REPETITIONS), *options)
    for i in range(REPETITIONS):
        expect_same(f"{name}, repetition {i + 1}", lines[i * len(first):(i + 1) * len(first)])
    if len(lines) != REPETITIONS * len(first):
        sys.exit(f"FAIL {name}: {len(lines)} hashes in {REPETITIONS} repetitions of {len(first)}")


def expect_same(name, lines):
    if lines != first:
        at = next((i for i, (a, b) in enumerate(zip(lines, first)) if a != b), min(len(lines), len(first)))
        sys.exit(f"FAIL {name}: line {at + 1} of {len(lines)} and {len(first)}: {lines[at:at + 1]} != {first[at:at + 1]}")
    print(f"ok   {name}: {len(lines)} hashes")


first = run()
if len(first) < 50 or len(set(line.split()[-1] for line in first)) < 40:
    sys.exit(f"FAIL: {len(first)} hashes prove little")
load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 2)]
try:
    expect_same_each_time("on a busy host")
finally:
    for process in load:
        process.kill()
        process.wait()
expect_same("portable backend", run("-accel", "interp"))


def check_against(lines, *options):
    """Runs with --hash-check against LINES; the process and what it said."""
    with tempfile.NamedTemporaryFile("w") as log:
        log.write("".join(line + "\n" for line in lines))
        log.flush()
        done = subprocess.run([PROGRAM, "test", "--hash-check", log.name, "--var", "demo=" + DEMO, "--out", log.name + ".d",
                               "hash_log.lua", *options],
                              capture_output=True, text=True, timeout=250, cwd=os.path.join(HERE, "failing"))
        shutil.rmtree(log.name + ".d", ignore_errors=True)
    return done


same = check_against(first, "-accel", "interp", "--repeat", "2")
if same.returncode != 0:
    sys.exit(f"FAIL --hash-check of an equal run: {same.stdout}{same.stderr}")
words = first[20].split()
other = first[:20] + [" ".join(words[:-1] + ["0" * 16])] + first[21:]
differs = check_against(other)
if differs.returncode != 6 or words[-1] not in differs.stdout + differs.stderr or words[-2] not in differs.stdout + differs.stderr:
    sys.exit(f"FAIL --hash-check of another run: {differs.returncode}: {differs.stdout}{differs.stderr}")
print("ok   --hash-check names the first difference")
