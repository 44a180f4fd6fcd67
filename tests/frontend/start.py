#!/usr/bin/env python3
"""A start takes no more than it needs: the libraries of the window and of listings stay out until
they are wanted, and a machine that has done little has taken little memory."""
import os
import subprocess
import sys
import tempfile

LATE = ("libvncserver", "libSDL2", "libcapstone")
PEAK_KILOBYTES = 64 * 1024
# MOV DX, 501h; MOV AL, 16; OUT DX, AL at the reset vector's target, which the last 16 bytes jump to.
ROM_BYTES = 64 * 1024
PROGRAM = bytes([0xba, 0x01, 0x05, 0xb0, 0x10, 0xee, 0xf4])
EXIT_DONE = 33


def loaded_libraries(program, arguments):
    """What the dynamic linker told, and the exit status."""
    run = subprocess.run([program, *arguments], env={**os.environ, "LD_DEBUG": "libs"},
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, timeout=120, check=False)
    return run.stderr.decode(errors="replace"), run.returncode


def write_rom(path):
    rom = bytearray(b"\xf4" * ROM_BYTES)
    rom[0:len(PROGRAM)] = PROGRAM
    rom[-16:-11] = bytes([0xea, 0x00, 0x00, 0x00, 0xf0])  # JMP F000h:0000h
    with open(path, "wb") as file:
        file.write(rom)


def main():
    program = sys.argv[1]
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        rom = os.path.join(folder, "rom")
        write_rom(rom)
        machine = ["-display", "none", "-serial", "none", "-monitor", "none", "-m", "32",
                   "-bios", rom, "-device", "isa-debug-exit"]
        for arguments, wanted in ((["-version"], 0), (machine, EXIT_DONE)):
            told, status = loaded_libraries(program, arguments)
            if status != wanted:
                failures.append(f"{arguments[0]}: exit status {status}")
            failures += [f"{arguments[0]}: loads {name}" for name in LATE
                         if "calling init" in told and name in told]
        with subprocess.Popen([program, *machine], stdin=subprocess.DEVNULL) as process:
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
        if "clang_rt" not in told and "asan" not in told and "tsan" not in told and \
                usage.ru_maxrss > PEAK_KILOBYTES:
            failures.append(f"{usage.ru_maxrss} KB at most")
    for failure in failures:
        print("FAIL " + failure)
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
