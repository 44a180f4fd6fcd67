#!/usr/bin/env python3
"""KolibriOS: a desktop in protected mode with VBE, PS/2 mouse, FPU and MMX. The mouse starts a
calculator and a shell, the keyboard works in both."""
import time

from guest_test import case, check, run_cases
from vm import VmError

WIDTH, HEIGHT = 800, 600
SPEED = 2  # pixels of the pointer for each count of the mouse, where steps come quickly
STEP_SECONDS = 0.03
CALCULATOR_ICON = (106, 160)
SHELL_ICON = (170, 32)
MENU_BUTTON = (30, 588)
# Left, top, right, bottom of parts of windows.
DISPLAY = (240, 241, 350, 252)  # of the calculator, where no digit comes
DIGITS = (360, 241, 432, 252)
CLEAR_BUTTON = (418, 279)
SHELL = (160, 90, 560, 440)
MENU = (4, 320, 120, 560)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def start(context):
    machine = context.start_floppy(context.guest("kolibri.img"))
    machine.wait_picture(context.guest("kolibri.png"))
    time.sleep(3 * context.patience)  # programs that start with the system
    return machine


def move(machine, dx, dy, times=1):
    for _ in range(times):
        machine.execute(f"mouse_move {dx} {dy}")
        time.sleep(STEP_SECONDS)


def point(machine, place):
    """Into the corner, then in steps so small that the guest does not speed them up."""
    move(machine, -100, -100, 15)
    dx, dy = (coordinate // SPEED for coordinate in place)
    while dx or dy:
        step = min(dx, 4), min(dy, 4)
        move(machine, *step)
        dx, dy = dx - step[0], dy - step[1]


def click(machine, place):
    point(machine, place)
    for buttons in (1, 0):
        machine.execute(f"mouse_button {buttons}")
        time.sleep(0.2 * machine.patience)


def type_slowly(machine, text):
    """Programs lose keys that come while they draw, and a slow machine draws for long."""
    for key in text:
        machine.type_text(key)
        time.sleep(0.1 * (machine.patience - 1))


def area(machine, box):
    """The pixels of a part of the screen."""
    shot = machine.take_picture()
    check((shot.width, shot.height) == (WIDTH, HEIGHT), f"{shot.width}x{shot.height} pixels")
    left, top, right, bottom = box
    return [tuple(shot.pixel(x, y)) for y in range(top, bottom) for x in range(left, right)]


def wait_area(machine, box, condition, what):
    machine.wait_until(lambda: condition(area(machine, box)), 30, what)


def click_for(machine, place, box, condition, what):
    """Clicks, again if need be, until that part of the screen is as wanted: where a busy host lets steps of the mouse
    through in one go, the guest takes them for a fast movement and the pointer goes further."""
    for _ in range(2):
        click(machine, place)
        try:
            machine.wait_until(lambda: condition(area(machine, box)), 10, what)
            return
        except VmError:
            pass
    click(machine, place)
    wait_area(machine, box, condition, what)


def check_pointer(machine):
    """It follows the mouse, and comes back."""
    corner, middle = (0, 0, 12, 18), (240, 160, 252, 178)
    empty_corner, empty_middle = area(machine, corner), area(machine, middle)
    point(machine, (0, 0))
    in_corner = area(machine, corner)
    check(in_corner != empty_corner, "no pointer in the corner")
    move(machine, 3, 2, 40)  # to (240, 160)
    check(area(machine, corner) == empty_corner, "the pointer stays in the corner")
    check(area(machine, middle) != empty_middle, "no pointer where the mouse moved it")
    move(machine, -3, -2, 45)
    check(area(machine, corner) == in_corner, "the pointer does not come back")


def calculate(machine, keys):
    """What the calculator then shows."""
    click(machine, CLEAR_BUTTON)
    time.sleep(0.5 * machine.patience)
    before = area(machine, DIGITS)
    type_slowly(machine, keys)
    wait_area(machine, DIGITS, lambda pixels: pixels != before, f"result of {keys}")
    time.sleep(0.5 * machine.patience)
    return area(machine, DIGITS)


def check_calculator(machine):
    click_for(machine, CALCULATOR_ICON, DISPLAY, lambda pixels: set(pixels) == {WHITE}, "calculator")
    results = [calculate(machine, keys) for keys in ("6*7=", "84-42=", "9*9=")]
    check(results[0] == results[1], "6 * 7 and 84 - 42 look different")
    check(results[0] != results[2], "6 * 7 and 9 * 9 look alike")


def check_shell(machine):
    click_for(machine, SHELL_ICON, SHELL, lambda pixels: pixels.count(BLACK) > 0.9 * len(pixels), "shell")
    before = area(machine, SHELL).count(BLACK)
    type_slowly(machine, "help\n")
    wait_area(machine, SHELL, lambda pixels: pixels.count(BLACK) < before - 2000, "answer of help")


@case
def desktop(context):
    machine = start(context)
    check_pointer(machine)
    check_calculator(machine)
    check_shell(machine)
    closed = area(machine, MENU)
    click_for(machine, MENU_BUTTON, MENU, lambda pixels: pixels != closed, "menu")


run_cases()
