-- A boot sector made of bytes, and everything by which a script looks at a machine.
local boot_sector = require "lib.boot_sector"

-- mov al, 'A'; mov dx, 3F8h; out dx, al; out E9h, al; mov dword [600h], 12345678h; cli; hlt
local m = boot_sector.machine("\xB0\x41\xBA\xF8\x03\xEE\xE6\xE9\x66\xC7\x06\x00\x06\x78\x56\x34\x12\xF4\xEB\xFD")
m:wait(2)
assert(m:serial() == "A", "serial port: " .. m:serial())
assert(m:debugcon() == "A", "debug console: " .. m:debugcon())
assert(m:read_u32(0x600) == 0x12345678 and m:read_u16(0x601) == 0x3456 and m:read_u8(0x603) == 0x12)
assert(m:read(0x600, 4) == "\x78\x56\x34\x12")
assert(m:read(0x600, 4, {linear = true}) == "\x78\x56\x34\x12")
m:write(0x601, "\xAB\xCD")
assert(m:read_u32(0x600) == 0x12CDAB78)
local r = m:registers()
assert(r.eax & 0xFF == 0x41 and r.edx & 0xFFFF == 0x3F8 and r.cs_base + r.eip >= 0x7C00 and r.halted)
assert(m:time() >= 2 and m:instructions() > 1000)
assert(#m:hash() == 16 and m:monitor("info registers"):find("EAX=%x*41"))
