-- GRUB's rescue CD and floppy: menu, command line, and a Linux that it starts from a disk.
local guest = require("guest")
local linux_guest = require("linux_guest")

local function rescue_image(name)
  return guest.package_file("grub-rescue-pc", "usr/lib/grub-rescue/" .. name)
end

local function start_command_line(memory, ...)
  local m = machine("-m", tostring(memory), "-net", "none", ...)
  m:wait_text("Press enter to boot the selected OS")
  m:key("c")
  m:wait_until(function() return m:text():find("\ngrub> ?\n") end, {what = "GRUB's prompt"})
  return m
end

-- A disk with an ext4 partition that holds one folder and one file.
local function data_disk()
  return guest.made("grub-data.img", "", function(path)
    guest.program("mkdir", "-p", path .. ".folder/letters")
    guest.write_file(path .. ".folder/letters/note.txt", "written outside of the machine\n")
    guest.disk("ext4", path, 16, path .. ".folder")
  end)
end

-- The drives are listed, and a file on the disk's partition is found and read.
local function look_around(m, device)
  m:type("ls\n")
  m:wait_text("(hd0) (hd0,msdos1)")
  check(m:text():find("(" .. device .. ")", 1, true), "ls does not show " .. device)
  m:type("ls (hd0,msdos1)/\n")
  m:wait_text("letters/")
  m:type("cat (hd0,msdos1)/letters/note.txt\n")
  m:wait_text("\nwritten outside of the machine")
end

test("floppy", function()
  local m = start_command_line(64, "-boot", "a", "-fda", rescue_image("grub-rescue-floppy.img"),
    "-hda", data_disk())
  look_around(m, "fd0")
end)

local function start_from_cd(memory, disk)
  return start_command_line(memory, "-boot", "d",
    "-cdrom", rescue_image("grub-rescue-cdrom.iso"), "-hda", disk)
end

test("CD", function() look_around(start_from_cd(64, data_disk()), "cd") end)

if guest.long then
  test("Linux from disk", function()
    -- GRUB loads kernel and initramfs from a disk and starts them.
    local disk = guest.extlinux_disk("686", guest.initramfs({packages = {"bc"}, gzip = true}))
    local m = start_from_cd(256, disk)
    m:type("set root=(hd0,msdos1)\nlinux /boot/vmlinuz console=ttyS0\n"
      .. "initrd /boot/initrd.img\nboot\n")
    linux_guest.check_shell(m)
    linux_guest.power_off(m)
  end)
end
