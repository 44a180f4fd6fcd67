-- Programs on FreeDOS floppies: memory managers in v8086 mode, DOS extenders, mode X.
local guest = require("guest")

-- The floppies' menu: 1 HIMEMX, 2 JEMM386, 3 on one JEMMEX and on the other HIMEMX.
local function start(image, choice)
  local m = machine("-m", "32", "-fda", guest.image(image))
  m:wait_text("1 - HIMEMX")
  m:type(choice .. "\n")
  m:wait_text("ready, menu choice " .. choice)
  m:wait_text("A:\\>")
  return m
end

local function show_memory(m)
  m:type("mem\n")
  m:wait_text("resident in the high memory area")
  m:wait_text("Free Expanded (EMS)", {timeout = 1})
end

test("JEMM386", function()
  -- The memory manager runs DOS in v8086 mode with paging.
  show_memory(start("freedos-tools.img", "2"))
end)
test("JEMMEX", function()
  local m = start("freedos-tools.img", "3")
  m:type("mem\n")
  m:wait_text("Free Expanded (EMS)")
end)

local function mode_x(m)
  m:type("\\prg\\modex\n")
  m:wait_screen(guest.image("freedos-modex.png"))
end

-- A DJGPP program, which brings its DPMI host along.
local function djgpp_demo(m)
  m:type("\\prg\\demo\n")
  m:wait_screen(guest.image("freedos-djgpp-demo.png"), {different = 0.08})
end

local function dos32a_intro(m)
  m:type("dos32a \\prg\\intro.exe\n")
  m:wait_until(function()
    return not m:text():find("A:\\>", 1, true) and guest.count_colours(m) > 8
  end, {what = "the intro's picture"})
end

-- BC, a DJGPP program, calculates; the digits are known.
local function digits_of_pi(m)
  m:type("cd \\prg\nbc -l pi.bc\n")
  m:wait_text("3.14159265358979323846")
end

-- Under JEMM386 the extenders get to protected mode by its VCPI.
for choice, manager in pairs({["3"] = "HIMEMX", ["2"] = "JEMM386"}) do
  test("with " .. manager, function()
    cases(start("freedos-net-sound.img", choice), {
      {name = "mode X", run = mode_x},
      {name = "DJGPP demo", run = djgpp_demo},
      {name = "DOS/32A", run = dos32a_intro},
      {name = "digits of pi", run = digits_of_pi},
    }, function(m, case) case.run(m) end)
  end)
end
