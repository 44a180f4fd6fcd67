-- A folder of the host as a disk with FAT, under FreeDOS and beside the tools of mtools and dosfstools.
local dos_guest = require("dos_guest")
local guest = require("guest")

local function run(...)
  return guest.program("sh", "-c", ...)
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

-- A program for DOS that prints a line: mov ah, 9; mov dx, 109h; int 21h; int 20h; text.
local SAY_COM = "\xB4\x09\xBA\x0B\x01\xCD\x21\xCD\x20\x90\x90" .. "program of the host\r\n$"

-- A folder with what FAT has trouble with, and something outside that must not be seen.
local function make_folder(name)
  local folder = guest.scratch(name)
  run("rm -rf '" .. folder .. "' '" .. folder .. ".outside'; mkdir -p '" .. folder
    .. "/sub/deeper' '" .. folder .. "/empty' '" .. folder .. ".outside'")
  write(folder .. ".outside/SECRET.TXT", "secret")
  write(folder .. "/hello.txt", "a text of the host\r\n")
  write(folder .. "/SAY.COM", SAY_COM)
  write(folder .. "/sub/a long name.text", "by its short name\r\n")
  write(folder .. "/sub/a long other name.text", "the second one\r\n")
  write(folder .. "/sub/deeper/BIG.BIN", string.rep("0123456789abcdef", 20000))
  write(folder .. "/old.txt", "to be deleted\r\n")
  write(folder .. "/HELLO.TXT", "differs by case\r\n")
  run("cd '" .. folder .. "'; ln -s ../" .. folder:match("[^/]+$") .. ".outside out; ln -s . loop; "
    .. "ln -s ../" .. folder:match("[^/]+$") .. ".outside/SECRET.TXT link.txt; mkfifo pipe; touch -d 2001-02-03T04:05:06Z SAY.COM")
  return folder
end

-- This program: the parent of a shell that it starts.
local pipe <close> = assert(io.popen("readlink /proc/$PPID/exe"))
local reprise = pipe:read("l")

-- What the disk of the folder holds, as an image of its own.
local function presented(spec, image)
  run("'" .. reprise .. "' image convert '" .. spec .. "' '" .. image .. "' 2>/dev/null")
  return image
end

for _, kind in ipairs({"", "12:", "32:", "floppy:"}) do
  test("the disk as it is made, fat:" .. kind, function()
    local folder = make_folder("folder_made")
    local image = presented("fat:" .. kind .. folder, guest.scratch("folder.img"))
    local partition = guest.scratch("folder_part.img")
    local skip_sectors = kind == "floppy:" and 0 or 63
    guest.program("dd", "if=" .. image, "of=" .. partition, "bs=512", "skip=" .. skip_sectors,
      "conv=sparse", "status=none")
    guest.program("fsck.fat", "-n", partition)
    local list = guest.program("mdir", "-i", partition, "-/", "::")
    for _, words in ipairs({"ALONGN~1 TEX", "a long other name.text", "2001%-02%-03", "DEEPER", "EMPTY"}) do
      check(list:find(words), "mdir does not show " .. words .. ": " .. list)
    end
    check(not list:find("LINK") and not list:find("LOOP") and not list:find("PIPE")
      and not list:find("SECRET"), "names that do not belong there: " .. list)
    check_equal(guest.program("mcopy", "-i", partition, "::sub/deeper/BIG.BIN", "-"),
      guest.read_file(folder .. "/sub/deeper/BIG.BIN"))
    check_equal(guest.program("mcopy", "-i", partition, "::HELLO.TXT", "-"), "differs by case\r\n")
    if kind == "12:" or kind == "floppy:" then -- the same folder gives the same disk; others are large
      run("cmp '" .. image .. "' '" .. presented("fat:" .. kind .. folder, guest.scratch("again.img")) .. "'")
    end
  end)
end

local function start(drive)
  return dos_guest.boot(dos_guest.machine("format=raw,file=" .. guest.unpacked("freedos-hdd.img"),
    "-drive", "if=ide,index=1," .. drive))
end

test("FreeDOS lists, reads, runs and writes, and the folder stays", function()
  local folder = make_folder("folder_read")
  local before = run("cd '" .. folder .. "'; ls -lR")
  local m = start("driver=vvfat,dir=" .. folder)
  dos_guest.command(m, "dir d:", " Volume in drive D is HOST FOLDER")
  check(m:text():find("SAY      COM", 1, true), m:text())
  dos_guest.command(m, "d:say", "program of the host")
  dos_guest.command(m, "type d:\\sub\\alongo~1.tex", "the second one")
  dos_guest.command(m, "echo kept for this run>d:new.txt", "")
  dos_guest.command(m, "type d:new.txt", "kept for this run")
  dos_guest.command(m, "del d:old.txt", "")
  m:close()
  check_equal(run("cd '" .. folder .. "'; ls -lR"), before)
end)

test("FreeDOS reads a floppy of a folder", function()
  local folder = make_folder("folder_floppy")
  local m = dos_guest.boot(dos_guest.machine("format=raw,file=" .. guest.unpacked("freedos-hdd.img"),
    "-fda", "fat:floppy:" .. folder))
  dos_guest.command(m, "a:say", "program of the host")
end)

test("FreeDOS changes a folder", function()
  local folder = make_folder("folder_written")
  run("cd '" .. folder .. "'; rm HELLO.TXT; mkdir gone kept; echo 1 > gone/one.txt; echo 2 > kept/two.txt; "
    .. "ln -s ../hello.txt kept/link; head -c 100000 /dev/urandom > moved.bin; cp moved.bin ../folder_moved")
  local m = start("snapshot=off,file=fat:rw:" .. folder)
  dos_guest.command(m, "type d:hello.txt", "a text of the host")
  dos_guest.command(m, "copy command.com d:\\sub\\copy.com", "")
  dos_guest.command(m, "echo another line>>d:\\hello.txt", "")
  dos_guest.command(m, "md d:\\made", "")
  dos_guest.command(m, "echo of the guest>d:\\made\\new.txt", "")
  dos_guest.command(m, "ren d:\\moved.bin other.bin", "")
  dos_guest.command(m, "del d:\\old.txt", "")
  dos_guest.command(m, "del d:\\gone\\one.txt", "")
  dos_guest.command(m, "rd d:\\gone", "")
  dos_guest.command(m, "del d:\\kept\\two.txt", "")
  dos_guest.command(m, "rd d:\\kept", "")
  dos_guest.command(m, "echo changed>d:\\sub\\alongn~1.tex", "")
  local copied = m:get_file("ide0-hd0", "COMMAND.COM")
  m:close()
  check_equal(guest.read_file(folder .. "/hello.txt"), "a text of the host\r\nanother line\r\n")
  check_equal(guest.read_file(folder .. "/MADE/NEW.TXT"), "of the guest\r\n")
  check_equal(guest.read_file(folder .. "/sub/a long name.text"), "changed\r\n")
  check(guest.read_file(folder .. "/sub/COPY.COM") == copied, "the copy differs from COMMAND.COM")
  run("cd '" .. folder .. "'; cmp OTHER.BIN ../folder_moved")
  check_equal(run("cd '" .. folder .. "'; find . ../folder_written.outside | LC_ALL=C sort"), [[
.
../folder_written.outside
../folder_written.outside/SECRET.TXT
./MADE
./MADE/NEW.TXT
./OTHER.BIN
./SAY.COM
./empty
./hello.txt
./kept
./kept/link
./link.txt
./loop
./out
./pipe
./sub
./sub/COPY.COM
./sub/a long name.text
./sub/a long other name.text
./sub/deeper
./sub/deeper/BIG.BIN
]])
end)
