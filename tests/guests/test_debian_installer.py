#!/usr/bin/env python3
"""Debian's installer from its netboot images: the language menu as text and on a graphics screen."""
import fetch_packages
from guest_test import case, check, run_cases

IMAGES = "usr/lib/debian-installer/images/12/i386/{}/debian-installer/i386"
MENU_SECONDS = 280


def start(context, kind, append, memory=512):
    folder = fetch_packages.package_file("debian-installer-12-netboot-i386", IMAGES.format(kind))
    return context.start("-m", str(memory), "-net", "none", "-kernel", f"{folder}/linux",
                         "-initrd", f"{folder}/initrd.gz", "-append", append)


@case(long=True)
def text_menu(context):
    """The menu on the text screen; a chosen language leads to the next question."""
    machine = start(context, "text", "nomodeset fb=false console=tty0")
    machine.wait_text(r"Select a language", MENU_SECONDS)
    machine.wait_text(r"German +- +Deutsch", 20)
    machine.type_text("\n")
    machine.wait_text(r"Select your location", 60)


@case(long=True)
def menu_on_serial_port(context):
    machine = start(context, "text", "console=ttyS0")
    machine.wait_serial(r"Select a language", MENU_SECONDS)


def count_dark_pixels(shot):
    """Pixels of letters below the banner of the graphical installer."""
    below = shot.pixels[shot.height // 8 * shot.width * 3:]
    return sum(1 for i in range(0, len(below), 3) if max(below[i:i + 3]) < 0x60)


@case(long=True)
def graphical_menu(context):
    """An X server with the list of languages; the key for 'down' moves the coloured bar."""
    machine = start(context, "gtk", "vga=788 console=tty0", memory=1024)
    machine.wait_until(lambda: machine.take_picture().count_colours() > 1000, 2 * MENU_SECONDS,
                       "banner in many colours")
    machine.wait_until(lambda: count_dark_pixels(machine.take_picture()) > 3000, MENU_SECONDS,
                       "letters on the screen")
    before = machine.take_picture()
    machine.send_key("down")
    machine.wait_until(lambda: machine.take_picture().pixels != before.pixels, 30, "moved bar")


run_cases()
