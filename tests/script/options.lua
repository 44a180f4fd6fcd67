-- What machine() takes, and what it makes of it.
local boot_sector = require "lib.boot_sector"

-- xor ax, ax; mov es, ax; mov bx, 500h; mov word [bx], "XY"; mov ax, 301h; mov cx, 2; mov dx, 0; int 13h; out E9h, al; jmp $
local WRITER = "\x31\xC0\x8E\xD8\x8E\xC0\xBB\x00\x05\xC7\x07XY\xB8\x01\x03\xB9\x02\x00\xBA\x00\x00\xCD\x13\xE6\xE9\xFB\xEB\xFE"

local function second_sector(path)
  local file = assert(io.open(path, "rb"))
  file:seek("set", 512)
  local bytes = file:read(2)
  file:close()
  return bytes
end

local function run_writer(options)
  local m = machine(options)
  m:wait_until(function() return #m:debugcon() > 0 end)
  m:wait(0.1)
  m:close()
end

-- Writes are forgotten, however the drive is given, unless the script says otherwise.
local path = boot_sector.write(WRITER)
for _, drive in ipairs {"-fda %s", "%s", "-drive file=%s,if=floppy,format=raw", "-drive file=%s,if=floppy,format=raw,snapshot=on"} do
  run_writer("-m 2 " .. drive:format(path))
  assert(second_sector(path) == "\0\0", drive)
end
run_writer({"-m", "2", "-drive", "file=" .. path .. ",if=floppy,format=raw,snapshot=off"})
assert(second_sector(path) == "XY", "snapshot=off keeps nothing")
os.remove(path)

-- A line is split as a shell does; words given one by one are not.
local m = machine([[-m 2  -name 'a "name"' -device isa-debug-exit]])
assert(m:monitor("info name"):find('a "name"', 1, true), m:monitor("info name"))
m = machine("-m", "2", "-name", "two  words")
assert(m:monitor("info name"):find("two  words", 1, true))
local good, failure = pcall(machine, "-m 2 'open")
assert(not good and failure.kind == "usage" and failure.message:find("quote"), tostring(failure))

-- Instructions are the clock, unless that is taken back.
m = machine("-m 2")
m:run(1000)
assert(m:instructions() == 1000 and math.abs(m:time() - 8e-6) < 1e-9, m:time())
m = machine("-m 2 -icount shift=0")
m:run(1000)
assert(math.abs(m:time() - 1e-6) < 1e-9, m:time())
m = machine("-m 2 -icount off")
m:wait(0.05)
assert(m:time() >= 0.05)

-- What makes no sense in a script is refused in one line.
for options, words in pairs {
  ["-S"] = "within waits", ["-full-screen"] = "no window", ["-monitor stdio"] = "monitor", ["-serial pty"] = "serial port",
  ["-help"] = "prints", ["-debugcon stdio"] = "debug console",
} do
  good, failure = pcall(machine, options)
  assert(not good and failure.kind == "usage" and failure.message:find(words, 1, true) and
    not failure.message:find("\n"), options .. ": " .. tostring(failure))
end

-- require() finds what lies beside the script, args what the command line says.
assert(folder and args.demo and require "lib.boot_sector" == boot_sector)
