-- bootOS and its boot-sector programs, from a 360K floppy.
local guest = require("guest")

local function directory(m)
  m:type("dir\n")
  m:wait_text("bootle")
  check(m:text():find("pillman", 1, true), "dir lacks a file of the floppy")
end

local function pillman(m)
  m:type("pillman\n")
  m:wait_screen(guest.image("bootos-pillman.png"), {different = 0.02})
end

-- The program reaches a graphics mode and draws in several colours.
local function graphics(m, name)
  m:type(name .. "\n")
  m:wait_until(function()
    return m:read_u8(0x449) == 0x13 and guest.count_colours(m) > 3
  end, {what = "the picture of " .. name})
end

test("programs", function()
  local m = machine("-m", "64", "-fda", guest.image("bootos.img"))
  m:wait_text("\n$")
  cases(m, {
    {name = "dir", run = directory},
    {name = "pillman", run = pillman},
    {name = "invaders", run = graphics},
    {name = "cubicdoom", run = graphics},
    {name = "pi", run = function(clone)
      clone:type("pi\n")
      clone:wait_until(function() return clone:text():find("3%.?14159265") end)
    end},
  }, function(clone, case) case.run(clone, case.name) end)
end)
