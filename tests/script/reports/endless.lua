-- Cases that do not end; the host's time limit ends them. args.how: plain, caught.
local boot_sector = require "lib.boot_sector"
local m = boot_sector.machine("\xFA\xF4")
test("before", function() end)
test("endless", function()
  cases(m, {1, 2}, function(_, n)
    local catch = args.how == "caught" and pcall or function(f) f() end
    while n == 2 do catch(function() while true do end end) end
  end)
end)
