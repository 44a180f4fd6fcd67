-- What the BIOS says of the memory in machines of every size. test_qemu_reference.py compares it
-- with what QEMU's says.
local guest = require("guest")

local MB = 1 << 20
local RAM, RESERVED = 1, 2
local SIZES = {4, 5, 8, 15, 16, 17, 64, 128, 1024, 2047, 2048, 2049, 3072, 3583, 3584}
local FIRMWARE_MOST = 1 * MB -- what SeaBIOS may keep at the top for tables

-- {name = number} of single lines, and the list of {start, stop, kind} of E820.
local function read_report(megabytes)
  local m = machine("-m", tostring(megabytes), "-net", "none", "-boot", "a",
    "-fda", guest.own_image("bare_metal/memory_map.img"))
  local sizes, map = {}, {}
  for name, rest in m:wait_serial("done"):gmatch("([%w-]+): ([^\r\n]*)") do
    local numbers = {}
    for word in rest:gmatch("%x+") do
      numbers[#numbers + 1] = tonumber(word, 16)
    end
    if name == "e820" then
      local start, length = numbers[1] | numbers[2] << 32, numbers[3] | numbers[4] << 32
      map[#map + 1] = {start = start, stop = start + length, kind = numbers[5]}
    else
      sizes[name] = numbers[1]
    end
  end
  m:close()
  return sizes, map
end

local function has_range(map, condition)
  for _, range in ipairs(map) do
    if condition(range) then
      return true
    end
  end
  return false
end

local function check_map(map, megabytes)
  local top, last_ram = megabytes * MB, 0
  for i, range in ipairs(map) do
    check(i == 1 or map[i - 1].stop <= range.start, "the map overlaps or is not in order")
    if range.kind == RAM then
      last_ram = range.stop
    end
  end
  check(top - FIRMWARE_MOST <= last_ram and last_ram <= top,
    ("%x of %x are free"):format(last_ram, top))
  check(has_range(map, function(range)
    return range.start == last_ram and range.stop == top and range.kind == RESERVED
  end), "the rest is not reserved")
  check(map[1].start == 0 and map[1].stop >= 0x9F000 and map[1].stop <= 0xA0000, "below 640 KB")
  check(has_range(map, function(range)
    return range.start <= 0xF0000 and range.stop >= 0x100000 and range.kind == RESERVED
  end), "the BIOS is not reserved")
  check_equal(map[#map].stop, 1 << 32)
end

local function check_sizes(sizes, megabytes)
  local above_1m = math.min((megabytes - 1) << 10, 0xFFFF)
  local above_16m = math.min(math.max(megabytes - 16, 0) << 4, 0xFFFF)
  local expected = {probe = 0x5AC3F00D, -- the last word of memory
                    int12 = 639, ["cmos-15"] = 640, ["cmos-17"] = above_1m,
                    ["cmos-30"] = above_1m, ["cmos-34"] = above_16m}
  for name, value in pairs(expected) do
    check(sizes[name] == value, ("%s is %s, not %d"):format(name, sizes[name], value))
  end
end

for _, megabytes in ipairs(SIZES) do
  test(megabytes .. " MB", function()
    local sizes, map = read_report(megabytes)
    check_map(map, megabytes)
    check_sizes(sizes, megabytes)
  end)
end
