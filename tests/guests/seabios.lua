-- SeaBIOS: its boot menu, and what it says when there is nothing to boot.
local guest = require("guest")

local DONE = "empty checksum=00000000 done"

local function empty_floppy()
  return guest.own_image("bench/quick/empty.img")
end

test("boot menu", function()
  -- ESC shows the menu; its first entry boots the disk.
  local m = machine("-m", "64", "-boot", "menu=on", "-net", "none", "-fda", empty_floppy())
  m:wait_text("Press ESC for boot menu")
  m:key("esc")
  m:wait_text("Select boot device")
  check(m:text():find("Floppy", 1, true), "the floppy drive is not in the menu")
  m:key("1")
  m:wait_serial(DONE)
end)

test("boot once", function()
  -- The CD drive, which is empty, is asked first at the first start alone; then the floppy.
  local m = machine("-m", "16", "-net", "none", "-fda", empty_floppy(),
    "-boot", "order=a,once=d,menu=on,splash-time=50")
  m:wait_serial(DONE)
  check(m:text():find("Booting from DVD/CD", 1, true), "the CD drive was not asked")
  m:reset()
  m:wait_serial(DONE)
  local text = m:text()
  check(text:find("Booting from Floppy", 1, true), "the floppy was not booted")
  check(not text:find("DVD/CD", 1, true), "the CD drive was asked again")
end)

test("reboot when nothing boots", function()
  -- The BIOS starts again, and -no-reboot ends the program.
  local m = machine("-m", "16", "-net", "none", "-boot", "reboot-timeout=2000", "-no-reboot")
  check_equal(m:wait_end(), 0)
end)

test("nothing to boot", function()
  local m = machine("-m", "32", "-net", "none")
  m:wait_text("No bootable device")
end)
