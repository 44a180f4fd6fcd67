-- Tests that end in every way; tests/script/reports.py looks at what is told of them.
local boot_sector = require "lib.boot_sector"

-- Writes the text to COM1, each byte when the port is free:
-- xor ax,ax; mov ds,ax; mov si,text; next: lodsb; test al,al; jz done; mov ah,al; mov dx,3FDh; busy: in al,dx;
-- test al,20h; jz busy; mov dx,3F8h; mov al,ah; out dx,al; jmp next; done: sti; hlt; jmp back to hlt
local function say(text)
  return "\x31\xC0\x8E\xD8\xBE\x22\x7C\xAC\x84\xC0\x74\x12\x88\xC4\xBA\xFD\x03\xEC\xA8\x20\x74\xFB" ..
    "\xBA\xF8\x03\x88\xE0\xEE\xEB\xE9\xFB\xF4\xEB\xFD" .. text .. "\0"
end
local STOP = "\xFA\xF4"
local TALK = say("to COM1: <&]]>\x01\xFF\n")

test("passes", function()
  local m = boot_sector.machine(TALK)
  m:wait_serial("COM1", {timeout = 20})
end)

test("fails <a> & \"b\" 'c' # d \\ e", function()
  local m = boot_sector.machine(TALK)
  m:wait_serial("COM1", {timeout = 20})
  step("look", function()
    step("closely", function()
      check_equal({1, {2, "x\1y"}}, {1, {2, "z"}}, "with <context>")
    end)
  end)
end)

test("is skipped # here", function() skip("for a reason") end)

test("has a slip", function()
  local nothing
  return nothing.field
end)

test("times out", function()
  local m = boot_sector.machine(TALK)
  step("in vain")
  m:wait_text("never there", {timeout = 1})
end)

test("hangs", function()
  boot_sector.machine(STOP):wait_text("never there")
end)

test("crashes", function()
  -- lidt [7C0Ah], a table without room; int3; the six bytes
  local m = boot_sector.machine("\xFA\x0F\x01\x1E\x08\x7C\xCC\x90" .. ("\0"):rep(6))
  m:wait_text("never there", {timeout = 20})
end)

test("two machines", function()
  local first, second = boot_sector.machine(TALK), boot_sector.machine(TALK, "-name other")
  first:wait(1)
  second:wait(1)
  fail("both are looked at")
end)

test("some cases", function()
  local m = boot_sector.machine(TALK)
  m:wait_serial("COM1", {timeout = 20})
  cases(m, {"good", {name = "bad"}, "also good"}, function(clone, case)
    step("run")
    clone:run(1000)
    if type(case) == "table" then fail("case " .. case.name) end
  end)
end)
