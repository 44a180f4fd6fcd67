-- What software does with a VGA beyond setting a mode, by a program of our own (screen/scenes.asm):
-- every pixel of every picture is computed here.
local guest = require("guest")

local FRAME = 1 / 70.086

-- A DAC's six bits on the screen.
local function eight(six)
  return six << 2 | (six & 1 ~= 0 and 3 or 0)
end

local function rgb(red, green, blue)
  return string.char(eight(red), eight(green), eight(blue))
end

-- The colours of a BIOS by number.
local COLOURS = {}
for number = 0, 15 do
  local light = number & 8 ~= 0 and 21 or 0
  local function part(bit) return (number & bit ~= 0 and 42 or 0) + light end
  COLOURS[number] = number == 6 and rgb(42, 21, 0) or rgb(part(4), part(2), part(1))
end

local function scene(m, number, width, height)
  m:key(tostring(number))
  m:wait_until(function()
    local w, h = m:screen_size()
    return w == width and h == height
  end, {what = "scene " .. number})
  m:wait(0.4)
end

-- Lines of one colour each -> these colours, from line 0.
local function line_colours(m, width, height)
  local colours = {}
  local all = m:pixels(0, 0, width, height)
  for y = 0, height - 1 do
    local line = all:sub(3 * width * y + 1, 3 * width * (y + 1))
    colours[y] = line:sub(1, 3)
    check(line == colours[y]:rep(width), "line " .. y .. " has several colours")
  end
  return colours
end

-- Above the beam bars are this frame's, below it the last one's. -> this frame's number, modulo 64.
local function check_bars(m)
  local colours = line_colours(m, 640, 400)
  local frame = colours[0]:byte(1) >> 2
  local number, switches = frame, 0
  for bar = 0, 24 do
    for y = 16 * bar, 16 * bar + 15 do
      local function is_of(f) return colours[y] == rgb((f + bar) & 63, bar, 0) end
      if not is_of(number) then
        number, switches = (number - 1) & 63, switches + 1
        check(switches == 1 and is_of(number), ("line %d is neither frame's"):format(y))
      end
    end
  end
  return frame
end

local function bars(m)
  scene(m, 1, 640, 400)
  local last
  for step = 1, 30 do
    local frame = check_bars(m)
    check(last == nil or frame == (last + 1) & 63, "a frame was left out or shown twice")
    last = frame
    m:wait(FRAME)
  end
  for step = 1, 20 do -- with the beam anywhere
    m:wait(FRAME * 1.07)
    check_bars(m)
  end
end

-- The lower part stands and shows rows 0 to 15 of memory: its colours tell what the upper shows.
local function split(m)
  scene(m, 2, 640, 400)
  local last
  for step = 1, 20 do
    local colours = line_colours(m, 640, 400)
    local number_of = {}
    for row = 0, 15 do
      number_of[colours[300 + 2 * row]] = row
    end
    for y = 300, 399 do
      check_equal(number_of[colours[y]], (y - 300) // 2 % 16, "line " .. y)
    end
    local first = number_of[colours[0]]
    for y = 0, 299 do
      check_equal(number_of[colours[y]], (first + y // 2) % 16, "line " .. y)
    end
    check(last == nil or first == (last + 1) % 16, "the scrolling jumps")
    last = first
    m:wait(FRAME)
  end
end

-- Pixel (x, y) is entry (x + 3 y) mod 256 of the scene's palette.
local function unchained(number, width, height, screen_width, screen_height)
  return function(m)
    scene(m, number, screen_width, screen_height)
    local entries = {}
    for i = 0, 255 do
      entries[i] = rgb(i & 63, i >> 2, 63 - (i & 63)):rep(screen_width // width)
    end
    local all = m:pixels(0, 0, screen_width, screen_height)
    for y = 0, screen_height - 1 do
      local words = {}
      for x = 0, width - 1 do
        words[x + 1] = entries[x + 3 * (y * height // screen_height) & 255]
      end
      local line = all:sub(3 * screen_width * y + 1, 3 * screen_width * (y + 1))
      check(line == table.concat(words), "line " .. y .. " is wrong")
    end
  end
end

local function cga(m)
  local palettes = {[1] = {1, 3, 5, 7}, [2] = {2, 2, 4, 6}}
  for press = 1, 2 do
    scene(m, 5, 640, 400)
    local colours = line_colours(m, 640, 400)
    for y = 0, 399 do
      local number = palettes[press][y // 4 % 4 + 1]
      check(colours[y] == COLOURS[number], ("line %d, palette %d"):format(y, press))
    end
  end
end

local function ega(m)
  scene(m, 6, 640, 350)
  local colours = line_colours(m, 640, 350)
  for y = 0, 349 do
    check(colours[y] == COLOURS[y % 16], "line " .. y .. " is wrong")
  end
end

local function wobble(m)
  scene(m, 7, 640, 480)
  local black, white = rgb(0, 0, 0), rgb(63, 63, 63)
  for step = 1, 10 do
    local all = m:pixels(0, 0, 640, 480)
    for y = 0, 479 do
      local shift = y // 8 % 8
      local line = black:rep(8 - shift) .. white:rep(8) .. black:rep(640 - 16 + shift)
      check(all:sub(1920 * y + 1, 1920 * (y + 1)) == line, "line " .. y .. " is wrong")
    end
    m:wait(0.0061)
  end
end

local function all_scenes(...)
  local m = machine("-m", "16", "-icount", "shift=5", "-fda", guest.own_image("screen/scenes.img"), ...)
  m:wait_until(function() return select(2, m:screen_size()) == 400 and m:screen_size() == 640 end)
  cases(m, {
    {name = "palette bars", run = bars},
    {name = "split screen and start address", run = split},
    {name = "mode X", run = unchained(3, 320, 240, 640, 480)},
    {name = "360x480", run = unchained(4, 360, 480, 720, 480)},
    {name = "CGA", run = cga},
    {name = "640x350", run = ega},
    {name = "panning", run = wobble},
  }, function(clone, case) case.run(clone) end)
  m:close()
end

test("effects on the standard VGA", function() all_scenes() end)
test("effects on the Cirrus", function() all_scenes("-vga", "cirrus") end)
