-- What Debian's Linux as a guest must do, and may not complain about.
local guest = require("guest")

local linux_guest = {FLAVOURS = {"686", "686-pae"}}

local MD5_OF_8_MB_OF_ZEROS = "96995b58d4cbf6aaa9041b4f00c7f6ae"
local PI_TO_40_DIGITS = "3.1415926535897932384626433832795028841968" -- as bc cuts it off

-- Words of Linux that tell of a processor or a board that is not as it should be.
local COMPLAINTS = {
  "bug", "broken", "fail", "failed", "failure", "failures", "error", "warn", "warning", "bogus",
  "unable", "unstable", "weird", "buggy", "spurious", "nobody cared", "oops", "panic",
  "call trace", "stuck", "lockup", "too large", "unsupported", "missing", "not listed",
  "out of sync", "timeout", "lost",
}
-- Such lines that tell the truth about this machine, and come on real ones and under QEMU as well.
local NO_COMPLAINTS = {
  "NX %(Execute Disable%) protection missing in CPU", -- no model before Prescott has it
  "Spectre", "Meltdown", "MDS:", "L1TF", "Speculative", "MMIO Stale", "ITS:", "x86/bugs",
  "RAMDISK", "Kernel command line", "Command line", "evm: ", "ima: ",
  "fail to add MMCONFIG", -- the chip set knows no PCI Express
  "and report a bug", -- said with every PCI root that ACPI describes
  -- The Pentium 4 has no performance counters, and no event of older ones is precise.
  "Performance Events: .*software events only", "Broken PMU hardware detected",
  "Failed to access perfctr msr",
  "Ignoring bogus Namespace Identifiers", -- said of every NVMe controller with the number of QEMU's
  "mce: Unable to init MCE device", -- where there are no banks (qemu32), under QEMU, too
}

local function is_complaint(line)
  for _, pattern in ipairs(NO_COMPLAINTS) do
    if line:find(pattern) then
      return false
    end
  end
  for _, word in ipairs(COMPLAINTS) do
    if line:lower():find("%f[%w]" .. word .. "%f[%W]") then
      return true
    end
  end
  return false
end

-- Fails if a line of a dmesg complains about processor or board.
function linux_guest.check_log(log)
  local complaints = {}
  for line in log:gmatch("[^\n]+") do
    if is_complaint(line) then
      complaints[#complaints + 1] = line
    end
  end
  check(#complaints == 0, "Linux complains:\n" .. table.concat(complaints, "\n"))
end

-- Runs commands in the shell that a guest has on its serial port, and reads its log.
function linux_guest.check_shell(m)
  m:wait_serial(guest.READY, {timeout = 200})
  local output = guest.shell_output(m, "dd if=/dev/zero bs=1M count=8 2>/dev/null | md5sum")
  check(output:find(MD5_OF_8_MB_OF_ZEROS, 1, true), "md5sum: " .. output)
  output = guest.shell_output(m, "echo 'scale=40; 4*a(1)' | bc -l")
  check_equal(output:gsub("%s", ""), PI_TO_40_DIGITS)
  output = guest.shell_output(m, "dmesg")
  check(output:find("Linux version", 1, true), "dmesg lacks the beginning")
  linux_guest.check_log(output)
end

-- Powers off by ACPI.
function linux_guest.power_off(m)
  m:wait_serial("# ")
  m:send_serial("poweroff -f\n")
  check_equal(m:wait_end(), 0)
end

local INSTALL_LOADER = [[set -e
mount -t ext4 /dev/sda1 /mnt
extlinux --install /mnt/boot
umount /mnt
]]

-- A raw disk with an installed Debian and its loader, made once; the kind is "debian" or "desktop".
function linux_guest.debian_disk(kind, megabytes)
  return guest.made(kind .. ".img", tostring(megabytes), function(path)
    guest.program(folder .. "/boot_media.py", kind, path, "--megabytes=" .. megabytes)
    local m = guest.linux({flavour = "686-pae", modules = guest.FILE_MODULES, packages = {"extlinux"},
                           script = INSTALL_LOADER,
                           options = {"-drive", "format=raw,if=ide,index=0,snapshot=off,file=" .. path}})
    m:wait_serial(guest.DONE .. "0", {timeout = 90})
    m:wait_end()
    m:close()
  end)
end

-- Boots such a disk, which further words of the command line name, to its login, and logs in.
function linux_guest.boot_debian(...)
  local m = machine("-m", "256", "-boot", "c", ...)
  m:wait_serial("reprise login: ", {timeout = 400})
  m:send_serial("root\n")
  m:wait_serial("root@reprise:~# ", {timeout = 100})
  m:send_serial("dmesg -n 1; exec env PS1='# ' sh\n") -- bash would edit lines
  return m
end

-- Events of evdev as {type, code, value}; each has 16 bytes.
local function read_events(text)
  local words, events = {}, {}
  for line in text:gmatch("[^\n]+") do
    local numbers = line:match("^%x%x%x%x%x+ (.*)")
    for word in (numbers or ""):gmatch("%S+") do
      words[#words + 1] = tonumber(word, 16)
    end
  end
  for i = 1, #words - 7, 8 do
    events[#events + 1] = ("%d %d %d"):format(words[i + 4], words[i + 5],
                                              words[i + 6] | words[i + 7] << 16)
  end
  return table.concat(events, "\n") .. "\n"
end

-- Is it among them?
function linux_guest.check_event(events, what, type, code, value)
  local line = ("%d %d %d\n"):format(type, code, value & 0xFFFFFFFF)
  check(events:find(line, 1, true), what .. " is not among the events:\n" .. events)
end

-- What the guest's event device tells while 'act' runs.
function linux_guest.record_events(m, device, act)
  guest.shell_output(m, "e=$(grep -l " .. device .. " /sys/class/input/event*/device/name | cut -d/ -f5); "
    .. "test -c /dev/input/$e && (cat /dev/input/$e >/events & echo $! >/reader); sleep 1")
  act()
  return read_events(guest.shell_output(m, "sleep 1; kill $(cat /reader); od -A x -t x2 -v /events"))
end

return linux_guest
