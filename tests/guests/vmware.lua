-- The pointer of VMware's port, driven as drivers for DOS and Windows do (bare_metal/vmware_pointer.asm).
local guest = require("guest")
local linux_guest = require("linux_guest")

local function boot(...)
  return machine("-m", "16", "-fda", guest.own_image("bare_metal/vmware_pointer.img"), "-boot", "a", ...)
end

for _, accelerator in ipairs({"jit", "interp"}) do
  test("places and buttons, " .. accelerator, function()
    local m = boot("-accel", accelerator)
    m:wait_serial("pointer is ready")
    m:tablet_to(0, 32767)
    m:wait_serial("00000000 00000000 0000FFFF 00000000 \n")
    m:tablet_to(16384, 8192)
    m:wait_serial("00000000 00008000 00004000 00000000 \n")
    m:monitor("mouse_button 1")
    m:wait_serial("00000020 00008000 00004000 00000000 \n")
    m:monitor("mouse_button 0")
    m:monitor("mouse_move 3 -4 1")
    m:wait_serial("00010000 00000003 00000004 00000000 \n")
    m:wait_serial("00000000 00008000 00004000 00000001 \n")
    m:save("there")
    m:tablet_to(32767, 0)
    m:wait_serial("00000000 0000FFFF 00000000 00000000 \n")
    m:load("there")
    m:tablet_to(32767, 32767)
    m:wait_serial("00000000 0000FFFF 0000FFFF 00000000 \n")
  end)
end

test("off", function()
  local m = boot("-machine", "pc,vmport=off")
  m:wait_serial("no pointer")
end)

-- Linux's driver for PS/2 mice looks for the port where the board says that it is VMware's.
test("Linux's driver", function()
  local m = guest.linux({modules = {"psmouse", "evdev"}, options = {"-smbios", "type=1,serial=VMware-56 4d"}})
  m:wait_serial(guest.READY, {timeout = 200})
  local devices = guest.shell_output(m, "cat /proc/bus/input/devices")
  local event -- it has two devices, one of them for places
  for device in (devices:gsub("\r", "") .. "\n"):gmatch("(.-)\n\n") do
    if device:find("VirtualPS/2 VMware VMMouse", 1, true) and device:find("B: ABS=", 1, true) then
      event = device:match("Handlers=.-(event%d+)")
    end
  end
  check(event, devices)
  local log = guest.shell_output(m, "dmesg")
  check(log:find("Hypervisor detected: VMware", 1, true), log)
  linux_guest.check_log(log)
  m:wait_serial("# ")
  m:send_serial("(cat /dev/input/" .. event .. " | hexdump -C) & sleep 1; echo reader is rea''dy\n")
  m:wait_serial("reader is ready\r\n")
  m:tablet_to(16384, 8192)
  m:wait_serial("03 00 00 00 00 80 00 00") -- a place, on the axis 0, 8000h
  m:wait_serial("03 00 01 00 00 40 00 00")
  m:monitor("mouse_button 1")
  m:wait_serial("01 00 10 01 01 00 00 00")
end)
