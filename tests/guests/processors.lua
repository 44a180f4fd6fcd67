-- Several processors: systems find, start and use all of them.
local guest = require("guest")
local linux_guest = require("linux_guest")

local function processors_of_linux(count)
  local m = guest.linux({flavour = "686-pae", memory = 128,
    options = {"-smp", tostring(count)}})
  linux_guest.check_shell(m)
  local output = guest.shell_output(m, "grep -c ^processor /proc/cpuinfo")
  check_equal(output:gsub("%s", ""), tostring(count))
  -- As many at work at once, each with the same result.
  output = guest.shell_output(m, ("for i in $(seq %d); do (dd if=/dev/zero bs=1M count=8 " ..
    "2>/dev/null | md5sum) & done; wait"):format(count))
  local _, right = output:gsub("96995b58d4cbf6aaa9041b4f00c7f6ae", "")
  check_equal(right, count)
  -- All of them take timer interrupts, and each other's.
  output = guest.shell_output(m, "grep -E 'LOC|CAL|RES' /proc/interrupts")
  local timers = output:match("LOC:([%s%d]+)")
  for ticks in timers:gmatch("%d+") do
    check(tonumber(ticks) > 10, "a processor without a timer: " .. output)
  end
  linux_guest.power_off(m)
  m:close()
end

test("Linux on 2", function() processors_of_linux(2) end)
if guest.long then
  test("Linux on 4", function() processors_of_linux(4) end)
  test("Linux on 8", function() processors_of_linux(8) end)
end

test("xv6 on 4", function()
  local m = machine("-m", "512", "-smp", "4", "-hda", guest.image("xv6.img"),
    "-hdb", guest.image("xv6-fs.img"))
  local log = m:wait_serial("init: starting sh\n$ ")
  for number = 1, 3 do
    check(log:find("cpu" .. number .. ": starting", 1, true), "not started: " .. log)
  end
  m:type("forktest\n")
  m:wait_serial("fork test OK\n")
  -- A checkpoint while all of them are at work: the run repeats from there.
  m:type("stressfs\n")
  m:wait_serial("stressfs starting\n")
  local point = m:checkpoint()
  m:run(5000000)
  local hash = m:hash()
  m:restore(point)
  m:run(5000000)
  check_equal(m:hash(), hash)
  m:wait_serial("$ ")
end)
