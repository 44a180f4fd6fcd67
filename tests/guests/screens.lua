-- Screens of other systems: as pictures of what they show under another emulator, and as text read from graphics.
local guest = require("guest")

local function boots(options, image)
  return machine(options .. " -fda " .. guest.image(image))
end

test("MikeOS shows its welcome", function()
  boots("-m 64", "mikeos.img"):wait_screen(guest.image("mikeos.png"), {timeout = 20})
end)

test("FreeDOS shows its prompt", function()
  boots("-m 64", "freedos720k.img"):wait_screen(guest.image("freedos720k.png"), {timeout = 60})
end)

test("bootOS draws pillman in mode 13h", function()
  local m = boots("-m 64", "bootos.img")
  m:wait_text("$")
  m:type("dir\n")
  m:wait_screen(guest.image("bootos-dir.png"), {timeout = 20})
  m:type("pillman\n")
  m:wait_screen(guest.image("bootos-pillman.png"), {timeout = 20})
end)

test("FreeDOS draws in mode X", function()
  local m = boots("-m 32", "freedos-net-sound.img")
  m:wait_text("1", {timeout = 30})
  m:type("1\n")
  m:wait_text("A:\\>")
  m:type("\\prg\\modex\n")
  m:wait_screen(guest.image("freedos-modex.png"), {timeout = 30})
end)

-- The clock is left out. The font is learned from what a program printed on the desktop and from white names of icons.
test("KolibriOS's desktop is read by a font that was learned from it", function()
  local m = boots("-m 64", "kolibri.img")
  m:wait_screen(guest.image("kolibri.png"), {timeout = 60, masks = {{740, 578, 60, 20}}})
  local font = m:learn_font{text = "disk size is not specified", x = 252, y = 290, width = 6, height = 9}
  m:learn_font{font = font, text = "10% from free RAM will b", x = 252, y = 300}
  m:learn_font{font = font, text = "KFM", x = 34, y = 56, colour = 0xFFFFFF}
  m:learn_font{font = font, text = "EOLITE", x = 89, y = 56, colour = 0xFFFFFF}
  m:learn_font{font = font, text = "SHELL", x = 156, y = 56, colour = 0xFFFFFF}
  check(m:text_in{font = font}:find("10%% from free RAM will b"), m:text_in{font = font})
  local x, y, width, height = m:find_text("KOSILKA", {font = font}) -- O and 0 look the same
  check_equal(("%d %d %d %d"):format(x, y, width, height), "150 536 42 9")
  check_equal(m:find_text("KOSILKA", {font = font, x = 400}), nil)
end)

-- Linux draws by a font in its memory, which has other letters than the adapter's.
test("Linux's frame buffer console is read", function()
  local m = machine({"-m", "128", "-kernel", guest.kernel("686"), "-append", "vga=0x314 console=tty0"})
  m:wait_text("VFS: Unable to mount root fs", {timeout = 120})
  local width, height = m:screen_size()
  check_equal(width .. "x" .. height, "800x600")
  check(m:text():find("%[ +%d+%.%d+%] Kernel panic %- not syncing: VFS: Unable to mount root fs"), m:text())
end)
