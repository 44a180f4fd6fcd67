#!/usr/bin/env python3
"""The bare-metal programs of tests/guests in Bochs: what they expect of the processor, it must do, too.

    run_programs.py FOLDER    with their images

They say in their source what the manual wants, and Reprise passes them. So a check that fails here is a difference
between the two emulators: those are listed, by the names that TEST gives in the program.
"""
import os
import subprocess
import sys
import tempfile
import time

import emulators

SKIPPED = 77
SECONDS = 60
MODEL = "p4_prescott_celeron_336"

# Program: {name of a test that fails in Bochs 2.7: why}.
PROGRAMS = {
    "code_changes": {}, "debug_registers": {}, "segment_limits": {}, "stepping": {}, "string_restarts": {}, "tasks": {},
    "transfer_faults": {}, "v8086": {}, "v8086_monitor": {},
    "fault_order": {
        "SGDT, whose base is on the second page":
            "Bochs stores the limit before it knows that the base cannot be stored.",
        "ARPL reads, and writes only what changes": "Bochs asks for write access in any case.",
    },
    "page_fault_kinds": {
        "fetches": "Bochs gives the address of the byte that it needs next, not of the page's begin.",
    },
    "paging": {
        "instruction fetches": "Bochs keeps the second half of an instruction whose page was mapped elsewhere.",
    },
    "system_registers": {
        "model-specific registers that are missing": "Bochs ignores them unless told otherwise.",
    },
}

# Not run: apic and counters (other devices, no counters), smm (another board's SMI port and SMRAM), self_modifying (wants a
# disk), fpu_errors (Bochs raises IRQ 13 an instruction later), identification (prints), nmi (its APIC sends none to
# itself), debug_traps, privilege, quirks and segment_ends (Bochs 2.7 leaves them early: it pushes RF clear within REP,
# ARPL of read-only memory faults, POPA pops all or nothing).


def run(image):
    """What the program sent to COM1."""
    bochs = emulators.find_bochs()
    with tempfile.TemporaryDirectory(prefix="bochs-") as folder:
        serial, configuration, script = (os.path.join(folder, name) for name in ("serial", "rc", "commands"))
        text = emulators.BOCHS_CONFIGURATION.format(image=image, folder=folder)
        text = text.replace(f"model={emulators.BOCHS_MODEL}", f"model={MODEL}")
        text = text.replace("magic_break: enabled=1", f"com1: enabled=1, mode=file, dev={serial}")
        for path, content in ((configuration, text), (script, "c\nq\n"), (serial, "")):
            with open(path, "w") as file:
                file.write(content)
        process = subprocess.Popen([bochs, "-q", "-f", configuration, "-rc", script], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, TERM="xterm"))
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end and process.poll() is None:
                time.sleep(0.1)
                with open(serial, errors="replace") as file:
                    sent = file.read().replace("\r", "")
                if sent.endswith(("passed\n", "failed\n")):
                    return sent
            raise TimeoutError(f"{image}: no end after {SECONDS} s: {sent[-500:]}")
        finally:
            process.kill()
            process.wait()


def main():
    bad = 0
    for name, known in PROGRAMS.items():
        try:
            sent = run(os.path.join(sys.argv[1], name + ".img"))
        except emulators.Missing as missing:
            print(f"skipped: {missing}")
            return SKIPPED
        lines = sent.splitlines()
        failed = {line for line, following in zip(lines, lines[1:]) if following.startswith("  check")
                  and not line.startswith(" ")}
        if failed != set(known):
            bad += 1
            print(f"{name}: Bochs fails {sorted(failed)}, listed are {sorted(known)}\n{sent[-1500:]}")
    print(f"{len(PROGRAMS)} programs, {bad} differ from the list")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
