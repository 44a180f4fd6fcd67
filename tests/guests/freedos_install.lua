-- FreeDOS put on an empty disk that 'reprise image create' made, in each format: partitioned by FDISK, formatted and
-- SYSed within the guest. Then it boots from there, and what it wrote is sound for the host's tools.
local dos_guest = require("dos_guest")
local guest = require("guest")

local formats = {
  {name = "raw", size = "100M"},
  {name = "qcow2", size = "100M", check = true},
  {name = "vdi", size = "60M", check = true},
  {name = "vpc", size = "60M"},
  {name = "vmdk", size = "60M", check = true},
  {name = "qcow2", size = "600M", check = true, fat32 = true}, -- more than 1024 cylinders of 16 heads
  {name = "raw", size = "3G", fat32 = true, long = true}, -- by LBA
}

local function boot_tools(image)
  local m = machine("-m", "32", "-boot", "a", "-fda", guest.image("freedos-tools.img"),
    "-drive", "index=0,snapshot=off,file=" .. image)
  m:wait_text("5 - no drivers")
  m:type("5\n")
  m:wait_text("menu choice 5")
  m:wait_text("A:\\>")
  return m
end

-- Gives a command and waits until it is done.
local function command(m, text, timeout)
  m:type("cls\n" .. text .. "\n")
  m:wait_until(function()
    local screen = m:text()
    return screen:find(text, 1, true) and screen:match("A:\\>%s*$")
  end, {timeout = timeout or 60, what = "the end of " .. text})
  return m:text()
end

local function install(image, fat32)
  local m = boot_tools(image)
  command(m, "fdisk /pri:9999999 1")
  command(m, "fdisk /activate:1 1")
  command(m, "fdisk /mbr 1")
  m:close()
  -- DOS looks at partitions when it starts
  m = boot_tools(image)
  m:type("cls\nformat c: /q /v:REPRISE\n")
  m:wait_text("YES")
  m:type("YES\n")
  m:wait_until(function() return m:text():match("A:\\>%s*$") end, {timeout = 120})
  check(not m:text():lower():find("error"), m:text())
  check(command(m, "sys c:"):find("System transferred", 1, true), m:text())
  command(m, "copy bin\\xcopy.exe c:\\")
  command(m, "md c:\\temp")
  if not fat32 then -- CHKDSK does not know that
    check(command(m, "chkdsk c:"):find("bytes available on the volume", 1, true), m:text())
  end
  m:close()
end

local function boot_installed(image)
  local m = dos_guest.machine("snapshot=off,file=" .. image)
  m:wait_text("Enter new date")
  m:type("\n")
  m:wait_text("Enter new time")
  m:type("\n")
  m:wait_text("C:\\>")
  dos_guest.write_files(m)
  m:close()
end

local function run(format)
  local image = guest.scratch("installed-" .. format.size .. "." .. format.name)
  guest.program(guest.program_file, "image", "create", "-f", format.name, image, format.size)
  install(image, format.fat32)
  boot_installed(image)
  if format.check then
    guest.program("qemu-img", "check", "-f", format.name, image)
  end
  local raw = guest.scratch("installed.raw")
  guest.program("qemu-img", "convert", "-f", format.name, "-O", "raw", image, raw)
  dos_guest.check_files(raw)
  dos_guest.check_file_system(raw)
  guest.program("rm", raw, image)
end

for _, format in ipairs(formats) do
  if guest.long or not format.long then
    test(format.name .. " of " .. format.size, function() run(format) end)
  end
end
