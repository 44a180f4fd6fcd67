-- FreeDOS boots from its disk in other formats and writes a file, which is found from outside.
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
    local m = machine("-m", "64", "-boot", "c", "-drive",
      "if=ide,index=0,snapshot=off,file=" .. image ..
      (format.named and ",format=" .. format.name or ""))
    m:wait_text("1 - HIMEMX")
    m:type("3\n")
    m:wait_text("ready, menu choice 3")
    m:wait_text("C:\\>")
    m:type("copy command.com temp\\copy.com\n")
    m:wait_text("=>")
    m:type("echo end of disk test>temp\\out.txt\ntype temp\\out.txt\n")
    m:wait_text("\nend of disk test")
    m:close()
    if format.check then
      guest.program("qemu-img", "check", "-f", format.name, image)
    end
    local raw = guest.scratch("freedos.raw")
    guest.program("qemu-img", "convert", "-f", format.name, "-O", "raw", image, raw)
    local function read_outside(name)
      return guest.program("mcopy", "-i", raw .. "@@32256", "::" .. name, "-")
    end
    check_equal(read_outside("TEMP/OUT.TXT"), "end of disk test\r\n")
    local copied = read_outside("TEMP/COPY.COM")
    check(#copied > 60000 and copied == read_outside("COMMAND.COM"),
      "the copy differs from COMMAND.COM")
  end)
end
