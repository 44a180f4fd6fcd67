-- FreeDOS on qcow2 images: boots, writes, and QEMU's tools find in the image what it wrote; also over a
-- backing file, and with checkpoints, clones and snapshots on top.
local guest = require("guest")

local function new_image(...)
  local image = guest.scratch("disk.qcow2")
  os.remove(image)
  os.remove(image .. ".snapshots")
  guest.program("qemu-img", "convert", "-f", "raw", "-O", "qcow2",
    ..., guest.unpacked("freedos-hdd.img"), image)
  return image
end

local function start(image, options)
  local m = machine("-m", "16", "-boot", "c", "-drive", "if=ide,index=0,file=" .. image .. options)
  m:wait_text("1 - HIMEMX")
  m:type("3\n")
  m:wait_text("ready, menu choice 3")
  m:wait_text("C:\\>")
  return m
end

local function command(m, text, reply)
  m:type("cls\n" .. text .. "\n")
  m:wait_until(function()
    local screen = m:text()
    return screen:find("\n" .. reply, 1, true) and screen:match("C:\\>%s*$")
      and screen:find(text, 1, true)
  end)
end

-- The image is sound, and its disk as a raw file; the partition starts at the second track.
local function outside(image)
  local raw, partition = guest.scratch("outside.img"), guest.scratch("partition.img")
  guest.program("qemu-img", "check", "-f", "qcow2", image)
  guest.program("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw)
  guest.program("dd", "if=" .. raw, "of=" .. partition, "bs=512", "skip=63", "conv=sparse")
  guest.program("fsck.fat", "-n", partition)
  return partition
end

local function read_file(partition, name)
  return guest.program("mcopy", "-i", partition, "::" .. name, "-")
end

local function write_files(m)
  m:type("copy command.com temp\\copy.com\n")
  m:wait_text("=>")
  command(m, "echo end of disk test>temp\\out.txt", "")
  command(m, "type temp\\out.txt", "end of disk test")
end

local function check_files(partition)
  check_equal(read_file(partition, "TEMP/OUT.TXT"), "end of disk test\r\n")
  local copied = read_file(partition, "TEMP/COPY.COM")
  check(#copied > 60000 and copied == read_file(partition, "COMMAND.COM"),
    "the copy differs from COMMAND.COM")
end

for name, option in pairs({compressed = "-c", plain = "-ocluster_size=4k,refcount_bits=1"}) do
  test("a " .. name .. " image", function()
    local image = new_image(option)
    local m = start(image, ",format=qcow2,snapshot=off")
    write_files(m)
    m:close()
    check_files(outside(image))
  end)
end

test("a backing file", function()
  local base, top = new_image("-c"), guest.scratch("top.qcow2")
  os.remove(top)
  guest.program("qemu-img", "create", "-f", "qcow2", "-b", "disk.qcow2", "-F", "qcow2", top)
  local sum = guest.program("sha256sum", base)
  local m = start(top, ",snapshot=off")
  write_files(m)
  m:close()
  check_files(outside(top))
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
  m = machine("-m", "16", "-boot", "c", "-drive", "if=ide,index=0,snapshot=off,file=" .. image)
  m:load("two")
  command(m, "type temp\\a.txt", "second")
  m:load("one")
  command(m, "type temp\\a.txt", "first")
  m:close()
  check_equal(read_file(outside(image), "TEMP/A.TXT"), "first\r\n")
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
