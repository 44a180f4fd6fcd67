-- Parts of the screen as bytes.
local boot_sector = require "lib.boot_sector"

-- In mode 13h: the pixel (3, 2), at A000:0283h, in light red (12 of the palette).
-- mov ax, 13h; int 10h; mov ax, 0A000h; mov es, ax; mov byte [es:283h], 12; cli; hlt
local m = boot_sector.machine("\xB8\x13\x00\xCD\x10\xB8\x00\xA0\x8E\xC0\x26\xC6\x06\x83\x02\x0C\xF4\xEB\xFD")
m:wait_pixels({{6, 4, 0xFF5757}}) -- each is shown as 2 x 2

local width, height = m:screen_size()
assert(width % 320 == 0 and height % 200 == 0)
local wide, high = width // 320, height // 200
assert(m:pixel(3 * wide, 2 * high) == 0xFF5757)
local all = m:pixels()
assert(#all == width * height * 3)
assert(all:sub((2 * high * width + 3 * wide) * 3 + 1):sub(1, 3) == "\xFF\x57\x57")
assert(select(2, all:gsub("\xFF\x57\x57", "")) == wide * high)

-- A rectangle; one that reaches beyond the screen is cut there.
assert(m:pixels(2 * wide, 2 * high, 2 * wide, 1) == ("\0\0\0"):rep(wide) .. ("\xFF\x57\x57"):rep(wide))
assert(m:pixels(width - 2, height - 1, 100, 100) == ("\0"):rep(6))
assert(m:pixels(width, 0, 1, 1) == "" and m:pixels(0, 0, 0, 0) == "")
assert(not pcall(m.pixels, m, -1, 0, 1, 1))
