-- Debian's Linux and what is plugged into the USB controller.
local guest = require("guest")
local linux_guest = require("linux_guest")

local MODULES = {"uhci_hcd", "usbhid", "hid_generic", "evdev", "usb_storage", "sd_mod"}

local function boot(...)
  local m = guest.linux({modules = MODULES, options = {...}})
  m:wait_serial(guest.READY, {timeout = 200})
  return m
end

local record, check_event = linux_guest.record_events, linux_guest.check_event

test("tablet", function()
  local m = boot("-usb", "-device", "usb-tablet")
  local log = guest.shell_output(m, "sleep 1; dmesg | tail -n 60")
  check(log:find("Product: USB Tablet", 1, true), "Linux finds no tablet:\n" .. log)
  check(log:find("input: Reprise USB Tablet", 1, true), "it is no input:\n" .. log)
  linux_guest.check_log(guest.shell_output(m, "dmesg"))
  check(m:monitor("info usb"):find("Product USB Tablet", 1, true), "'info usb' lacks it")
  local events = record(m, "Tablet", function()
    m:tablet_to(1234, 32767)
    m:monitor("mouse_button 1")
    m:monitor("mouse_button 0")
    m:monitor("mouse_move 0 0 1")
  end)
  check_event(events, "x", 3, 0, 1234)
  check_event(events, "y", 3, 1, 32767)
  check_event(events, "the button's press", 1, 0x110, 1)
  check_event(events, "the button's release", 1, 0x110, 0)
  check_event(events, "the wheel", 2, 8, -1)
  linux_guest.power_off(m)
end)

-- The BIOS asks the keyboard for keys by itself: DOS knows nothing of USB. (This disk's
-- HIMEM closes the A20 gate, which does not concern the controller.)
test("keyboard in DOS", function()
  local line = 'echo Hello "USB" {World} ~!@#$^&*()_+ 0123456789'
  local m = machine("-m", "16", "-fda", guest.image("freedos720k.img"), "-boot", "a",
    "-usbdevice", "keyboard")
  m:wait_text("A:\\>")
  m:type(line .. "\n")
  m:wait_text("\n" .. line:sub(6) .. "\n")
end)

test("keyboard and mouse", function()
  local m = boot("-usb", "-device", "usb-kbd,id=keys,port=2", "-device", "usb-mouse")
  local log = guest.shell_output(m, "sleep 1; dmesg | tail -n 60")
  check(log:find("Product: USB Keyboard", 1, true), "Linux finds no keyboard:\n" .. log)
  check(log:find("Product: USB Mouse", 1, true), "Linux finds no mouse:\n" .. log)
  linux_guest.check_log(guest.shell_output(m, "dmesg"))
  local usb = m:monitor("info usb")
  check(usb:find("Port 1, Speed 12 Mb/s, Product USB Mouse\n", 1, true), usb)
  check(usb:find("Port 2, Speed 12 Mb/s, Product USB Keyboard, ID: keys\n", 1, true), usb)
  local events = record(m, "Keyboard", function()
    m:key("a")
    m:key("ctrl-kp_1")
  end)
  for _, code in ipairs({30, 29, 79}) do
    check_event(events, "the press of " .. code, 1, code, 1)
    check_event(events, "the release of " .. code, 1, code, 0)
  end
  events = record(m, "Mouse", function()
    m:monitor("mouse_move 100 -20 1")
    m:monitor("mouse_button 4")
    m:monitor("mouse_button 0")
  end)
  check_event(events, "x", 2, 0, 100)
  check_event(events, "y", 2, 1, -20)
  check_event(events, "the wheel", 2, 8, -1)
  check_event(events, "the right button", 1, 0x111, 1)
  linux_guest.power_off(m)
end)

-- A hub in a port, a hub in that, and one that comes by itself for what finds no port.
test("hubs", function()
  local image = guest.scratch("behind_hubs.img")
  guest.write_file(image, guest.noise(10, 1 << 19))
  local sum = guest.program("md5sum", image):match("^%x+")
  local m = boot("-usb", "-drive", "if=none,id=d,format=raw,file=" .. image,
    "-device", "usb-storage,drive=d,port=1.3.2", "-device", "usb-hub,port=1",
    "-device", "usb-hub,port=1.3,id=inner", "-device", "usb-mouse,port=1.8", "-device", "usb-kbd,id=keys")
  local usb = m:monitor("info usb")
  for _, line in ipairs({"Port 1, Speed 12 Mb/s, Product USB Hub\n", "Port 2, Speed 12 Mb/s, Product USB Keyboard, ID: keys\n",
      "Port 1.8, Speed 12 Mb/s, Product USB Mouse\n", "Port 1.3, Speed 12 Mb/s, Product USB Hub, ID: inner\n",
      "Port 1.3.2, Speed 12 Mb/s, Product USB Storage\n"}) do
    check(usb:find(line, 1, true), line .. " is not in:\n" .. usb)
  end
  local function sum_of_disk()
    return guest.shell_output(m, "i=0; until test -b /dev/sda; do i=$((i + 1)); test $i -lt 15 || break; sleep 1; done; md5sum /dev/sda")
  end
  check(sum_of_disk():find(sum, 1, true), "the disk behind two hubs has other bytes")
  local log = guest.shell_output(m, "dmesg")
  check(select(2, log:gsub("8 ports detected", "")) == 2, log)
  linux_guest.check_log(log)
  check_event(record(m, "Mouse", function() m:monitor("mouse_move 7 0") end), "x", 2, 0, 7)
  check_event(record(m, "Keyboard", function() m:key("a") end), "the press of A", 1, 30, 1)

  step("hot plug", function()
    check(m:monitor("device_del inner"):find("something is plugged into this hub", 1, true), "a used hub goes")
    check(m:monitor("device_add usb-tablet,port=2.1"):find("no USB port 2.1", 1, true), "a keyboard has ports")
    check(m:monitor("device_add usb-tablet,port=1.8"):find("USB port 1.8 is taken", 1, true), "two in one port")
    check_equal(m:monitor("device_add usb-tablet,id=t"), "")
    check(m:monitor("info usb"):find("Port 1.1, Speed 12 Mb/s, Product USB Tablet, ID: t", 1, true), m:monitor("info usb"))
    log = guest.shell_output(m, "sleep 2; dmesg | tail -n 30")
    check(log:find("input: Reprise USB Tablet", 1, true), log)
    check_equal(m:monitor("device_del t"), "")
    check_equal(m:monitor("device_add usb-hub,id=late,port=1.1"), "")
    log = guest.shell_output(m, "sleep 2; dmesg | tail -n 30")
    check(log:find("USB disconnect", 1, true) and log:find("8 ports detected", 1, true), log)
    check_equal(m:monitor("device_add usb-tablet,id=t,port=1.1.4"), "")
    log = guest.shell_output(m, "sleep 2; dmesg | tail -n 30")
    check(log:find("input: Reprise USB Tablet", 1, true), log)
    linux_guest.check_log(guest.shell_output(m, "dmesg"))
  end)
  step("saved in the middle of a transfer", function()
    m:send_serial("echo 3 >/proc/sys/vm/drop_caches; md5sum /dev/sda; echo over\n")
    m:wait(0.02)
    m:save("reading")
    m:wait_serial(sum)
    m:load("reading")
    m:wait_serial(sum)
  end)
  linux_guest.power_off(m)
end)

test("a hub for what finds no port", function()
  local m = machine("-m", "16", "-usb", "-device", "usb-kbd", "-device", "usb-mouse", "-device", "usb-tablet")
  check_equal(m:monitor("info usb"), "  Device 0.0, Port 1, Speed 12 Mb/s, Product USB Keyboard\n"
    .. "  Device 0.0, Port 2, Speed 12 Mb/s, Product USB Hub\n"
    .. "  Device 0.0, Port 2.1, Speed 12 Mb/s, Product USB Mouse\n"
    .. "  Device 0.0, Port 2.2, Speed 12 Mb/s, Product USB Tablet\n")
end)

-- The BIOS finds the disk behind a hub, and boots the second of two as it is told.
test("the BIOS boots behind a hub", function()
  local m = machine("-m", "32", "-usb", "-drive", "if=none,id=d,format=raw,file=" .. guest.unpacked("freedos-hdd.img"),
    "-device", "usb-hub,port=2", "-device", "usb-storage,drive=d,port=2.5,bootindex=0")
  m:wait_text("1 - HIMEMX", {timeout = 60})
end)

-- Devices come and go while Linux runs.
test("hot plug", function()
  local m = boot("-usb")
  local function plugs(command, notice)
    check_equal(m:monitor(command), "")
    local log = guest.shell_output(m, "sleep 2; dmesg | tail -n 30; dmesg -c >/dev/null")
    check(log:find(notice, 1, true), "'" .. notice .. "' is not in:\n" .. log)
    return log
  end
  plugs("device_add usb-kbd,id=keys", "input: Reprise USB Keyboard")
  check(m:monitor("device_add usb-kbd,id=more"):find("one USB keyboard already", 1, true), "a second keyboard")
  check(m:monitor("device_add usb-mouse,id=keys"):find("already", 1, true), "a second device of one name")
  check(m:monitor("device_add VGA"):find("cannot come", 1, true), "a late VGA")
  check(m:monitor("device_add spoon"):find("not a valid device model name", 1, true), "a spoon")
  check(m:monitor("device_del spoon"):find("not found", 1, true), "no spoon")
  plugs("device_add usb-mouse,id=m,port=2", "input: Reprise USB Mouse")
  check(m:monitor("device_add usb-tablet"):find("all USB ports are taken", 1, true), "a third device on two ports")
  local events = record(m, "Keyboard", function() m:key("b") end)
  check_event(events, "the press of B", 1, 48, 1)
  plugs("device_del keys", "USB disconnect")
  m:key("c") -- goes to the other keyboard
  plugs("device_del m", "USB disconnect")
  check_equal(m:monitor("info usb"), "")
  plugs("device_add usb-tablet,id=t", "input: Reprise USB Tablet")
  linux_guest.check_log(guest.shell_output(m, "dmesg"))
  linux_guest.power_off(m)
end)

test("disk comes and goes", function()
  local image = guest.scratch("stick.img")
  guest.write_file(image, guest.noise(9, 1 << 20))
  local m = boot("-usb")
  check_equal(m:monitor("drive_add 0 if=none,id=stick,format=raw,snapshot=off,file=" .. image), "OK\n")
  local sum = guest.program("md5sum", image):match("^%x+")
  for round = 1, 2 do
    check_equal(m:monitor("device_add usb-storage,drive=stick,id=s"), "")
    check(m:monitor("info block"):find(image, 1, true), "'info block' lacks it")
    check(m:monitor("drive_del stick"):find("in use", 1, true), "a drive that is in use goes")
    local output = guest.shell_output(m, ("i=0; until test -b /dev/sd?; do i=$((i + 1)); test $i -lt 15 || break; sleep 1; done; "
      .. "md5sum /dev/sd?; echo 'round %d' | dd of=$(ls /dev/sd?) conv=notrunc,fsync 2>/dev/null"):format(round))
    check(round > 1 or output:find(sum, 1, true), output)
    check_equal(m:monitor("device_del s"), "")
    check_equal(guest.read_file(image):sub(1, 8), "round " .. round .. "\n")
    check(not m:monitor("info block"):find(image, 1, true), "'info block' has it still")
    local log = guest.shell_output(m, "sleep 2; ls /dev/sd? 2>&1; dmesg | tail -n 5")
    check(log:find("USB disconnect", 1, true) and log:find("No such file", 1, true), log)
  end
  check_equal(m:monitor("drive_del stick"), "")
  check(m:monitor("device_add usb-storage,drive=stick"):find("no drive", 1, true), "a drive that is gone")
  linux_guest.power_off(m)
end)
