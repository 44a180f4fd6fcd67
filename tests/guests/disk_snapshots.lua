-- Snapshots in a file, with what disks and floppies held: in overlays, and written straight to the
-- images. How the program fares when it is killed meanwhile is in test_killed_snapshots.py.
local dos_guest = require("dos_guest")
local guest = require("guest")

local boot, command = dos_guest.boot, dos_guest.command

local function dos(image, ...)
  return dos_guest.machine("format=raw,file=" .. image, ...)
end

local function new_image()
  local image = guest.copy(guest.unpacked("freedos-hdd.img"))
  os.remove(image .. ".snapshots")
  return image
end

test("an image that is written straight", function()
  local image = new_image()
  local m = boot(dos(image .. ",snapshot=off"))
  command(m, "echo first>temp\\a.txt", "")
  m:save("one")
  command(m, "echo second>temp\\a.txt", "")
  m:save("two")
  command(m, "del temp\\a.txt", "")
  m:close()
  check(not guest.program("mdir", "-b", "-i", image .. "@@32256", "::TEMP"):find("A.TXT"),
    "the image does not hold the present")

  m = dos(image .. ",snapshot=off")
  m:load("two")
  command(m, "type temp\\a.txt", "second")
  m:load("one")
  command(m, "type temp\\a.txt", "first")
  m:close()
  check_equal(dos_guest.read_file(image, "TEMP/A.TXT"), "first\r\n")
  dos_guest.check_file_system(image)

  -- The same snapshot without a write to the image.
  m = dos(image)
  m:load("two")
  command(m, "type temp\\a.txt", "second")
  m:close()
  check_equal(dos_guest.read_file(image, "TEMP/A.TXT"), "first\r\n")
end)

test("an overlay", function()
  local image = new_image()
  local m = boot(dos(image))
  command(m, "echo first>temp\\a.txt", "")
  m:save("one")
  command(m, "del temp\\a.txt", "")
  m:close()
  m = dos(image)
  m:load("one")
  command(m, "type temp\\a.txt", "first")
  m:close()
  check(not guest.program("mdir", "-b", "-i", image .. "@@32256", "::TEMP"):find("A.TXT"),
    "the image was written")
end)

test("floppies that were changed", function()
  local image, one, two = new_image(), guest.scratch("one.img"), guest.scratch("two.img")
  for _, floppy in ipairs({one, two}) do
    os.remove(floppy)
    os.remove(floppy .. ".snapshots")
    guest.program("mformat", "-C", "-N", "12345678", "-f", "1440", "-i", floppy, "::")
  end
  local FLOPPY = "format=raw,if=floppy,snapshot=off,file="
  local m = boot(dos(image, "-drive", FLOPPY .. one))
  command(m, "echo first>a:a.txt", "")
  m:save("one")
  command(m, "echo second>a:a.txt", "")
  m:change("floppy0", two, {snapshot = false})
  command(m, "echo other>a:b.txt", "")
  m:close()
  check_equal(guest.program("mtype", "-i", one, "::A.TXT"), "second\r\n")
  check_equal(guest.program("mtype", "-i", two, "::B.TXT"), "other\r\n")
  m = dos(image, "-drive", FLOPPY .. two)
  m:load("one")
  command(m, "type a:a.txt", "first")
  m:close()
  check_equal(guest.program("mtype", "-i", one, "::A.TXT"), "first\r\n")
  check_equal(guest.program("mtype", "-i", two, "::B.TXT"), "other\r\n")
end)
