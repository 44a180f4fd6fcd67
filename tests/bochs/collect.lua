-- Runs one image of case_runner.asm to its end and writes its results to a file: emulators.py calls it. A case that
-- gets nowhere for a second ends it, too.
local PROGRESS, RESULTS, DONE = 0x3FF000, 0x400000, 2
local PATIENCE = 1.0

local m = machine("-m", "32", "-cpu", args.model, "-net", "none", "-boot", "a", "-fda", args.image)
m:expect_reset()
local last, since
m:wait_until(function()
  local now = m:read_u32(PROGRESS + 8)
  if now ~= last then
    last, since = now, m:time()
  end
  return m:read_u32(PROGRESS + 12) == DONE or m:time() - since > PATIENCE
end, {timeout = 1000})
local file = assert(io.open(args.path, "wb"))
file:write(m:read(PROGRESS, RESULTS - PROGRESS + tonumber(args.size)))
file:close()
