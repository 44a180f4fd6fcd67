-- A guest that crashes ends the wait; what then can be done with the machine.
local boot_sector = require "lib.boot_sector"

-- In segment 0: mov byte [5002h], 1; loop while byte [5001h] is 0; inc byte [5000h]; lidt of limit 0; int3. RAM outlives a
-- reset, so 5000h counts.
local FAULT = "\xFA\x31\xC0\x8E\xD8\xC6\x06\x02\x50\x01\x80\x3E\x01\x50\x00\x74\xF9\xFE\x06\x00\x50" ..
  "\x0F\x01\x1E\x1C\x7C\xCC\x90\0\0\0\0\0\0"

local m = boot_sector.machine(FAULT)
m:wait_until(function() return m:read_u8(0x5002) == 1 end)
m:write(0x5000, "\0")
local c = m:checkpoint()
m:write(0x5001, "\1")
local good, failure = pcall(m.wait_text, m, "nonsense")
assert(not good and failure.kind == "crash" and failure.message:find("triple fault at 0000:00007C1A", 1, true), tostring(failure))
assert(m:read_u8(0x5000) == 1)
-- It stays crashed: every wait says so.
for _, wait in ipairs {"wait_idle", "wait_end", "wait_still"} do
  good, failure = pcall(m[wait], m, wait == "wait_still" and 1 or nil)
  assert(not good and failure.kind == "crash", wait .. ": " .. tostring(failure))
end
good, failure = pcall(m.wait, m, 1)
assert(not good and failure.kind == "crash", tostring(failure))

-- Going back, it runs again, and crashes again at the same instruction.
local instructions = m:instructions()
m:restore(c)
assert(m:read_u8(0x5000) == 0 and m:read_u8(0x5001) == 0)
m:write(0x5001, "\1")
good, failure = pcall(m.wait, m, 1)
assert(not good and failure.kind == "crash" and m:instructions() == instructions, tostring(failure))

-- The reset button.
m:reset()
m:wait(0.01)
assert(m:text():find("nonsense") == nil)

-- Expected resets go on: the boot sector runs again and again.
m:expect_reset()
m:write(0x5000, "\0")
m:wait(3)
assert(m:read_u8(0x5000) > 1, "the board does not reset at a triple fault")
m:expect_reset(false)
good, failure = pcall(m.wait, m, 5)
assert(not good and failure.kind == "crash", tostring(failure))

-- The panic port: a write of 1 is a panic; 2 (a crash kernel goes on) is none. Reading tells which are known.
-- mov dx, 505h; in al, dx; out E9h, al; mov al, 2; out dx, al; out E9h, al; mov al, 1; out dx, al; out E9h, al; hlt
local p = boot_sector.machine("\xBA\x05\x05\xEC\xE6\xE9\xB0\x02\xEE\xE6\xE9\xB0\x01\xEE\xE6\xE9\xFA\xF4", "-device pvpanic")
good, failure = pcall(p.wait_text, p, "nonsense")
assert(not good and failure.kind == "crash" and failure.message:find("panic port"), tostring(failure))
assert(p:debugcon() == "\3\2", "after the panic the guest went on")
p = boot_sector.machine("\xBA\x05\x05\xEC\xE6\xE9\xB0\x01\xEE\xE6\xE9\xFA\xF4", "-device pvpanic,events=2")
good, failure = pcall(p.wait_text, p, "nonsense")
assert(not good and failure.kind == "hang" and p:debugcon() == "\2\1", tostring(failure))

-- A checkpoint of the crash brings it back.
local crashed = m:checkpoint()
m:reset()
m:wait(0.01)
m:restore(crashed)
good, failure = pcall(m.wait, m, 1)
assert(not good and failure.kind == "crash" and failure.message:find("triple fault"), tostring(failure))
