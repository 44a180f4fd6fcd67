-- Runs an image of case_runner.asm that was made with marks: at the end of each case it stands still, and what is
-- hidden behind the segment registers is written to a file. emulators.py calls it.
local PROGRESS, DONE = 0x3FF000, 2
local MARK_SEEN, MARK_WAIT, LOOP_SIZE = 0x7E11, 0x7E12, 16
local POLL = 0.0001

local m = machine("-m", "32", "-cpu", args.model, "-net", "none", "-boot", "a", "-fda", args.image)
m:expect_reset()
local file = assert(io.open(args.path, "wb"))

local function is_waiting()
  local registers = m:registers()
  local wait = m:read_u16(MARK_WAIT)
  return registers.cs == 8 and wait ~= 0 and registers.eip >= wait and registers.eip < wait + LOOP_SIZE
    and m:read_u8(MARK_SEEN) == 0
end

while true do
  m:wait_until(function() return is_waiting() or m:read_u32(PROGRESS + 12) == DONE end, {poll = POLL, timeout = 100})
  if m:read_u32(PROGRESS + 12) == DONE then
    break
  end
  file:write("case ", m:read_u32(PROGRESS + 4), "\n", m:monitor("info registers"), "\n")
  m:write(MARK_SEEN, "\1")
end
file:close()
