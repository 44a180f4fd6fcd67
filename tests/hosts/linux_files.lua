-- Run by same_hashes.py on this host: writes where Debian's kernel and an initramfs for it lie, to --var to. The other host
-- may have no shell to make them by.
folder = args.scripts -- guest.lua looks for programs beside itself
package.path = args.scripts .. "/?.lua;" .. package.path
local guest = require("guest")
local file <close> = assert(io.open(args.to, "w"))
file:write(guest.kernel(), "\n", guest.initramfs({}), "\n")
