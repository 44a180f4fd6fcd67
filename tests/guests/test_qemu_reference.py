#!/usr/bin/env python3
"""QEMU as a reference: what it makes of our bare-metal programs, and its memory map beside ours."""
import shutil

import vm
from guest_test import Skip, case, check, run_cases

MB = 1 << 20
RESERVED = 2
FIRMWARE_MOST = 1 * MB  # what SeaBIOS may keep at the top for tables

# Programs of processor.lua that QEMU 7.2 passes. It leaves out some of the rarer debug traps,
# alignment checks and double faults, lets some instructions pass before an interrupt, and never
# takes its local APIC away (apic, debug_registers, privilege, smm, tasks, v8086); it checks no
# limits and types of segments, and does not deliver a double fault for a gate beyond a page that is
# missing (segment_limits, paging, system_registers). It has neither performance counters nor the
# TSC's deadline (counters).
PROGRAMS = ("self_modifying",)


def start_qemu(context, name, *options, memory=32):
    qemu = shutil.which("qemu-system-i386")
    if not qemu:
        raise Skip("qemu-system-i386 is missing")
    image = context.own_image(f"bare_metal/{name}.img")
    return vm.Vm(qemu, ["-m", str(memory), "-snapshot", "-boot", "a", "-net", "none", "-drive",
                        f"file={image},format=raw,if=floppy", *options])


@case
def programs(context):
    for name in PROGRAMS:
        image = context.own_image(f"bare_metal/{name}.img")
        with start_qemu(context, name, "-cpu", "max,-la57", "-no-reboot", "-drive",
                        f"file={image},format=raw,if=ide") as machine:
            machine.wait_serial(r"^(passed|failed)", 30)
            check("passed" in machine.read_serial(), f"{name}: {machine.read_serial()}")


def read_report(machine):
    """{name: [numbers]} of single lines, and the list of (start, end, type) of E820."""
    machine.wait_serial(r"^done", 60)
    sizes, memory_map = {}, []
    for line in machine.read_serial().splitlines():
        name, colon, rest = line.partition(": ")
        numbers = [int(word, 16) for word in rest.split()]
        if name == "e820":
            start, length = numbers[0] | numbers[1] << 32, numbers[2] | numbers[3] << 32
            memory_map.append((start, start + length, numbers[4]))
        elif colon:
            sizes[name] = numbers[0]
    return sizes, memory_map


def without_top(memory_map, megabytes):
    """How much the firmware keeps at the top of memory depends on its tables: as if none."""
    top = megabytes * MB
    kept = [(start, end, kind) for start, end, kind in memory_map
            if not (end == top and kind == RESERVED)]
    return [(start, top if top - FIRMWARE_MOST <= end <= top else end, kind)
            for start, end, kind in kept]


def compare_memory(context, megabytes, *options):
    with start_qemu(context, "memory_map", *options, memory=megabytes) as other:
        other_sizes, other_map = read_report(other)
    machine = context.start_floppy(context.own_image("bare_metal/memory_map.img"), "-net",
                                   "none", *options, memory=megabytes)
    sizes, own_map = read_report(machine)
    machine.close()
    place = " ".join((f"{megabytes} MB", *options))
    for name in ("int12", "cmos-15", "cmos-17", "cmos-30", "cmos-34"):
        check(sizes[name] == other_sizes[name],
              f"{place}: {name} is {sizes[name]:x}, QEMU's {other_sizes[name]:x}")
    check(without_top(own_map, megabytes) == without_top(other_map, megabytes),
          f"{place}: {own_map}\nQEMU: {other_map}")


@case
def memory_map(context):
    for megabytes in (4, 16, 128, 2048, 3583):  # of 3584, QEMU puts a part above 4 GB
        compare_memory(context, megabytes)


@case
def memory_map_without_pci(context):
    for megabytes in (4, 16, 128):
        compare_memory(context, megabytes, "-machine", "isapc")


run_cases()
