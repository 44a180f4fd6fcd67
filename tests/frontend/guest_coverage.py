#!/usr/bin/env python3
"""-coverage and -profile: what of a kernel's code was executed, by both backends, in a script's
machines, and in a replay.

    guest_coverage.py PROGRAM
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
# Three million rounds of two instructions, one million of three; 'never' is called by nobody, and the last block of 'start'
# is not come to.
KERNEL = """bits 32
section .text
align 4
dd 0x1BADB002, 0, -0x1BADB002
global start
start:
    mov esp, 0x90000
    mov ecx, 3000000
    call few
    mov ecx, 1000000
    call many
    test ecx, ecx
    jz .done
    call never
.done:
    mov al, 16
    out 0xF4, al
    hlt
global few
few:
    dec ecx
    jnz few
    ret
global many
many:
    imul eax, ecx
    dec ecx
    jnz many
    ret
global never
never:
    nop
    ret
"""
EXECUTED = {"start": 1, "few": 1, "many": 1, "never": 0}
NOT_EXECUTED = ["    call never", "    hlt", "    nop", "    ret"]  # the last 'ret' alone
MACHINE = ["-display", "none", "-m", "16", "-nodefaults", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"]
EXIT_DONE = 33


def check(condition, what):
    if not condition:
        print("FAIL " + str(what))
        sys.exit(1)


def run(*words, status=0):
    done = subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == status, (words, done))
    return done


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def functions_of(text):
    return {name: int(count) for count, name in re.findall(r"^FNDA:(\d+),(.*)$", text, re.M) if "." not in name and name[0] != "_"}


def check_coverage(path, has_lines):
    text = read(path)
    check(functions_of(text) == EXECUTED, text)
    lines = [(int(line), int(count)) for line, count in re.findall(r"^DA:(\d+),(\d+)$", text, re.M)]
    if not has_lines or not lines:
        return bool(lines)
    source = KERNEL.split("\n")
    instructions = [(number, count) for number, count in lines if not source[number - 1].startswith("dd ")]
    check([source[number - 1] for number, count in instructions if count == 0] == NOT_EXECUTED, text)
    check(f"LF:{len(lines)}\n" in text and text.rstrip().endswith("end_of_record"), text)
    return True


def check_profile(path):
    text = read(path)
    rows = {name: int(count) for count, name in re.findall(r"% +(\d+)   [0-9A-F]{8}  (\w+)$", text, re.M)}
    # One sample in 10,007: few() executes 6,000,001 instructions, many() 3,000,001.
    check(abs(rows["few"] - 6000001) <= 2 * 10007 and abs(rows["many"] - 3000001) <= 2 * 10007, text)
    check("never" not in rows, text)
    return text


def make_kernel():
    with open("kernel.asm", "w", encoding="ascii") as file:
        file.write(KERNEL)
    subprocess.run(["nasm", "-f", "elf32", "-g", "-F", "dwarf", "kernel.asm", "-o", "kernel.o"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0x100000", "-e", "start", "kernel.o", "-o", "kernel"], check=True)
    subprocess.run("nm -n kernel > kernel.map", shell=True, check=True)


def main():
    for tool in ("nasm", "ld", "nm"):
        if shutil.which(tool) is None:
            print(f"skipped: there is no {tool}")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_kernel()
        profiles = set()
        for backend in ("jit", "interp"):
            run(*MACHINE, "-kernel", "kernel", "-accel", backend, "-icount", "3", "-coverage", "info", "-profile", "profile",
                status=EXIT_DONE)
            has_lines = check_coverage("info", True)
            profiles.add(check_profile("profile"))
        check(len(profiles) == 1, "the profile depends on the backend")
        print("ok   functions" + (", lines" if has_lines else "") + " and profile by both backends")

        run(*MACHINE, "-kernel", "kernel", "-coverage", "info", "-symbols", "kernel.map", status=EXIT_DONE)
        check_coverage("info", False)
        print("ok   functions of a map")

        with open("two.lua", "w", encoding="ascii") as file:
            file.write("for i = 1, 2 do\n  local m = machine(\"-kernel\", \"kernel\", \"-device\","
                       "\n    \"isa-debug-exit,iobase=0xf4,iosize=1\")\n  m:wait_end()\nend\n")
        run("test", "two.lua", "--symbols", "kernel", "--coverage", "info")
        check_coverage("info", True)
        print("ok   machines of a script")

        run(*MACHINE, "-kernel", "kernel", "-record", "run.record", status=EXIT_DONE)
        run("replay", "run.record", "-profile", "profile", "-coverage", "info", "-symbols", "kernel")
        check_coverage("info", True)
        check_profile("profile")
        print("ok   a replay")

        for words, message in ((["-coverage", "info"], "-symbols FILE"), (["-coverage", "info", "-symbols", "kernel.asm"], "neither an ELF"),
                               (["-profile", "no/such/folder"], "cannot write"), (["-coverage", "", "-symbols", "kernel"], "name a file")):
            failed = run(*MACHINE, *words, status=1)
            check(message in failed.stderr and failed.stderr.count("\n") == 1, failed)
        print("ok   what cannot be")


main()
