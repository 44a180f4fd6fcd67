-- What is typed for a keyboard layout (-k) arrives at a guest that is set to it: DOS with KEYB.
local guest = require("guest")

-- The name in KEYB, its code page if it has none of 437, and letters that are in both code pages.
-- KEYB lacks a character of ASCII in some, which other systems have.
local LAYOUTS = {
  {layout = "de", keyb = "gr", letters = "äöüßÄÖÜéèê"},
  {layout = "fr", keyb = "fr", letters = "éèçàùâêîôûäëïöü"},
  {layout = "es", keyb = "sp", letters = "ñÑçáéíóúàèü¡¿", long = true},
  {layout = "en-gb", keyb = "uk", letters = "£¬", long = true},
  {layout = "it", keyb = "it", letters = "èéòàùì", missing = "`", long = true},
  {layout = "sv", keyb = "sv", letters = "åäöÅÄÖéèêü", long = true},
  {layout = "fi", keyb = "su", letters = "åäöÅÄÖéèêü", long = true},
  {layout = "no", keyb = "no", page = "850", letters = "åæÅÆéèêü", long = true},
  {layout = "da", keyb = "dk", page = "850", letters = "åæÅÆéèêü", long = true},
  {layout = "pt", keyb = "po", page = "850", letters = "çáéíóúàâêô", long = true},
  {layout = "de-ch", keyb = "sg", letters = "äöüéèàêç", missing = "|", long = true},
  {layout = "fr-ch", keyb = "sf", letters = "éàèüöäêç", missing = "|", long = true},
}

local LINES = 9 -- of a good hundred characters each

local printable = {}
for code = 33, 126 do printable[#printable + 1] = string.char(code) end
printable = table.concat(printable)

-- Presses keys by their names, while the guest has still its own layout.
local function press(m, text)
  for letter in text:gmatch(".") do
    m:key(({[" "] = "spc", [","] = "comma", ["\n"] = "ret"})[letter] or letter)
  end
end

local function count(text, part)
  local number, at = 0, 1
  while true do
    local first, last = text:find(part, at, true)
    if first == nil then return number end
    number, at = number + 1, last + 1
  end
end

local function arrives(case)
  local m = machine("-m", "32", "-k", case.layout, "-fda", guest.image("freedos-tools.img"))
  m:wait_text("1 - HIMEMX")
  press(m, "1\n")
  m:wait_text("A:\\>")
  press(m, "keyb " .. case.keyb .. (case.page and "," .. case.page or "") .. "\n")
  m:wait_text("KEYBOARD.SYS:" .. case.keyb:upper())
  m:wait(0.5)
  m:type("cls\n")
  local line = printable .. case.letters
  if case.missing then
    line = line:gsub(case.missing, "")
  end
  m:type(("rem " .. line .. "\n"):rep(LINES))
  m:wait(0.2)
  local text = m:text():gsub("\n", "")
  check_equal(count(text, "A:\\>rem " .. line), LINES, m:text())
end

for _, case in ipairs(LAYOUTS) do
  if guest.long or not case.long then
    test(case.layout, function() arrives(case) end)
  end
end
