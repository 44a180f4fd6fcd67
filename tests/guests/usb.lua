-- Debian's Linux and what is plugged into the USB controller.
local guest = require("guest")
local linux_guest = require("linux_guest")

local MODULES = {"uhci_hcd", "usbhid", "hid_generic", "evdev"}

local function boot(...)
  local m = guest.linux({modules = MODULES, options = {...}})
  m:wait_serial(guest.READY, {timeout = 200})
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

local function check_event(events, what, type, code, value)
  local line = ("%d %d %d\n"):format(type, code, value & 0xFFFFFFFF)
  check(events:find(line, 1, true), what .. " is not among the events:\n" .. events)
end

-- What the guest's event device tells while 'act' runs.
local function record(m, device, act)
  guest.shell_output(m, "e=$(grep -l " .. device .. " /sys/class/input/event*/device/name | cut -d/ -f5); "
    .. "test -c /dev/input/$e && (cat /dev/input/$e >/events & echo $! >/reader); sleep 1")
  act()
  return read_events(guest.shell_output(m, "sleep 1; kill $(cat /reader); od -A x -t x2 -v /events"))
end

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
