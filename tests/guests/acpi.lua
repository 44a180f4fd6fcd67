-- ACPI as Linux uses it: the power button, the tables, suspension, power off, and a machine without.
local guest = require("guest")

local WAIT_FOR_BUTTON = [[
ls /sys/firmware/acpi/tables
cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_serial
echo waiting for the button
while ! grep -q "^ *[1-9]" /sys/firmware/acpi/interrupts/ff_pwr_btn; do sleep 0.1; done
echo the button was pressed
while ! grep -q "^ *[1-9]" /sys/firmware/acpi/interrupts/ff_slp_btn; do sleep 0.1; done
echo so was the other
grep acpi /proc/interrupts
]]

-- Suspends to RAM twice: to be woken by hand, then by the clock's alarm. In the first seconds
-- Linux's search for a mouse keeps its threads from being frozen, so that the alarm would be over
-- before the machine sleeps.
local SUSPEND = [[
sleep 3
cp /bin/busybox /tmp/copy
md5sum /tmp/copy > /tmp/sum
echo deep > /sys/power/mem_sleep
echo going to sleep
echo mem > /sys/power/state
md5sum -c /tmp/sum && echo memory is as it was
echo +4 > /sys/class/rtc/rtc0/wakealarm
echo mem > /sys/power/state
md5sum -c /tmp/sum && echo woken by the alarm
]]

-- Without APICs the HPET is what ends each sleep, over the 8259s.
local CLOCKS = [[
grep -E "^ +0:" /proc/interrupts
grep -A 1 "^Clock Event Device: hpet" /proc/timer_list
cat /sys/devices/system/clocksource/clocksource0/available_clocksource
a=$(date +%s); for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done; b=$(date +%s)
echo slept $((b - a)) seconds
]]

local function start(script, append, ...)
  return guest.linux({modules = {"button"}, script = script, append = append, options = {...}})
end

local function check_has(text, words, message)
  check(text:find(words, 1, true), message)
end

test("power button", function()
  local m = start(WAIT_FOR_BUTTON, "", "-smbios", "type=1,manufacturer=Acme,serial=S-77")
  local text = m:wait_serial("waiting for the button")
  for _, name in ipairs({"APIC", "DSDT", "FACP", "FACS", "HPET", "WAET"}) do
    check_has(text, "ACPI: " .. name .. " 0x", "Linux does not find " .. name)
  end
  check_has(text, "Acme", "the names of the machine are not -smbios's")
  check_has(text, "S-77", "the names of the machine are not -smbios's")
  m:power_button()
  m:wait_serial("the button was pressed")
  m:sleep_button()
  m:wait_serial("so was the other")
  check(m:wait_serial("acpi"):match("\n *9: +[1-9]"), "the interrupt is another")
  check_equal(m:wait_end(), 0)
end)

test("suspend to RAM", function()
  local m = start(SUSPEND)
  m:wait_serial("going to sleep")
  m:wait_until(function() return m:monitor("info status"):find("suspended") end)
  m:wait(1)
  check(not m:serial():find("memory is", 1, true), "it woke by itself")
  m:wake()
  m:wait_serial("memory is as it was")
  m:wait_serial("woken by the alarm")
  check_equal(m:wait_end(), 0)
end)

test("HPET as the only timer", function()
  local m = start(CLOCKS, "noapic nolapic")
  local text = m:wait_serial(" seconds\r\n")
  check(text:find("slept [23] seconds"), "the time of sleeping is wrong")
  check_has(text, "Clock Event Device: hpet", "Linux takes another timer")
  check(text:find("%shpet%s"), "the HPET is no source of time")
  check_has(text, "XT-PIC", "interrupts come by an I/O APIC")
  check_equal(m:wait_end(), 0)
end)

test("without ACPI", function()
  -- Linux finds the BIOS's older tables, and nothing that can power off.
  local m = start("ls /sys/firmware\n", "", "-no-acpi", "-no-reboot")
  local text = m:wait_serial(guest.DONE)
  check(not text:find("ACPI: RSDP", 1, true), "there are ACPI tables")
end)
