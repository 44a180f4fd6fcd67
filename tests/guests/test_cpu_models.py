#!/usr/bin/env python3
"""What each CPU model says of itself, beside QEMU's model of the same name: every leaf of CPUID, the
bits of CR0 and EFLAGS, the coprocessor. bare_metal/identification.asm prints it."""
import shutil

import vm
from guest_test import Skip, case, check, run_cases

# Of words that hold features: the names of their bits.
EDX_1 = dict(enumerate("fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn "
                       "clflush - ds acpi mmx fxsr sse sse2 ss ht tm ia64 pbe".split()))
ECX_1 = {0: "sse3", 1: "pclmulqdq", 3: "monitor", 9: "ssse3", 12: "fma", 13: "cx16", 15: "pdcm", 17: "pcid",
         19: "sse4.1", 20: "sse4.2", 21: "x2apic", 22: "movbe", 23: "popcnt", 24: "tsc-deadline",
         25: "aes", 26: "xsave", 27: "osxsave", 28: "avx", 29: "f16c", 30: "rdrand",
         31: "hypervisor"}

# What QEMU 7.2's models without hardware virtualization have otherwise: features that are ours
# alone, features that are QEMU's alone, and why.
EVERYWHERE = {"hypervisor"}  # a chip of these years knows of none
DIFFERENCES = {
    # A DX2, not QEMU's DX4; and PSE came with the Pentium.
    "486": (set(), EVERYWHERE | {"pse"}),
    # P54C, which has no MMX; boards for one processor leave its APIC off. QEMU lacks VME.
    "pentium": ({"vme"}, EVERYWHERE | {"mmx", "apic"}),
    # QEMU lacks VME.
    "pentium2": ({"vme"}, EVERYWHERE),
    "pentium3": ({"vme"}, EVERYWHERE),
    # A Thunderbird: SSE came with the XP, and no Athlon has SSE2.
    "athlon": ({"vme"}, EVERYWHERE | {"sse", "sse2"}),
    # CMPXCHG16B is an instruction of 64-bit mode.
    "qemu64": (set(), {"cx16"}),
    "kvm64": (set(), {"cx16"}),
}


def read_report(machine):
    """{name: [numbers]}."""
    machine.wait_serial(r"^done", 60)
    report = {}
    for line in machine.read_serial().splitlines():
        name, colon, rest = line.partition(": ")
        if colon:
            report[name] = [int(word, 16) for word in rest.split()]
        elif line == "done":
            return report
    return report


def identify(context, model, *options):
    image = context.own_image("bare_metal/identification.img")
    machine = context.start_floppy(image, "-net", "none", "-cpu", model, *options)
    report = read_report(machine)
    machine.close()
    return report


def identify_by_qemu(context, model):
    qemu = shutil.which("qemu-system-i386")
    if not qemu:
        raise Skip("qemu-system-i386 is missing")
    image = context.own_image("bare_metal/identification.img")
    with vm.Vm(qemu, ["-m", "32", "-snapshot", "-boot", "a", "-net", "none", "-cpu", model, "-drive",
                      f"file={image},format=raw,if=floppy"]) as machine:
        return read_report(machine)


def show(number):
    return " ".join(f"{word:08X}" for word in number) if number is not None else "nothing"


def features(report):
    _, _, ecx, edx = report["cpuid 00000001 00000000"]
    names = {EDX_1[bit] for bit in range(32) if edx >> bit & 1}
    return names | {ECX_1.get(bit, f"ecx-{bit}") for bit in range(32) if ecx >> bit & 1}


def compare_all(context, model):
    ours, theirs = identify(context, model), identify_by_qemu(context, model)
    check(len(theirs) > 50, "QEMU printed too little")
    for name in sorted(set(ours) | set(theirs)):
        check(ours.get(name) == theirs.get(name),
              f"{model}: {name}: {show(ours.get(name))}, QEMU's {show(theirs.get(name))}")


@case
def qemu32_is_qemus(context):
    compare_all(context, "qemu32")


@case
def others_differ_as_listed(context):
    for model, (more, fewer) in DIFFERENCES.items():
        ours, theirs = features(identify(context, model)), features(identify_by_qemu(context, model))
        check(ours - theirs == more, f"{model}: ours alone {sorted(ours - theirs)}")
        check(theirs - ours == fewer, f"{model}: QEMU's alone {sorted(theirs - ours)}")


# What QEMU's max has in addition is AVX's family, 64-bit mode's, and what is about the host.
@case
def max_is_part_of_qemus(context):
    ours, theirs = features(identify(context, "max")), features(identify_by_qemu(context, "max"))
    ours_alone = ours - theirs - {"vme", "x2apic", "tsc-deadline"}  # which TCG lacks
    check(not ours_alone, f"max: ours alone {sorted(ours_alone)}")


@case
def properties(context):
    report = identify(context, "pentium3,family=5,model=4,stepping=3,vendor=AuthenticAMD,-mmx,"
                               "+hypervisor,tcg-cpuid=off,model-id=Some processor")
    check(report["cpuid 00000001 00000000"][0] == 0x543, "signature")
    check(report["cpuid 00000000 00000000"][1] == 0x68747541, "vendor")
    check("mmx" not in features(report), "mmx is there")
    check(report["cpuid 40000000 00000000"] == [0, 0, 0, 0], "hypervisor leaf")
    check(report["cpuid 80000002 00000000"][0] == int.from_bytes(b"Some", "little"), "model-id")


run_cases()
