#!/usr/bin/env python3
"""What the BIOS says of the memory in machines of every size, and what QEMU's says."""
import shutil

import vm
from guest_test import case, check, run_cases

MB = 1 << 20
RAM, RESERVED = 1, 2
SIZES = (4, 5, 8, 15, 16, 17, 64, 128, 1024, 2047, 2048, 2049, 3072, 3583, 3584)
FIRMWARE_MOST = 1 * MB  # what SeaBIOS may keep at the top for tables


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


def start(context, megabytes):
    return context.start_floppy(context.own_image("bare_metal/memory_map.img"), "-net", "none",
                                memory=megabytes)


def check_map(memory_map, megabytes):
    top = megabytes * MB
    ends = [end for _, end, kind in memory_map if kind == RAM]
    check(sorted(memory_map) == memory_map, f"the map is not in order: {memory_map}")
    check(all(a[1] <= b[0] for a, b in zip(memory_map, memory_map[1:])), f"overlap: {memory_map}")
    check(top - FIRMWARE_MOST <= max(ends) <= top, f"{max(ends):x} of {top:x} are free")
    check((max(ends), top, RESERVED) in memory_map, f"the rest is not reserved: {memory_map}")
    check(memory_map[0][0] == 0 and 0x9F000 <= memory_map[0][1] <= 0xA0000, "below 640 KB")
    check(any(start <= 0xF0000 and end >= 0x100000 and kind == RESERVED
              for start, end, kind in memory_map), "the BIOS is not reserved")
    check(memory_map[-1][1] == 1 << 32, "the BIOS below 4 GB is not reserved")


def check_sizes(sizes, megabytes):
    above_1m = (megabytes - 1) << 10
    above_16m = max(megabytes - 16, 0) << 4
    check(sizes["probe"] == 0x5AC3F00D, "the last word of memory keeps nothing")
    check(sizes["int12"] == 639, f"INT 12h says {sizes['int12']} KB")
    check(sizes["cmos-15"] == 640, f"CMOS 15h has {sizes['cmos-15']}")
    for name in ("cmos-17", "cmos-30"):
        check(sizes[name] == min(above_1m, 0xFFFF), f"{name} is {sizes[name]:x}")
    check(sizes["cmos-34"] == min(above_16m, 0xFFFF), f"cmos-34 is {sizes['cmos-34']:x}")


@case
def every_size(context):
    for megabytes in SIZES:
        machine = start(context, megabytes)
        sizes, memory_map = read_report(machine)
        machine.close()
        check_map(memory_map, megabytes)
        check_sizes(sizes, megabytes)


def without_top(memory_map, megabytes):
    """How much the firmware keeps at the top of memory depends on its tables: as if none."""
    top = megabytes * MB
    kept = [(start, end, kind) for start, end, kind in memory_map
            if not (end == top and kind == RESERVED)]
    return [(start, top if top - FIRMWARE_MOST <= end <= top else end, kind)
            for start, end, kind in kept]


@case
def same_as_qemu(context):
    qemu = shutil.which("qemu-system-i386")
    if not qemu or context.is_qemu:
        print("there is no other QEMU to compare with")
        return
    for megabytes in (4, 16, 128, 2048, 3583):  # of 3584, QEMU puts a part above 4 GB
        machine = start(context, megabytes)
        sizes, memory_map = read_report(machine)
        machine.close()
        options = ["-m", str(megabytes), "-snapshot", "-boot", "a", "-net", "none", "-drive",
                   f"file={context.own_image('bare_metal/memory_map.img')},format=raw,if=floppy"]
        with vm.Vm(qemu, options) as other:
            other_sizes, other_map = read_report(other)
        for name in ("int12", "cmos-15", "cmos-17", "cmos-30", "cmos-34"):
            check(sizes[name] == other_sizes[name],
                  f"{megabytes} MB: {name} is {sizes[name]:x}, QEMU's {other_sizes[name]:x}")
        check(without_top(memory_map, megabytes) == without_top(other_map, megabytes),
              f"{megabytes} MB: {memory_map}\nQEMU: {other_map}")


run_cases()
