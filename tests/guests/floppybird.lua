-- floppybird: a game in mode 13h that fits a few sectors; the image ends within its first track.
local guest = require("guest")

test("flies and falls", function()
  local m = machine("-m", "64", "-fda", guest.image("floppybird.img"))
  m:wait_screen(guest.image("floppybird.png"), {different = 0.01})
  m:key("spc")
  m:wait_change({timeout = 1})
end)
