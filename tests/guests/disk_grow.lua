-- Disks that grow, in each format: the image outside, then the file system (ext4, FAT) in Linux. What was
-- there before is whole, and what is written into the new room is found outside.
local guest = require("guest")
local linux_guest = require("linux_guest")

-- Where neither this program nor QEMU's can lengthen an image of that format in place, it is made anew from
-- one that was.
local FORMATS = {
  {name = "raw", in_place = true}, {name = "qcow2", in_place = true, check = true},
  {name = "vdi", check = true}, {name = "vmdk", check = true}, {name = "vpc"},
}
local OLD_MEGABYTES, NEW_MEGABYTES, FILE_MEGABYTES = 24, 64, 30

local MODULES = {"virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "nls_cp437", "nls_ascii", "vfat"}

-- The new file does not fit into the old room.
local FILL = [[
md5sum -c sums
i=0; while [ $i -lt %d ]; do cat noise; i=$((i + 1)); done >grown
md5sum grown | sed 's/ .*/ is the sum/'
cd /
umount /mnt
dmesg
]]
FILL = FILL:format(FILE_MEGABYTES)

local EXT4 = [[set -e
mkdir -p /etc
ln -sf /proc/mounts /etc/mtab
mount -t ext4 /dev/vda /mnt
resize2fs /dev/vda
cd /mnt
]] .. FILL

-- The tables have room for more clusters than the file system has: its size (the boot sector's double word at
-- 32) is all that changes.
local FAT = [[set -e
printf '\000\000\002\000' | dd of=/dev/vda bs=1 seek=32 conv=notrunc
mount -t vfat /dev/vda /mnt
cd /mnt
]] .. FILL

local function files()
  local folder = guest.empty_folder("grow-files")
  guest.write_file(folder .. "/noise", guest.noise(7, 1 << 20))
  guest.write_file(folder .. "/other", guest.noise(8, 3 << 20))
  guest.write_file(folder .. "/sums", guest.program("sh", "-c", 'cd "$0" && md5sum noise other', folder))
  return folder
end

local function image_command(...)
  return guest.program(guest.program_file, "image", ...)
end

local function convert(from, from_format, to, to_format)
  os.remove(to)
  image_command("convert", "-f", from_format, "-O", to_format, from, to)
end

-- The raw disk as an image of the format, larger than it was.
local function grown_image(format, raw)
  local image = guest.scratch("grow." .. format.name)
  local kept = format.in_place and image or guest.scratch("grow-between.qcow2")
  local kept_format = format.in_place and format.name or "qcow2"
  local small = guest.scratch("grow-small." .. format.name)
  convert(raw, "raw", small, format.name)
  convert(small, format.name, kept, kept_format)
  image_command("resize", "-f", kept_format, kept, NEW_MEGABYTES .. "M")
  if not format.in_place then
    convert(kept, kept_format, image, format.name)
  end
  return image
end

-- Runs the script in Linux; the image as a raw disk, and the sum of what was written.
local function work(format, raw, script)
  local image = grown_image(format, raw)
  local m = guest.linux({modules = MODULES, packages = {"e2fsprogs"}, script = script,
                         options = {"-drive", "if=virtio,snapshot=off,format=" .. format.name .. ",file=" .. image}})
  local log = m:wait_serial(guest.DONE .. "0", {timeout = 200})
  linux_guest.check_log(log)
  check_equal(m:wait_end(), 0)
  m:close()
  if format.check then
    guest.program("qemu-img", "check", "-f", format.name, image)
  end
  local result = guest.scratch("grow-result.img")
  guest.program("qemu-img", "convert", "-f", format.name, "-O", "raw", image, result)
  return result, log:match("(%x+) is the sum")
end

local function grow_ext4(format)
  local raw = guest.scratch("grow.img")
  os.remove(raw)
  guest.program("mke2fs", "-q", "-t", "ext4", "-d", files(), raw, OLD_MEGABYTES .. "m")
  local result, sum = work(format, raw, EXT4)
  guest.program("e2fsck", "-fn", result)
  local copy = guest.scratch("grown")
  guest.program("debugfs", "-R", "dump /grown " .. copy, result)
  check_equal(guest.program("md5sum", copy):match("%x+"), sum)
end

-- A file system for the larger disk that says to be as large as the smaller.
local function make_fat(path)
  os.remove(path)
  guest.program("truncate", "-s", NEW_MEGABYTES .. "M", path)
  guest.program("mkfs.fat", "-F", "16", "-s", "4", path)
  local file = assert(io.open(path, "r+b"))
  file:seek("set", 32)
  file:write(string.pack("<I4", OLD_MEGABYTES << 11))
  file:close()
  guest.program("truncate", "-s", OLD_MEGABYTES .. "M", path)
  guest.program("sh", "-c", 'mcopy -i "$1" "$0"/* ::', files(), path)
  guest.program("fsck.fat", "-n", path)
end

local function grow_fat(format)
  local raw = guest.scratch("grow.img")
  make_fat(raw)
  local result, sum = work(format, raw, FAT)
  guest.program("fsck.fat", "-n", result)
  local copy = guest.scratch("grown")
  os.remove(copy)
  guest.program("mcopy", "-n", "-i", result, "::grown", copy)
  check_equal(guest.program("md5sum", copy):match("%x+"), sum)
end

for _, format in ipairs(FORMATS) do
  if guest.long or format.name == "qcow2" then
    test("ext4 grows on " .. format.name, function() grow_ext4(format) end)
    test("FAT grows on " .. format.name, function() grow_fat(format) end)
  end
end
