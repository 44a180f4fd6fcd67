-- Debian's kernels, without and with PAE, by -kernel in machines of all sizes.
local guest = require("guest")
local linux_guest = require("linux_guest")

local function check_system(flavour, memory, ...)
  local m = guest.linux({flavour = flavour, memory = memory, packages = {"bc"}, options = {...}})
  linux_guest.check_shell(m)
  local output = guest.shell_output(m, "grep MemTotal /proc/meminfo; uname -r")
  local total = tonumber(output:match("MemTotal:%s+(%d+)")) // 1024
  check(memory * 0.7 - 16 < total and total <= memory,
    ("Linux sees %d of %d MB"):format(total, memory))
  check(output:find("%-" .. flavour:gsub("-", "%%-") .. "\n"), "another kernel runs: " .. output)
  linux_guest.power_off(m)
  m:close()
end

test("smallest", function() check_system("686", 64) end)
test("PAE", function() check_system("686-pae", 512) end)

if guest.long then
  for _, memory in ipairs({96, 128, 256, 512, 1024, 2048, 3072, 3584}) do
    for _, flavour in ipairs(linux_guest.FLAVOURS) do
      if memory < 3584 or flavour == "686-pae" then
        test(flavour .. " in " .. memory .. " MB", function() check_system(flavour, memory) end)
      end
    end
  end
  -- The oldest processor that each kernel takes, and newer ones.
  for _, model in ipairs({"pentium2", "pentium3", "pentium4", "qemu32", "max"}) do
    for _, flavour in ipairs(linux_guest.FLAVOURS) do
      test(flavour .. " on " .. model, function() check_system(flavour, 256, "-cpu", model) end)
    end
  end
end

test("kernel panic", function()
  -- Its driver finds the panic port by ACPI, and tells it.
  local m = guest.linux({modules = {"pvpanic-mmio"}, options = {"-device", "pvpanic"}})
  m:wait_serial(guest.READY, {timeout = 200})
  m:wait_serial("# ")
  m:send_serial("echo c > /proc/sysrq-trigger\n")
  local failure = check_error(function() m:wait_serial("nothing of the kind") end, "panic port")
  check_equal(failure.kind, "crash")
  check(m:serial():find("sysrq triggered crash", 1, true), "the kernel says nothing")
end)
