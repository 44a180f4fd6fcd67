#!/usr/bin/env python3
"""A real gdb goes backwards: out of a triple fault, to who wrote a variable, in a live machine and in a replay."""
import os
import re
import subprocess
import sys
import tempfile

from debugger import Debugged, run_checks

PROGRAM = os.path.abspath(sys.argv[1])


def expect(pattern, text):
    assert re.search(pattern, text), f"no /{pattern}/ in:\n{text}"


BACKWARDS = ["continue", "x/i $pc", "reverse-stepi", "x/i $pc", "reverse-stepi", "x/i $pc", "watch *(int*)&victim",
             "reverse-continue", "x/i $pc", "print (int)victim", "delete", "break count_up", "reverse-continue",
             "print (int)counter", "reverse-continue", "print (int)counter", "delete", "reverse-stepi 7", "stepi 7",
             "x/i $pc", "print (int)counter", "continue", "x/i $pc"]


def check_backwards(text):
    expect(r"SIGSEGV", text)
    # The fault's own delivery is a step; then what led to it.
    expect(r"<crash>:\s+div +%ebx(?s:.*)xor +%ebx,%ebx", text)
    expect(r"Hardware watchpoint \d(?s:.*)Old value = 2989\nNew value = 1234\n(?s:.*)<corrupt.next>:\s+stos(?s:.*)= 1234\n", text)
    expect(r"= 99999\n(?s:.*)= 99998\n(?s:.*)= 99998\n", text)
    expect(r"= 99998\n(?s:.*)SIGSEGV(?s:.*)<crash>:\s+div +%ebx\n", text)  # and forwards again


def goes_back_from_a_triple_fault(elf):
    for options in ([], ["-icount", "shift=3"], ["-accel", "interp"], ["-smp", "2"]):
        with Debugged(PROGRAM, ["-kernel", elf, "-nic", "none", *options]) as machine:
            check_backwards(machine.gdb(BACKWARDS, elf))


def meets_what_stands_at_a_checkpoint(elf):
    """One is taken where a round ends long after the one before: at the breakpoint itself."""
    with Debugged(PROGRAM, ["-kernel", elf, "-nic", "none"]) as machine:
        text = machine.gdb(["break count_up", "shell sleep 0.5", *["continue"] * 4, "print (int)counter",
                            *["reverse-continue", "print (int)counter"] * 3], elf)
    found = [int(value) for value in re.findall(r"(?m)^\$\d+ = (\d+)$", text)]
    assert found == [3, 2, 1, 0], text


def begins_anew_where_it_was_changed(elf):
    with Debugged(PROGRAM, ["-kernel", elf, "-nic", "none"]) as machine:
        text = machine.gdb(["break corrupt", "continue", "set var *(int*)&victim = 1235", "delete", "continue",
                            "watch *(int*)&victim", "reverse-continue", "print (int)victim", "reverse-continue"], elf)
    expect(r"Old value = 2989\nNew value = 1235\n(?s:.*)= 1235\n", text)
    expect(r"No more reverse-execution history", text)


def goes_back_in_a_replay(elf):
    """The past is whole there, from the reset vector on, and cannot be changed."""
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "run.rec")
        subprocess.run([PROGRAM, "-display", "none", "-monitor", "none", "-serial", "none", "-kernel", elf, "-no-reboot",
                        "-record", recording], stdin=subprocess.DEVNULL, check=True, timeout=120)
        with Debugged(PROGRAM, [], replay=recording) as machine:
            text = machine.gdb(["break *crash", "continue", "watch *(int*)&victim", "reverse-continue", "x/i $pc",
                                "delete", "reverse-continue", "info registers eip"], elf)
    expect(r"Old value = 2989\nNew value = 1234\n(?s:.*)<corrupt.next>:\s+stos", text)
    expect(r"No more reverse-execution history", text)


def debugs_xv6_backwards(elf):
    """A triple fault in xv6: its kernel's IDT is taken away, and gdb goes back to the trap that found none."""
    images = [os.path.join(os.environ.get("REPRISE_GUESTS", ""), name) for name in ("xv6.img", "xv6-fs.img")]
    if not all(map(os.path.exists, images)):
        print("(no xv6)")
        return
    with Debugged(PROGRAM, ["-hda", images[0], "-hdb", images[1], "-snapshot", "-nic", "none"]) as machine:
        text = machine.gdb([
            "hbreak *0x10000c", "continue", "delete", "stepi 20", "set $code = $pc", "set var $esp = 0", "set var *(short*)$pc = 0x0b0f",
            "continue", "info registers eip", "reverse-stepi", "x/i $pc", "print $pc == $code"])
    expect(r"SIGSEGV", text)
    expect(r"ud2", text)
    expect(r"= 1\n", text)


def monitor_goes_back(elf):
    with Debugged(PROGRAM, ["-kernel", elf, "-nic", "none"]) as machine:
        text = machine.gdb(["break *crash", "continue", "monitor reverse-step", "monitor last-write $ebx+0", "monitor last-write 0"], elf)
    expect(r"CPU#0 at 0008:00100057, after \d+ instructions", text)


def finds_who_set_a_flag(elf):
    """ZF by the XOR before the crash, and IF long before by a CLI of the ROM that loaded the program."""
    with Debugged(PROGRAM, ["-kernel", elf, "-nic", "none"]) as machine:
        text = machine.gdb(["break *crash", "continue", "monitor last-flag zf", "monitor last-flag nosuch", "monitor last-flag if"], elf)
    expect(r"CPU#0 at 0008:00100057, after \d+ instructions", text)
    expect(r"a flag expected", text)
    expect(r"CPU#0 at ca00:0000[0-9a-f]{4}, after \d+ instructions", text)


CHECKS = [goes_back_from_a_triple_fault, meets_what_stands_at_a_checkpoint, begins_anew_where_it_was_changed, goes_back_in_a_replay, debugs_xv6_backwards,
          monitor_goes_back, finds_who_set_a_flag]


if __name__ == "__main__":
    sys.exit(run_checks(CHECKS))
