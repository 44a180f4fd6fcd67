#!/usr/bin/env python3
"""Hostile guests from outside: whatever they do, the emulator answers its monitor within a second,
stays within its memory and leaves when told. The ways are those of bare_metal/hostile.asm; what the
guests themselves come to is in hostile.lua."""
import os
import re
import struct
import time

from guest_test import INTERPRETER_PATIENCE, case, check, run_cases

MARK = b"WAYANDSEED"
ANSWER_SECONDS = 1.0
TRIES = 20  # a busy host is no hostile guest
MEMORY_LIMIT_KB = 700 * 1024  # 64 MB of the guest's, translations, and the TLB's sparse tables
STORM_SECONDS = 4
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare_metal", "hostile.asm")


def ways():
    """The names of the ways, in the order of the image's table."""
    with open(SOURCE) as file:
        text = file.read()
    table = text[text.index("\nways:"):text.index("WAYS            equ")]
    return [word.strip(",") for word in table.split() if word.startswith("way_")]


def make_image(context, way, seed):
    with open(context.own_image("bare_metal/hostile.img"), "rb") as file:
        image = bytearray(file.read())
    position = image.index(MARK) + len(MARK)
    struct.pack_into("<II", image, position, ways().index(way), seed)
    path = os.path.join(context.folder, "hostile.img")
    with open(path, "wb") as file:
        file.write(image)
    return path


def memory_kb(machine):
    with open(f"/proc/{machine.process.pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def check_alive(context, machine):
    """The monitor answers, more than once, while the guest goes on."""
    quick, seconds = 0, []
    while quick < 3:
        start = time.monotonic()
        reply = machine.execute("info status")
        seconds.append(time.monotonic() - start)
        check("VM status" in reply, f"info status says '{reply}'")
        quick += seconds[-1] < ANSWER_SECONDS * (INTERPRETER_PATIENCE if context.accelerator == "interp" else 1)
        check(len(seconds) < TRIES or quick, f"the monitor took {seconds} s")
        time.sleep(0.03)
    check(memory_kb(machine) < MEMORY_LIMIT_KB, f"{memory_kb(machine)} KB are in use")


def check_log(machine):
    """No sanitizer and no assertion has anything to say."""
    log = machine.read_log()
    check(not re.search("runtime error|Sanitizer|[Aa]ssert", log), log[-2000:])


def start_way(context, way):
    """Runs until the guest begins; it starts only when the monitor is there, for some end at once."""
    image = make_image(context, way, 1)
    machine = context.start_floppy(image, "-net", "none", "-hda", image, "-S")
    machine.execute("cont")
    machine.wait_serial("^ready", 30)
    return machine


def has_powered_off(machine):
    """A storm may hit the power management's registers, too."""
    if machine.process.poll() is None:
        return False
    check(machine.process.returncode == 0, machine.describe())
    return True


def wait_for_storm(machine):
    """Until the guest halts after its storm, or for some seconds."""
    end = time.monotonic() + STORM_SECONDS
    while time.monotonic() < end and not has_powered_off(machine):
        if "HLT=1" in machine.execute("info registers"):
            break
        time.sleep(0.1)


def run_way(context, way, is_storm=False):
    machine = start_way(context, way)
    if is_storm:
        wait_for_storm(machine)
        if has_powered_off(machine):
            return
    check_alive(context, machine)
    machine.execute("system_reset")
    check_alive(context, machine)
    check(machine.quit() == 0, "quit does not end with status 0")
    check_log(machine)
    machine.close()


@case
def code_segment_storm(context):
    """Code that runs by ever other code segments: translations are forgotten before they take all
    memory."""
    machine = start_way(context, "way_code_segment_storm")
    if not context.is_qemu:
        machine.wait_until(lambda: re.search(r"^flushes\s+[1-9]", machine.execute("info jit"), re.M),
                           60, "flush of the translations")
    check_alive(context, machine)
    check(machine.quit() == 0, "quit does not end with status 0")


SIMPLE_WAYS = """spin halt fault_loop fault_loop_without_stack jump_to_nothing jump_to_rom
jump_to_video jump_to_apic unmap_self unmap_all copy_over_self task_loop real_mode_wrap
interrupt_storm breakpoint_loop timer_storm single_step_loop garbage_idt garbage_gdt
tables_in_devices""".split()
STORMS = "port_storm port_strings pci_storm memory_storm msr_storm dma_storm".split()


def add_case(name, run):
    run.__name__ = name
    case(run)


for simple in SIMPLE_WAYS:
    add_case(simple, lambda context, way=simple: run_way(context, "way_" + way))
for storm in STORMS:
    add_case(storm, lambda context, way=storm: run_way(context, "way_" + way, True))

run_cases()
