-- Cases that do not end; the host's time limit ends them. args.how: in Lua, or within a function of its library.
local boot_sector = require "lib.boot_sector"
local m = boot_sector.machine("\xFA\xF4")
test("before", function() end)
test("endless", function()
  cases(m, {1, 2}, function(_, n)
    while n == 2 and args.how == "lua" do end
    if n == 2 then ("a"):rep(60):find(("a-"):rep(60) .. "b") end
  end)
end)
