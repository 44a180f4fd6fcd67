#!/usr/bin/env python3
"""bootOS and its boot-sector programs, from a 360K floppy."""
from guest_test import case, check, run_cases


def start(context):
    machine = context.start_floppy(context.guest("bootos.img"))
    machine.wait_text(r"^\$")
    return machine


@case
def directory(context):
    machine = start(context)
    machine.type_text("dir\n")
    machine.wait_text(r"^bootle")
    check("pillman" in machine.read_text(), "dir lacks a file of the floppy")


@case
def pillman(context):
    machine = start(context)
    machine.type_text("pillman\n")
    machine.wait_picture(context.guest("bootos-pillman.png"))


def show_graphics(context, name):
    """The program reaches a graphics mode and draws in several colours."""
    machine = start(context)
    machine.type_text(name + "\n")
    machine.wait_until(lambda: machine.take_picture().height == 400
                       and machine.take_picture().count_colours() > 3, 60, f"picture of {name}")


@case(long=True)
def invaders(context):
    show_graphics(context, "invaders")


@case(long=True)
def cubicdoom(context):
    show_graphics(context, "cubicdoom")


@case(long=True)
def digits_of_pi(context):
    machine = start(context)
    machine.type_text("pi\n")
    machine.wait_text(r"3\.?14159265")


run_cases()
