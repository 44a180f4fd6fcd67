#!/usr/bin/env python3
"""libvirt as Debian has it, with this program as the emulator of its domains."""
import gzip
import os
import shutil
import subprocess
import time

import fetch_packages
import initramfs
import libvirt_session
from guest_test import Skip, case, check, run_cases

# A Linux that opens the CD drive, says when it is there, and goes when the power button is pressed.
SCRIPT = """echo 1 > /proc/sys/dev/cdrom/autoeject # Linux opens the tray when nobody has the disc open any more
head -c 2048 /dev/sr0 > /dev/null
echo the guest is up
while ! grep -q "^ *[1-9]" /sys/firmware/acpi/interrupts/ff_pwr_btn; do sleep 0.1; done
echo the button was pressed
"""

LINUX = """<domain type='qemu'>
  <name>linux</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='i686' machine='pc'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet</cmdline></os>
  <features><acpi/><apic/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='{disc}'/><target dev='hdc' bus='ide'/>
      <readonly/></disk>
    <interface type='user'><model type='e1000'/></interface>
    <serial type='file'><source path='{serial}'/><target port='0'/></serial>
    <video><model type='vga' vram='16384'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"""

DOS = """<domain type='qemu'>
  <name>dos</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
  <os><type arch='i686' machine='pc'>hvm</type><boot dev='fd'/></os>
  <features><acpi/></features>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file='{floppy}'/><target dev='fda' bus='fdc'/>
      <readonly/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/><target dev='hda' bus='ide'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hdc' bus='ide'/><readonly/></disk>
    <serial type='pty'><target port='0'/></serial>
    <video><model type='vga' vram='16384'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"""


SCSI = """<domain type='qemu'>
  <name>scsi</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
  <os><type arch='i686' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='scsi' index='0' model='lsilogic'/>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='sda' bus='scsi'/>
      <serial>S-77</serial><boot order='1'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdb' bus='scsi'/><readonly/></disk>
    <video><model type='vga' vram='16384'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"""


class Running:
    """A session for one case."""

    def __init__(self, context, name="libvirt"):
        missing = libvirt_session.missing_tools()
        if missing:
            raise Skip("not installed: " + ", ".join(missing) + " (packages libvirt-daemon-system, virtinst)")
        if context.is_qemu or context.accelerator != "jit":
            raise Skip("libvirt runs the program as it is")
        folder = os.path.join(context.folder, name)
        os.makedirs(folder, exist_ok=True)
        parent = context.folder
        while parent != "/":  # libvirt's user has to get there
            if os.stat(parent).st_uid == os.getuid():
                os.chmod(parent, os.stat(parent).st_mode | 0o055)
            parent = os.path.dirname(parent)
        self.session = libvirt_session.Session(folder, context.emulator)
        self.patience = context.patience

    def __enter__(self):
        return self.session

    def __exit__(self, *_):
        self.session.close()


def wait_for(condition, what, seconds=300):
    deadline = time.time() + seconds
    while not condition():
        check(time.time() < deadline, "waited in vain for " + what)
        time.sleep(0.2)


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def state(session, name):
    return session.virsh("domstate", name, "--reason")


def write_disc(path, content):
    with open(path, "wb") as file:
        file.write(content * 4096)
        file.truncate(1 << 20)


def make_dos(context, session):
    floppy = context.guest("freedos-1440.img")
    shutil.copy(floppy, session.path("dos.img"))
    os.chmod(session.path("dos.img"), 0o644)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", session.path("disk.qcow2"), "32M"], check=True)
    for name in ("a.iso", "b.iso"):
        write_disc(session.path(name), name.encode())
    session.define("dos", DOS.format(emulator=session.emulator, floppy=session.path("dos.img"), disk=session.path("disk.qcow2")))


def screen_text(session, name):
    return session.virsh("qemu-monitor-command", name, "--hmp", "screentext")


@case
def life_of_a_domain(context):
    """Start, pause, look, reset; libvirt itself ends and comes back; the power button."""
    kernel = fetch_packages.kernel_image("686")
    with Running(context) as session:
        shutil.copy(kernel, session.path("vmlinuz"))
        os.chmod(session.path("vmlinuz"), 0o644)
        initramfs.build(session.path("initrd"), "686", modules=["button", "ata_piix", "sr_mod"], script=SCRIPT)
        serial = session.path("serial.log")
        write_disc(session.path("a.iso"), b"A")
        session.define("linux", LINUX.format(emulator=session.emulator, kernel=session.path("vmlinuz"), initrd=session.path("initrd"),
                                             serial=serial, disc=session.path("a.iso")))
        session.virsh("start", "linux")
        check(state(session, "linux").startswith("running"), state(session, "linux"))
        wait_for(lambda: "the guest is up" in read(serial), "the guest")
        check("tray='open'" in session.virsh("dumpxml", "linux"), "the guest's eject is not told: " + read(serial)[-500:])
        session.virsh("suspend", "linux")
        check(state(session, "linux") == "paused (user)", state(session, "linux"))
        session.virsh("resume", "linux")
        check(state(session, "linux").startswith("running"), state(session, "linux"))
        session.virsh("screenshot", "linux", session.path("data/screen"))
        with open(session.path("data/screen"), "rb") as file:
            check(file.read(4) == b"\x89PNG", "the screenshot is no PNG")
        session.virsh("domif-setlink", "linux", session.virsh("domiflist", "linux").split()[-1], "down")
        session.virsh("reset", "linux")
        wait_for(lambda: read(serial).count("the guest is up") == 2, "the guest after a reset")
        session.stop()
        session.start()
        check(state(session, "linux").startswith("running"), state(session, "linux"))
        session.virsh("shutdown", "linux", "--mode", "acpi")
        wait_for(lambda: state(session, "linux").startswith("shut off"), "the end")
        check(state(session, "linux") == "shut off (shutdown)", state(session, "linux"))
        check("the button was pressed" in read(serial), read(serial)[-500:])


@case
def keys_media_and_statistics(context):
    with Running(context) as session:
        make_dos(context, session)
        session.virsh("start", "dos")
        check(os.path.exists(session.virsh("ttyconsole", "dos")), "there is no terminal for the serial port")
        wait_for(lambda: "A:\\>" in screen_text(session, "dos") or "FreeDOS" in screen_text(session, "dos"), "DOS")
        time.sleep(1)
        session.virsh("send-key", "dos", "KEY_ESC")
        wait_for(lambda: type_and_look(session), "what was typed")
        session.virsh("change-media", "dos", "hdc", session.path("a.iso"), "--insert", "--live")
        check(session.path("a.iso") in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        session.virsh("change-media", "dos", "hdc", session.path("b.iso"), "--update", "--live")
        check(session.path("b.iso") in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        session.virsh("change-media", "dos", "hdc", "--eject", "--live")
        check(".iso" not in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        session.virsh("change-media", "dos", "fda", "--eject", "--live")
        statistics = session.virsh("domblkstat", "dos", "hda")
        check("rd_bytes" in statistics and "wr_bytes" in statistics, statistics)
        check("33554432" in session.virsh("domblkinfo", "dos", "hda"), session.virsh("domblkinfo", "dos", "hda"))
        session.virsh("blockresize", "dos", "hda", "48M")
        check(str(48 << 20) in session.virsh("domblkinfo", "dos", "hda"), "the disk has not grown")
        session.virsh("domstats", "dos")
        session.virsh("inject-nmi", "dos")
        session.virsh("destroy", "dos")
        check(state(session, "dos") == "shut off (destroyed)", state(session, "dos"))


@case
def disks_on_the_scsi_bus(context):
    """With the controller that libvirt takes by default: the BIOS boots from it, and a CD comes and goes."""
    with Running(context) as session:
        with gzip.open(context.guest("freedos-hdd.img.gz")) as packed, open(session.path("disk.img"), "wb") as disk:
            shutil.copyfileobj(packed, disk)
        write_disc(session.path("a.iso"), b"A")
        session.define("scsi", SCSI.format(emulator=session.emulator, disk=session.path("disk.img")))
        session.virsh("start", "scsi")
        wait_for(lambda: "FreeDOS" in screen_text(session, "scsi"), "DOS")
        tree = session.virsh("qemu-monitor-command", "scsi", "--hmp", "info qtree")
        check("dev: lsi53c895a" in tree and "dev: scsi-hd" in tree and "dev: scsi-cd" in tree, tree)
        session.virsh("change-media", "scsi", "sdb", session.path("a.iso"), "--insert", "--live")
        check(session.path("a.iso") in session.virsh("domblklist", "scsi"), session.virsh("domblklist", "scsi"))
        session.virsh("change-media", "scsi", "sdb", "--eject", "--live")
        check("rd_bytes" in session.virsh("domblkstat", "scsi", "sda"), session.virsh("domblkstat", "scsi", "sda"))
        session.virsh("destroy", "scsi")


def type_and_look(session):
    for key in ("KEY_V", "KEY_E", "KEY_R"):
        session.virsh("send-key", "dos", key)
    return "ver" in screen_text(session, "dos").lower()


@case
def snapshots_and_saved_states(context):
    with Running(context) as session:
        make_dos(context, session)
        session.virsh("start", "dos")
        session.virsh("snapshot-create-as", "dos", "inside")
        check("inside" in session.virsh("snapshot-list", "dos"), "the snapshot is not listed")
        session.virsh("snapshot-revert", "dos", "inside")
        check(state(session, "dos").startswith("running"), state(session, "dos"))
        session.virsh("snapshot-delete", "dos", "inside")
        session.virsh("save", "dos", session.path("data/saved"))
        check(state(session, "dos") == "shut off (saved)", state(session, "dos"))
        session.virsh("restore", session.path("data/saved"))
        check(state(session, "dos").startswith("running"), state(session, "dos"))
        session.virsh("managedsave", "dos")
        session.virsh("start", "dos")
        check(state(session, "dos") == "running (restored)", state(session, "dos"))
        session.virsh("snapshot-create-as", "dos", "outside", "--disk-only", "--diskspec", f"hda,file={session.path('over.qcow2')}",
                      "--diskspec", "fda,snapshot=no")
        check(session.path("over.qcow2") in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        session.virsh("destroy", "dos")
        told = session.run("qemu-img", "info", session.path("over.qcow2"))
        check(session.path("disk.qcow2") in told, told)
        session.virsh("start", "dos")  # from the chain
        session.virsh("destroy", "dos")


@case
def disks_in_jobs_and_a_dump(context):
    """Images of a chain become one while the domain runs, a disk moves to another file, and memory is dumped."""
    with Running(context) as session:
        make_dos(context, session)
        session.virsh("start", "dos")
        over, copy, core = session.path("over.qcow2"), session.path("copy.qcow2"), session.path("data/core")

        def cover():
            session.virsh("snapshot-create-as", "dos", "outside", "--disk-only", "--no-metadata", "--diskspec", f"hda,file={over}", "--diskspec",
                          "fda,snapshot=no")
            check(over in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        cover()
        session.virsh("blockcommit", "dos", "hda", "--active", "--pivot", "--wait")
        check(over not in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        os.unlink(over)
        cover()
        session.virsh("blockpull", "dos", "hda", "--wait")
        told = session.run("qemu-img", "info", "-U", over)
        check("backing file" not in told, told)
        session.virsh("blockcopy", "dos", "hda", copy, "--transient-job", "--wait", "--pivot", "--format", "qcow2")
        check(copy in session.virsh("domblklist", "dos"), session.virsh("domblklist", "dos"))
        session.virsh("dump", "--memory-only", "dos", core)
        with open(core, "rb") as file:
            check(file.read(4) == b"\x7fELF", "the dump is no ELF file")
        check(state(session, "dos").startswith("running"), state(session, "dos"))
        session.virsh("destroy", "dos")
        session.run("qemu-img", "check", copy)
        session.run("qemu-img", "compare", over, copy)


@case
def moves_between_hosts(context):
    """A running domain goes from one daemon to another one, and back, with its disk on storage that both see."""
    with Running(context) as here, Running(context, "other") as there:
        make_dos(context, here)
        here.virsh("start", "dos")
        wait_for(lambda: "A:\\>" in screen_text(here, "dos"), "DOS")
        before = screen_text(here, "dos")
        for source, target in ((here, there), (there, here)):
            socket = target.path("runtime/libvirt/libvirt-sock")
            source.virsh("migrate", "--live", "--unsafe", "dos", f"qemu+unix:///session?socket={socket}", "tcp://127.0.0.1")
            check("running" in state(target, "dos") and "running" not in source.virsh("list", "--all"), target.virsh("list", "--all"))
            check(screen_text(target, "dos") == before, "another screen: " + screen_text(target, "dos"))
        here.virsh("destroy", "dos")


@case
def virt_install(context):
    """With a disk that is there, and from a CD."""
    with Running(context) as session:
        make_dos(context, session)
        session.virsh("undefine", "dos")
        common = ["virt-install", "--connect", "qemu:///session", "--virt-type", "qemu", "--arch", "i686", "--machine", "pc", "--memory",
                  "32", "--graphics", "none", "--network", "user", "--noautoconsole", "--osinfo", "generic",
                  "--controller", "usb,model=none", "--memballoon", "none", "--boot", f"emulator={session.emulator}"]
        session.run(*common, "--name", "imported", "--disk", f"path={session.path('disk.qcow2')},bus=ide", "--import")
        check(state(session, "imported").startswith("running"), state(session, "imported"))
        session.virsh("destroy", "imported")
        session.run(*common, "--name", "installed", "--disk", f"path={session.path('new.qcow2')},size=0.1,bus=ide", "--cdrom",
                    session.path("a.iso"), "--noreboot")
        check(state(session, "installed").startswith("running"), state(session, "installed"))
        check(session.path("a.iso") in session.virsh("domblklist", "installed"), session.virsh("domblklist", "installed"))
        session.virsh("destroy", "installed")


run_cases()
