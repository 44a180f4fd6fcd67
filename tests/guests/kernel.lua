-- Kernels started by -kernel: Linux by each boot protocol, and Multiboot.
local guest = require("guest")

local REPORT_STATUS = 0x10 * 2 + 1
local COMMAND = "one two=2 vga=0x317"

-- Runs one of our reporting kernels to its end -> its words by their names, and its lines.
local function run_report(kernel, ...)
  local m = machine("-m", "64", "-kernel", guest.own_image(kernel), "-device", "isa-debug-exit", ...)
  check_equal(m:wait_end(), REPORT_STATUS)
  local report, lines = {}, {}
  for line in m:serial():gsub("[\r\0]", ""):gmatch("[^\n]+") do
    local name, rest = line:match("^(%S+) ?(.*)")
    report[name or line] = rest
    lines[#lines + 1] = line
  end
  return report, lines
end

local function check_report(report, expected)
  for name, value in pairs(expected) do
    check(report[name] == value, ("%s is %s, not %s"):format(name, report[name], value))
  end
end

local OLD_PLACE = {CS = "9020", DS = "9000", ES = "9000", SS = "9000", SP = "9FD0"}
local NEW_PLACE = {CS = "1020", DS = "1000", ES = "1000", SS = "1000", SP = "FFF0"}

local function check_linux(kind, place, expected)
  local initrd = guest.write_file(guest.scratch("initrd"), ("RAM disk!"):rep(500))
  local report = run_report("linux_report_" .. kind .. ".bin", "-initrd", initrd,
    "-append", COMMAND)
  check_report(report, {IF = "0000", KERNEL = "PAYLOAD!", COMMAND = COMMAND, VIDEO = "0317",
                        LOADER = "00B0", INITRD = "1194", ALIGNED = "0000",
                        INITRDDATA = "RAM disk", DONE = ""})
  check_report(report, place)
  check_report(report, expected)
end

test("Linux before protocol versions", function()
  local report = run_report("linux_report_000.bin", "-append", COMMAND)
  check_report(report, OLD_PLACE)
  check_report(report, {KERNEL = "PAYLOAD!", COMMAND = COMMAND, VIDEO = "0317"})
end)
test("Linux 2.00", function() check_linux("200", OLD_PLACE, {LOADFLAGS = "0000"}) end)
test("Linux 2.01, high", function()
  check_linux("201_high", OLD_PLACE, {LOADFLAGS = "0081", HEAP = "9DE0"})
end)
test("Linux 2.02", function()
  check_linux("202", OLD_PLACE, {LOADFLAGS = "0080", HEAP = "9DE0"})
end)
test("Linux 2.03, high", function()
  check_linux("203_high", NEW_PLACE, {LOADFLAGS = "0081", HEAP = "FE00"})
end)
test("Linux 2.12, high", function()
  check_linux("20C_high", NEW_PLACE, {LOADFLAGS = "0081", HEAP = "FE00"})
end)

local function sum(bytes)
  local total = 0
  for i = 1, #bytes do
    total = total + bytes:byte(i)
  end
  return total
end

local function check_modules(lines, first, second, bytes)
  local modules = {}
  for _, line in ipairs(lines) do
    if line:find("^MODULE") then
      modules[#modules + 1] = line
    end
  end
  check_equal(table.concat(modules, "\n"),
    ("MODULE 00000000 00000008 %08X %s its words\nMODULE 00000000 00002800 %08X %s"):format(
      sum("a module"), first, sum(bytes), second))
end

local function check_map(report, lines)
  local usable, upper, entry = 0, nil, nil
  for _, line in ipairs(lines) do
    local base, length, kind = line:match("^MAP (%x+) (%x+) (%x+)")
    if base then
      base, length, kind = tonumber(base, 16), tonumber(length, 16), tonumber(kind, 16)
      usable = usable + (kind == 1 and length or 0)
      upper = base == 0x100000 and length or upper
      entry = entry or {base, length, kind}
    end
  end
  check(62 << 20 < usable and usable < 64 << 20, usable .. " bytes are usable")
  check_equal(table.concat(entry, " "), ("0 %d 1"):format(0x9FC00))
  check_equal(tonumber(report.UPPER, 16) * 1024, upper)
end

local function check_multiboot(file)
  local bytes = guest.noise(1, 64):rep(160)
  local first = guest.write_file(guest.scratch("first"), "a module")
  local second = guest.write_file(guest.scratch("second,2"), bytes)
  local report, lines = run_report(file, "-append", "quiet root=1",
    "-initrd", first .. " its words," .. second:gsub(",", ",,"))
  check_report(report, {MAGIC = "2BADB002", LOWER = "0000027F", DATA = "", BSS = "00000000", FPU = "0000037F",
                        COMMAND = guest.own_image(file) .. " quiet root=1"})
  check_modules(lines, first, second, bytes)
  check_map(report, lines)
end

test("Multiboot by addresses", function() check_multiboot("multiboot_report.bin") end)
test("Multiboot from 32 KB on", function() check_multiboot("multiboot_report_low.bin") end)
test("Multiboot ELF", function() check_multiboot("multiboot_report.elf") end)

test("Multiboot with the options of test suites", function()
  local report = run_report("multiboot_report.elf", "-append", "1 2", "-device", "pc-testdev",
    "-device", "pci-testdev", "-vnc", "none", "-smp", "1", "-cpu", "max,vendor=GenuineIntel")
  check_report(report, {MAGIC = "2BADB002", FPU = "0000037F",
                        COMMAND = guest.own_image("multiboot_report.elf") .. " 1 2"})
end)

test("kernel before drives", function()
  -- The kernel starts though a disk has the first boot index, and again after a reset.
  local m = machine("-m", "64", "-kernel", guest.own_image("linux_report_20C_high.bin"),
    "-fda", guest.own_image("bench/quick/empty.img"), "-boot", "menu=on,splash-time=1000")
  m:wait_serial("DONE")
  m:reset()
  m:wait_serial("DONE")
  m:reset()
  m:wait_text("Press ESC for boot menu")
  m:key("esc")
  m:wait_text("1. Kernel of the command line")
end)

test("memtest86+", function()
  -- Protocol 2.12: two tests without an error.
  local m = machine("-m", "16", "-append", "console=ttyS0,115200",
    "-kernel", guest.package_file("memtest86+", "boot/memtest86+ia32.bin"))
  m:wait_text("Memtest86+")
  m:wait_until(function() return m:text():find("#[2-9] ") end, {what = "the second test"})
  check(m:text():find("Errors:%s+0%f[%D]"), "memtest86+ reports errors")
end)

test("MEMDISK", function()
  -- Protocol 2.03: it makes its initrd the floppy in drive A, and boots from it.
  local m = machine("-m", "32", "-kernel",
    guest.package_file("syslinux-common", "usr/lib/syslinux/memdisk"),
    "-initrd", guest.own_image("bench/quick/empty.img"), "-append", "floppy")
  m:wait_serial("empty checksum=00000000 done")
end)

test("iPXE", function()
  -- Protocol 2.07: it starts in real mode and reports that there is no network card.
  local m = machine("-m", "32", "-kernel", guest.package_file("ipxe", "boot/ipxe.lkrn"))
  m:wait_until(function()
    local text = m:text()
    return text:find("No more network devices", 1, true) or text:find("Press Ctrl-B", 1, true)
  end, {what = "iPXE's greeting"})
end)
