"""Runs an image of case_runner.asm in Bochs, Reprise or QEMU and returns what it left in memory."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
sys.path.insert(0, os.path.join(ROOT, "tests", "guests"))
import vm  # noqa: E402

PROGRESS, RESULTS, MARK_SEEN = 0x3FF000, 0x400000, 0x7E11
BOCHS_ROM, BOCHS_VGA_ROM = "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/vgabios/vgabios.bin"

# Processors with the same features: Bochs 2.7's model, ours, QEMU's.
BOCHS_MODEL, OWN_MODEL, QEMU_MODEL = "p3_katmai", "pentium3", "pentium3"

BOCHS_CONFIGURATION = f"""megs: 32
romimage: file={BOCHS_ROM}
vgaromimage: file={BOCHS_VGA_ROM}
boot: floppy
floppya: 1_44={{image}}, status=inserted, write_protected=1
log: {{folder}}/log
panic: action=report
error: action=ignore
info: action=ignore
debug: action=ignore
magic_break: enabled=1
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
display_library: term
clock: sync=none, time0=1
cpu: model={BOCHS_MODEL}, ips=1000000, reset_on_triple_fault=1
"""

BOCHS_STOPS = 100   # the debugger stops at triple faults, and at each round of the runner's last loop


class Missing(Exception):
    """An emulator is not there."""


def find_bochs():
    bochs = shutil.which("bochs")
    for path in (BOCHS_ROM, BOCHS_VGA_ROM):
        if not bochs or not os.path.exists(path):
            raise Missing("Bochs with its debugger is missing (Debian: bochs bochs-term bochsbios vgabios)")
    return bochs


def run_bochs(image, commands, seconds=60):
    """Gives COMMANDS to the debugger; returns what it printed."""
    bochs = find_bochs()
    with tempfile.TemporaryDirectory(prefix="bochs-") as folder:
        configuration, script = os.path.join(folder, "rc"), os.path.join(folder, "commands")
        with open(configuration, "w") as file:
            file.write(BOCHS_CONFIGURATION.format(image=image, folder=folder))
        with open(script, "w") as file:
            file.write("\n".join(commands) + "\nq\n")
        try:
            done = subprocess.run([bochs, "-q", "-f", configuration, "-rc", script], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                                  env=dict(os.environ, TERM="xterm"))
        except subprocess.TimeoutExpired as late:
            raise TimeoutError(f"Bochs did not end in {seconds} s: {(late.output or b'')[-500:]}")
        return done.stdout.decode(errors="replace")


def read_back(path, what, output):
    if not os.path.exists(path):
        raise RuntimeError(f"{what} left no results: {output[-800:]}")
    with open(path, "rb") as file:
        return file.read()


def collect_bochs(image, size, seconds=60):
    with tempfile.TemporaryDirectory(prefix="bochs-") as folder:
        path = os.path.join(folder, "memory")
        output = run_bochs(image, ["c"] * BOCHS_STOPS + [f'writemem "{path}" {PROGRESS} {RESULTS - PROGRESS + size}'], seconds)
        return read_back(path, "Bochs", output)


SEGMENT_LINE = re.compile(r"^(es|cs|ss|ds|fs|gs|ldtr|tr):0x([0-9a-f]+), dh=0x([0-9a-f]+), dl=0x([0-9a-f]+), valid=(\d+)", re.M)
OWN_SEGMENT_LINE = re.compile(r"^(ES|CS|SS|DS|FS|GS|LDT|TR) *=([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)", re.M)
PRESENT, BIG_UNITS = 0x8000, 0x800000


def name_segment(selector, high, low):
    """(selector, descriptor's halves), or the selector alone where nothing usable stands behind it."""
    return (selector, high & 0xFFFFFFFF, low) if high & PRESENT else (selector,)


def mark_bochs(image, cases, seconds=120):
    """{case: {segment register: what is in it and behind it}} at the end of each case."""
    step = ["c", f"xp /1wx {PROGRESS + 4}", "sreg", f"setpmem {MARK_SEEN} 1 1"]
    output = run_bochs(image, step * (cases + BOCHS_STOPS), seconds)
    states = {}
    for part in output.split("Magic breakpoint\nNext at")[1:]:
        part = part.partition("\nNext at")[0]  # what follows a reset
        case = re.search(r"^0x[0-9a-f]+ <bogus.*>:\s+0x([0-9a-f]+)", part, re.M)
        state = {name: name_segment(int(selector, 16), int(high, 16) if int(valid) & 1 else 0, int(low, 16))
                 for name, selector, high, low, valid in SEGMENT_LINE.findall(part)}
        if case and int(case.group(1), 16) < cases and len(state) == 8:
            states.setdefault(int(case.group(1), 16), state)
    return states


def mark_own(program, image, accelerator, seconds=120):
    """The same of Reprise."""
    with tempfile.TemporaryDirectory(prefix="reprise-") as folder:
        path = os.path.join(folder, "marks")
        command = [program, "test", "--jobs", "1", "--var", f"image={image}", "--var", f"path={path}",
                   "--var", f"model={OWN_MODEL}", "--out", os.path.join(folder, "out"), "-accel", accelerator,
                   os.path.join(FOLDER, "marks.lua")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, cwd=folder)
        text = read_back(path, f"Reprise ({accelerator})", done.stdout.decode(errors="replace")).decode()
    states = {}
    for part in text.split("case ")[1:]:
        state = {}
        for name, selector, base, limit, flags in OWN_SEGMENT_LINE.findall(part):
            base, limit, flags = int(base, 16), int(limit, 16), int(flags, 16)
            if flags & BIG_UNITS:
                limit >>= 12
            high = base & 0xFF000000 | flags & 0xF0FF00 | limit & 0xF0000 | base >> 16 & 0xFF
            name = "ldtr" if name == "LDT" else name.lower()
            state[name] = name_segment(int(selector, 16), high, base << 16 & 0xFFFF0000 | limit & 0xFFFF)
        states[int(part.split()[0])] = state
    return states


def collect_own(program, image, size, accelerator, seconds=60):
    with tempfile.TemporaryDirectory(prefix="reprise-") as folder:
        path = os.path.join(folder, "memory")
        command = [program, "test", "--jobs", "1", "--var", f"image={image}", "--var", f"path={path}", "--var", f"size={size}",
                   "--var", f"model={OWN_MODEL}", "--out", os.path.join(folder, "out"), "-accel", accelerator,
                   os.path.join(FOLDER, "collect.lua")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, cwd=folder)
        return read_back(path, f"Reprise ({accelerator})", done.stdout.decode(errors="replace"))


def collect_qemu(image, size, seconds=60):
    qemu = shutil.which("qemu-system-i386")
    if not qemu:
        raise Missing("qemu-system-i386 is missing")
    options = ["-m", "32", "-cpu", QEMU_MODEL, "-net", "none", "-boot", "a", "-drive",
               f"file={image},format=raw,if=floppy,readonly=on"]
    with vm.Vm(qemu, options) as machine:
        end = time.monotonic() + seconds
        while not re.search(r"0x0*2\s*$", machine.execute(f"xp /1xw {PROGRESS + 12}").strip()):
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        path = os.path.join(machine.folder, "memory")
        machine.execute(f'pmemsave {PROGRESS} {RESULTS - PROGRESS + size} "{path}"')
        return read_back(path, "QEMU", "")
