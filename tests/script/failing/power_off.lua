-- The guest leaves by debug exit with 2 * 1 + 1 while something else is waited for.
local boot_sector = require "lib.boot_sector"
boot_sector.machine("\xB0\x01\xBA\xF4\x00\xEE\xEB\xFE", "-device isa-debug-exit,iobase=0xf4"):wait_text("nonsense")
