-- Display adapters under systems that drive them: Debian's drivers for the Cirrus GD5446 (cirrusfb
-- works with its blitter, cirrus with packed modes alone), and the adapters' own firmware.
local guest = require("guest")

local RED, GREEN, BLUE, WHITE = "\xFF\0\0", "\0\xFF\0", "\0\0\xFF", "\xFF\xFF\xFF"

-- The bytes of a pixel by depth.
local BARS = {
  [16] = {[[\000\370]], [[\340\007]], [[\037\000]], [[\377\377]]},
  [32] = {[[\000\000\377\000]], [[\000\377\000\000]], [[\377\000\000\000]], [[\377\377\377\000]]},
  [24] = {[[\000\000\377]], [[\000\377\000]], [[\377\000\000]], [[\377\377\377]]},
}

local function hide_cursor(m)
  guest.shell_output(m, "echo 0 >/sys/class/graphics/fbcon/cursor_blink; printf '\\033[?25l' >/dev/tty1")
end

local function linux(driver, mode)
  local m = guest.linux({modules = {driver},
                         module_options = mode and {[driver] = "mode_option=" .. mode},
                         options = {"-vga", "cirrus"}})
  m:wait_serial(guest.READY, {timeout = 200})
  hide_cursor(m)
  return m
end

-- Four bars of colours into the frame buffer.
local function draw_bars(m, bits, width, height)
  local letters = ("abcd"):sub(1, bits // 8)
  local words = {}
  for _, pixel in ipairs(BARS[bits]) do
    -- Two lines at a time.
    words[#words + 1] = ("yes %s | tr -d '\\n' | tr '%s' '%s' | head -c %d >/tmp/lines; " ..
      "for i in $(seq %d); do cat /tmp/lines; done"):format(
      letters, letters, pixel, width * bits // 8 * 2, height // 8)
  end
  guest.shell_output(m, "{ " .. table.concat(words, "; ") .. "; } >/dev/fb0")
end

local function check_bars(m, width, height)
  m:wait(0.3)
  local w, h = m:screen_size()
  check_equal(w, width)
  check_equal(h, height)
  for i, colour in ipairs({RED, GREEN, BLUE, WHITE}) do
    local box = m:pixels(0, (i - 1) * height // 4, width, height // 4)
    check(box == colour:rep(width * (height // 4)), "bar " .. i .. " is not as it was drawn")
  end
end

-- Lines that scroll by blits, and characters that are expanded from the processor's bits.
local function check_console(m)
  guest.shell_output(m, "seq 1 300 | sed 's/.*/line & of many/' >/dev/tty1")
  m:wait(0.5)
  local text = m:text()
  for line = 280, 300 do
    check(text:find(("line %d of many"):format(line), 1, true), "line " .. line .. " is not there")
  end
end

local modes = {{"800x600-24", 24, 800, 600}}
if guest.long then
  modes[#modes + 1] = {"640x480-16", 16, 640, 480}
  modes[#modes + 1] = {"1024x768-16", 16, 1024, 768}
end
for _, row in ipairs(modes) do
  test("cirrusfb in " .. row[1], function()
    local m = linux("cirrusfb", row[1])
    check_console(m)
    draw_bars(m, row[2], row[3], row[4])
    check_bars(m, row[3], row[4])
    m:close()
  end)
end

test("cirrus DRM driver", function()
  local m = linux("cirrus")
  draw_bars(m, 16, 1024, 768)
  check_bars(m, 1024, 768)
  m:close()
end)

-- KolibriOS takes the mode that the adapter's VBE offers.
test("desktop on a Cirrus", function()
  local m = machine("-m", "64", "-vga", "cirrus", "-fda", guest.image("kolibri.img"))
  m:wait_screen(guest.image("kolibri.png"), {masks = {{740, 576, 60, 24}}})
  m:close()
end)

test("ISA adapter", function()
  local m = machine("-device", "isa-vga")
  m:wait_text("No bootable device", {timeout = 60})
  m:close()
end)

-- A mode that the kernel asks the adapter's BIOS for (VBE), by its number.
local function vesa(number, bits, width, height)
  local m = guest.linux({append = "vga=" .. number, modules = {}, memory = 128})
  m:wait_serial(guest.READY, {timeout = 200})
  hide_cursor(m)
  draw_bars(m, bits, width, height)
  check_bars(m, width, height)
  m:close()
end

test("VESA frame buffer", function() vesa(0x318, 24, 1024, 768) end)

-- The display's preferred mode, by its identification.
test("2560x1600 by the Bochs driver", function()
  local m = guest.linux({modules = {"bochs"},
                         options = {"-device", "VGA,vgamem_mb=32,xres=2560,yres=1600"}})
  m:wait_serial(guest.READY, {timeout = 200})
  hide_cursor(m)
  draw_bars(m, 32, 2560, 1600)
  check_bars(m, 2560, 1600)
  m:close()
end)
