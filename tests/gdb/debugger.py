"""What the scripts of this folder share: the guest, the program with a debugger's port, gdb in batch mode."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
FOLDER = os.path.dirname(os.path.abspath(__file__))
FIRMWARE = ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"]


def skip(reason):
    print("skipped: " + reason)
    sys.exit(SKIPPED)


def need_tools():
    for tool in ("gdb", "nasm", "ld"):
        if shutil.which(tool) is None:
            skip(f"no {tool}")
    if not any(os.path.exists(path) for path in FIRMWARE):
        skip("no firmware (package seabios)")


def build_guest(folder, name="guest"):
    """The ELF file of tests/gdb/NAME.asm, with symbols."""
    built, elf = os.path.join(folder, name + ".o"), os.path.join(folder, name + ".elf")
    subprocess.run(["nasm", "-f", "elf32", "-g", "-F", "dwarf", "-o", built,
                    os.path.join(FOLDER, name + ".asm")], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-n", "--no-warn-rwx-segments",
                    "-T", os.path.join(FOLDER, "guest.ld"), "-o", elf, built], check=True)
    return elf


class Debugged:
    """A program that waits for a debugger at a unix socket, killed at the end."""

    def __init__(self, program, options, paused=True, replay=None, more=""):
        self.folder = tempfile.TemporaryDirectory()
        self.address = os.path.join(self.folder.name, "gdb")
        command = [program, "-display", "none", "-serial", "none", "-monitor", "none", "-gdb",
                   "unix:" + self.address + more] + (["-S"] if paused else []) + options
        if replay:
            command = [program, "replay", replay, "-gdb", "unix:" + self.address, "-S", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        deadline = time.time() + 120
        while not self.listens():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.time() < deadline, "no socket for the debugger"
            time.sleep(0.02)

    def listens(self):
        """The socket's name is there before."""
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
            return any(line.split()[3] == "00010000" for line in file if line.rstrip().endswith(" " + self.address))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.folder.cleanup()

    def gdb(self, commands, symbols=None, timeout=300):
        """What gdb prints for these commands, once it is connected."""
        script = os.path.join(self.folder.name, "commands")
        with open(script, "w", encoding="utf-8") as file:
            file.write("set pagination off\nset confirm off\nset architecture i386\n"
                       f"target remote {self.address}\n" + "\n".join(commands) + "\n")
        run = subprocess.run(["gdb", "-nx", "-batch", "-x", script] + ([symbols] if symbols else []),
                             stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=timeout, check=False)
        return run.stdout + run.stderr


def run_checks(checks):
    """Runs all functions with the guest's ELF file; the exit status."""
    need_tools()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        elf = build_guest(folder)
        for check in checks:
            try:
                check(elf)
                print("ok    " + check.__name__)
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAIL  {check.__name__}: {type(error).__name__}: {error}")
    return 1 if failed else 0
