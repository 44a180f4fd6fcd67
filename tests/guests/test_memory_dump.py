#!/usr/bin/env python3
"""dump-guest-memory of a running Linux: gdb and readelf read registers and memory from it, by virtual and physical addresses."""
import os
import re
import shutil
import subprocess

import fetch_packages
import initramfs
from guest_test import Skip, case, check, run_cases


def words(text):
    """What lines "address: word word" hold, as the monitor's x and gdb's both print them."""
    return [int(word, 16) for line in text.splitlines() if ":" in line for word in re.findall(r"0x([0-9a-f]+)", line.partition(":")[2])]


def gdb(core, *commands):
    run = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set architecture i386", "-c", core]
                         + [word for command in commands for word in ("-ex", command)], capture_output=True, text=True, check=False, timeout=120)
    return run.stdout


@case
def linux_is_readable(context):
    for tool in ("gdb", "readelf"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing (Debian: apt install gdb binutils)")
    path = os.path.join(context.folder, "initrd")
    initramfs.build(path)
    with context.start("-m", "64", "-smp", "2", "-kernel", fetch_packages.kernel_image("686"), "-initrd", path, "-append",
                       "console=ttyS0 quiet nokaslr") as machine:
        machine.wait_serial(initramfs.READY, 120)
        machine.execute("stop")
        virtual, physical = (os.path.join(context.folder, name) for name in ("virtual", "physical"))
        check(machine.execute(f"dump-guest-memory -p {virtual}").strip() == "", "dump-guest-memory -p")
        check(machine.execute(f"dump-guest-memory {physical} 0x100000 0x2000000").strip() == "", "dump-guest-memory")
        registers = dict(re.findall(r"\b(E\w\w)=([0-9a-f]{8})", machine.execute("info registers")))
        stack = int(registers["ESP"], 16)
        for address in (0xC1000000, stack & ~63, int(registers["EIP"], 16) & ~15):
            told = words(machine.execute(f"x /16xw 0x{address:x}"))
            read = words(gdb(virtual, f"x/16xw 0x{address:x}"))
            check(len(told) == 16 and told == read, f"0x{address:x}: {told} and {read}")
        told, read = words(machine.execute("xp /16xw 0x1000000")), words(gdb(physical, "x/16xw 0x1000000"))
        check(len(told) == 16 and told == read, f"physical: {told} and {read}")
        for core in (virtual, physical):
            shown = gdb(core, "info registers", "info threads")
            for name in ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip"):
                value = re.search(rf"^{name}\s+0x([0-9a-f]+)", shown, re.M)
                check(value and int(value.group(1), 16) == int(registers[name.upper()], 16), f"{name}: {shown}")
            check(len(re.findall(r"^[* ] +\d+ ", shown, re.M)) == 2, "threads: " + shown)
            told = subprocess.run(["readelf", "-W", "-h", "-l", "-n", core], capture_output=True, text=True, check=True)
            check(told.stderr == "", told.stderr)
            check("CORE (Core file)" in told.stdout and told.stdout.count("NT_PRSTATUS") == 2 and "QEMU" in told.stdout, told.stdout)
        check("LOAD           0x" in told.stdout and "0x00100000 0x00100000 0x2000000" in told.stdout, told.stdout)


if __name__ == "__main__":
    run_cases()
