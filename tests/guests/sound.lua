-- Sound: what DOS programs play is recorded, and its pitch measured.
local guest = require("guest")
local linux_guest = require("linux_guest")
local wav = require("wav")

-- The floppy's prompt, with one of its memory managers and a card that is recorded to NAME.
local function start(name, choice, card)
  local path = guest.scratch(name)
  local m = machine("-m", "32", "-fda", guest.image("freedos-net-sound.img"), "-device",
    card .. ",audiodev=a", "-audiodev", "wav,id=a,path=" .. path, "-rtc",
    "base=2000-01-01T03:00:00")
  m:wait_text("1 - HIMEMX")
  m:type(choice .. "\n")
  m:wait_text("ready, menu choice " .. choice)
  m:wait_text("A:\\>")
  return m, path
end

-- 4096 bytes hold 163.84 waves of 25 samples at 10989 Hz; they are played again and again.
local function play_blaster(name, choice)
  local m, path = start(name, choice, "sb16")
  m:type("\\snd\\sbtest\n")
  m:wait_text("SBTEST done")
  check(m:text():find("DSP version 04.05", 1, true), "no DSP 4.05")
  check(m:text():find("interrupts: 10 ", 1, true) or m:text():find("interrupts: 11 ", 1, true),
    m:text())
  m:close()
  local rate, samples = wav.read(path)
  check(#samples / rate > 1.9 and #samples / rate < 2.4, #samples / rate .. " s were recorded")
  wav.check_frequency(rate, samples, 100, rate * 0.36 // 1, 1e6 / 91 / 25)
  return guest.read_file(path)
end

test("Sound Blaster", function()
  local first = play_blaster("blaster.wav", "3")
  check(first == play_blaster("again.wav", "3"), "the same run sounds differently")
end)

test("Sound Blaster under JEMM386", function()
  -- DMA from v8086 mode, to addresses that are not what they seem.
  play_blaster("jemm386.wav", "2")
end)

-- C major; a note's F-number in block 4 counts 49716 Hz / 2^16.
local F_NUMBERS = {0x157, 0x181, 0x1B0, 0x1CA, 0x202, 0x241, 0x287}

for _, card in ipairs({"sb16", "adlib"}) do
  test("OPL of " .. card, function()
    local m, path = start(card .. "_opl.wav", "3", card)
    m:type("\\snd\\opltest\n")
    m:wait_text("OPLTEST done")
    check(m:text():find("OPL found", 1, true), m:text())
    m:close()
    local rate, samples = wav.read(path)
    if #samples == 0 then
      skip("no FM sound: libadplug is missing")
    end
    -- Notes of three ticks, three ticks apart: their ends, where only the carrier is left.
    for note, number in ipairs(F_NUMBERS) do
      local from = ((note - 1) * 6 + 3.5) / 18.2065 * rate // 1
      wav.check_frequency(rate, samples, from, from + rate // 33, number * 49716 / 65536, "note " .. note)
    end
  end)
end

test("MIDI by DOSMID", function()
  local m, path = start("dosmid.wav", "3", "sb16")
  m:type("cd \\snd\ndosmid /opl scale.mid\n")
  m:wait_until(function() return not m:text():find("dosmid /opl", 1, true) end)
  m:wait_until(function() return m:text():match("A:\\SND>%s*$") end, {timeout = 30})
  m:close()
  local rate, samples = wav.read(path)
  if #samples == 0 then
    skip("no FM sound: libadplug is missing")
  end
  check(#samples / rate > 1, "nothing was played")
end)

-- Linux plays two seconds of 441 Hz by its own drivers.
local LINUX_CARDS = {
  {name = "AC97", driver = "snd_intel8x0", listed = "ICH"},
  {name = "ES1370", driver = "snd_ens1370", listed = "ENS1370"},
  {name = "sb16", driver = "snd_sb16", listed = "Sound Blaster 16",
   parameters = "isapnp=0 port=0x220 irq=5 dma8=1 dma16=5 mpu_port=0x330"},
}

local LINUX_SCRIPT = [[set -e
cat /proc/asound/cards
/tone
dmesg
]]

local function tone_program()
  return guest.made("linux_tone", guest.read_file(folder .. "/linux_tone.asm"), function(path)
    guest.program("nasm", "-f", "bin", "-o", path, folder .. "/linux_tone.asm")
    guest.program("chmod", "+x", path)
  end)
end

for _, card in ipairs(LINUX_CARDS) do
  test("Linux with " .. card.name, function()
    local path = guest.scratch("linux_" .. card.name .. ".wav")
    local m = guest.linux({
      memory = 64, modules = {card.driver, "snd_pcm_oss", "snd_mixer_oss"}, script = LINUX_SCRIPT,
      module_options = card.parameters and {[card.driver] = card.parameters},
      files = {tone = tone_program()},
      options = {"-device", card.name .. ",audiodev=a", "-audiodev",
                 "wav,id=a,path=" .. path .. ",out.frequency=48000"},
    })
    local log = m:wait_serial(guest.DONE .. "0", {timeout = 60})
    check(log:find(card.listed, 1, true), log)
    linux_guest.check_log(log)
    check_equal(m:wait_end(), 0)
    m:close()
    local rate, samples = wav.read(path)
    check(#samples / rate > 1.95 and #samples / rate < 2.1, #samples / rate .. " s were recorded")
    wav.check_frequency(rate, samples, rate // 10, rate * 19 // 10, 441)
  end)
end

-- The notes that a Standard MIDI File with one track strikes, {time in ticks, number}.
local function read_notes(path)
  local bytes = guest.read_file(path)
  check_equal(bytes:sub(1, 4) .. bytes:sub(15, 18), "MThdMTrk")
  check_equal(string.unpack(">I4", bytes, 19), #bytes - 22)
  local notes, at, time = {}, 23, 0
  local function variable()
    local value, byte = 0, 128
    while byte >= 128 do
      byte = bytes:byte(at)
      value, at = value << 7 | byte & 127, at + 1
    end
    return value
  end
  while at <= #bytes do
    time = time + variable()
    local status, number, velocity = bytes:byte(at, at + 2)
    if status == 0xFF then
      at = at + 2
      local size = variable()
      at = at + size
    elseif status == 0xF0 then
      at = at + 1
      local size = variable()
      at = at + size
    else
      if status & 0xF0 == 0x90 and velocity > 0 then
        notes[#notes + 1] = {time = time, number = number}
      end
      at = at + ((status & 0xE0 == 0xC0) and 2 or 3)
    end
  end
  return notes
end

test("MIDI by MPU-401", function()
  local path = guest.scratch("mpu401.mid")
  local m = start("mpu401.wav", "3", "sb16,midi=" .. path)
  m:type("cd \\snd\ndosmid /mpu=330 scale.mid\n")
  m:wait_until(function() return not m:text():find("dosmid /mpu", 1, true) end)
  m:wait_until(function() return m:text():match("A:\\SND>%s*$") end, {timeout = 30})
  m:close()
  local notes, numbers = read_notes(path), {}
  for i, note in ipairs(notes) do
    numbers[i] = note.number
  end
  check_equal(table.concat(numbers, " "), "60 48 62 50 64 52 65 53 67 55 69 57 71 59 72 60 71 59 69 57 "
    .. "67 55 65 53 64 52 62 50 60 48")
  local pause = notes[3].time - notes[1].time
  check(pause > 50, "the notes come at once")
  for i = 3, #notes do
    check(math.abs(notes[i].time - notes[i - 2].time - pause) <= 20, "uneven notes")
  end
end)

test("checkpoints while it plays", function()
  local m, path = start("checkpoint.wav", "3", "sb16")
  m:type("\\snd\\sbtest\n")
  m:wait_text("playing 441 Hz")
  m:run(50000000) -- 0.4 s of it
  local checkpoint = m:checkpoint()
  m:run(60000000)
  local hash = m:hash()
  m:restore(checkpoint)
  m:run(60000000)
  check_equal(m:hash(), hash)
  m:wait_text("SBTEST done")
  check(m:text():find("interrupts: 10 ", 1, true) or m:text():find("interrupts: 11 ", 1, true),
    m:text())
  m:close()
  -- What was played twice is heard twice.
  local rate, samples = wav.read(path)
  check(#samples / rate > 2.3 and #samples / rate < 2.7, #samples / rate .. " s were recorded")
end)
