-- lidt with a limit of 0, then int3.
local boot_sector = require "lib.boot_sector"
boot_sector.machine("\xFA\x0F\x01\x1E\x08\x7C\xCC\x90\0\0\0\0\0\0"):wait_text("nonsense")
