-- memtest86+ for 32-bit processors: a whole pass over the memory without an error.
local guest = require("guest")

local function run_pass(memory)
  local program = guest.package_file("memtest86+", "boot/memtest86+ia32.bin")
  -- A microsecond an instruction: the last test waits for 300 s of the guest's time.
  local m = machine("-m", tostring(memory), "-net", "none", "-kernel", program,
    "-icount", "shift=10")
  m:wait_text("Memtest86+ v")
  m:wait_until(function() return m:text():find("Pass:%s+[1-9]") end,
    {timeout = 36000, poll = 1, what = "the end of the first pass"})
  local text = m:text()
  check(text:find("Errors:%s+0%f[%D]"), "memtest86+ found errors:\n" .. text)
  check(text:find("Memory%s*:%s*" .. memory .. "MB"), "the size is another one:\n" .. text)
  m:key("esc") -- ends by a reset
  m:wait_until(function() return not m:text():find("Memtest86+ v", 1, true) end)
end

test("8 MB", function() run_pass(8) end)
if guest.long then
  -- Above the size where memtest86+ has to use PAE windows.
  test("64 MB", function() run_pass(64) end)
end
