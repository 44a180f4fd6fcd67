#!/usr/bin/env python3
"""The built-in demo disk: its pages, keys and mouse, and that it powers off."""
import time

from guest_test import case, check, run_cases


def start(context, memory=64):
    machine = context.start_floppy(context.own_image("demo.img"), memory=memory)
    machine.wait_serial(r"^REPRISE DEMO READY")
    return machine


@case
def text_page(context):
    machine = start(context)
    text = machine.read_text()
    for words in ("Reprise", "family", "RAM", "8086:1237 class 0600", "00 80/2/18",
                  "million loops a second", "A PS/2 mouse is there"):
        check(words in text, f"the text page lacks '{words}'")


@case
def keys_move_the_face(context):
    machine = start(context)
    before = machine.take_picture().pixels
    for _ in range(4):
        machine.send_key("right")
    machine.wait_until(lambda: machine.take_picture().pixels != before, 10, "motion of the face")


@case
def graphics_page(context):
    machine = start(context)
    machine.send_key("g")
    machine.wait_serial(r"^REPRISE DEMO GRAPHICS")
    first = machine.take_picture()
    check((first.width, first.height) == (640, 480), f"{first.width}x{first.height} pixels")
    check(first.count_colours() > 1000, "the picture has few colours")
    time.sleep(0.3)
    check(machine.take_picture().pixels != first.pixels, "the balls stand still")
    # To the lower right corner, by the mouse: the cross ends there, its middle on the last pixel.
    for _ in range(8):
        machine.execute("mouse_move 120 120")
    machine.wait_until(lambda: machine.take_picture().pixel(639, 475) == (255, 255, 255), 10,
                       "cross in the corner")


@case
def graphics_page_in_4_megabytes(context):
    machine = start(context, memory=4)
    machine.send_key("g")
    machine.wait_serial(r"^REPRISE DEMO GRAPHICS")
    check(machine.take_picture().count_colours() > 1000, "the picture has few colours")


@case
def back_to_text_and_off(context):
    machine = start(context)
    machine.send_key("g")
    machine.wait_serial(r"^REPRISE DEMO GRAPHICS")
    machine.send_key("t")
    machine.wait_serial(r"^REPRISE DEMO TEXT")
    machine.wait_text(r"P power off")
    machine.send_key("p")
    check(machine.wait_exit() == 0, "the power goes off with another exit status than 0")


run_cases()
