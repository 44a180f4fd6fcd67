-- MikeOS: a real-mode system with its own text user interface.
local guest = require("guest")

test("program list", function()
  local m = machine("-m", "64", "-fda", guest.image("mikeos.img"))
  m:wait_text("MikeOS")
  m:key("ret")
  m:wait_text("Please select a file")
  local text = m:text()
  for _, name in ipairs({"EDIT.BIN", "CALC.BAS"}) do
    check(text:find(name, 1, true), "the list lacks " .. name)
  end
end)
