-- The built-in demo disk: its pages, keys and mouse, and that it powers off.
local guest = require("guest")

local function start(memory)
  local m = machine("-m", tostring(memory), "-fda", guest.own_image("demo.img"))
  m:wait_serial("REPRISE DEMO READY")
  return m
end

local function show_graphics(m)
  m:key("g")
  m:wait_serial("REPRISE DEMO GRAPHICS")
  check_equal({m:screen_size()}, {640, 480})
  check(guest.count_colours(m) > 1000, "the picture has few colours")
end

local function text_page(m)
  local text = m:text()
  for _, words in ipairs({"Reprise", "family", "RAM", "8086:1237 class 0600", "00 80/2/18",
                          "million loops a second", "A PS/2 mouse is there"}) do
    check(text:find(words, 1, true), "the text page lacks " .. words)
  end
end

local function keys_move_the_face(m)
  local before = m:pixels()
  m:keys({"right", "right", "right", "right"})
  m:wait_until(function() return m:pixels() ~= before end, {timeout = 1})
end

local function graphics_page(m)
  show_graphics(m)
  m:wait_change({timeout = 0.3}) -- the balls move
  -- To the lower right corner: the cross ends there, its middle on the last pixel.
  for _ = 1, 8 do
    m:mouse_move(120, 120)
  end
  m:wait_pixels({{639, 475, 0xFFFFFF}}, {timeout = 10})
end

local function back_to_text_and_off(m)
  show_graphics(m)
  m:key("t")
  m:wait_serial("REPRISE DEMO TEXT")
  m:wait_text("P power off")
  m:key("p")
  check_equal(m:wait_end(), 0)
end

test("in 64 MB", function()
  cases(start(64), {
    {name = "text page", run = text_page},
    {name = "keys move the face", run = keys_move_the_face},
    {name = "graphics page", run = graphics_page},
    {name = "back to text and off", run = back_to_text_and_off},
  }, function(m, case) case.run(m) end)
end)

test("in 4 MB", function() show_graphics(start(4)) end)
