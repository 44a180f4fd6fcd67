#!/usr/bin/env python3
"""Debian's installer from its netboot images: the language menu as text and on a graphics screen."""
import fetch_packages
from guest_test import case, check, run_cases

IMAGES = "usr/lib/debian-installer/images/12/i386/{}/debian-installer/i386"
MENU_SECONDS = 280


def start(context, kind, append):
    folder = fetch_packages.package_file("debian-installer-12-netboot-i386", IMAGES.format(kind))
    return context.start("-m", "512", "-net", "none", "-kernel", f"{folder}/linux",
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


run_cases()
