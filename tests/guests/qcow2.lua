-- FreeDOS on qcow2 images: boots, writes, and QEMU's tools find in the image what it wrote; also over a
-- backing file, and with checkpoints, clones and snapshots on top.
local dos_guest = require("dos_guest")
local guest = require("guest")

local command = dos_guest.command

local function new_image(...)
  local image = guest.scratch("disk.qcow2")
  os.remove(image)
  os.remove(image .. ".snapshots")
  guest.program("qemu-img", "convert", "-f", "raw", "-O", "qcow2",
    ..., guest.unpacked("freedos-hdd.img"), image)
  return image
end

local function start(image, options)
  return dos_guest.boot(dos_guest.machine("file=" .. image .. options))
end

-- The image is sound; its disk as a raw file, with a sound file system.
local function outside(image)
  local raw = guest.scratch("outside.img")
  guest.program("qemu-img", "check", "-f", "qcow2", image)
  guest.program("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw)
  dos_guest.check_file_system(raw)
  return raw
end

for name, option in pairs({compressed = "-c", plain = "-ocluster_size=4k,refcount_bits=1"}) do
  test("a " .. name .. " image", function()
    local image = new_image(option)
    local m = start(image, ",format=qcow2,snapshot=off")
    dos_guest.write_files(m)
    m:close()
    dos_guest.check_files(outside(image))
  end)
end

test("a backing file", function()
  local base, top = new_image("-c"), guest.scratch("top.qcow2")
  os.remove(top)
  guest.program("qemu-img", "create", "-f", "qcow2", "-b", "disk.qcow2", "-F", "qcow2", top)
  local sum = guest.program("sha256sum", base)
  local m = start(top, ",snapshot=off")
  dos_guest.write_files(m)
  m:close()
  dos_guest.check_files(outside(top))
  check_equal(guest.program("sha256sum", base), sum)
end)

test("snapshots of an image that is written straight", function()
  local image = new_image("-c")
  local m = start(image, ",snapshot=off")
  command(m, "echo first>temp\\a.txt", "")
  m:save("one")
  command(m, "echo second>temp\\a.txt", "")
  m:save("two")
  command(m, "del temp\\a.txt", "")
  m:close()
  outside(image)
  m = dos_guest.machine("snapshot=off,file=" .. image)
  m:load("two")
  command(m, "type temp\\a.txt", "second")
  m:load("one")
  command(m, "type temp\\a.txt", "first")
  m:close()
  check_equal(dos_guest.read_file(outside(image), "TEMP/A.TXT"), "first\r\n")
end)

test("checkpoints, clones and snapshots of an overlay", function()
  local image = new_image("-c")
  local sum = guest.program("sha256sum", image)
  local m = start(image, ",snapshot=on")
  command(m, "echo first>temp\\a.txt", "")
  local point = m:checkpoint()
  command(m, "echo second>temp\\a.txt", "")
  m:save("one")
  m:restore(point)
  command(m, "type temp\\a.txt", "first")
  local clone = m:clone()
  command(clone, "echo third>temp\\a.txt", "")
  command(m, "type temp\\a.txt", "first")
  command(clone, "type temp\\a.txt", "third")
  clone:close()
  m:load("one")
  command(m, "type temp\\a.txt", "second")
  m:close()
  check_equal(guest.program("sha256sum", image), sum)
end)
