#!/usr/bin/env python3
"""Programs on FreeDOS floppies: memory managers in v8086 mode, DOS extenders, mode X."""
from guest_test import case, check, run_cases


def start(context, image, choice):
    machine = context.start_floppy(context.guest(image), memory=32)
    machine.wait_text(r"1 - HIMEMX")
    machine.type_text(choice + "\n")
    machine.wait_text(rf"ready, menu choice {choice}")
    machine.wait_text(r"^A:\\>")
    return machine


@case
def jemm386(context):
    """The memory manager runs DOS in v8086 mode with paging."""
    machine = start(context, "freedos-tools.img", "2")
    machine.type_text("mem\n")
    machine.wait_text(r"resident in the high memory area")
    text = machine.read_text()
    check("Free Expanded (EMS)" in text, "MEM shows no EMS memory")


@case(long=True)
def jemmex(context):
    machine = start(context, "freedos-tools.img", "3")
    machine.type_text("mem\n")
    machine.wait_text(r"Free Expanded \(EMS\)")


@case
def mode_x(context):
    machine = start(context, "freedos-net-sound.img", "3")
    machine.type_text("\\prg\\modex\n")
    machine.wait_picture(context.guest("freedos-modex.png"))


@case(long=True)
def djgpp_demo(context):
    """A DJGPP program, which brings its DPMI host along."""
    machine = start(context, "freedos-net-sound.img", "3")
    machine.type_text("\\prg\\demo\n")
    machine.wait_picture(context.guest("freedos-djgpp-demo.png"), 0.5, 90)


@case(long=True)
def dos32a_intro(context):
    machine = start(context, "freedos-net-sound.img", "3")
    machine.type_text("dos32a \\prg\\intro.exe\n")
    machine.wait_until(lambda: "A:\\>" not in machine.read_text()
                       and machine.take_picture().count_colours() > 8, 60, "picture of the intro")


@case(long=True)
def mode_x_under_jemm386(context):
    machine = start(context, "freedos-net-sound.img", "2")
    machine.type_text("\\prg\\modex\n")
    machine.wait_picture(context.guest("freedos-modex.png"))


@case(long=True)
def digits_of_pi(context):
    """BC, a DJGPP program, calculates; the digits are known."""
    machine = start(context, "freedos-net-sound.img", "3")
    machine.type_text("cd \\prg\nbc -l pi.bc\n")
    machine.wait_text(r"3\.14159265358979323846")


run_cases()
