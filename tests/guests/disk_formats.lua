-- FreeDOS boots from its disk in other formats and writes a file, which is found from outside.
local dos_guest = require("dos_guest")
local guest = require("guest")

local formats = {
  {name = "vdi", options = "static=off", check = true},
  {name = "vmdk", options = "subformat=monolithicSparse", check = true},
  {name = "vpc", options = "subformat=dynamic"},
  {name = "vpc", options = "subformat=fixed", named = true},
  {name = "vdi", options = "static=on", check = true},
}

for _, format in ipairs(formats) do
  test(format.name .. " " .. format.options, function()
    local image = guest.scratch("freedos." .. format.name)
    guest.program("qemu-img", "convert", "-f", "raw", "-O", format.name, "-o", format.options,
      guest.unpacked("freedos-hdd.img"), image)
    local m = dos_guest.boot(dos_guest.machine("snapshot=off,file=" .. image ..
      (format.named and ",format=" .. format.name or "")))
    dos_guest.write_files(m)
    m:close()
    if format.check then
      guest.program("qemu-img", "check", "-f", format.name, image)
    end
    local raw = guest.scratch("freedos.raw")
    guest.program("qemu-img", "convert", "-f", format.name, "-O", "raw", image, raw)
    dos_guest.check_files(raw)
  end)
end
