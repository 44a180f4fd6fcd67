-- ROMs in place of the BIOS: images of every size, started at the reset vector, and what they tell by
-- POST codes, LPT1 and COM1. Their source is rom/post_rom.asm.
local guest = require("guest")

local STAGES = {0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0xFF}
local DELAYS = 200

-- 'options': further ones, apart by spaces.
local function start(name, options)
  return machine("-bios " .. guest.quote(guest.own_image("rom/post_rom_" .. name .. ".bin")) .. " " .. (options or ""))
end

local function check_report(m)
  check_equal(m:wait_post(0xFF, {port = 0x190}), STAGES)
  check_equal(m:parallel(), "polled\r\nstrobed\r\n")
  check_equal(m:serial(), "sent\r\n")
end

for _, name in ipairs({"64", "128", "192", "256", "128_jump"}) do
  test("a ROM of " .. name:gsub("_.*", "") .. " KB" .. (name:find("jump") and " that ends in a loop" or ""), function()
    local m = start(name)
    check_report(m)
    local error = check_error(function() m:wait_post(0xFE, {timeout = 5}) end, "POST code FE")
    check_equal(error.kind, "hang")
  end)
end

-- Without whatever could be left out.
for _, options in ipairs({"-m 1 -vga none -nodefaults -parallel null -serial null", "-cpu 386", "-cpu 486", "-M pc,acpi=off,hpet=off"}) do
  test("with " .. options, function() check_report(start("64", options)) end)
end

test("what the script is told of codes", function()
  local m = start("128")
  check_equal(m:post(), nil)
  check_equal(m:post_codes(), {})
  local before = m:checkpoint()
  check_equal(m:wait_post(0x40), {0x00, 0x10, 0x20, 0x30, 0x40})
  check_equal(m:wait_post(0x5A, {port = 0x80}), {0x5A})
  m:wait_post(0xFF)
  check_equal({m:post()}, {0xFF, 0x190})
  check_equal({m:post(0x80)}, {0x03, 0x80})
  check_equal(m:post_codes(0x190), STAGES)
  check_equal(#m:post_codes(0x80), 1 + DELAYS + 1)
  m:restore(before)
  check_equal(m:post(), nil)
  check_equal(m:wait_post(0x00), {0x00})
  check_error(function() m:wait_post(0x100) end, "0 to 0xFF")
  check_error(function() m:wait_post(0, {port = 0x81}) end, "0x80 and 0x190")
  check_error(function() m:post(1) end, "0x80 and 0x190")
end)

test("what the monitor shows of codes, also after a reset", function()
  local m = start("64")
  local none = m:monitor("info post")
  check(none:find("port 80: none") and none:find("port 190: none"), none)
  m:wait_post(0xFF)
  local shown = m:monitor("info post")
  check(shown:find("port 80: 03\n") and shown:find("port 190: FF\n"), shown)
  check(shown:find("the last 32 of 210 codes:\n") and shown:find("80: 01\n80: 03\n190: 50\n190: 60\n190: FF\n$"), shown)
  m:reset()
  check_equal(m:monitor("info post"), shown)
  check_equal(m:wait_post(0xFF, {port = 0x190}), STAGES)
  check(m:monitor("info post"):find("of 420 codes"))
end)
