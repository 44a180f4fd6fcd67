local boot_sector = require "lib.boot_sector"
boot_sector.machine("\xFA\xF4"):wait_text("nonsense")
