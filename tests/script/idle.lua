-- wait_idle: the guest sleeps and no drive works.
local boot_sector = require "lib.boot_sector"
local m = machine("-m 16 -fda " .. args.demo)
m:wait_idle()
assert(m:text():find("Reprise"), "the demo was taken for idle too early: " .. m:text())

-- Asleep for ever, interrupts on: idle.
local sleeper = boot_sector.machine("\xB0\xFF\xE6\x21\xE6\xA1\xFB\xF4\xEB\xFD")
sleeper:wait_idle()
assert(sleeper:time() < 10)
-- Busy with interrupts on: never.
local busy = boot_sector.machine("\xFB\xEB\xFE")
local good, failure = pcall(busy.wait_idle, busy, {timeout = 10})
assert(not good and failure.kind == "timeout", tostring(failure))
-- Halted with interrupts off: that is no rest.
local dead = boot_sector.machine("\xFA\xF4")
good, failure = pcall(dead.wait_idle, dead)
assert(not good and failure.kind == "hang", tostring(failure))
