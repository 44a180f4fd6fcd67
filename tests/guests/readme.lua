-- The script that the README shows, with a real DOS.
local guest = require("guest")

test("five lines", function()
  local page = guest.read_file(folder .. "/../../README.md")
  local script = page:match('\n(    local m = machine%("%-m 16 %-fda dos%.img"%)\n.-)\n\n')
  check_equal(select(2, script:gsub("\n", "")), 4)
  local image = guest.image("freedos-1440.img")
  assert(load(script:gsub("dos%.img", function() return image end), "=README.md"))()
end)
