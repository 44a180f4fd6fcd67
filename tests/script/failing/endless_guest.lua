local boot_sector = require "lib.boot_sector"
local m = boot_sector.machine("\xFB\xEB\xFE")
while true do pcall(m.wait_text, m, "nonsense", {timeout = 1e6}) end
