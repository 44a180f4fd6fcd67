-- FreeDOS with the period's drivers: CD-ROM, mouse, expanded memory in v8086 mode.
local guest = require("guest")
local wav = require("wav")

-- A floppy's prompt, with one of its memory managers; options of the machine follow.
local function start(image, choice, ...)
  local m = machine("-m", "32", "-fda", image, ...)
  m:wait_text("1 - HIMEMX")
  m:type(choice .. "\n")
  m:wait_text("ready, menu choice " .. choice)
  m:wait_text("A:\\>")
  return m
end

local FLOPPY = "freedos-net-sound.img"
local TOOLS = "freedos-tools.img"

-- A copy of the floppy with a program of our own on it.
local function floppy_with(name)
  local copy = guest.copy(guest.image(FLOPPY))
  guest.program("mcopy", "-i", copy, guest.own_image("dos/" .. name .. ".com"), "::" .. name:upper() .. ".COM")
  return copy
end

local RANDOM_SUM = "8a959e9bcfb4d88d69d33636cc52f4f7"

local cd_drivers = {
  {name = "UDVD2", choice = "1", notice = "UDVD2"},
  {name = "XCDROM in v8086 mode", choice = "2", notice = "XCDROM"},
}
for _, driver in ipairs(cd_drivers) do
  test("CD by " .. driver.name, function()
    local m = machine("-m", "32", "-fda", guest.image(FLOPPY), "-cdrom", guest.image("test-cd.iso"))
    m:wait_text("1 - HIMEMX")
    m:type(driver.choice .. "\n")
    m:wait_text(driver.notice)
    m:wait_text("ready, menu choice " .. driver.choice)
    check(m:text():find("QEMU DVD-ROM", 1, true), "the driver finds no drive:\n" .. m:text())
    m:wait_text("A:\\>")
    m:type("cls\ndir d:\n")
    m:wait_text("300,019 bytes")
    m:type("md5sum d:\\random.bin\n")
    m:wait_text(RANDOM_SUM)
  end)
end

-- A program of our own (dos/ems_dma.asm).
test("expanded memory with DMA in v8086 mode", function()
  local path = guest.scratch("ems_dma.wav")
  local m = start(floppy_with("ems_dma"), "2", "-device", "sb16,audiodev=a", "-audiodev", "wav,id=a,path=" .. path)
  m:type("cls\nems_dma\n")
  m:wait_text("DMA read good")
  m:wait_text("DMA write good")
  m:wait_text("played")
  check(m:text():find("EMS frame [D-E]%x00"), m:text())
  m:close()
  local rate, samples = wav.read(path)
  check(#samples / rate > 0.9 and #samples / rate < 1.2, #samples / rate .. " s were recorded")
  wav.check_frequency(rate, samples, rate // 10, rate * 9 // 10, 1e6 / 91 / 25)
end)

test("expanded memory is told", function()
  local m = start(guest.image(TOOLS), "2")
  m:type("cls\nemsstat\n")
  m:wait_text("EMS page frame: D800")
end)

-- CTMOUSE finds the mouse, and MOUSETST shows what INT 33h tells of it.
local function mouse(m, kind)
  m:type("cls\nctmouse\n")
  m:wait_text("Installed at " .. kind)
  m:type("mousetst\n")
  m:wait_text("s show, h hide")
  m:monitor("mouse_button 1")
  m:wait_text("LEFT")
  local x, y = m:text():match("(%d+)/ *(%d+)/")
  m:monitor("mouse_move 20 10")
  m:wait_until(function()
    local to_x, to_y = m:text():match("(%d+)/ *(%d+)/")
    return tonumber(to_x) > tonumber(x) and tonumber(to_y) > tonumber(y)
  end, {what = "the movement"})
  m:monitor("mouse_button 0")
  m:wait_until(function() return not m:text():find("LEFT", 1, true) end, {what = "the release"})
  m:monitor("mouse_button 4")
  m:wait_text("RIGHT")
end

test("mouse on PS/2", function() mouse(start(guest.image(FLOPPY), "3"), "PS/2") end)

-- What a game's search finds (dos/blaster.asm).
local CARDS = {
  {options = "sb16", found = "port 0220 DSP 0405 IRQ 05 DMA 01 AdLib OPL3 mixer end"},
  {options = "sb16,iobase=0x240,irq=7,dma=3", found = "port 0240 DSP 0405 IRQ 07 DMA 03 AdLib OPL3 mixer end"},
  {options = "sb16,irq=10,dma=0,version=0x302", found = "port 0220 DSP 0302 IRQ 0A DMA 00 AdLib OPL3 mixer end"},
  {options = "sb16,irq=9,version=0x105", found = "port 0220 DSP 0105 IRQ 09 DMA 01 AdLib OPL3 end"},
  {options = "adlib", found = "no DSP AdLib OPL3 end"},
}

for _, card in ipairs(CARDS) do
  test("search for " .. card.options, function()
    for _, choice in ipairs({"3", "2"}) do -- in real mode, in v8086 mode
      local m = start(floppy_with("blaster"), choice, "-device", card.options)
      m:type("cls\nblaster\n")
      m:wait_text(" end")
      check(m:text():find(card.found, 1, true), m:text())
      m:close()
    end
  end)
end
