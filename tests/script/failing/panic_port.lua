local boot_sector = require "lib.boot_sector"
boot_sector.machine("\xB0\x01\xBA\x05\x05\xEE\xEB\xFE", "-device pvpanic"):wait_text("nonsense")
