local boot_sector = require "lib.boot_sector"
boot_sector.machine("\xFB\xEB\xFE"):wait_serial("nonsense", {timeout = 2})
