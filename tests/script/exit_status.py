#!/usr/bin/env python3
"""Each way in which 'reprise test' can end: its exit status, and one line that says why."""
import os
import resource
import subprocess
import sys

PROGRAM = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
failures = 0


def keep_memory_short():
    resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))


def run(*words, **more):
    return subprocess.run([PROGRAM, "test", *words], capture_output=True, text=True, timeout=120,
                          cwd=os.path.join(HERE, "failing"),
                          env=dict(os.environ, LUA_PATH=os.path.join(HERE, "?.lua") + ";;"), **more)


def expect(status, said, *words, **more):
    global failures
    done = run(*words, **more)
    text = done.stdout + done.stderr
    if done.returncode != status or said not in text:
        failures += 1
        print(f"FAIL {' '.join(words)}: status {done.returncode}, expected {status} and '{said}':\n{text}")
    else:
        print(f"ok   {' '.join(words)}: {status}")


expect(0, "", "pass.lua")
expect(0, "usage: reprise test", "--help")
expect(1, "fail.lua:1: on purpose", "fail.lua")
expect(1, "a table on purpose", "fail_table.lua")
expect(1, "debug exit with status 3 while waiting for the text \"nonsense\"", "power_off.lua")

expect(2, "syntax.lua:2:", "syntax.lua")
expect(2, "syntax.lua:2:", "pass.lua", "syntax.lua")
expect(2, "nowhere.lua", "nowhere.lua")
expect(2, "which script?")
expect(2, "did you mean '--filter'?", "--fliter", "x", "pass.lua")
expect(2, "--jobs: 'many' is not a number", "--jobs", "many", "pass.lua")
expect(2, "--var: 'x' is not NAME=VALUE", "--var", "x", "pass.lua")
expect(2, "--time-limit: SECONDS is missing", "pass.lua", "--time-limit")
expect(2, "unknown option '-acel'; did you mean '-accel'?", "-acel", "interp", "pass.lua")
expect(2, "bad_option.lua:2: machine: unknown option '-no-such-option'", "bad_option.lua")
expect(2, "no_snapshot.lua:1: machine: /nowhere/at/all: cannot open", "no_snapshot.lua")
expect(2, "serial_to_file.lua:1: machine: a serial port", "serial_to_file.lua")
expect(2, "cannot write '/nowhere/at/all'", "--hash-log", "/nowhere/at/all", "pass.lua")

expect(3, "the guest crashed: triple fault at", "triple_fault.lua")
expect(3, "the guest wrote to the panic port", "panic_port.lua")
expect(4, "guest time is over while waiting for \"nonsense\" from serial port 0", "timeout.lua")
expect(4, "is halted at 0000:00007C01 with interrupts off", "hang.lua")
# A build with sanitizers does not even start with so little memory.
has_short_memory = run("pass.lua", preexec_fn=keep_memory_short).returncode == 0
if has_short_memory:
    expect(5, "memory", "no_memory.lua", preexec_fn=keep_memory_short)
expect(6, "the backends part", "divergence.lua")
expect(124, "host's time limit", "--time-limit", "0.5", "endless_lua.lua")
expect(124, "host's time limit", "--time-limit", "1", "endless_guest.lua")
expect(124, "host's time limit", "--time-limit", "1", "endless_guest.lua", "-accel", "interp")

# Of several the worst counts: 5 > 124 > 3 > 4 > 6 > 1.
expect(6, "", "fail.lua", "divergence.lua", "pass.lua")
expect(4, "", "timeout.lua", "divergence.lua")
expect(3, "", "timeout.lua", "triple_fault.lua", "fail.lua")
if has_short_memory:
    expect(5, "", "triple_fault.lua", "no_memory.lua", "fail.lua", preexec_fn=keep_memory_short)
sys.exit(1 if failures else 0)
