-- FreeDOS on an IDE disk with a FAT16 partition: boot, files, a 2 MB DJGPP program.
local dos_guest = require("dos_guest")
local guest = require("guest")

local function start(image, choice)
  return dos_guest.boot(dos_guest.machine("format=raw,snapshot=off,file=" .. image, "-m", "64"), choice)
end

test("files on the disk", function()
  -- What the guest writes is in the image afterwards, readable from outside.
  local image = guest.copy(guest.unpacked("freedos-hdd.img"))
  local m = start(image, "3")
  dos_guest.write_files(m)
  check_equal(m:get_file("ide0-hd0", "TEMP/OUT.TXT"), "end of disk test\r\n")
  m:close()
  dos_guest.check_files(image)
end)

test("DOjS", function()
  -- It runs a script of its own and writes sums to a log.
  local m = start(guest.copy(guest.unpacked("freedos-hdd.img")), "1")
  m:type("cd dojs\ndojs -r t.js\n")
  m:wait_text("DOjS OK\n", {timeout = 100})
  local log = m:get_file("ide0-hd0", "DOJS/JSLOG.TXT")
  for _, words in ipairs({"6*7=42", "sum=20000100000", "3.14159265358979"}) do
    check(log:find(words, 1, true), "JSLOG.TXT lacks " .. words)
  end
end)
