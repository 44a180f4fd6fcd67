-- Disks behind controllers on the PCI bus, each driven by Linux and, through the BIOS, by FreeDOS.
local dos_guest = require("dos_guest")
local guest = require("guest")
local linux_guest = require("linux_guest")

-- Of each: how it is plugged in, the modules that it needs and the name that Linux gives to the disk.
local DEVICES = {
  {name = "virtio-blk", disk = "vda", messages = "virtio0%-req", modules = {"virtio_pci", "virtio_blk"},
   discards = true, options = {"-device", "virtio-blk-pci,drive=d,bootindex=0"}},
  {name = "AHCI", disk = "sda", messages = "ahci", modules = {"ahci", "sd_mod"}, discards = true,
   options = {"-device", "ich9-ahci,id=ahci", "-device", "ide-hd,drive=d,bus=ahci.0,bootindex=0"}},
  -- The BIOS gives NVMe disks no geometry that DOS could use, under QEMU neither.
  {name = "NVMe", disk = "nvme0n1", messages = "nvme0q1", modules = {"nvme"}, partition = "nvme0n1p1", boots_linux = true,
   discards = true,
   options = {"-device", "nvme,drive=d,serial=reprise,bootindex=0"}},
  {name = "SCSI", disk = "sda", pin = "sym53c8xx", modules = {"sym53c8xx", "sd_mod"}, discards = true,
   options = {"-device", "lsi,id=scsi0", "-device", "scsi-hd,drive=d,bus=scsi0.0,bootindex=0"}},
  {name = "USB", disk = "sda", pin = "uhci_hcd", modules = {"uhci_hcd", "usb_storage", "sd_mod"}, megabytes = 3,
   options = {"-usb", "-device", "usb-storage,drive=d,bootindex=0"}},
}

-- The first half of the disk is copied to the second.
local SCRIPT = [[set -e
disk=/dev/$(sed 's/.*disk=//; s/ .*//' /proc/cmdline)
half=$(($(blockdev --getsize64 $disk) / 2097152))
copy() { dd if=$disk of=$disk bs=$1 count=$2 skip=$3 seek=$(($3 + $4)) conv=notrunc 2>/dev/null; }
dd if=$disk bs=1M count=$half 2>/dev/null | md5sum >/first
echo "read once"
copy 512 64 0 $((half * 2048))
copy 1M $((half - 1)) 1 $half
copy 4096 8 0 $((half * 256))
dd if=$disk of=$disk bs=64k count=16 seek=$((half * 16)) conv=notrunc,fsync 2>/dev/null
sync
echo 3 >/proc/sys/vm/drop_caches
dd if=$disk bs=1M skip=$half 2>/dev/null | md5sum | diff - /first
echo "irregular" | dd of=$disk bs=1 seek=$((half * 1048576 - 5000)) conv=notrunc 2>/dev/null
sync
grep -E "PCI-MSI|fasteoi" /proc/interrupts
dmesg
]]

local function make_image(megabytes)
  return guest.made(("noise-%d.img"):format(megabytes), "", function(path)
    local seed = guest.write_file(path .. ".seed", guest.noise(megabytes, 1 << 20))
    for i = 1, megabytes do
      -- Each megabyte is the seed and its own number, packed: no two are alike.
      guest.program("sh", "-c", '(echo $2; head -c 1048568 "$0"; echo $2) | head -c 1048576 >>"$1"',
        seed, path, ("%03d"):format(i))
    end
    guest.program("truncate", "-s", tostring(megabytes << 21), path)
  end)
end

local function drive(image, more)
  return {"-drive", "if=none,id=d,format=raw,file=" .. image .. (more or "")}
end

local function joined(...)
  local all = {}
  for _, words in ipairs({...}) do
    table.move(words, 1, #words, #all + 1, all)
  end
  return all
end

local function start(device, image, more)
  return guest.linux({
    memory = 128, modules = device.modules, script = SCRIPT, append = "disk=" .. device.disk,
    options = joined(drive(image, more), device.options),
  })
end

local function finish(m, seconds)
  local log = m:wait_serial(guest.DONE .. "0", {timeout = seconds})
  linux_guest.check_log(log)
  check_equal(m:wait_end(), 0)
  m:close()
  return log
end

-- Linux takes messages for its interrupts where the device has them, and all of them come that way.
local function check_interrupts(device, log)
  local line = log:match("[^\n]*" .. (device.messages or device.pin or "") .. "[^\n]*", log:find("fasteoi", 1, true))
  local count, kind = line:match("%d+:%s+(%d+)%s+(%S+)")
  check_equal(kind, device.messages and "PCI-MSI" or "IO-APIC")
  check(tonumber(count) > 20, line)
end

-- The halves are the same but for what was written last.
local function check_image(image, megabytes)
  local half = megabytes << 20
  local near_end = half - 5000
  guest.program("cmp", "-n", tostring(near_end), image, image, "0", tostring(half))
  local tail = guest.program("dd", "if=" .. image, "bs=1", "count=10", "skip=" .. near_end, "status=none")
  check_equal(tail, "irregular\n")
end

local function copy_halves(device, megabytes, seconds)
  local image = guest.copy(make_image(megabytes))
  local log = finish(start(device, image, ",snapshot=off"), seconds)
  check_interrupts(device, log)
  check_image(image, megabytes)
end

-- Saved in the middle of its work, Linux goes on with it.
local function save_and_go_on(device)
  local m = start(device, make_image(4), ",snapshot=on")
  m:wait_serial("read once", {timeout = 200})
  m:save("middle")
  finish(m, 200)
  m = start(device, make_image(4), ",snapshot=on")
  m:load("middle")
  finish(m, 200)
end

-- The BIOS loads FreeDOS from it, which writes there.
local function boot(device)
  local image = guest.copy(guest.unpacked("freedos-hdd.img"))
  local m = machine(table.unpack(joined({"-m", "16"}, drive(image, ",snapshot=off"), device.options)))
  dos_guest.boot(m)
  dos_guest.write_files(m)
  m:close()
  dos_guest.check_files(image)
  dos_guest.check_file_system(image)
end

-- What the guest needs no longer takes no room in the image, and the rest is as it was.
local DISCARD_SCRIPT = [[set -e
blkdiscard -o 4194304 -l 8388608 /dev/%s
sync
dmesg
]]

local function discard(device)
  local image = guest.copy(make_image(8))
  local before = make_image(8)
  local function room()
    return tonumber(guest.program("du", "--block-size=1", image):match("^%d+"))
  end
  local room_before = room()
  finish(guest.linux({modules = device.modules, script = DISCARD_SCRIPT:format(device.disk),
                      options = joined(drive(image, ",snapshot=off"), device.options)}), 200)
  check(room_before - room() >= 4 << 20, "the image has its " .. room() .. " bytes still")
  guest.program("cmp", "-n", tostring(4 << 20), image, before)
  check_equal(guest.program("head", "-c", tostring(12 << 20), image):sub((4 << 20) + 1):match("[^\0]"), nil)
end

local INSTALL = [[set -e
mount -t ext4 /dev/%s /mnt
extlinux --install /mnt/boot
umount /mnt
]]

-- One guest installs a loader on it, by which the BIOS starts Linux.
local function boot_linux(device)
  local modules = joined(device.modules, {"crc32c_generic", "ext4"})
  local image = guest.extlinux_disk("686", guest.initramfs({modules = modules, gzip = true}))
  local m = guest.linux({modules = modules, packages = {"extlinux"}, script = INSTALL:format(device.partition),
                         options = joined(drive(image, ",snapshot=off"), device.options)})
  m:wait_serial(guest.DONE .. "0", {timeout = 200})
  check_equal(m:wait_end(), 0)
  m:close()
  m = machine(table.unpack(joined({"-m", "128"}, drive(image), device.options)))
  m:wait_serial(guest.READY, {timeout = 200})
  local output = guest.shell_output(m, ("mount -t ext4 /dev/%s /mnt && ls /mnt/boot"):format(device.partition))
  check(output:find("ldlinux.sys", 1, true), "the disk's files: " .. output)
  linux_guest.power_off(m)
end

-- A CD behind a controller, and words of its that have no data or are refused.
local CD_SCRIPT = [[set -e
i=0; until test -b /dev/sr0; do i=$((i + 1)); test $i -lt 20; sleep 1; done
md5sum /dev/sr0
mkdir /cd
mount -t iso9660 -o ro /dev/sr0 /cd
cat /cd/hello.txt
umount /cd
cat /proc/sys/dev/cdrom/info | grep -q 'drive name:.*sr0'
dmesg
]]

local CD_DRIVES = {
  AHCI = {modules = {"ahci"}, options = {"-device", "ahci,id=sata", "-device", "ide-cd,drive=cd,bus=sata.3"}},
  SCSI = {modules = {"sym53c8xx"}, options = {"-device", "lsi", "-device", "scsi-cd,drive=cd,bus=scsi.0"}},
  USB = {modules = {"uhci_hcd", "usb_storage"}, options = {"-usb", "-device", "usb-storage,drive=cd"}},
}

local function read_cd(name)
  local drive = CD_DRIVES[name]
  local cd = guest.cd(name .. ".iso", {["hello.txt"] = "from the CD\n", ["noise.bin"] = guest.noise(5, 3 << 20)})
  local m = guest.linux({
    modules = joined(drive.modules, {"sr_mod", "isofs"}), script = CD_SCRIPT,
    options = joined({"-drive", "if=none,id=cd,media=cdrom,file=" .. cd}, drive.options),
  })
  local log = m:wait_serial(guest.DONE .. "0", {timeout = 200})
  check(log:find(guest.program("md5sum", cd):match("^%x+"), 1, true), log)
  check(log:find("from the CD", 1, true), log)
  linux_guest.check_log(log)
  check_equal(m:wait_end(), 0)
end

for _, name in ipairs({"AHCI", "SCSI", "USB"}) do
  test("CD on " .. name, function() read_cd(name) end)
end

for _, device in ipairs(DEVICES) do
  test("Linux on " .. device.name, function() copy_halves(device, device.megabytes or 16, 200) end)
  test("snapshot of work on " .. device.name, function() save_and_go_on(device) end)
  test("boot from " .. device.name, function() (device.boots_linux and boot_linux or boot)(device) end)
  if device.discards then
    test("discard on " .. device.name, function() discard(device) end)
  end
  if guest.long and not device.megabytes then
    test("200 MB on " .. device.name, function() copy_halves(device, 200, 900) end)
  end
end
