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

local function check(condition, message) assert(condition, message) end
local function check_equal(a, b) if a ~= b then error(("%q is not %q"):format(a, b), 2) end end

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
