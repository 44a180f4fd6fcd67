#!/usr/bin/env python3
"""floppybird: a game in mode 13h that fits a few sectors; the image ends within its first track."""
import time

from guest_test import case, check, run_cases


@case
def flies_and_falls(context):
    machine = context.start_floppy(context.guest("floppybird.img"))
    machine.wait_picture(context.guest("floppybird.png"))
    before = machine.take_picture().pixels
    machine.send_key("spc")
    time.sleep(0.5)
    check(machine.take_picture().pixels != before, "nothing moves")


run_cases()
