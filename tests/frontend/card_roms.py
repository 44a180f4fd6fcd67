#!/usr/bin/env python3
"""ROMs of network cards: the distribution's are found, the BIOS runs one, and a wrong name is told.

    tests/frontend/card_roms.py build/release/reprise
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
import time

# A ROM of 512 bytes that writes to the debug console and returns; what follows is its PCI data.
ROM_BYTES = 512
PCI_DATA = 0x40
CODE = bytes([0xB0, ord("r"), 0xE6, 0xE9, 0xB0, ord("!"), 0xE6, 0xE9, 0xCB])
WORKS = "r!"


def make_rom(path, device):
    """An option ROM as PCI Firmware Specification 3.0, 5.1 has it."""
    rom = bytearray(ROM_BYTES)
    rom[0:3] = b"\x55\xAA" + bytes([ROM_BYTES // 512])
    rom[3:3 + len(CODE)] = CODE
    rom[0x18:0x1A] = PCI_DATA.to_bytes(2, "little")
    data = (b"PCIR" + (0x8086).to_bytes(2, "little") + device.to_bytes(2, "little") + bytes(2) +
            (24).to_bytes(2, "little") + bytes([0, 0, 0, 2]) + (1).to_bytes(2, "little") + bytes(2)
            + bytes([0, 0x80]) + bytes(2))
    rom[PCI_DATA:PCI_DATA + len(data)] = data
    rom[-1] = -sum(rom) & 0xFF
    with open(path, "wb") as file:
        file.write(rom)


def written(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="latin-1") as file:
        return file.read()


def run(emulator, *options, wanted="", seconds=120):
    """What the machine wrote to port E9h until it was stopped: when the wanted text came, or after some time."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        with open(os.devnull, "rb") as nothing:
            machine = subprocess.Popen(
                [emulator, "-display", "none", "-m", "16", "-icount", "shift=1", "-device",
                 "isa-debugcon,chardev=log", "-chardev", f"file,id=log,path={log}", *options],
                stdin=nothing, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + seconds
        while machine.poll() is None and time.monotonic() < deadline and not (wanted and wanted in written(log)):
            time.sleep(0.05)
        machine.kill()
        _, error = machine.communicate()
        return machine.returncode, written(log), error


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("emulator")
    emulator = parser.parse_args().emulator
    failures = []

    def check(good, what):
        print(f"{'ok' if good else 'FAIL'}    {what}")
        if not good:
            failures.append(what)
    with tempfile.TemporaryDirectory() as folder:
        rom = os.path.join(folder, "mine.rom")
        make_rom(rom, 0x100E)
        _, text, _ = run(emulator, "-device", f"e1000,romfile={rom}", wanted=WORKS)
        check(text.startswith(WORKS), f"the BIOS runs a card's ROM: {text!r}")
        make_rom(rom, 0x100F)
        _, text, _ = run(emulator, "-device", f"e1000,romfile={rom}", seconds=3)
        check(text == "", "but no ROM of another card")
        make_rom(rom, 0x100E)
        _, text, _ = run(emulator, "-device", f"e1000,romfile={rom},rombar=0", seconds=3)
        check(text == "", "nor where the ROM is turned off")
    status, _, error = run(emulator, "-device", "e1000,romfile=/nowhere/x.rom")
    check(status == 1 and error.count("\n") == 1 and "/nowhere/x.rom" in error,
          f"a missing ROM is told in one line: {error.strip()}")
    dialogue = subprocess.run(
        [emulator, "-display", "none", "-S", "-device", "e1000", "-monitor", "stdio"],
        input="info roms\nquit\n", capture_output=True, text=True, check=False, timeout=120).stdout
    if glob.glob("/usr/lib/ipxe/qemu/*-e1000.rom") + glob.glob("/usr/share/qemu/*-e1000.rom"):
        check("e1000" in dialogue, f"the distribution's ROM is found: {dialogue}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
