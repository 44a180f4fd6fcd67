-- A PC without PCI: FreeDOS from a floppy and from a disk behind ISA IDE, graphics, the ISA network
-- card, restarts and snapshots; Linux.
local dos_guest = require("dos_guest")
local guest = require("guest")

local function start(...)
  return machine("-machine", "isapc", "-m", "32", ...)
end

local function boot_floppy(...)
  local m = start("-fda", guest.image("freedos720k.img"), "-boot", "a", ...)
  m:wait_text("A:\\>")
  return m
end

test("floppy, text and mode 13h", function()
  local m = boot_floppy()
  check(m:monitor("info pci"):find("no PCI bus", 1, true), "info pci should say that there is none")
  check(m:monitor("info qtree"):find("fw_cfg_io", 1, true))
  check(m:monitor("info roms"):find('"bios.bin"', 1, true))
  check(m:monitor("info mtree"):find("ide0", 1, true))
  m:type("ver\n")
  m:wait_text("FreeCom")
  -- A program that fills the screen with all colours, by the guest's own assembler.
  for line in ("org 100h|mov ax,13h|int 10h|push word 0a000h|pop es|xor di,di|l: mov ax,di|stosb|or di,di|" ..
               "jnz l|xor ax,ax|int 16h|mov ax,3|int 10h|ret"):gmatch("[^|]+") do
    m:type("echo " .. line .. ">>g.asm\n")
  end
  m:type("nasm g.asm -o g.com\ng\n")
  m:wait_until(function() return guest.count_colours(m) > 100 end, {what = "all colours"})
  m:key("spc")
  m:wait_text("A:\\>")
end)

test("a processor without a local APIC, and a restart", function()
  local m = boot_floppy("-cpu", "486")
  for _ = 1, 2 do
    m:reset()
    m:wait_until(function() return not m:text():find("A:\\>", 1, true) end)
    m:wait_text("A:\\>")
  end
end)

test("disk behind ISA IDE", function()
  local image = guest.copy(guest.unpacked("freedos-hdd.img"))
  local m = dos_guest.machine("format=raw,snapshot=off,file=" .. image, "-m", "64", "-machine", "isapc")
  dos_guest.boot(m, "3")
  dos_guest.write_files(m)
  m:close()
  dos_guest.check_files(image)
end)

test("across a snapshot", function()
  local snapshots = guest.scratch("isa.snapshots")
  local m = boot_floppy("-snapshots", snapshots)
  m:type("echo before\n")
  m:wait_text("\nbefore")
  m:save("prompt")
  m:type("cls\n")
  m:wait_until(function() return not m:text():find("before", 1, true) end)
  m:load("prompt")
  check(m:text():find("\nbefore", 1, true))
  m:close()
  m = start("-fda", guest.image("freedos720k.img"), "-boot", "a", "-snapshots", snapshots)
  m:load("prompt")
  check(m:text():find("\nbefore", 1, true))
  m:type("dir\n")
  m:wait_text("bytes free")
end)

test("NE2000, the usual card", function()
  local m = guest.machine_on_network("-machine", "isapc", "-m", "32", "-fda",
    guest.image("freedos-net-sound.img"), "-nic", "user")
  m:wait_text("1 - HIMEMX")
  m:type("3\n")
  m:wait_text("ready, menu choice 3")
  m:wait_text("A:\\>")
  m:type("cls\n\\net\\ne2k\n")
  m:wait_text("Packets sent: 3, Replies received: 3, Replies lost: 0", {timeout = 60})
end)

test("Linux without PCI", function()
  -- SeaBIOS's MP table names an I/O APIC that is not there: without a local APIC Linux asks for none.
  local m = guest.linux({options = {"-machine", "isapc", "-cpu", "pentium4,-apic"}})
  m:wait_serial(guest.READY, {timeout = 100})
  check_equal(guest.shell_output(m, "mount -t sysfs sysfs /sys 2>/dev/null; ls /sys/bus/pci/devices | wc -l"):match("%d+"), "0")
  check(guest.shell_output(m, "cat /proc/interrupts"):find("XT-PIC", 1, true), "the 8259 pair is not used")
end)
