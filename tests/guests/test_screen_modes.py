#!/usr/bin/env python3
"""The modes of the BIOS, its fonts and numbers of lines among them (screen/modes.asm), pixel by pixel as under QEMU, whose
pictures have the mode's own pixels where ours have those of a monitor."""
import os
import shutil

import vm
from guest_test import Skip, case, check, run_cases

MODES = {"a": "text", "b": "8x8 font", "c": "8x14 font", "d": "40 columns", "e": "monochrome", "f": "200 lines", "g": "350 lines",
         "h": "mode 4", "i": "mode 5", "j": "mode 6", "k": "mode Dh", "l": "mode Eh", "m": "mode 10h", "n": "mode 11h",
         "o": "mode 12h", "p": "mode 13h"}
TEXT = "abcdefg"


def pictures(start, context):
    """{key: picture}; a mode is there when the program says so."""
    console = os.path.join(context.folder, "console")
    if os.path.exists(console):
        os.unlink(console)
    shots = {}
    with start(["-m", "16", "-net", "none", "-snapshot", "-boot", "a",
                "-drive", f"file={context.own_image('screen/modes.img')},format=raw,if=floppy",
                "-chardev", f"file,id=console,path={console}", "-device", "isa-debugcon,iobase=0xe9,chardev=console"]) as machine:
        for number, key in enumerate(MODES, 1):
            if number > 1:
                machine.send_key(key)
            machine.wait_until(lambda: os.path.exists(console) and os.path.getsize(console) >= number,  # pylint: disable=cell-var-from-loop
                               60, "mode " + key)
            before = None
            while True:  # until both say the same: what is shown follows by a frame or two
                shot = machine.take_picture()
                if before and before.pixels == shot.pixels:
                    break
                before = shot
            shots[key] = shot
    return shots


def enlarge(shot, width, height):
    """To whole multiples; None where the size is none."""
    if width % shot.width or height % shot.height:
        return None
    across, down = width // shot.width, height // shot.height
    lines = []
    for y in range(shot.height):
        line = shot.pixels[3 * shot.width * y:3 * shot.width * (y + 1)]
        if across > 1:
            line = b"".join(line[3 * x:3 * x + 3] * across for x in range(shot.width))
        lines.append(line * down)
    return b"".join(lines)


def is_known(key, shot, x, y):
    """Where QEMU does other than IBM's manual: the ninth dot repeats the eighth in characters from B0h on, not from C0h."""
    columns = 40 if key == "d" or shot.width < 640 else 80
    cell = shot.width // columns
    height = {"b": 8, "c": 14}.get(key, 16)
    character = (y // height * columns + x // cell) & 0xFF
    return key in TEXT and x % cell >= cell * 8 // 9 and 0xB0 <= character <= 0xBF


def count_differences(key, own, other):
    # QEMU leaves out the lines below the last whole row of text, and the ninth dots of 40 columns.
    lines = other.height if key == "c" else own.height
    pixels = own.pixels[:3 * own.width * lines]
    if key == "d":
        cell, seen = 3 * own.width // 40, 3 * 16
        pixels = b"".join(pixels[at:at + seen] for at in range(0, len(pixels), cell))
    width = len(pixels) // 3 // lines
    enlarged = enlarge(other, width, lines)
    if enlarged is None:
        return -1
    if enlarged == pixels:
        return 0
    return sum(1 for at in range(0, len(pixels), 3) if pixels[at:at + 3] != enlarged[at:at + 3]
               and not is_known(key, own, at // 3 % width, at // 3 // width))


@case
def as_under_qemu(context):
    qemu = shutil.which("qemu-system-i386")
    if not qemu or context.is_qemu:
        raise Skip("qemu-system-i386 is missing")
    ours = pictures(lambda options: context.start(*options), context)
    theirs = pictures(lambda options: vm.Vm(qemu, options), context)
    wrong = []
    for key, name in MODES.items():
        own, other = ours[key], theirs[key]
        differ = count_differences(key, own, other)
        if differ:
            wrong.append(f"{name}: {own.width}x{own.height}, QEMU's {other.width}x{other.height}, {differ} pixels differ")
    check(not wrong, "\n".join(wrong))


run_cases()
