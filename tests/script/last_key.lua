-- A key by which the guest comes to its end was typed; one that it never took was not.
local boot_sector = require "lib.boot_sector"

-- Polls the keyboard controller for one byte, with interrupts off, then halts for ever, or leaves.
-- cli; again: in al, 64h; test al, 1; jz again; in al, 60h; mov [600h], al
local POLL = "\xFA\xE4\x64\xA8\x01\x74\xFA\xE4\x60\xA2\x00\x06"
local HALT, LEAVE = "\xF4", "\xBA\x01\x05\xEE" -- hlt; mov dx, 501h; out dx, al
local SCAN_CODE_A = 0x1E

for _, last in ipairs({HALT, LEAVE}) do
  for _, press in ipairs({"key", "type"}) do
    local m = boot_sector.machine(POLL .. last, "-device isa-debug-exit -icount shift=8")
    m:wait(2)
    m[press](m, "a")
    assert(m:read_u8(0x600) == SCAN_CODE_A)
  end
end

local m = boot_sector.machine(POLL .. HALT, "-icount shift=8")
m:wait(2)
local good, failure = pcall(m.type, m, "abc")
assert(not good and failure.kind == "hang", tostring(failure))
