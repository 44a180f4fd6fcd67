-- Files in and out of FAT images: of drives of a machine, and of image files; media that change.
local boot_sector = require "lib.boot_sector"

local function image() return os.tmpname() end

local function expect_failure(words, ...)
  local good, failure = pcall(...)
  assert(not good and type(failure) == "table", "no failure with: " .. words)
  assert(failure.message:find(words, 1, true), failure.message)
end

-- A fresh floppy, a disk with a partition, one with FAT32.
for _, options in ipairs { { size = "1.44M", label = "fresh" }, { size = "32M" }, { size = "40M", bits = 32 } } do
  local path = image()
  local fat <close> = create_fat(path, options)
  local free = fat:free()
  fat:write("README.TXT", "short")
  fat:make_folder("sub")
  fat:write("sub/A long file name.text", ("0123456789"):rep(5000))
  assert(fat:read("SUB\\a LONG file name.text") == ("0123456789"):rep(5000))
  fat:write("readme.txt", "")
  assert(fat:read("README.TXT") == "")
  local names = {}
  for _, file in ipairs(fat:list()) do names[#names + 1] = file.name .. (file.folder and "/" or "=" .. file.size) end
  assert(table.concat(names, " ") == "README.TXT=0 sub/", table.concat(names, " "))
  assert(fat:list("sub")[1].short_name == "ALONGF~1.TEX")
  expect_failure("the folder is not empty", fat.delete, fat, "sub")
  expect_failure("there is no file 'nothing'", fat.read, fat, "nothing")
  expect_failure("in use", open_fat, path, { write = true })
  fat:delete("sub/ALONGF~1.TEX")
  fat:delete("sub")
  fat:delete("README.TXT")
  assert(fat:free() == free)
  fat:close()
  expect_failure("was closed", fat.list, fat)
  local again <close> = open_fat(path)
  expect_failure("write-protected", again.write, again, "NEW", "x")
  os.remove(path)
end
expect_failure("no size", create_fat, image(), { size = "much" })

-- The drives of a machine: what a script puts there stays in the overlay.
local path = image()
local fat = create_fat(path, { size = "720K" })
fat:write("FIRST", "from outside")
fat:close()
local m = boot_sector.machine("\xFA\xF4", "-hda " .. args.demo)
local drives = {}
for _, drive in ipairs(m:drives()) do drives[drive.name] = drive end
assert(drives.floppy0.kind == "floppy" and drives["ide0-hd0"].kind == "disk" and drives["ide1-cd0"].file == nil)
expect_failure("there is no FAT volume", m.list_files, m, "floppy0")
expect_failure("no drive 'floppy7'", m.list_files, m, "floppy7")
expect_failure("cannot be changed", m.eject, m, "ide0-hd0")
m:change("floppy0", path)
assert(m:get_file("floppy0", "first") == "from outside")
m:put_file("floppy0", "SECOND", "from the script")
m:make_folder("floppy0", "FOLDER")
assert(#m:list_files("floppy0") == 3 and #m:list_files("floppy0", "folder") == 0)
m:delete_file("floppy0", "FIRST")
m:eject("floppy0")
expect_failure("no medium", m.list_files, m, "floppy0")
m:change("floppy0", path)
assert(m:list_files("floppy0")[1].name == "FIRST" and #m:list_files("floppy0") == 1)
m:change("floppy0", path, { snapshot = false })
m:put_file("floppy0", "KEPT", "x")
m:change("floppy0", path)
assert(m:get_file("floppy0", "KEPT") == "x")
m:eject("floppy0")
os.remove(path)
