-- A wait ends at once where the guest provably hangs, and only there.
local boot_sector = require "lib.boot_sector"

-- Waits for what never comes; returns the failure and how long it took in guest seconds after boot.
local function wait_in_vain(code, options, seconds)
  local m = boot_sector.machine(code, options)
  local good, failure = pcall(m.wait_text, m, "nonsense", {timeout = seconds})
  assert(not good and type(failure) == "table", tostring(failure))
  local time = m:time()
  m:close()
  return failure, time
end

local function expect_hang(name, code, words, options)
  local failure, time = wait_in_vain(code, options, 20)
  assert(failure.kind == "hang", name .. ": " .. failure.kind .. ": " .. failure.message)
  assert(failure.message:find(words, 1, true), name .. ": " .. failure.message)
  assert(time < 10, name .. ": found after " .. time .. " s")
end

-- A loop that is busy all the time costs the host's: fewer seconds do there.
local function expect_no_hang(name, code, options, seconds)
  seconds = seconds or 20
  local failure, time = wait_in_vain(code, options, seconds)
  assert(failure.kind == "timeout", name .. ": " .. failure.kind .. ": " .. failure.message)
  assert(time >= seconds, name)
end

local CLI_HLT = "\xFA\xF4"
local MASK_ALL = "\xB0\xFF\xE6\x21\xE6\xA1" -- mov al, FFh; out 21h, al; out A1h, al
local STI_HLT = "\xFB\xF4\xEB\xFD"          -- sti; hlt; jmp back to hlt

for _, cpu in ipairs {"486", "pentium4"} do
  local more = "-cpu " .. cpu
  expect_hang("cli hlt", CLI_HLT, "is halted at 0000:00007C01 with interrupts off", more)
  expect_hang("hlt, all masked", MASK_ALL .. STI_HLT, "nothing armed", more)
  expect_hang("jmp $", "\xFA\xEB\xFE", "jumps to itself at 0000:00007C01 with interrupts off", more)
  expect_hang("near jmp $", "\xFA\xE9\xFD\xFF", "jumps to itself", more)
  expect_hang("pause, jmp", "\xFA\xF3\x90\xEB\xFC", "jumps to itself", more)
  expect_hang("jmp $, all masked", MASK_ALL .. "\xFB\xEB\xFE", "nothing armed", more)
  -- Only a key could wake it, and none is on its way.
  expect_hang("keyboard alone", "\xB0\xFD\xE6\x21" .. STI_HLT, "nothing armed", more)

  expect_no_hang("timer", STI_HLT, more)
  expect_no_hang("timer, jmp $", "\xFB\xEB\xFE", more, 2)
  -- The clock's periodic interrupt: PIE is set in its register B; the slave's line 0 and the master's line 2 are open.
  expect_no_hang("clock", "\xFA\xB0\xFB\xE6\x21\xB0\xFE\xE6\xA1" .. "\xB0\x0B\xE6\x70\xB0\x42\xE6\x71" .. STI_HLT, more)
  -- A loop that reads something is no proof: in al, 60h; jmp back.
  expect_no_hang("polling", "\xFA\xE4\x60\xEB\xFC", more, 1)
end

-- The same clock without its line open.
expect_hang("clock, slave masked", "\xFA\xB0\xFB\xE6\x21\xB0\xFF\xE6\xA1\xB0\x0B\xE6\x70\xB0\x42\xE6\x71" .. STI_HLT,
  "nothing armed")

-- Interrupts off do not keep out an NMI: with the 8259 pair's output, or the timer's pin of the I/O APIC, leading to that,
-- the same guest goes on. It counts at 600h.
local function expect_nmi_wakes(name, connect)
  -- xor ax, ax; mov ds, ax; mov [600h], ax; cli; hlt; inc word [600h]; jmp back to hlt
  local m = boot_sector.machine("\x31\xC0\x8E\xD8\xA3\x00\x06\xFA\xF4\xFF\x06\x00\x06\xEB\xF9", "-cpu pentium4")
  m:wait(5)
  assert(m:read_u16(0x600) == 0 and m:registers().halted, name)
  m:write(8, "\x00\x05\x00\x00") -- INT 2 leads to an IRET
  m:write(0x500, "\xCF")
  connect(m)
  local good, failure = pcall(m.wait_text, m, "nonsense", {timeout = 2})
  assert(not good and failure.kind == "timeout", name .. ": " .. tostring(failure))
  assert(m:read_u16(0x600) > 0, name)
  m:close()
end

expect_nmi_wakes("LINT0", function(m)
  m:write(0xFEE00350, "\x00\x04\x00\x00")
  -- An edge is wanted: the request that stands is acknowledged by nobody, so the pin is masked and opened again.
  m:monitor("o/b 0x21 0xff")
  m:monitor("o/b 0x21 0")
end)
expect_nmi_wakes("I/O APIC", function(m)
  m:write(0xFEC00000, "\x14\0\0\0") -- the lower half of pin 2's entry
  m:write(0xFEC00010, "\x00\x04\0\0")
end)

-- A guest that only a key can wake may be typed to, though: it takes each into 600h on. (cli; IMR FDh; IVT[9]: in al, 60h;
-- stosb; EOI; iret.)
local m = boot_sector.machine("\xFA\x31\xC0\x8E\xD8\x8E\xC0\xBF\x00\x06\xC7\x06\x24\x00\x23\x7C\xC7\x06\x26\x00\x00\x00" ..
  "\xB0\xFD\xE6\x21\xE6\xE9\xFB\xF4\xEB\xFD" .. ("\x90"):rep(3) .. "\xE4\x60\xAA\xB0\x20\xE6\x20\xCF")
m:wait_until(function() return #m:debugcon() > 0 end)
m:type("abc")
assert(m:read(0x600, 6) == "\x1E\x9E\x30\xB0\x2E\xAE", "typed to a guest that sleeps")
local good, failure = pcall(m.wait_text, m, "nonsense")
assert(not good and failure.kind == "hang", tostring(failure))
