-- A long text typed into an editor of DOS and into a terminal of Linux arrives byte for byte.
local guest = require("guest")

local SIZE = guest.long and 65536 or 4096

-- Each character of a US keyboard, in lines that all differ.
local function make_text(size)
  local printable, lines = {}, {}
  for code = 32, 126 do
    printable[#printable + 1] = string.char(code)
  end
  local all = table.concat(printable)
  for number = 1, size // 64 + 1 do
    local from = number * 7 % #all + 1
    lines[number] = ("%05d %s"):format(number, (all .. all):sub(from, from + 56)) .. "\n"
  end
  return table.concat(lines):sub(1, size - 1) .. "\n"
end

local text = make_text(SIZE)

-- Vim of a floppy with tools, put on a fresh disk from where it starts faster.
test("editor of DOS", function()
  local tools = open_fat(guest.image("freedos720k.img"))
  local path = guest.scratch("editor.img")
  local disk = create_fat(path, {size = "16M"})
  disk:write("VIM.EXE", tools:read("VIM.EXE"))
  disk:close()
  local m = machine("-m", "16", "-fda", guest.image("freedos720k.img"), "-hda", path, "-boot", "a")
  m:wait_text("A:\\>")
  m:type("c:\nvim text\n")
  m:wait_text("[New File]")
  m:type("i" .. text:sub(1, -2))
  m:key("esc")
  m:type(":wq\n")
  m:wait_text("characters written")
  m:wait_text("C:\\>")
  check_equal(m:get_file("ide0-hd0", "TEXT"), (text:gsub("\n", "\r\n")))
end)

-- The terminal's own editing of a line is on: each line waits in its buffer of 4096 characters.
test("terminal of Linux", function()
  local m = guest.linux({append = "console=tty0"})
  m:wait_text("/ #", {timeout = 120})
  m:type("stty -F /dev/ttyS0 raw; cat > /text\n")
  m:type(text)
  m:key("ctrl-d")
  local before = #m:serial()
  m:type("(cat /text; echo end) > /dev/ttyS0\n")
  m:wait_serial("end\n")
  local sent = m:serial():sub(before + 1)
  check_equal(sent:sub(1, #text), text)
  check_equal(sent:sub(#text + 1), "end\n")
end)
