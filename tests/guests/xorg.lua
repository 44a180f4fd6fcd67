-- Debian's desktop, an X server with a window manager, on each adapter by each driver: the picture is what QEMU shows of
-- the same disk, keys and pointers arrive, and neither the kernel nor the server complains.
local guest = require("guest")
local linux_guest = require("linux_guest")

local DISK_MB = 2400
local CLOCK, EYES = {790, 10, 180, 200}, {770, 230, 230, 170}

-- Lines of the server's log that are no complaints about the machine.
local NO_COMPLAINTS = {
  "%(WW%) warning, %(EE%) error", -- the legend
  "dbus%-core: error connecting to system bus", -- there is none
  "VESA%(0%): Unknown EDID version 0", -- the Cirrus's VBE has an empty one; under QEMU, too
}

local function start(m, driver, depth)
  m:wait_serial("# ")
  guest.shell_output(m, "/root/start-x " .. driver .. (depth and " -depth " .. depth or ""), {timeout = 900})
end

-- (EE) lines, and what the kernel says since its boot.
local function check_logs(m)
  local log = guest.shell_output(m, "cat /var/log/Xorg.0.log")
  local complaints = {}
  for line in log:gmatch("[^\n]+") do
    local is_known = not line:find("(EE)", 1, true)
    for _, pattern in ipairs(NO_COMPLAINTS) do
      is_known = is_known or line:find(pattern)
    end
    if not is_known then
      complaints[#complaints + 1] = line
    end
  end
  check(#complaints == 0, "Xorg complains:\n" .. table.concat(complaints, "\n"))
  linux_guest.check_log(guest.shell_output(m, "dmesg"))
end

-- Where the server has its pointer.
local function pointer(m)
  local text = guest.shell_output(m, "DISPLAY=:0 xdotool getmouselocation")
  local x, y = text:match("x:(%d+) y:(%d+)")
  check(x, text)
  return tonumber(x), tonumber(y)
end

local function check_pointer(m, x, y)
  local seen_x, seen_y
  m:wait_until(function()
    seen_x, seen_y = pointer(m)
    return math.abs(seen_x - x) <= 1 and math.abs(seen_y - y) <= 1
  end, {timeout = 10, what = ("the pointer at %d, %d"):format(x, y)})
end

-- A click into the terminal, and keys for it.
local function type_there(m)
  m:mouse_click()
  m:wait(0.5)
  m:type("arrived\n")
  m:wait(0.5)
  check_equal(guest.shell_output(m, "cat /root/typed"):gsub("\r", ""), "arrived\n")
end

-- A folder with QEMU's pictures of all of them.
local function references(disk, vga, rows)
  return guest.made("xorg-" .. vga, disk, function(path)
    local words = {}
    for _, row in ipairs(rows) do
      if row.name == row.picture then
        words[#words + 1] = row.name
      end
    end
    guest.program(folder .. "/desktop.py", disk, "--vga", vga, "--pictures", path, table.unpack(words))
  end)
end

local function shows(m, row, pictures)
  start(m, row.driver, row.depth)
  m:wait(3)
  m:wait_screen(pictures .. "/" .. row.picture .. ".png", {masks = {CLOCK, EYES}, timeout = 30})
  check_logs(m)
  m:mouse_move(-400, -300, {step = 2})
  local x, y = pointer(m)
  m:mouse_move(-50, -50, {step = 2})
  check_pointer(m, x - 50, y - 50)
  type_there(m)
end

local ADAPTERS = {
  cirrus = {"cirrus-8", "cirrus-16", "vesa", "modesetting"},
  std = {"vesa-24", "modesetting"},
}
-- By this driver QEMU's adapter has a larger mode, whatever the configuration says.
local OTHERS_PICTURE = {["std vesa-24"] = "modesetting"}

local function on_adapter(vga)
  local disk = linux_guest.debian_disk("desktop", DISK_MB)
  local m = linux_guest.boot_debian("-vga", vga, "-net", "none", "-drive", "format=raw,index=0,file=" .. disk)
  local rows = {}
  for _, name in ipairs(ADAPTERS[vga]) do
    local driver, depth = name:match("(%a+)%-?(%d*)")
    local picture = OTHERS_PICTURE[vga .. " " .. name] or name
    rows[#rows + 1] = {name = name, picture = picture, driver = driver, depth = depth ~= "" and depth}
  end
  local pictures = references(disk, vga, rows)
  cases(m, rows, function(clone, row) shows(clone, row, pictures) end)
  m:close()
end

-- Places that are told, not movements.
local function absolute(name, options)
  local disk = linux_guest.debian_disk("desktop", DISK_MB)
  local m = linux_guest.boot_debian("-net", "none", "-drive", "format=raw,index=0,file=" .. disk, table.unpack(options))
  start(m, "modesetting")
  local devices = guest.shell_output(m, "DISPLAY=:0 xinput list --name-only")
  check(devices:find(name, 1, true), devices)
  local width, height = m:screen_size()
  for _, place in ipairs({{0.5, 0.5}, {0.1, 0.9}, {0.25, 0.25}}) do
    m:tablet_to(math.floor(32767 * place[1]), math.floor(32767 * place[2]))
    check_pointer(m, math.floor(width * place[1]), math.floor(height * place[2]))
  end
  type_there(m)
  check_logs(m)
  m:close()
end

local function long_test(name, run)
  test(name, function()
    if not guest.long then
      skip("a desktop is tested in long runs only")
    end
    run()
  end)
end

long_test("on the Cirrus", function() on_adapter("cirrus") end)
long_test("on the standard VGA", function() on_adapter("std") end)
long_test("with a tablet", function() absolute("USB Tablet", {"-usb", "-device", "usb-tablet"}) end)
-- The kernel's driver looks whether it runs under VMware, by the serial number of the board.
long_test("with VMware's pointer", function()
  absolute("VirtualPS/2 VMware VMMouse", {"-smbios", "type=1,serial=VMware-56 4d"})
end)
