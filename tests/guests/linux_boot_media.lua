-- Debian's kernels from a CD by isolinux, and from a disk by an extlinux that a guest installed.
local guest = require("guest")
local linux_guest = require("linux_guest")

local function shell_image(flavour, gzip)
  return guest.initramfs({flavour = flavour, modules = guest.FILE_MODULES, packages = {"bc"},
                          gzip = gzip})
end

-- From the CD to a shell; then the running system reads the CD, too.
local function boot_from_cd(flavour, memory)
  local initramfs = shell_image(flavour)
  local data = guest.noise(1, 3000001)
  local disc = guest.made("linux.iso", initramfs .. guest.kernel(flavour), function(path)
    guest.program(folder .. "/boot_media.py", "cd", path, "--flavour=" .. flavour,
      "--initramfs=" .. initramfs, "--file=data.bin=" .. guest.write_file(path .. ".data", data))
  end)
  local m = machine("-m", tostring(memory), "-net", "none", "-cdrom", disc, "-boot", "d")
  linux_guest.check_shell(m)
  local sum = guest.program("md5sum", guest.write_file(guest.scratch("data.bin"), data))
  local output = guest.shell_output(m, "mount -t iso9660 /dev/sr0 /mnt && md5sum /mnt/data.bin")
  check_equal(output:match("%x+"), sum:match("%x+"))
  linux_guest.power_off(m)
  m:close()
end

local INSTALL = [[set -e
mount -t ext4 /dev/sda1 /mnt
extlinux --install /mnt/boot
umount /mnt
]]

-- One guest installs the loader on a disk, the next one is booted by it.
local function boot_from_disk(flavour, memory)
  local disk = guest.extlinux_disk(flavour, shell_image(flavour, true))
  local drive = "format=raw,if=ide,index=0,file=" .. disk
  local m = guest.linux({flavour = flavour, modules = guest.FILE_MODULES, packages = {"extlinux"},
                         script = INSTALL, options = {"-drive", drive .. ",snapshot=off"}})
  m:wait_serial(guest.DONE .. "0", {timeout = 90})
  check_equal(m:wait_end(), 0)
  m:close()
  m = machine("-m", tostring(memory), "-net", "none", "-boot", "c", "-drive", drive)
  linux_guest.check_shell(m)
  local output = guest.shell_output(m, "mount -t ext4 /dev/sda1 /mnt && ls /mnt/boot")
  check(output:find("ldlinux.sys", 1, true), "the disk's files: " .. output)
  linux_guest.power_off(m)
end

test("CD", function() boot_from_cd("686", 128) end)
test("disk", function() boot_from_disk("686-pae", 256) end)

if guest.long then
  for _, size in ipairs({{"686", 64}, {"686-pae", 64}, {"686-pae", 512}, {"686", 2048}}) do
    test(("CD, %s in %d MB"):format(size[1], size[2]), function()
      boot_from_cd(size[1], size[2])
    end)
  end
  test("disk, without PAE", function() boot_from_disk("686", 2048) end)
end
