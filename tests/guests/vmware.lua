-- The pointer of VMware's port, driven as drivers for DOS and Windows do (bare_metal/vmware_pointer.asm).
local guest = require("guest")

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
