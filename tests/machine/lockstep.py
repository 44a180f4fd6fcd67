#!/usr/bin/env python3
"""The translated and the portable backend side by side: they agree over boots and programs, and a micro-op that is broken on
purpose is found, down to the instruction. REPRISE_LONG=1 runs further, and the shared guests too where they are."""
import os
import platform
import subprocess
import sys

PROGRAM, IMAGES = sys.argv[1], sys.argv[2]
LONG = "REPRISE_LONG" in os.environ
GUESTS = os.environ.get("REPRISE_GUESTS") or os.path.join(os.path.dirname(__file__), "../../../shared/guests")


def lockstep(image, *options, machine=("-m", "16")):
    command = [PROGRAM, "lockstep", *options, *machine, "-snapshot", "-display", "none", "-fda", image]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800)
    return done.returncode, done.stdout + done.stderr


def expect(condition, what, text):
    if not condition:
        sys.exit(f"FAIL {what}: {text}")
    print(f"ok   {what}: {text.strip().splitlines()[0]}")


if platform.machine() not in ("x86_64", "AMD64"):
    print("skipped: there is one backend only on this host")
    sys.exit(77)

for name, step in (("empty", "61"), ("interpreter", "997"), ("sort", "61"), ("shifts", "5003"), ("real_calls", "61"), ("real_sort", "4001")):
    status, text = lockstep(os.path.join(IMAGES, name + ".img"), "--instructions", "60000000" if LONG else "3000000", "--step", step)
    expect(status == 0, f"the backends agree over {name}", text)

# Interrupts of the APICs, exact to the instruction.
apic = os.path.join(IMAGES, "../../bare_metal/apic.img")
status, text = lockstep(apic, "--instructions", "4000000", "--step", "7", machine=("-m", "32", "-icount", "shift=5"))
expect(status == 0, "the backends agree over apic", text)

# The run modes that -accel names are those of the tested machine.
for mode in ("jit,optimize=off,chaining=off", "jit,buffer=64k,force-misses=on"):
    status, text = lockstep(os.path.join(IMAGES, "interpreter.img"), "--instructions", "1000000", machine=("-m", "16", "-accel", mode))
    expect(status == 0, f"the backends agree under {mode}", text)
status, text = lockstep(os.path.join(IMAGES, "empty.img"), "--instructions", "1000000", "--corrupt", "ADD", machine=("-m", "16", "-accel", "interp"))
expect(status == 0, "the portable backend has no broken addition", text)

# Programs that fault, step and change their code, to their end.
programs = ["page_fault_kinds", "string_restarts", "code_changes"]
if LONG:
    programs += ["transfer_faults", "stepping", "v8086_monitor", "address_ends", "nmi"]
for name in programs:
    status, text = lockstep(os.path.join(IMAGES, f"../../bare_metal/{name}.img"), "--instructions", "12000000", "--step", "61",
                            machine=("-m", "16", "-net", "none", "-boot", "a", "-icount", "shift=3"))
    expect(status == 0, f"the backends agree over {name}", text)

status, text = lockstep(os.path.join(IMAGES, "empty.img"), "--instructions", "3000000", "--corrupt", "IMUL3")
expect(status == 6 and (" 6B " in text or " 69 " in text), "a broken multiplication is named", text)
status, text = lockstep(os.path.join(IMAGES, "empty.img"), "--instructions", "3000000", "--corrupt", "MOVSX")
expect(status == 6 and " 0F B" in text, "a broken sign extension is named", text)

if LONG and os.path.isdir(GUESTS):
    for name, keys in (("freedos-1440.img", "d,i,r,ret"), ("freedos720k.img", "v,e,r,ret"), ("freedos-tools.img", "2,ret"),
                       ("mikeos.img", "ret"), ("bootos.img", "d,i,r,ret"), ("floppybird.img", "spc"), ("kolibri.img", "ret")):
        status, text = lockstep(os.path.join(GUESTS, name), "--instructions", "60000000", "--step", "251", "--keys", keys, machine=("-m", "32"))
        expect(status == 0, f"the backends agree over {name}", text)
    # Few instructions to a second: these systems wait by the clock.
    slow = ("-icount", "shift=8")
    status, text = lockstep(os.path.join(GUESTS, "openbsd.img"), "--instructions", "300000000", "--step", "10007", machine=("-m", "64", *slow))
    expect(status == 0, "the backends agree over openbsd.img", text)
    disks = [f"file={os.path.join(GUESTS, name)},format=raw,if=ide,index={i}" for i, name in enumerate(("xv6.img", "xv6-fs.img"))]
    # No keys until the shell is there, then the kernel's own tests.
    keys = ",".join(["-"] * 40 + list("usertests") + ["ret"])
    status, text = lockstep(os.path.join(IMAGES, "empty.img"), "--instructions", "300000000", "--step", "10007", "--keys", keys,
                            machine=("-m", "512", *slow, "-boot", "c", "-drive", disks[0], "-drive", disks[1]))
    expect(status == 0, "the backends agree over xv6.img", text)
