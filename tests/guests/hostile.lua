-- Hostile guests: whatever they do, the machine goes on, comes back by its reset button, and both
-- backends agree on every step. The ways are those of bare_metal/hostile.asm. That the monitor
-- answers beside them, and how much memory they take, is in test_hostile_outside.py.
local guest = require("guest")

local MARK = "WAYANDSEED"
local INSTRUCTIONS = 500000
local LONG_SEEDS = 40

-- The names of the ways, in the order of the image's table.
local function list_ways()
  local text = guest.read_file(folder .. "/bare_metal/hostile.asm")
  local ways = {}
  for name in text:match("\nways:(.-)\nWAYS "):gmatch("way_([%w_]+)") do
    ways[#ways + 1] = name
  end
  return ways
end

local function make_image(way, seed)
  local image = guest.read_file(guest.own_image("bare_metal/hostile.img"))
  local _, stop = image:find(MARK, 1, true)
  return guest.write_file(guest.scratch("hostile.img"),
    image:sub(1, stop) .. string.pack("<I4I4", way - 1, seed) .. image:sub(stop + 9))
end

local function start(image, ...)
  local m = machine("-m", "32", "-net", "none", "-boot", "a", "-fda", image, "-hda", image, ...)
  m:expect_reset()
  m:wait_serial("ready")
  return m
end

-- Lets it run for so many instructions, or until it halts for ever or powers off.
local function let_run(m)
  local good, failure = pcall(m.run, m, INSTRUCTIONS)
  check(good or failure.kind == "hang" or failure.kind == "fail", failure)
end

local function run_way(way, seed)
  local image = make_image(way, seed)
  local states = {}
  for _, accelerator in ipairs({"jit", "interp"}) do
    local m = start(image, "-accel", accelerator)
    let_run(m)
    states[#states + 1] = m:hash() .. " after " .. m:instructions()
    if accelerator == "jit" then
      m:reset()
      m:wait_serial("ready")
    end
    m:close()
  end
  check_equal(states[1], states[2])
end

-- These use what 'random' gives.
local function is_random(name)
  return name:find("storm") or name:find("^garbage") or name == "port_strings"
    or name == "tables_in_devices"
end

for way, name in ipairs(list_ways()) do
  test(name, function()
    for number = 1, guest.long and is_random(name) and LONG_SEEDS or 1 do
      run_way(way, number * 0x9E3779B1 & 0xFFFFFFFF)
    end
  end)
end

local function find_way(name)
  for way, other in ipairs(list_ways()) do
    if other == name then
      return make_image(way, 1)
    end
  end
end

test("a triple fault resets", function()
  start(find_way("triple_fault")):wait_serial("ready")
end)

for _, name in ipairs({"triple_fault", "alignment_loop"}) do
  test("-no-reboot ends at the shutdown of " .. name, function()
    local m = machine("-m", "32", "-net", "none", "-fda", find_way(name), "-no-reboot")
    m:expect_reset()
    check_equal(m:wait_end(), 0)
  end)
end

test("code that stores into the instruction after the next runs what it has stored", function()
  local m = start(find_way("overwrite_self"))
  check(not m:wait_serial("back"):find("wrong", 1, true), "the guest ran what it had overwritten")
end)

test("translations are forgotten before they take all memory", function()
  -- Code that runs by ever other code segments.
  local m = start(find_way("code_segment_storm"))
  m:wait_until(function() return m:monitor("info jit"):find("\nflushes%s+[1-9]") end,
    {poll = 0.1, what = "a flush of the translations"})
end)
