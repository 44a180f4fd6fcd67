-- Waiting for what a function of the script finds.
local boot_sector = require "lib.boot_sector"

local function fails(kind, condition, options)
  local m = options.machine
  options.machine = nil
  local good, reason = pcall(m.wait_until, m, condition, options)
  assert(not good and reason.kind == kind, kind .. " is expected: " .. tostring(reason))
  return reason.message
end

-- mov word [600h], 1; again: inc word [602h]; jmp again
local m = boot_sector.machine("\xC7\x06\x00\x06\x01\x00\xFF\x06\x02\x06\xEB\xFA")
local first, second = m:wait_until(function(same)
  assert(same == m)
  return m:read_u16(0x600) == 1 and m:read_u16(0x602) ~= 0 and "count", m:read_u16(0x602)
end)
assert(first == "count" and second == m:read_u16(0x602))

-- It looks as often as it is told, and for no longer.
local looks, start = 0, m:time()
local message = fails("timeout", function() looks = looks + 1 end,
  {machine = m, timeout = 0.5, poll = 0.1, what = "never"})
assert(looks == 6, looks .. " looks")
assert(math.abs(m:time() - start - 0.5) < 1e-6, "until " .. m:time() - start)
assert(message:find("never"), message)

-- What the function raises comes through; what makes no sense is refused.
local good, reason = pcall(m.wait_until, m, function() error("by itself", 0) end)
assert(not good and reason == "by itself")
fails("usage", function() end, {machine = m, poll = 0})

-- The last look is after the guest came to its end: mov byte [600h], 7; mov dx, 501h; out dx, al
m = boot_sector.machine("\xC6\x06\x00\x06\x07\xBA\x01\x05\xEE", "-device isa-debug-exit")
m:wait_until(function() return m:read_u8(0x600) == 7 end, {poll = 1})
fails("fail", function() return m:read_u8(0x600) == 8 end, {machine = m})
