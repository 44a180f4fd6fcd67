-- Screens as pictures: references with masks and tolerance, change and stillness, and that the guest does not notice.
local boot_sector = require "lib.boot_sector"

local names = {}
local function temporary(extension)
  local name = os.tmpname()
  os.remove(name)
  names[#names + 1] = name .. extension
  return names[#names]
end
local function exists(name)
  local file = io.open(name, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Mode 13h; then a bar grows: each tick of the clock (18 a second) draws a pixel more in line 10, 30 of them.
-- mov ax, 13h; int 10h; mov ax, 0A000h; mov es, ax; mov di, 10 * 320; mov cx, 30; sti
-- next: hlt; mov al, 15; stosb; loop next; done: hlt; jmp done
local BAR = "\xB8\x13\x00\xCD\x10\xB8\x00\xA0\x8E\xC0\xBF\x80\x0C\xB9\x1E\x00\xFB\xF4\xB0\x0F\xAA\xE2\xFA\xF4\xEB\xFD"
local WHITE = 0xFFFFFF

local function wait_for_bar(m, length)
  m:wait_pixels({{2 * length - 2, 20, WHITE}, {2 * length, 20, 0}}, {timeout = 10})
end

-- References, made by screenshots of another run.
local half, full = temporary(".png"), temporary(".png")
local m = boot_sector.machine(BAR)
wait_for_bar(m, 15)
m:screenshot(half)
assert(m:screen_matches(half))
wait_for_bar(m, 30)
m:screenshot(full)
local matches, difference = m:screen_matches(half)
assert(not matches and difference:find("60 of 256000 pixels differ, all within 30x2 pixels from (30, 20)", 1, true),
  difference)
assert(m:screen_matches(half, {masks = {{30, 20, 30, 2}}}))
assert(m:screen_matches(half, {masks = {{x = 0, y = 20, w = 45, h = 1}, {x = 0, y = 20, width = 60, height = 2}}}))
assert(not m:screen_matches(half, {masks = {{31, 20, 30, 2}}}))
assert(m:screen_matches(half, {area = {0, 30, 640, 100}}) and not m:screen_matches(half, {area = {0, 15, 640, 100}}))
assert(m:screen_matches(half, {different = 60}) and not m:screen_matches(half, {different = 59}))
assert(m:screen_matches(half, {different = 0.001}) and m:screen_matches(half, {tolerance = 255}))
assert(not m:screen_matches(half, {tolerance = 254}))
assert(m:pixel(0, 20) == WHITE and m:pixel(0, 19) == 0 and m:pixel(640, 0) == nil)
m:close()

-- The same in another run: exact.
m = boot_sector.machine(BAR)
m:wait_screen(half, {timeout = 10})
local begin = m:time()
assert(m:wait_screen(full, {timeout = 10}) == 0)
assert(m:time() - begin > 0.7 and m:time() - begin < 1.0, m:time() - begin)
local good, failure = pcall(m.wait_screen, m, half, {timeout = 1})
assert(not good and failure.message:find("60 of 256000 pixels differ", 1, true), tostring(failure))
good, failure = pcall(m.wait_pixels, m, {{0, 20, WHITE}, {4, 4, 0x123456}}, {timeout = 1})
assert(not good and failure.message:find("pixel (4, 4) to be 123456 (it is 000000)", 1, true), tostring(failure))
good, failure = pcall(m.wait_screen, m, "nowhere.png")
assert(not good and failure.kind == "usage" and failure.message:find("nowhere.png", 1, true), tostring(failure))
for _, options in ipairs {{masks = 5}, {masks = {5}}, {masks = {{-1, 0, 1, 1}}}, {tolerance = 256}, {different = -1},
    {mask = "nowhere.png"}} do
  good, failure = pcall(m.screen_matches, m, half, options)
  assert(not good and failure.kind == "usage", tostring(failure))
end
m:close()

-- Change, and none.
m = boot_sector.machine(BAR)
wait_for_bar(m, 5)
begin = m:time()
m:wait_change {timeout = 1}
assert(m:time() - begin < 0.07)
good, failure = pcall(m.wait_change, m, {timeout = 0.3, masks = {{0, 0, 640, 100}}})
assert(not good and failure.kind == "timeout" and failure.message:find("the screen to change"), tostring(failure))
m:wait_still(1, {timeout = 10})
assert(m:pixel(58, 20) == WHITE and m:pixel(60, 20) == 0)
good = pcall(m.wait_change, m, {timeout = 0.3})
assert(not good)
m:close()

-- A text screen with its blinking cursor stands still.
m = boot_sector.machine("\xFB\xF4\xEB\xFD")
m:wait_still(1, {timeout = 10})
m:close()

-- The guest does not see that it is looked at, nor that it is recorded; and the recording is the same each time.
local function hash_of(look, options)
  local m = boot_sector.machine(BAR, options)
  for i = 1, 100 do
    m:wait(0.02)
    if look then look(m, i) end
  end
  local hash = m:hash()
  m:close()
  return hash
end
local function recorded(name)
  return function(m, i)
    if i == 10 then m:record(name, {fps = 50}) end
    if i == 90 then
      local frames, seconds = m:stop_recording()
      assert(frames == 81 and seconds == 1.62, frames)
    end
  end
end
local function read(name)
  local file = assert(io.open(name, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end
local video, again, raw = temporary(".png"), temporary(".png"), temporary(".y4m")
local hash = hash_of()
assert(hash_of(function(m) m:text() m:pixel(1, 1) end) == hash)
assert(hash_of(recorded(video)) == hash and hash_of(recorded(again)) == hash and hash_of(recorded(raw)) == hash)
assert(read(video) == read(again) and #read(video) < 10000)
os.remove(again)
assert(hash_of(recorded(again), "-accel interp") == hash and read(video) == read(again))
assert(#read(raw) == #"YUV4MPEG2 W640 H400 F50:1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n" + 81 * (6 + 3 * 640 * 400))

-- A recording ends with its machine; its first frame is a picture like any other.
os.remove(video)
m = boot_sector.machine(BAR)
wait_for_bar(m, 15)
m:record(video)
good, failure = pcall(m.record, m, again)
assert(not good and failure.kind == "usage", tostring(failure))
wait_for_bar(m, 20)
assert(not exists(video))
m:close()
m = boot_sector.machine(BAR)
m:wait_screen(video, {timeout = 10})
good, failure = pcall(m.record, m, "video.avi")
assert(not good and failure.kind == "usage", tostring(failure))
assert(not pcall(m.stop_recording, m) and not pcall(m.record, m, video, {fps = 0}))

-- Back at a checkpoint the screen is what it was, and a recording goes on; a clone's screen is its own.
m = boot_sector.machine(BAR)
wait_for_bar(m, 10)
local before = m:checkpoint()
m:record(again, {fps = 50})
wait_for_bar(m, 30)
m:restore(before)
assert(m:pixel(18, 20) == WHITE and m:pixel(20, 20) == 0)
wait_for_bar(m, 15)
assert(m:screen_matches(half))
local _, seconds = m:stop_recording()
assert(seconds > 1.2 and seconds < 1.6, seconds)

local clone = m:clone()
assert(clone:screen_matches(half))
wait_for_bar(clone, 30)
assert(clone:screen_matches(full) and m:screen_matches(half))

for _, name in ipairs(names) do os.remove(name) end
