-- The mouse tells what it was moved by, packet by packet, as fast as the guest reads.
local boot_sector = require "lib.boot_sector"

-- Turns the mouse on, notes what port 60h gives from 1000h on, and at 7000h where it is:
--   cli; mov al, A8h; out 64h, al; mov al, D4h; out 64h, al; mov al, F4h; out 60h, al;
--   next: in al, 64h; test al, 1; jz next; in al, 60h; stosb; mov [7000h], di; jmp next
local LISTENER = "\xFA\x31\xC0\x8E\xD8\x8E\xC0\xBF\x00\x10\xB0\xA8\xE6\x64\xB0\xD4\xE6\x64\xB0\xF4\xE6\x60\xE4\x64"
  .. "\xA8\x01\x74\xFA\xE4\x60\xAA\x89\x3E\x00\x70\xEB\xF1"

local m = boot_sector.machine(LISTENER)
m:wait_until(function() return m:read_u16(0x7000) > 0x1000 end)
local seen = 0
local function expect(what, bytes)
  local all = m:read(0x1000, m:read_u16(0x7000) - 0x1000)
  local new = all:sub(seen + 1):gsub(".", function(c) return ("%02X "):format(c:byte()) end)
  assert(new == bytes, what .. ": " .. new)
  seen = #all
end

expect("start", "FA ")
m:mouse_move(10, 20)
expect("right and down", "28 0A EC ")
m:mouse_move(-300, 0)
expect("more than a packet", "18 01 00 18 D3 00 ")
m:mouse_move(5, -5, {step = 2})
expect("small steps", "08 02 02 08 02 02 08 01 01 ")
m:mouse_click("right")
expect("click", "0A 00 00 08 00 00 ")
m:mouse_down()
m:mouse_down("middle")
m:mouse_up("left")
m:mouse_up("middle")
expect("buttons", "09 00 00 0D 00 00 0C 00 00 08 00 00 ")
m:mouse_to(8, 3, {scale_x = 2})
expect("to a place", ("18 01 FF "):rep(32) .. "18 E0 20 28 02 FE 28 02 FF ")

-- No driver has turned it on: that is told.
m = boot_sector.machine("\xFB\xF4\xEB\xFD")
m:wait(2)
local good, failure = pcall(m.mouse_move, m, 1, 1, {timeout = 1})
assert(not good and failure.kind == "timeout" and failure.message:find("turned the mouse on", 1, true), tostring(failure))
