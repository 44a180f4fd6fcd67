-- An installed Debian on disks of each format: it boots to its login, its power is cut in the middle of package work,
-- and after a check of its file system it boots again and finishes that work.
local guest = require("guest")

local DISK_MB = 1200
local PARTITION_MB = 1 -- where its file system begins

local formats = {
  {name = "qcow2", check = true},
  {name = "vpc"},
  {name = "vmdk", check = true},
  {name = "vdi", check = true},
}

local INSTALL_LOADER = [[set -e
mount -t ext4 /dev/sda1 /mnt
extlinux --install /mnt/boot
umount /mnt
]]

-- The raw disk, made once, with its loader.
local function make_disk()
  return guest.made("debian.img", "1", function(path)
    guest.program(folder .. "/boot_media.py", "debian", path, "--megabytes=" .. DISK_MB)
    local m = guest.linux({flavour = "686-pae", modules = guest.FILE_MODULES, packages = {"extlinux"},
                           script = INSTALL_LOADER,
                           options = {"-drive", "format=raw,if=ide,index=0,snapshot=off,file=" .. path}})
    m:wait_serial(guest.DONE .. "0", {timeout = 90})
    m:wait_end()
    m:close()
  end)
end

-- Boots it to the login and logs in.
local function boot(image)
  local m = machine("-m", "256", "-net", "none", "-boot", "c", "-drive", "index=0,snapshot=off,file=" .. image)
  m:wait_serial("reprise login: ", {timeout = 400})
  m:send_serial("root\n")
  m:wait_serial("root@reprise:~# ", {timeout = 100})
  m:send_serial("dmesg -n 1; exec env PS1='# ' sh\n") -- bash would edit lines
  return m
end

-- Power goes while dpkg unpacks: what it was at differs between formats.
local function cut_power(image, seconds)
  local m = boot(image)
  m:wait_serial("# ")
  m:send_serial("dpkg -i /var/cache/apt/archives/[a-l]*.deb; echo all is insta''lled\n")
  m:wait_serial("Unpacking", {timeout = 200})
  m:wait(seconds)
  check(not m:serial():find("all is installed", 1, true), "the work was done before the power went")
  m:close()
end

-- The first check replays the journal, which its status tells; then nothing may be wrong.
local function check_file_system(image, format)
  local raw, partition = guest.scratch("debian.raw"), guest.scratch("partition.raw")
  guest.program("qemu-img", "convert", "-f", format, "-O", "raw", image, raw)
  guest.program("dd", "if=" .. raw, "of=" .. partition, "bs=1M", "skip=" .. PARTITION_MB, "conv=sparse")
  guest.program("sh", "-c", 'PATH=$PATH:/sbin; e2fsck -p "$0"; test $? -le 1', partition)
  guest.program("e2fsck", "-f", "-n", partition)
  guest.program("rm", raw, partition)
end

local function finish_work(image)
  local m = boot(image)
  guest.shell_output(m, "dpkg --configure -a && dpkg -i /var/cache/apt/archives/[a-e]*.deb >/dev/null", {timeout = 900})
  local _, output = guest.shell(m, "dpkg --audit; systemctl is-system-running --wait", {timeout = 200})
  check(output:find("running", 1, true), output)
  m:send_serial("poweroff\n")
  check_equal(m:wait_end({timeout = 200}), 0)
  m:close()
end

for i, format in ipairs(formats) do
  test(format.name, function()
    if not guest.long then
      skip("an installed Debian is tested in long runs only")
    end
    local image = guest.scratch("debian." .. format.name)
    guest.program(guest.program_file, "image", "convert", "-f", "raw", "-O", format.name, make_disk(), image)
    cut_power(image, 2 * i)
    if format.check then
      guest.program("qemu-img", "check", "-f", format.name, image)
    end
    check_file_system(image, format.name)
    finish_work(image)
    guest.program("rm", image)
  end)
end
