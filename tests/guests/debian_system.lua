-- An installed Debian on disks of each format: it boots to its login, its power is cut in the middle of package work,
-- and after a check of its file system it boots again and finishes that work.
local guest = require("guest")
local linux_guest = require("linux_guest")

local DISK_MB = 1200
local PARTITION_MB = 1 -- where its file system begins

local formats = {
  {name = "qcow2", check = true},
  {name = "vpc"},
  {name = "vmdk", check = true},
  {name = "vdi", check = true},
}

local function boot(image)
  return linux_guest.boot_debian("-net", "none", "-drive", "index=0,snapshot=off,file=" .. image)
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
    guest.program(guest.program_file, "image", "convert", "-f", "raw", "-O", format.name, linux_guest.debian_disk("debian", DISK_MB), image)
    cut_power(image, 2 * i)
    if format.check then
      guest.program("qemu-img", "check", "-f", format.name, image)
    end
    check_file_system(image, format.name)
    finish_work(image)
    guest.program("rm", image)
  end)
end
