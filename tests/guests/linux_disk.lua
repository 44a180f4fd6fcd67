-- What Linux writes to a disk, by bus master and by PIO, on ext4 and FAT, is whole outside.
local guest = require("guest")

local TRANSFER_MODE = {dma = "\nXFER_U?[DM][MW]A?_", pio = "\nXFER_PIO_4"}
-- Linux names the disks in the order in which they answer, so they are found by their addresses.
local SCRIPT = [[set -e
disk() { for i in /sys/block/sd*; do readlink $i/device | grep -q "/$1" && basename $i; done; }
cat /sys/class/ata_device/dev1.0/xfer_mode
mkdir /source /target
mount -o ro /dev/$(disk 0:0:1:0)1 /source
mount /dev/$(disk 0:0:0:0)1 /target
cp -r /source/files/* /target/
rm -r /target/small
cp -r /source/files/small /target/
mv /target/large /target/moved
sync
echo 3 >/proc/sys/vm/drop_caches
cd /source/files && find . -type f | sort | xargs md5sum | sed 's|./large/|./moved/|' >/sums
cd /target && md5sum -c /sums | grep -v ': OK$' && exit 1
cd / && umount /target && umount /source
]]
local PARTITION_OFFSET = 1 << 20

-- A disk of a few large files and many small ones.
local function make_source(megabytes)
  return guest.made(("source-%d.img"):format(megabytes), "", function(path)
    local files = path .. ".folder/files"
    guest.program("mkdir", "-p", files .. "/large", files .. "/small")
    for i = 1, 150 do
      guest.write_file(("%s/small/s%d.bin"):format(files, i), guest.noise(i, i * 7919 % 12000))
    end
    for i = 1, 4 do
      guest.write_file(("%s/large/l%d.bin"):format(files, i),
        guest.noise(1000 + i, (megabytes << 18) + i))
    end
    guest.disk("ext4", path, megabytes * 5 // 4 + 16, path .. ".folder")
  end)
end

-- The folder with what the host's tools find on a disk after they checked it.
local function read_ext4(disk, name)
  local image = ("%s?offset=%d"):format(disk, PARTITION_OFFSET)
  local target = guest.empty_folder(name)
  guest.program("e2fsck", "-fn", image)
  guest.program("debugfs", "-R", "rdump / " .. target, image)
  return target
end

local function read_fat32(disk, name)
  local partition = guest.scratch("partition.img")
  local target = guest.empty_folder(name)
  guest.program("dd", "if=" .. disk, "of=" .. partition, "bs=1M", "skip=1", "conv=sparse")
  guest.program("fsck.vfat", "-n", partition)
  guest.program("mcopy", "-i", partition, "-s", "::*", target)
  return target
end

local READ = {ext4 = read_ext4, fat32 = read_fat32}

local function start(source, target, mode)
  return guest.linux({
    memory = 192, modules = guest.FILE_MODULES, script = SCRIPT,
    module_options = mode == "pio" and {libata = "dma=0"} or nil,
    options = {"-drive", "format=raw,if=ide,index=0,snapshot=off,file=" .. target,
               "-drive", "format=raw,if=ide,index=1,file=" .. source},
  })
end

local function finish(m, file_system, source, target, seconds)
  local log = m:wait_serial(guest.DONE .. "0", {timeout = seconds})
  check_equal(m:wait_end(), 0)
  m:close()
  check(not log:find("EXT4-fs error", 1, true) and not log:find("I/O error", 1, true), log)
  local given = read_ext4(source, "given")
  local written = READ[file_system](target, "written")
  guest.program("diff", "-r", given .. "/files/small", written .. "/small")
  guest.program("diff", "-r", given .. "/files/large", written .. "/moved")
  return log
end

local function new_target(name, file_system, megabytes)
  local target = guest.scratch(name)
  os.remove(target .. ".snapshots")
  guest.disk(file_system, target, megabytes * 3 // 2 + 40)
  return target
end

local function copy_files(file_system, mode, megabytes, seconds)
  local source = make_source(megabytes)
  local target = new_target(file_system .. "-" .. mode .. ".img", file_system, megabytes)
  local log = finish(start(source, target, mode), file_system, source, target, seconds)
  check(log:find(TRANSFER_MODE[mode]), "another transfer mode: " .. log)
end

-- Saved in the middle of its work, by bus master, Linux goes on with it.
local function save_and_go_on(megabytes)
  local source = make_source(megabytes)
  local target = new_target("snapshots.img", "ext4", megabytes)
  local m = start(source, target, "dma")
  m:wait_serial("XFER_")
  for i = 1, 3 do
    m:wait(0.1)
    m:save("s" .. i)
    check(not m:serial():find(guest.DONE, 1, true), "it had finished before it was saved")
  end
  finish(m, "ext4", source, target, 200)
  for _, i in ipairs({2, 1, 3}) do
    m = start(source, target, "dma")
    m:load("s" .. i)
    finish(m, "ext4", source, target, 200)
  end
end

test("ext4 by DMA", function() copy_files("ext4", "dma", 12, 200) end)
test("FAT by PIO", function() copy_files("fat32", "pio", 6, 200) end)

if guest.long then
  test("snapshots in the middle of it", function() save_and_go_on(12) end)
  for _, file_system in ipairs({"ext4", "fat32"}) do
    for _, mode in ipairs({"dma", "pio"}) do
      test("200 MB on " .. file_system .. " by " .. mode, function()
        copy_files(file_system, mode, 200, 900)
      end)
    end
  end
end
