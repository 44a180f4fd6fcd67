#!/usr/bin/env python3
"""Two runs under icount are one: the same state hash after the same number of instructions, also while the host is busy. The
runs are those of 'reprise lockstep', so each is by both backends."""
import os
import platform
import subprocess
import sys

PROGRAM, IMAGES = sys.argv[1], sys.argv[2]

if platform.machine() not in ("x86_64", "AMD64"):
    print("skipped: there is one backend only on this host")
    sys.exit(77)


def run(name):
    command = [PROGRAM, "lockstep", "--instructions", "4000000", "-m", "16", "-snapshot", "-display", "none", "-fda",
               os.path.join(IMAGES, name + ".img")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0 or "state hash" not in done.stdout:
        sys.exit(f"FAIL {name}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


for name in ("interpreter", "real_calls"):
    quiet = run(name)
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 2)]
    try:
        busy = run(name)
    finally:
        for process in load:
            process.kill()
            process.wait()
    if quiet != busy:
        sys.exit(f"FAIL {name}: {quiet} but {busy} on a busy host")
    print(f"ok   {name}: {quiet}")
