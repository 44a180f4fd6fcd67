#!/usr/bin/env python3
"""The processor, by bare-metal programs: what the manual says of system instructions, faults, tasks,
paging and debug registers. Their sources are in bare_metal/.

Under --emu qemu-system-i386 they run as a reference; what QEMU is known to do otherwise stands in
QEMU_DIFFERS, and what it cannot run at all in QEMU_LACKS. Bochs 2.7 (started by hand; model
p4_prescott_celeron_336) agrees with all of it but the second half of an instruction whose page was
mapped elsewhere (paging), and faults for unknown MSRs, which it ignores by default."""
import re

from guest_test import Skip, case, check, run_cases

# QEMU 7.2 leaves out some of the rarer debug traps, alignment checks and double faults, lets some
# instructions pass before an interrupt, and never takes its local APIC away.
QEMU_DIFFERS = {"apic", "debug_registers", "privilege", "smm", "tasks", "v8086"}
# It checks no limits and types of segments; it does not deliver a double fault for a gate beyond a
# page that is missing, and loses its way after one.
QEMU_LACKS = {"segment_limits", "paging", "system_registers"}


def run_program(context, name, *options):
    if context.is_qemu and name in QEMU_LACKS:
        raise Skip("QEMU does not check this")
    if context.is_qemu:
        options = ("-cpu", "max,-la57", *options)
    machine = context.start_floppy(context.own_image(f"bare_metal/{name}.img"), "-net", "none",
                                   "-no-reboot", *options, memory=32)
    machine.wait_serial(r"^(passed|failed)", 30)
    passed = "passed" in machine.read_serial()
    check(passed or (context.is_qemu and name in QEMU_DIFFERS), machine.read_serial())
    return machine


@case
def debug_registers(context):
    """Armed breakpoints slow down what meets them, and nothing else."""
    machine = run_program(context, "debug_registers")
    if not context.is_qemu:
        steps = re.search(r"single steps\s+(\d+)", machine.execute("info jit"))
        check(int(steps.group(1)) < 100000, f"{steps.group(1)} instructions were stepped")


@case
def apic(context):
    run_program(context, "apic", "-icount", "shift=5")


@case
def segment_limits(context):
    run_program(context, "segment_limits")


@case
def privilege(context):
    run_program(context, "privilege")


@case
def tasks(context):
    run_program(context, "tasks")


@case
def paging(context):
    """With and without PAE and NX, as the processor has them."""
    run_program(context, "paging")


@case
def paging_with_every_feature(context):
    run_program(context, "paging", "-cpu", "max")


@case
def system_registers(context):
    run_program(context, "system_registers")


@case
def system_registers_with_every_feature(context):
    run_program(context, "system_registers", "-cpu", "max")


@case
def v8086(context):
    run_program(context, "v8086")


@case
def smm(context):
    """SMIs by the APM port, with and without paging, at both levels and in v8086 mode."""
    run_program(context, "smm")


@case
def self_modifying(context):
    run_program(context, "self_modifying", "-hda", context.own_image("bare_metal/self_modifying.img"))


run_cases()
