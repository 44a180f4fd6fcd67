-- CDs: booting by El Torito, and changing, ejecting and locking them under Linux.
local guest = require("guest")

local DRIVE = "ide1-cd0"

-- Shows the text at 7D00h by the BIOS. From the start, since bytes 8 to 63 are the loader's table:
--   jmp 7C40h; at 7C40h: xor ax,ax; mov ds,ax; mov si,7D00h
--   next: lodsb; test al,al; jz stop; mov ah,0Eh; mov bx,7; int 10h; jmp next; stop: hlt; jmp stop
local LOADER = "\xEB\x3E" .. ("\0"):rep(62)
  .. "\x31\xC0\x8E\xD8\xBE\x00\x7D\xAC\x84\xC0\x74\x09\xB4\x0E\xBB\x07\x00\xCD\x10\xEB\xF2\xF4\xEB\xFD"
LOADER = LOADER .. ("\0"):rep(0x100 - #LOADER) .. "Loaded from a CD without emulation.\0"
LOADER = LOADER .. ("\0"):rep(2048 - #LOADER)

test("boots without emulation", function()
  local disc = guest.cd("plain.iso", {["BOOT.BIN"] = LOADER}, {boot = "BOOT.BIN"})
  local m = machine("-m", "16", "-cdrom", disc, "-boot", "d", "-net", "none")
  m:wait_text("Loaded from a CD without emulation")
end)

test("boots an emulated floppy", function()
  -- The benchmark's floppy loads the rest of itself by the BIOS from drive A, which is the CD.
  local floppy = guest.read_file(guest.own_image("bench/quick/empty.img"))
  local disc = guest.cd("floppy.iso", {["FLOPPY.IMG"] = floppy},
    {boot = "FLOPPY.IMG", floppy = true})
  local m = machine("-m", "16", "-cdrom", disc, "-boot", "d", "-net", "none")
  m:wait_serial("empty checksum=00000000 done")
end)

local function data_cd(name)
  return guest.cd(name .. ".iso", {["NAME.TXT"] = name .. "\n"})
end

-- Mounts the CD and leaves it mounted.
local function expect_name(m, name)
  local output = guest.shell_output(m, "mount -t iso9660 -o ro /dev/sr0 /mnt && cat /mnt/name.txt")
  check(output:find(name .. "\n$"), "not the CD '" .. name .. "': " .. output)
end

local function drive_state(m)
  local block = m:monitor("info block")
  return block:sub((block:find(DRIVE, 1, true)))
end

test("changed, ejected and locked under Linux", function()
  local m = guest.linux({modules = {"ata_piix", "sr_mod", "isofs"},
                         options = {"-cdrom", data_cd("first")}})
  m:wait_serial(guest.READY)
  guest.shell_output(m, "while ! test -b /dev/sr0; do sleep 0.1; done")
  local function is_state(words, message)
    check(drive_state(m):find(words, 1, true), message)
  end
  local function is_without(command, message)
    check(guest.shell(m, command) ~= 0, message)
  end

  step("change", function()
    expect_name(m, "first")
    check(m:monitor("eject " .. DRIVE):find("locked"), "a mounted CD can be taken out")
    guest.shell_output(m, "umount /mnt")
    m:change(DRIVE, data_cd("second"))
    expect_name(m, "second")
    guest.shell_output(m, "umount /mnt")
  end)
  step("eject", function()
    m:eject(DRIVE)
    is_state("tray open", "the tray is not open")
    is_without("mount -t iso9660 -o ro /dev/sr0 /mnt", "a CD is mounted that is not there")
    m:change(DRIVE, data_cd("third"))
    expect_name(m, "third")
    guest.shell_output(m, "umount /mnt")
  end)
  step("the driver ejects after the last user, and closes the tray for the next", function()
    expect_name(m, "third")
    guest.shell_output(m, "echo 1 > /proc/sys/dev/cdrom/autoeject; umount /mnt")
    is_state("tray open", "the tray is not open")
    guest.shell_output(m, "echo 0 > /proc/sys/dev/cdrom/autoeject")
    expect_name(m, "third") -- it is closed for that
    is_state("tray closed", "the tray is not closed")
    is_state("Removable device: locked", "the tray is not locked")
  end)
  step("eject by force", function()
    check_equal(m:monitor("eject -f " .. DRIVE), "")
    is_without("dd if=/dev/sr0 of=/dev/null bs=2048 count=1 skip=20",
      "a CD can be read that is not there")
  end)
end)
