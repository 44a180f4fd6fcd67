-- Text that the BIOS draws in graphics modes is read by the BIOS's font, and the screen is compared, waited for and
-- looked at pixel by pixel.
local boot_sector = require "lib.boot_sector"

local function u16(n) return string.pack("<I2", n) end

-- Sets a mode by 'set', code for INT 10h's registers, and prints 'text' by function 0Eh in colour 'colour'.
local function printer(set, text, colour)
  local start = "\x31\xC0\x8E\xD8\xFC" .. set .. "\xCD\x10" --     xor ax,ax; mov ds,ax; cld; ...; int 10h
  local print = "\xAC\x84\xC0\x74\x09\xB4\x0E\xBB" .. u16(colour) -- next: lodsb; test al,al; jz done; mov ah,0Eh; mov bx,..
    .. "\xCD\x10\xEB\xF2\xFB\xF4\xEB\xFD" --                          int 10h; jmp next; done: sti; hlt; jmp done + 1
  return start .. "\xBE" .. u16(0x7C00 + #start + 3 + #print) .. print .. text .. "\0"
end
local function mode(n) return "\xB8" .. u16(n) end
local function vbe(n) return "\xB8\x02\x4F\xBB" .. u16(0x4000 | n) end


local modes = {
  { name = "4, CGA", set = mode(0x04), colour = 3, columns = 40, height = 8, width = 640 },
  { name = "6, CGA", set = mode(0x06), colour = 1, columns = 80, height = 8, width = 640 },
  { name = "Dh", set = mode(0x0D), colour = 15, columns = 40, height = 8, width = 640 },
  { name = "10h", set = mode(0x10), colour = 12, columns = 80, height = 14, width = 640 },
  { name = "12h", set = mode(0x12), colour = 14, columns = 80, height = 16, width = 640 },
  { name = "13h", set = mode(0x13), colour = 10, columns = 40, height = 8, width = 640 },
  { name = "VBE 103h, 8 bits", set = vbe(0x103), colour = 15, columns = 100, height = 16, width = 800 },
  { name = "VBE 111h, 16 bits", set = vbe(0x111), colour = 15, columns = 80, height = 16, width = 640 },
  { name = "VBE 118h, 32 bits", set = vbe(0x118), colour = 15, columns = 128, height = 16, width = 1024 },
}
for _, kind in ipairs(modes) do
  local m = boot_sector.machine(printer(kind.set, "Hello, World_0123\r\n(\xC9\xCD\x80ok]\r\n", kind.colour))
    m:wait_text("ok]")
    check_equal(m:text():gsub("\n+$", "\n"), "Hello, World_0123\n(╔═Çok]\n")
    check_equal(select(1, m:screen_size()), kind.width)
    local x, y, w, h = m:find_text("ok]")
    local cell = kind.width / kind.columns
    check_equal(x, 4 * cell)
    check_equal(w, 3 * cell)
    check(y == h and h >= kind.height)
  m:close()
end

-- Text screens know their places too: characters of 9 x 16, of 8 x 16 twice as wide in 40 columns.
local m = boot_sector.machine(printer(mode(0x03), "A \x80 menu\r\n  here", 7))
m:wait_text("here")
local x, y, w, h = m:find_text("here")
check(x == 18 and y == 16 and w == 36 and h == 16)
check_equal(m:find_text("menu"), 36)
check_equal(m:find_text("menu", {x = 37}), nil)
m = boot_sector.machine(printer(mode(0x01), "A menu", 7))
m:wait_text("menu")
x, y, w, h = m:find_text("menu")
check_equal(x * 40, 2 * m:screen_size())
check(w == 2 * x and h == 16)
m:close()

-- A font that the script learns: from the screen, from a picture, from memory.
m = boot_sector.machine(printer(mode(0x13), "Hello, World!\r\n  lower Her", 10))
m:wait_text("Her")
local font = m:learn_font{text = "Hello, World!", x = 0, y = 0, width = 8, height = 8}
check_equal(#font, 10) -- nine characters and the space
check_equal(m:text_in{font = font}, "Hello, World!\n  lo er Her\n")
check_equal(m:text_in{font = font, y = 16}, "  lo er Her\n")
local picture = os.tmpname() .. ".png"
m:screenshot(picture)
check_equal(learn_font{picture = picture, font = font, text = "lower Her", x = 32, y = 16}, font)
os.remove(picture)
check_equal(#font, 11)
check_equal(m:wait_text("lower", {font = font}), "Hello, World!\n  lower Her\n")
check_equal(select("#", m:find_text("lower", {font = font})), 4)
local vector = m:read_u16(0x43 * 4) + m:read_u16(0x43 * 4 + 2) * 16
local rom = m:font{address = vector, height = 8, count = 128}
check(#rom > 90)
check_equal(m:text_in{font = rom}, "Hello, World!\n  lower Her\n")
check_equal(m:text_in{font = m:font{address = vector + 72 * 8, height = 8, characters = "HIJ"}}, "")
local good, failure = pcall(m.wait_text, m, "Nothing", {font = font, timeout = 1})
check(not good and failure.kind == "timeout", failure)
for _, wrong in ipairs {{}, {text = ""}, {text = "a", width = 33}, {text = "a", font = 5}, {text = "a", x = 640},
    {text = "a", colour = 0x1000000}, {text = "a", spacing = 1}, {text = "a", x = -1, height = 1e9}} do
  good, failure = pcall(m.learn_font, m, wrong)
  check(not good and failure.kind == "usage", tostring(failure))
end
