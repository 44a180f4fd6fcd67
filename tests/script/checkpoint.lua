-- Back to a checkpoint, and forward again: the same state at the same instruction each time.
local m = machine("-m 16 -fda " .. args.demo)
m:wait_text("Reprise")
m:send_serial("waiting")
local first = m:checkpoint()
local start, hash_at_start = m:instructions(), m:hash()
m:wait(0.3)
local hash, time, text = m:hash(), m:time(), m:text()
local second = m:checkpoint()
for _ = 1, 3 do
  m:restore(first)
  assert(m:instructions() == start and m:hash() == hash_at_start)
  m:wait(0.3)
  assert(m:hash() == hash and m:time() == time and m:text() == text)
  m:restore(second)
  assert(m:hash() == hash and m:time() == time)
end
first:free()
assert(not pcall(m.restore, m, first))
m:restore(second)

-- What came out of the ports goes back too.
local boot_sector = require "lib.boot_sector"
-- mov dx, 3F8h; mov al, 'A'; out dx, al; inc al; mov cx, 0; loop $; jmp back to out
local m2 = boot_sector.machine("\xBA\xF8\x03\xB0\x41\xEE\xFE\xC0\xB9\x00\x00\xE2\xFE\xEB\xF6")
m2:wait_serial("B")
local c = m2:checkpoint()
local seen = m2:serial()
m2:wait_serial("F")
m2:restore(c)
assert(m2:serial() == seen)
assert(m2:wait_serial("D") == "CD" and m2:serial():sub(1, 4) == "ABCD")
assert(not pcall(m.restore, m, c), "another machine's checkpoint was taken")
