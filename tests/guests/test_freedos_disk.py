#!/usr/bin/env python3
"""FreeDOS on an IDE disk with a FAT16 partition: boot, files, a 2 MB DJGPP program."""
from guest_test import case, check, mtools, run_cases

PARTITION_OFFSET = 63 * 512


def start(context, image, choice="1"):
    machine = context.start("-m", "64", "-boot", "c",
                            "-drive", f"file={image},format=raw,if=ide,index=0")
    machine.wait_text(r"1 - HIMEMX")
    machine.type_text(choice + "\n")
    machine.wait_text(rf"ready, menu choice {choice}")
    machine.wait_text(r"^C:\\>")
    return machine


@case
def file_on_disk(context):
    """What the guest writes is in the image afterwards, readable from outside."""
    image = context.copy("freedos-hdd.img.gz")
    machine = start(context, image, "3")
    machine.type_text("copy command.com temp\\copy.com\n")
    machine.wait_text(r"(?i)copied|=>")
    machine.type_text("echo end of disk test>temp\\out.txt\ntype temp\\out.txt\n")
    machine.wait_text(r"^end of disk test")
    machine.quit()
    text = mtools("mtype", image, "::TEMP/OUT.TXT", offset=PARTITION_OFFSET)
    check(text == b"end of disk test\r\n", f"OUT.TXT differs: {text!r}")
    original = mtools("mcopy", image, "::COMMAND.COM", "-", offset=PARTITION_OFFSET)
    copied = mtools("mcopy", image, "::TEMP/COPY.COM", "-", offset=PARTITION_OFFSET)
    check(len(copied) > 60000 and copied == original, "the copy differs from COMMAND.COM")


@case(long=True)
def dojs(context):
    """DOjS runs a script of its own and writes sums to a log."""
    image = context.copy("freedos-hdd.img.gz")
    machine = start(context, image)
    machine.type_text("cd dojs\ndojs -r t.js\n")
    machine.wait_text(r"^DOjS OK", 180)  # on a screen that it cleared
    machine.quit()
    log = mtools("mtype", image, "::DOJS/JSLOG.TXT", offset=PARTITION_OFFSET)
    for words in (b"6*7=42", b"sum=20000100000", b"3.14159265358979"):
        check(words in log, f"JSLOG.TXT lacks {words!r}: {log[-200:]!r}")


run_cases()
