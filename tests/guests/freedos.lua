-- FreeDOS from floppies: five geometries, graphics, and files written by the guest.
local guest = require("guest")

local function start(name)
  local m = machine("-m", "32", "-fda", guest.image(name))
  m:wait_text("A:\\>")
  return m
end

for _, size in ipairs({"160", "360", "1200", "1440"}) do
  test(size .. "K floppy", function()
    local m = start(("freedos-%s.img"):format(size))
    m:type("ver\n")
    m:wait_text("FreeCom")
    m:type("dir\n")
    m:wait_text("bytes free")
  end)
end

local function invaders(m)
  m:type("invaders\n")
  m:wait_until(function() return guest.count_colours(m) > 6 end, {what = "the title"})
  m:key("spc")
  m:wait_screen(guest.image("freedos720k-invaders.png"), {different = 0.05})
end

local function assemble_a_program(m)
  m:type("del hello.com\nnasm hello.asm -o hello.com\nhello\n")
  m:wait_text("\nHello", {timeout = 120})
end

local function cpu_level(m)
  m:type("cpulevel\n")
  m:wait_text("CPU is family f model 2") -- a Pentium 4, the default
  m:wait_text("SSE2 UNIT")
end

test("720K floppy with programs", function()
  cases(start("freedos720k.img"), {
    {name = "invaders, a CGA game", run = invaders},
    {name = "NASM", run = assemble_a_program},
    {name = "CPULEVEL", run = cpu_level},
  }, function(m, case) case.run(m) end)
end)

test("idle at its prompt", function()
  -- FreeDOS never halts the processor: it asks for a key again and again.
  local m = machine("-m", "16", "-fda", guest.image("freedos-1440.img"))
  m:wait_text("A:\\>")
  m:wait_idle({timeout = 5})
end)

test("files on a floppy", function()
  -- What the guest writes is in the image afterwards, readable from outside.
  local image = guest.copy(guest.image("freedos-1440.img"))
  local m = machine("-m", "32", "-drive", "format=raw,if=floppy,snapshot=off,file=" .. image)
  m:wait_text("A:\\>")
  m:type("echo written by the guest>out.txt\ncopy out.txt + out.txt twice.txt\ntype twice.txt\n")
  m:wait_until(function()
    return m:text():find("\nwritten by the guest.*\nwritten by the guest.*\nA:\\>")
  end, {what = "both lines on the screen"})
  check_equal(m:get_file("floppy0", "OUT.TXT"), "written by the guest\r\n")
  m:close()
  check_equal(guest.program("mtype", "-i", image, "::OUT.TXT"), "written by the guest\r\n")
  local twice = guest.program("mtype", "-i", image, "::TWICE.TXT"):gsub("\x1A$", "")
  check_equal(twice, ("written by the guest\r\n"):rep(2))
end)
