-- KolibriOS: a desktop in protected mode with VBE, PS/2 mouse, FPU and MMX. The mouse starts a
-- calculator and a shell, the keyboard works in both.
local guest = require("guest")

local CLOCK = {740, 576, 60, 24}
-- The guest moves the pointer by two pixels for a count, where steps are small.
local MOUSE = {scale_x = 2, scale_y = 2}
local BLACK, WHITE = "\0\0\0", "\xFF\xFF\xFF"

-- Parts of windows: x, y, width, height.
local DISPLAY = {240, 241, 110, 11} -- of the calculator, where no digit comes
local DIGITS = {360, 241, 72, 11}
local SHELL = {160, 90, 400, 350}
local MENU = {4, 320, 116, 240}
local CORNER, MIDDLE = {0, 0, 12, 18}, {240, 160, 12, 18}

local function area(m, box)
  return m:pixels(table.unpack(box))
end

-- So many pixels of that colour.
local function count(m, box, colour)
  local number = 0
  for pixel in area(m, box):gmatch("...") do
    number = number + (pixel == colour and 1 or 0)
  end
  return number
end

local function click(m, x, y)
  m:mouse_to(x, y, MOUSE)
  m:mouse_click()
end

-- It follows the mouse, and comes back.
local function pointer(m)
  local empty_corner, empty_middle = area(m, CORNER), area(m, MIDDLE)
  m:mouse_home()
  m:wait_until(function() return area(m, CORNER) ~= empty_corner end, {what = "the pointer"})
  local in_corner = area(m, CORNER)
  m:mouse_to(240, 160, MOUSE)
  m:wait_until(function() return area(m, CORNER) == empty_corner end, {what = "a free corner"})
  m:wait_until(function() return area(m, MIDDLE) ~= empty_middle end, {what = "the pointer"})
  m:mouse_move(-140, -90)
  m:wait_until(function() return area(m, CORNER) == in_corner end, {what = "its return"})
end

-- What the calculator then shows.
local function calculate(m, keys)
  click(m, 418, 279) -- clear
  m:wait(0.5)
  local before = area(m, DIGITS)
  m:type(keys)
  m:wait_until(function() return area(m, DIGITS) ~= before end, {what = "the result of " .. keys})
  m:wait(0.5)
  return area(m, DIGITS)
end

local function calculator(m)
  click(m, 106, 160)
  m:wait_until(function() return count(m, DISPLAY, WHITE) == DISPLAY[3] * DISPLAY[4] end,
    {what = "the calculator"})
  local product, difference = calculate(m, "6*7="), calculate(m, "84-42=")
  check(product == difference, "6 * 7 and 84 - 42 look different")
  check(product ~= calculate(m, "9*9="), "6 * 7 and 9 * 9 look alike")
end

local function shell(m)
  click(m, 170, 32)
  local all = SHELL[3] * SHELL[4]
  m:wait_until(function() return count(m, SHELL, BLACK) > 0.9 * all end,
    {what = "the shell", poll = 0.1})
  m:wait(1) -- for its prompt
  local before = count(m, SHELL, BLACK)
  m:type("help\n", {pause = 0.1}) -- it loses keys that come while it draws
  m:wait_until(function() return count(m, SHELL, BLACK) < before - 2000 end,
    {what = "its help", poll = 0.1})
end

local function menu(m)
  local closed = area(m, MENU)
  click(m, 30, 588)
  m:wait_until(function() return area(m, MENU) ~= closed end, {what = "the menu"})
end

test("desktop", function()
  local m = machine("-m", "64", "-fda", guest.image("kolibri.img"))
  m:wait_screen(guest.image("kolibri.png"), {masks = {CLOCK}})
  m:wait(3) -- programs that start with the system
  cases(m, {
    {name = "pointer", run = pointer},
    {name = "calculator", run = calculator},
    {name = "shell", run = shell},
    {name = "menu", run = menu},
  }, function(clone, case) case.run(clone) end)
end)
