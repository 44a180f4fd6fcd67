-- Prints what must not depend on the number of jobs.
local boot_sector = require "lib.boot_sector"
local m = boot_sector.machine("\x31\xC0\x8E\xD8\xFF\x06\x00\x06\xEB\xFA")
m:wait(5)
local list = {}
for i = 1, tonumber(args.count or "20") do list[i] = i end
local hashes = cases(m, list, function(clone, n)
  clone:run(n % 7 * 100000 + tonumber(args.more or "0"))
  return clone:hash()
end)
for i = 1, #list do print("hash", i, hashes[i]) end
