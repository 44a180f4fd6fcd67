-- What the tests of guests share: where guests are, guests made of Debian's packages, and a shell
-- on a serial port. A test asks for it by require("guest").
--
-- Folders, each with what it is without a --var of that name:
--   guests   images of other systems; $REPRISE_GUESTS, or shared/guests beside the repository
--   roms     images that the build assembles; build/release/roms
--   cache    what is made once; build/release/guests
--   scratch  images that a test writes to; below the cache
local guest = {}

local function absolute(path)
  local pipe <close> = assert(io.popen("realpath -m '" .. path .. "'"))
  return pipe:read("l")
end

local repository = absolute(folder .. "/../..")
local cache = absolute(args.cache or repository .. "/build/release/guests")
local scratch = absolute(args.scratch or cache .. "/scratch")
local roms = absolute(args.roms or repository .. "/build/release/roms")
local images = absolute(guests or os.getenv("REPRISE_GUESTS")
  or repository .. "/../shared/guests")

guest.long = args.long == "1" -- run what takes long, too
guest.program_file = absolute(args.program or roms .. "/../reprise") -- for 'reprise image'
guest.READY = "initramfs is ready"
guest.DONE = "initramfs script ended with status "

local MISSING = 77 -- the status of our own programs where a package or a tool is missing
local NOT_FOUND = 127 -- the shell's, of a program

-- A word as a shell takes it.
function guest.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- Runs a program of the host -> what it printed. Skips the test where it is missing.
function guest.program(...)
  local words = {}
  for _, word in ipairs({...}) do
    words[#words + 1] = guest.quote(word)
  end
  local command = table.concat(words, " ")
  local pipe <close> = assert(io.popen("PATH=$PATH:/usr/sbin:/sbin " .. command .. " 2>&1"))
  local output = pipe:read("a")
  local _, _, status = pipe:close()
  if status == MISSING or status == NOT_FOUND then
    skip(output:gsub("%s+$", ""))
  end
  check(status == 0, command .. ": status " .. status .. ": " .. output)
  return output
end

local function exists(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

function guest.read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

function guest.write_file(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
  return path
end

-- A machine; skips the test where the build has no private network.
function guest.machine_on_network(...)
  local made, result = pcall(machine, ...)
  if not made and tostring(result):find("without libslirp", 1, true) then
    skip("this build has no network 'user'")
  end
  return made and result or error(result, 0)
end

-- The path of an image of another system, or of the picture of its screen.
function guest.image(name)
  local path = images .. "/" .. name
  if not exists(path) then
    skip(path .. " is missing; REPRISE_GUESTS names the folder of the guests")
  end
  return path
end

-- The path of an image that the build assembled.
function guest.own_image(name)
  local path = roms .. "/" .. name
  if not exists(path) then
    skip(path .. " is missing; build the project")
  end
  return path
end

-- A path for a file that this test writes. Runs of different tests at one time have scratch folders
-- of their own.
function guest.scratch(name)
  guest.program("mkdir", "-p", scratch)
  return scratch .. "/" .. name
end

-- An empty folder of that kind.
function guest.empty_folder(name)
  local path = guest.scratch(name)
  guest.program("rm", "-rf", path)
  guest.program("mkdir", path)
  return path
end

-- A copy that may be written to.
function guest.copy(path)
  local copy = guest.scratch(path:match("[^/]*$"))
  guest.program("cp", "--sparse=always", path, copy)
  guest.program("chmod", "u+w", copy)
  return copy
end

-- A file of a Debian package; 'path' may hold wild cards.
function guest.package_file(package, path)
  return (guest.program(folder .. "/fetch_packages.py", "--file", package, path):gsub("\n$", ""))
end

-- FNV-1a of 64 bits.
local function hash(text)
  local value = 0xcbf29ce484222325
  for i = 1, #text do
    value = (value ~ text:byte(i)) * 0x100000001b3
  end
  return ("%016x"):format(value)
end

-- Is the file there, and made after our programs and the packages that it may be made of?
local function is_fresh(path)
  local packages = os.getenv("REPRISE_PACKAGES") or repository .. "/build/packages"
  local command = 'find "$0"/*.py "$1" -maxdepth 0 -newer "$2" 2>/dev/null; true'
  return exists(path) and guest.program("sh", "-c", command, folder, packages .. "/unpacked", path) == ""
end

-- The path of a file that 'make' makes once for each 'key', a string: it is called with the path to
-- write to. The file is there when it is complete, whoever else makes it at the same time.
function guest.made(name, key, make)
  local path = ("%s/%s-%s"):format(cache, name, hash(key))
  if not is_fresh(path) then
    guest.program("mkdir", "-p", cache)
    local work = guest.program("mktemp", "-d", cache .. "/new-XXXXXX"):gsub("\n$", "")
    local good, reason = pcall(make, work .. "/" .. name)
    if good then
      good, reason = os.rename(work .. "/" .. name, path)
    end
    guest.program("rm", "-rf", work)
    if not good then
      error(reason, 0)
    end
  end
  return path
end

-- The path of an image that is kept packed, as NAME.gz.
function guest.unpacked(name)
  local packed = guest.image(name .. ".gz")
  return guest.made(name, packed, function(path)
    guest.program("sh", "-c", 'gzip -dc "$0" >"$1"', packed, path)
  end)
end

-- So many bytes that look like chance, the same for the same seed (xorshift64*).
function guest.noise(seed, count)
  local words, state = {}, seed * 0x9E3779B97F4A7C15 | 1
  for i = 1, (count + 7) // 8 do
    state = state ~ state >> 12
    state = state ~ state << 25
    state = state ~ state >> 27
    words[i] = string.pack("<i8", state * 0x2545F4914F6CDD1D)
  end
  return table.concat(words):sub(1, count)
end

-- A CD of files, {NAME = bytes}, at scratch; options: boot = NAME of what it starts; floppy = true
-- where that is the image of a floppy.
function guest.cd(name, files, options)
  local work = guest.scratch(name .. ".files")
  guest.program("mkdir", "-p", work)
  local words = {folder .. "/iso_image.py", guest.scratch(name)}
  for file, bytes in pairs(files) do
    words[#words + 1] = file .. "=" .. guest.write_file(work .. "/" .. file, bytes)
  end
  if options and options.boot then
    words[#words + 1] = "--boot=" .. options.boot
  end
  if options and options.floppy then
    words[#words + 1] = "--floppy"
  end
  guest.program(table.unpack(words))
  return guest.scratch(name)
end

-- A disk with one partition, "ext4" (with what is in a folder of the host) or "fat32".
function guest.disk(kind, path, megabytes, files)
  guest.program(folder .. "/boot_media.py", kind, path, "--megabytes=" .. megabytes,
    files and "--folder=" .. files)
  return path
end

-- A disk, at scratch, from which Linux starts once a guest has installed extlinux there.
function guest.extlinux_disk(flavour, initramfs)
  local disk = guest.scratch("extlinux.img")
  guest.program(folder .. "/boot_media.py", "extlinux", disk, "--flavour=" .. flavour,
    "--initramfs=" .. initramfs)
  return disk
end

-- How many colours the screen shows.
function guest.count_colours(m)
  local seen, count = {}, 0
  for colour in m:pixels():gmatch("...") do
    if not seen[colour] then
      seen[colour] = true
      count = count + 1
    end
  end
  return count
end

-- Debian's kernel; the flavour is "686" (without PAE) or "686-pae".
function guest.kernel(flavour)
  return guest.package_file("linux-image-" .. (flavour or "686"), "boot/vmlinuz-*")
end

local function sorted(pairs_of)
  local words = {}
  for name, value in pairs(pairs_of or {}) do
    words[#words + 1] = name .. "=" .. value
  end
  table.sort(words)
  return words
end

-- What Linux needs of modules for the board's disks and what is on them.
guest.DISK_MODULES = {"ata_piix", "sd_mod", "sr_mod"}
guest.FILE_MODULES = {"ata_piix", "sd_mod", "sr_mod", "crc32c_generic", "ext4", "nls_cp437",
                      "nls_ascii", "vfat", "isofs"}

-- An initramfs of busybox. Without a script it ends in a shell on the console, with one it runs
-- that and powers off. Fields: flavour, modules, module_options ({NAME = words}), packages,
-- script (a text), files ({path in the guest = path of the host}), gzip.
function guest.initramfs(want)
  local words = {"--flavour=" .. (want.flavour or "686"),
                 "--modules=" .. table.concat(want.modules or {}, ",")}
  for _, package in ipairs(want.packages or {}) do
    words[#words + 1] = "--package=" .. package
  end
  for _, option in ipairs(sorted(want.module_options)) do
    words[#words + 1] = "--module-option=" .. option
  end
  for _, file in ipairs(sorted(want.files)) do
    words[#words + 1] = "--file=" .. file
  end
  if want.gzip then
    words[#words + 1] = "--gzip"
  end
  local key = table.concat(words, "\n") .. "\n" .. (want.script or "\0")
  return guest.made("initramfs", key, function(path)
    if want.script then
      words[#words + 1] = "--script=" .. guest.write_file(path .. ".script", want.script)
    end
    guest.program(folder .. "/initramfs.py", path, table.unpack(words))
  end)
end

-- A machine that starts Debian's kernel with an initramfs; all that it says comes from serial port
-- 0. Fields: those of guest.initramfs(), and memory (MB), append (words for the kernel), options (a
-- table of further words of the command line).
function guest.linux(want)
  local append = "console=ttyS0 " .. (want.append or "")
  return machine({"-m", tostring(want.memory or 128), "-net", "none",
                  "-kernel", guest.kernel(want.flavour), "-initrd", guest.initramfs(want),
                  "-append", append}, want.options or {})
end

-- Gives a command to the shell on serial port 0 -> its status, its output.
function guest.shell(m, command, options)
  m:wait_serial("# ", options)
  -- The shell echoes what it is given; the quotes keep that from being taken for the answer.
  m:send_serial('echo out"put:"; ' .. command .. '; echo "sta"tus=$?.\n')
  m:wait_serial("output:\r\n", options)
  local output = m:wait_serial("status=", options):gsub("\r", ""):gsub("status=$", "")
  local status = m:wait_serial(".", options)
  return tonumber(status:sub(1, -2)), output
end

-- The same for a command that must succeed -> its output.
function guest.shell_output(m, command, options)
  local status, output = guest.shell(m, command, options)
  check(status == 0, ("'%s' ends with status %s: %s"):format(command, status, output))
  return output
end

return guest
