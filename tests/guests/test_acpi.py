#!/usr/bin/env python3
"""ACPI as Linux uses it: the power button, the tables, power off, and a machine without."""
import os
import time

import initramfs
import linux_guest
from guest_test import case, check, run_cases

TABLES = ("APIC", "DSDT", "FACP", "FACS", "HPET", "WAET")
WAIT_FOR_BUTTON = """
ls /sys/firmware/acpi/tables
cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_serial
echo waiting for the button
while ! grep -q "^ *[1-9]" /sys/firmware/acpi/interrupts/ff_pwr_btn; do sleep 0.1; done
echo the button was pressed
grep acpi /proc/interrupts
"""


# Suspends to RAM twice: to be woken by hand, then by the clock's alarm. In the first seconds Linux's search for a mouse
# keeps its threads from being frozen, so that the alarm would be over before the machine sleeps.
SUSPEND = """
sleep 3
cp /bin/busybox /tmp/copy
md5sum /tmp/copy > /tmp/sum
echo deep > /sys/power/mem_sleep
echo going to sleep
echo mem > /sys/power/state
md5sum -c /tmp/sum && echo memory is as it was
echo +4 > /sys/class/rtc/rtc0/wakealarm
echo mem > /sys/power/state
md5sum -c /tmp/sum && echo woken by the alarm
"""


# Without APICs the HPET is what ends each sleep, over the 8259s.
CLOCKS = """
grep -E "^ +0:" /proc/interrupts
grep -A 1 "^Clock Event Device: hpet" /proc/timer_list
cat /sys/devices/system/clocksource/clocksource0/available_clocksource
a=$(date +%s); for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done; b=$(date +%s)
echo slept $((b - a)) seconds
"""


def start(context, script, *options, append=""):
    image = initramfs.build(os.path.join(context.folder, "initramfs"), modules=["button"],
                            script=script)
    return context.start(*linux_guest.kernel_options("686", image, append), *options)


@case
def power_button(context):
    machine = start(context, WAIT_FOR_BUTTON, "-smbios", "type=1,manufacturer=Acme,serial=S-77")
    machine.wait_serial(r"waiting for the button", 120)
    text = machine.read_serial()
    for table in TABLES:
        check(f"ACPI: {table} 0x" in text, f"Linux does not find {table}")
    check("Acme" in text and "S-77" in text, "the names of the machine are not -smbios's")
    machine.execute("system_powerdown")
    machine.wait_serial(r"the button was pressed", 30)
    machine.wait_serial(r"^ *9: +[1-9].*acpi", 30)
    status = machine.wait_exit(60)
    check(status == 0, f"the emulator ended with status {status}")


@case
def suspend_to_ram(context):
    machine = start(context, SUSPEND)
    machine.wait_serial(r"going to sleep", 120)
    machine.wait_until(lambda: "suspended" in machine.execute("info status"), 30, "suspension")
    time.sleep(1)
    check("memory is" not in machine.read_serial(), "it woke by itself")
    machine.execute("system_wakeup")
    machine.wait_serial(r"memory is as it was", 30)
    machine.wait_serial(r"woken by the alarm", 30)
    status = machine.wait_exit(60)
    check(status == 0, f"the emulator ended with status {status}")


@case
def hpet_as_the_only_timer(context):
    machine = start(context, CLOCKS, append="noapic nolapic")
    machine.wait_serial(r"slept [23] seconds", 120)
    text = machine.read_serial()
    check("Clock Event Device: hpet" in text, "Linux takes another timer")
    check(" hpet " in f" {text} ", "the HPET is no source of time")
    check("XT-PIC" in text, "interrupts come by an I/O APIC")
    check(machine.wait_exit(60) == 0, "Linux does not power off")


@case
def without_acpi(context):
    """Linux finds the BIOS's older tables, and nothing that can power off."""
    machine = start(context, "ls /sys/firmware\n", "-no-acpi", "-no-reboot")
    machine.wait_serial(initramfs.DONE, 120)
    check("ACPI: RSDP" not in machine.read_serial(), "there are ACPI tables")


run_cases()
