-- The processor, by programs on the bare machine: what the manual says of system instructions,
-- faults, tasks, paging and debug registers. Their sources are in bare_metal/; what QEMU makes of
-- them is in test_qemu_reference.py. Bochs 2.7 (started by hand; model p4_prescott_celeron_336)
-- agrees with all of it but the second half of an instruction whose page was mapped elsewhere
-- (paging), and faults for unknown MSRs, which it ignores by default.
local guest = require("guest")

local function run_program(name, ...)
  local m = machine("-m", "32", "-net", "none", "-no-reboot", "-boot", "a",
    "-fda", guest.own_image("bare_metal/" .. name .. ".img"), ...)
  m:wait_serial("passed")
  return m
end

test("debug registers: armed breakpoints slow down what meets them, and nothing else", function()
  local m = run_program("debug_registers")
  local steps = tonumber(m:monitor("info jit"):match("single steps%s+(%d+)") or 0)
  check(steps < 100000, steps .. " instructions were stepped")
end)

test("APIC", function() run_program("apic", "-icount", "shift=5") end)

-- With and without PAE and NX, as the processor has them.
for _, name in ipairs({"paging", "system_registers"}) do
  test(name, function() run_program(name) end)
  test(name .. " with every feature", function() run_program(name, "-cpu", "max") end)
end

-- smm: SMIs by the APM port, with and without paging, at both levels and in v8086 mode.
for _, name in ipairs({"segment_limits", "privilege", "tasks", "v8086", "smm"}) do
  test(name, function() run_program(name) end)
end

test("self modifying code", function()
  run_program("self_modifying", "-hda", guest.own_image("bare_metal/self_modifying.img"))
end)
