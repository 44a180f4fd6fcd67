-- Typing loses no key, whatever the guest does with them; where it does nothing, the failure says so.
local boot_sector = require "lib.boot_sector"

-- Reads keys by the BIOS (INT 16h) into memory from 20000h on, and notes at 7000h where it is. Where
-- 7002h is not 0 it works for 100 ms after each Enter.
local READER = "\x31\xC0\x8E\xD8\x8E\xD0\xBC\x00\x7C\xB8\x00\x20\x8E\xC0\x31\xFF\xFB\xB4\x00\xCD\x16\xAA\x89\x3E\x00\x70\x3C\x0D" ..
  "\x75\xF3\x80\x3E\x02\x70\x00\x74\xEC\x8B\x1E\x6C\x04\x83\xC3\x02\x39\x1E\x6C\x04\x75\xFA\xEB\xDD"

-- An interrupt handler of its own notes what port 60h gives from 1000h on, and at 7000h where it is.
local SCANNER = "\xFA\x31\xC0\x8E\xD8\x8E\xD0\xBC\x00\x7C\x8E\xC0\xBF\x00\x10\xC7\x06\x24\x00\x1C\x7C\xA3\x26\x00" ..
  "\xFB\xF4\xEB\xFD\xE4\x60\xAA\x89\x3E\x00\x70\xB0\x20\xE6\x20\xCF"

-- READER, behind a handler of INT 9 that looks at the byte, takes its time, and hands on to the BIOS, which reads it again.
local PEEKER = "\x31\xC0\x8E\xD8\x8E\xD0\xBC\x00\x7C\xFA\x66\xA1\x24\x00\x66\xA3\x41\x7C\xC7\x06\x24\x00\x31\x7C\xC7\x06\x26\x00\x00\x00\xB8\x00\x20\x8E\xC0\x31\xFF\xFB\xB4\x00\xCD\x16\xAA\x89" ..
  "\x3E\x00\x70\xEB\xF5\x50\x51\xE4\x60\xB9\x00\x20\xE2\xFE\x59\x58\x2E\xFF\x2E\x41\x7C\x00\x00\x00\x00"

local function start(code)
  local m = boot_sector.machine(code)
  m:wait(2)
  return m
end

local printable = {}
for code = 32, 126 do printable[#printable + 1] = string.char(code) end
printable = table.concat(printable)

local function lines(size)
  local text = {}
  for number = 1, size // #printable + 1 do
    local turn = number % #printable
    text[number] = printable:sub(turn + 1) .. printable:sub(1, turn) .. "\n"
  end
  return table.concat(text):sub(1, size)
end

local function expect_failure(kind, words, ...)
  local good, failure = pcall(...)
  assert(not good and type(failure) == "table", "no failure with: " .. words)
  assert(failure.kind == kind, failure.kind .. ": " .. failure.message)
  assert(failure.message:find(words, 1, true), failure.message)
end

-- 64 KiB, each character of a US keyboard.
local m = start(READER)
local text = lines(65536)
m:type(text)
m:wait(0.01)
assert(m:read(0x20000, 65536) == text:gsub("\n", "\r"))

-- The next byte does not come before the handler is done with this one.
m = start(PEEKER)
m:type(text:sub(1, 2000))
m:wait(0.01)
assert(m:read(0x20000, 2000) == text:sub(1, 2000):gsub("\n", "\r"))

-- A program that is busy after each line.
m = start(READER)
m:write(0x7002, "\1")
m:type("one\ntwo\tthree\b\27\r\nfour\n")
m:wait(0.5)
assert(m:read(0x20000, m:read_u16(0x7000)) == "one\rtwo\tthree\b\27\rfour\r")

-- Combinations go down in order, are held, and go up in reverse; nothing repeats.
m = start(SCANNER)
local function codes() return m:read(0x1000, m:read_u16(0x7000) - 0x1000) end
m:key("ctrl-alt-f1")
assert(codes() == "\x1D\x38\x3B\xBB\xB8\x9D")
m:keys({"up", "a"}, {hold = 0.2})
assert(codes():sub(7) == "\xE0\x48\xE0\xC8\x1E\x9E")
m:key_down("shift")
m:key_down("x")
m:wait(1)
m:key_up("shift-x")
local held = codes():sub(13)
assert(held:find("^\x2A\x2D\x2D+\xAD\xAA$") and #held > 6, "typematic repeat")
local before = #codes()
m:type("aB!c")
assert(codes():sub(before + 1) == "\x1E\x9E\x2A\x30\xB0\x02\x82\xAA\x2E\xAE")

-- A German keyboard: @ with AltGr, which stays down for {; a dead key before the letter; accents by Shift.
local american = m
m = boot_sector.machine(SCANNER, "-k de")
m:wait(2)
m:type("z@{")
assert(codes() == "\x15\x95\xE0\x38\x10\x90\x08\x88\xE0\xB8")
before = #codes()
m:type("é`È\n")
assert(codes():sub(before + 1) == "\x0D\x8D\x12\x92" .. "\x2A\x0D\x8D\xAA\x39\xB9" .. "\x2A\x0D\x8D\x12\x92\xAA\x1C\x9C")
expect_failure("usage", "no key of the layout de types 'ж' (character 3)", m.type, m, "aéж")
m = american

-- What cannot be typed is told before anything is.
before = #codes()
expect_failure("usage", "byte E4h (character 3)", m.type, m, "ab\xE4")
expect_failure("usage", "invalid parameter: nokey", m.key, m, "ctrl-nokey")
assert(#codes() == before)

-- Nobody takes keys: a loop without interrupts; one that leaves them to the BIOS's handler; a
-- keyboard that was turned off; a processor that is halted for good.
m = start("\xFA\x40\xEB\xFD")
expect_failure("timeout", "not taken 'x' (character 1 of 2) from the keyboard controller within 2 s", m.type, m, "xy",
  {timeout = 2})
m = start("\xFB\xF4\xEB\xFD")
expect_failure("timeout", "'x' (character 1 of 2) waits in the BIOS's keyboard buffer", m.type, m, "xy", {timeout = 2})
m = start("\xB0\xF5\xE6\x60\xFB\xF4\xEB\xFD")
expect_failure("timeout", "turned the keyboard off; key 'a' was not typed within 2 s", m.key, m, "a", {timeout = 2})
m = start("\xFA\xF4")
expect_failure("hang", "typed keys to be taken", m.type, m, "xy")

-- A pause after each key, for programs that lose keys in spite of it all.
m = start(READER)
local before = m:time()
m:type("ab\n", {pause = 0.2})
assert(m:time() - before >= 0.6 and m:time() - before < 1)
m:keys({"c", "d"}, {pause = 0.3})
assert(m:time() - before >= 1.2)
m:wait(0.01)
assert(m:read(0x20000, 5) == "ab\rcd")
