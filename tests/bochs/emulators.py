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

PROGRESS, RESULTS = 0x3FF000, 0x400000
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
