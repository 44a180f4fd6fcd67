-- FreeDOS on an IDE disk with a FAT16 partition: boot, files, a 2 MB DJGPP program.
local guest = require("guest")

local function start(image, choice)
  local m = machine("-m", "64", "-boot", "c", "-drive",
    "format=raw,if=ide,index=0,snapshot=off,file=" .. image)
  m:wait_text("1 - HIMEMX")
  m:type(choice .. "\n")
  m:wait_text("ready, menu choice " .. choice)
  m:wait_text("C:\\>")
  return m
end

-- A file of the image, by mtools; the partition starts at the second track.
local function read_outside(image, name)
  return guest.program("mcopy", "-i", image .. "@@32256", "::" .. name, "-")
end

test("files on the disk", function()
  -- What the guest writes is in the image afterwards, readable from outside.
  local image = guest.copy(guest.unpacked("freedos-hdd.img"))
  local m = start(image, "3")
  m:type("copy command.com temp\\copy.com\n")
  m:wait_text("=>")
  m:type("echo end of disk test>temp\\out.txt\ntype temp\\out.txt\n")
  m:wait_text("\nend of disk test")
  check_equal(m:get_file("ide0-hd0", "TEMP/OUT.TXT"), "end of disk test\r\n")
  m:close()
  check_equal(read_outside(image, "TEMP/OUT.TXT"), "end of disk test\r\n")
  local copied = read_outside(image, "TEMP/COPY.COM")
  check(#copied > 60000 and copied == read_outside(image, "COMMAND.COM"),
    "the copy differs from COMMAND.COM")
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
