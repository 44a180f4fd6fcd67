local boot_sector = require "lib.boot_sector"
print("top", 1, nil)
test("a", function() print("in a\nok 99 - no") end)
print("between")
local m = boot_sector.machine("\xFA\xF4")
test("cases", function()
  cases(m, {1, 2, 3}, function(_, n)
    print("case " .. n)
    if n == 2 then fail("a control character: \1 and \27[31m") end
  end)
end)
print("end")
