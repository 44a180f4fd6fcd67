-- Debian's Linux with the PS/2 keyboard, in each scan-code set, and the PS/2 mouse.
local guest = require("guest")
local linux_guest = require("linux_guest")

local function boot(append)
  local m = guest.linux({modules = {"psmouse", "evdev"}, append = append})
  m:wait_serial(guest.READY, {timeout = 200})
  return m
end

-- Keys, plain, extended and odd ones, with their numbers in Linux.
local KEYS = {a = 30, esc = 1, f11 = 87, kp_5 = 76, up = 103, ctrl_r = 97, alt_r = 100, home = 102, kp_enter = 96,
              meta_l = 125, pause = 119, sysrq = 99}

-- The chip translates to set 1; without that the keyboard's own sets 2 and 3 arrive.
local SETS = {
  {name = "translated", append = "", set = "2"},
  {name = "set 2", append = "i8042.direct=1", set = "2"},
  {name = "set 3", append = "i8042.direct=1 atkbd.set=3", set = "3"},
}

for _, case in ipairs(SETS) do
  test("keyboard, " .. case.name, function()
    local m = boot(case.append)
    local set = guest.shell_output(m, "cat /sys/bus/serio/devices/serio0/set")
    check(set:find(case.set, 1, true), "the keyboard is in set " .. set)
    local events = linux_guest.record_events(m, "AT.*keyboard", function()
      for key in pairs(KEYS) do
        m:key(key)
      end
    end)
    for key, code in pairs(KEYS) do
      linux_guest.check_event(events, "the press of " .. key, 1, code, 1)
      linux_guest.check_event(events, "the release of " .. key, 1, code, 0)
    end
    linux_guest.check_log(guest.shell_output(m, "dmesg"))
    linux_guest.power_off(m)
  end)
end

test("lights and typematic", function()
  local m = boot()
  local lights = "echo %d | tee /sys/class/leds/input*::%s/brightness; sleep 0.2"
  for bit, name in pairs({[1] = "scrolllock", [2] = "numlock", [4] = "capslock"}) do
    guest.shell_output(m, lights:format(1, name))
    check(m:monitor("info device keyboard"):find(("leds = 0x%x\n"):format(bit), 1, true),
      m:monitor("info device keyboard"))
    guest.shell_output(m, lights:format(0, name))
  end
  -- Linux repeats keys itself, by 'softrepeat'; else the keyboard does, 250 ms later 33 times a second.
  local events = linux_guest.record_events(m, "AT.*keyboard", function()
    m:key_down("b")
    m:wait(1.0)
    m:key_up("b")
  end)
  local repeats = select(2, events:gsub("1 48 2\n", ""))
  check(repeats >= 20 and repeats <= 27, repeats .. " repeats in a second")
  linux_guest.power_off(m)
end)

test("mouse with wheel and five buttons", function()
  local m = boot()
  local log = guest.shell_output(m, "i=0; until dmesg | grep Explorer; do i=$((i + 1)); test $i -lt 10 || break; sleep 1; done; dmesg | tail -n 20")
  check(log:find("ImExPS/2 Generic Explorer Mouse", 1, true), log)
  local events = linux_guest.record_events(m, "Explorer", function()
    m:monitor("mouse_move 100 -20 1")
    for _, buttons in ipairs({1, 2, 4, 0}) do
      m:monitor("mouse_button " .. buttons)
      m:wait(0.05) -- the mouse samples so often
    end
  end)
  linux_guest.check_event(events, "x", 2, 0, 100)
  linux_guest.check_event(events, "y", 2, 1, -20)
  linux_guest.check_event(events, "the wheel", 2, 8, -1)
  linux_guest.check_event(events, "the left button", 1, 0x110, 1)
  linux_guest.check_event(events, "the middle button", 1, 0x112, 1)
  linux_guest.check_event(events, "the right button", 1, 0x111, 1)
  linux_guest.power_off(m)
end)
