-- Debian's installer from its netboot images: the language menu as text and on a graphics screen.
local guest = require("guest")

local IMAGES = "usr/lib/debian-installer/images/12/i386/%s/debian-installer/i386/linux"
local MENU_SECONDS = 2000

local function start(kind, append, memory)
  local kernel = guest.package_file("debian-installer-12-netboot-i386", IMAGES:format(kind))
  return machine("-m", tostring(memory), "-net", "none", "-kernel", kernel,
    "-initrd", kernel:gsub("linux$", "initrd.gz"), "-append", append)
end

-- Letters below the banner of the graphical installer: dark pixels.
local function count_letters(m)
  local width, height = m:screen_size()
  local dark = 0
  for red, green, blue in m:pixels(0, height // 8, width, height):gmatch("(.)(.)(.)") do
    if red:byte() < 0x60 and green:byte() < 0x60 and blue:byte() < 0x60 then
      dark = dark + 1
    end
  end
  return dark
end

if guest.long then
  test("text menu", function()
    -- A chosen language leads to the next question.
    local m = start("text", "nomodeset fb=false console=tty0", 512)
    m:wait_text("Select a language", {timeout = MENU_SECONDS})
    m:wait_text("Deutsch")
    m:type("\n")
    m:wait_text("Select your location", {timeout = 300})
  end)

  test("menu on the serial port", function()
    local m = start("text", "console=ttyS0", 512)
    m:wait_serial("Select a language", {timeout = MENU_SECONDS})
  end)

  test("graphical menu", function()
    -- An X server with the list of languages; the key for 'down' moves the coloured bar.
    local m = start("gtk", "vga=788 console=tty0", 1024)
    m:wait_until(function() return guest.count_colours(m) > 1000 end,
      {timeout = MENU_SECONDS, poll = 1, what = "the banner"})
    m:wait_until(function() return count_letters(m) > 3000 end,
      {timeout = MENU_SECONDS, poll = 1, what = "letters"})
    m:wait_still(1)
    m:key("down")
    m:wait_change()
  end)
else
  test("language menu", function() skip("takes long") end)
end
