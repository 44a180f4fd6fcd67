-- FreeDOS as a guest on a hard disk, whatever format its image has, and what it wrote there.
local guest = require("guest")

local dos_guest = {}

-- A machine that boots from the disk that the '-drive' option's text describes.
function dos_guest.machine(drive, ...)
  return machine("-m", "16", "-boot", "c", "-drive", "if=ide,index=0," .. drive, ...)
end

-- Waits for the boot menu, makes its choice (3: JEMMEX) and waits for the prompt.
function dos_guest.boot(m, choice)
  choice = choice or "3"
  m:wait_text("1 - HIMEMX")
  m:type(choice .. "\n")
  m:wait_text("ready, menu choice " .. choice)
  m:wait_text("C:\\>")
  return m
end

-- Gives a command on a clean screen and waits for its reply and the prompt.
function dos_guest.command(m, text, reply)
  m:type("cls\n" .. text .. "\n")
  m:wait_until(function()
    local screen = m:text()
    return screen:find("\n" .. reply, 1, true) and screen:match("C:\\>%s*$")
      and screen:find(text, 1, true)
  end)
end

-- A short file, and a copy of a long one.
function dos_guest.write_files(m)
  m:type("copy command.com temp\\copy.com\n")
  m:wait_text("=>")
  dos_guest.command(m, "echo end of disk test>temp\\out.txt", "")
  dos_guest.command(m, "type temp\\out.txt", "end of disk test")
end

-- A file of a raw image, by mtools; the partition starts at the second track.
function dos_guest.read_file(image, name)
  return guest.program("mcopy", "-i", image .. "@@32256", "::" .. name, "-")
end

-- Are those of write_files() in the raw image?
function dos_guest.check_files(image)
  check_equal(dos_guest.read_file(image, "TEMP/OUT.TXT"), "end of disk test\r\n")
  local copied = dos_guest.read_file(image, "TEMP/COPY.COM")
  check(#copied > 60000 and copied == dos_guest.read_file(image, "COMMAND.COM"),
    "the copy differs from COMMAND.COM")
end

-- The file system of a raw image is sound.
function dos_guest.check_file_system(image)
  local partition = guest.scratch("partition.img")
  guest.program("dd", "if=" .. image, "of=" .. partition, "bs=512", "skip=63", "conv=sparse")
  guest.program("fsck.fat", "-n", partition)
end

return dos_guest
