-- Debian's smartctl and hdparm find an IDE disk and a SATA one to be drives as they know them.
local guest = require("guest")
local linux_guest = require("linux_guest")

local PACKAGES = {"smartmontools", "hdparm"}
local SCRIPT = [[set -e
smart() { smartctl "$@" >/report || { echo "smartctl $*: status $?"; cat /report; exit 1; }; }
smart -a /dev/sda
cat /report
smart -t short /dev/sda
smartctl -c /dev/sda | grep "of test remaining"
smart -X /dev/sda
smart -t short /dev/sda
sleep 32
smart -l selftest /dev/sda
cat /report
smart -l error /dev/sda
smart -x /dev/sda
cat /report
smart -s off /dev/sda
smart -s on -S on /dev/sda
hdparm -I /dev/sda
hdparm -W0 -A0 /dev/sda
hdparm -W1 -A1 /dev/sda
hdparm -y /dev/sda
hdparm -C /dev/sda
dd if=/dev/sda of=/dev/null bs=512 count=1 skip=5000 iflag=direct 2>/dev/null
hdparm -C /dev/sda
hdparm -N /dev/sda
dmesg
]]

-- In the order in which they are to be said.
local EXPECTED = {
  "Device Model: +QEMU HARDDISK", "ATA Version is: +ATA/ATAPI%-7", "SMART support is: Enabled",
  "overall%-health self%-assessment test result: PASSED", "Error logging capability", "Power_On_Hours",
  "No Errors Logged", "No self%-tests have been logged", "%d+%% of test remaining",
  "# 1 +Short offline +Completed without error +00%%", "# 2 +Short offline +Aborted by host",
  "SMART Extended Comprehensive Error Log Version: 1", "No Errors Logged",
  "SMART Extended Self%-test Log Version: 1",
  "Model Number: +QEMU HARDDISK", "LBA48 +user addressable sectors", "%*%s+SMART feature set",
  "%*%s+Write cache", "%*%s+Host Protected Area feature set", "%*%s+48%-bit Address feature set",
  "%*%s+General Purpose Logging feature set", "Checksum: correct",
  "drive state is: +standby", "drive state is: +active/idle", "HPA is disabled",
}

local DEVICES = {
  {name = "IDE", modules = {"ata_piix", "sd_mod"},
   options = {"-drive", "format=raw,if=ide,index=0,snapshot=on,file=%s"}},
  {name = "SATA", modules = {"ahci", "sd_mod"},
   options = {"-device", "ich9-ahci,id=ahci", "-drive", "if=none,id=d,format=raw,snapshot=on,file=%s",
              "-device", "ide-hd,drive=d,bus=ahci.0"}},
}

local function check_disk(device)
  local image = guest.scratch("health.img")
  guest.program("truncate", "-s", "64M", image)
  local options = {}
  for i, word in ipairs(device.options) do
    options[i] = word:format(image)
  end
  local m = guest.linux({memory = 128, modules = device.modules, packages = PACKAGES, script = SCRIPT,
                         options = options})
  local log = m:wait_serial(guest.DONE .. "0", {timeout = 300})
  check_equal(m:wait_end(), 0)
  m:close()
  local at = 1
  for _, pattern in ipairs(EXPECTED) do
    local _, last = log:find(pattern, at)
    check(last, "'" .. pattern .. "' is not in its place in:\n" .. log:sub(at))
    at = last + 1
  end
  linux_guest.check_log(log:sub(log:find("%[ +0%.000000%] Linux version [^\n]*\n", at) or #log))
end

for _, device in ipairs(DEVICES) do
  test("smartctl and hdparm on " .. device.name, function() check_disk(device) end)
end
