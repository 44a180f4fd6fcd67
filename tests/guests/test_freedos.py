#!/usr/bin/env python3
"""FreeDOS from floppies: five geometries, graphics, and files written by the guest."""
from guest_test import case, check, mtools, run_cases


def start(context, name):
    machine = context.start_floppy(context.guest(name))
    machine.wait_text(r"^A:\\>")
    return machine


def show_version(context, name):
    machine = start(context, name)
    machine.type_text("ver\n")
    machine.wait_text(r"(?i)freecom|freedos")
    machine.type_text("dir\n")
    machine.wait_text(r"(?i)bytes free")


@case(long=True)
def floppy_160k(context):
    show_version(context, "freedos-160.img")


@case(long=True)
def floppy_360k(context):
    show_version(context, "freedos-360.img")


@case(long=True)
def floppy_1200k(context):
    show_version(context, "freedos-1200.img")


@case
def floppy_1440k(context):
    show_version(context, "freedos-1440.img")


@case
def invaders(context):
    """A CGA game on a 720K floppy."""
    machine = start(context, "freedos720k.img")
    machine.type_text("invaders\n")
    machine.wait_until(lambda: machine.take_picture().count_colours() > 6, 60, "title picture")
    machine.send_key("spc")
    machine.wait_picture(context.guest("freedos720k-invaders.png"))


@case(long=True)
def assembles_a_program(context):
    machine = start(context, "freedos720k.img")
    machine.type_text("del hello.com\nnasm hello.asm -o hello.com\nhello\n")
    machine.wait_text(r"(?i)^hello.*!?$")


@case(long=True)
def cpu_level(context):
    machine = start(context, "freedos720k.img")
    machine.type_text("cpulevel\n")
    machine.wait_text(r"CPU is family f model 2")  # a Pentium 4, the default
    machine.wait_text(r"SSE2 UNIT")


@case
def file_on_floppy(context):
    """What the guest writes is in the image afterwards, readable from outside."""
    image = context.copy("freedos-1440.img")
    machine = context.start("-m", "32", "-boot", "a",
                            "-drive", f"file={image},format=raw,if=floppy")
    machine.wait_text(r"^A:\\>")
    machine.type_text("echo written by the guest>out.txt\n")
    machine.type_text("copy out.txt + out.txt twice.txt\n")
    machine.type_text("type twice.txt\n")
    machine.wait_text(r"(?s)^written by the guest.*^written by the guest.*>$")
    machine.quit()
    check(mtools("mtype", image, "::OUT.TXT") == b"written by the guest\r\n", "OUT.TXT differs")
    twice = mtools("mtype", image, "::TWICE.TXT").rstrip(b"\x1a")
    check(twice == b"written by the guest\r\n" * 2, f"TWICE.TXT differs: {twice!r}")


run_cases()
