-- The processor, by programs on the bare machine: what the manual says of system instructions,
-- faults, tasks, paging and debug registers. Their sources are in bare_metal/; what QEMU makes of
-- them is in test_qemu_reference.py, what Bochs does in tests/bochs/run_programs.py. In those that are
-- not run there Bochs 2.7 differs by NMIs to itself, which its APIC does not send (nmi), POPA and ARPL
-- that fault (segment_ends, quirks: it pops all or nothing, and writes what does not change), RF in a step
-- within REP, traps after HLT and between MOV SS and INT n, general detect after ICEBP and that #GP comes
-- before it (debug_traps).
--
-- Every program passes in every mode in which the translator can run: a selection in which each
-- program and each mode occurs, and with --var long=1 all pairs.
local guest = require("guest")

-- The matrix of run modes; 'counters' of "info jit" lie between two numbers, which shows that the
-- mode is what it says. 'boot' modes run the BIOS too; the others start from a snapshot that the
-- translator took at the boot sector, because the BIOS would take most of the time.
local MANY = math.maxinteger
local modes = {
  {"translator", accel = "jit"},
  {"portable", accel = "interp"},
  {"no chaining", accel = "jit,chaining=off", counters = {["links made"] = {0, 0}}},
  {"tiny buffer", accel = "jit,buffer=64k", counters = {flushes = {3, MANY}}},
  {"no optimisation", accel = "jit,optimize=off"},
  {"no optimisation, no chaining", accel = "jit,optimize=off,chaining=off"},
  {"no jump table", accel = "jit,jump-table=off"},
  {"no flag liveness", accel = "jit,flag-liveness=off"},
  {"no flag states", accel = "jit,flag-states=off"},
  {"no hot paths", accel = "jit,hot-paths=off"},
  {"eager hot paths", accel = "jit,eager-hot-paths=on"},
  {"no shared checks", accel = "jit,shared-checks=off,known-pages=off,known-direction=off,far-links=off,bmi2=off"},
  {"no inline FPU and strings", accel = "jit,inline-fpu=off,inline-strings=off,inline-tsc=off"},
  {"no ways for changing code and page ends", accel = "jit,beside-code=off,revival=off,single-entry=off,fetched-operands=off,page-pairs=off"},
  {"flush at every block", accel = "jit,flush=block", counters = {flushes = {1000, MANY}}},
  {"portable, flush at every block", accel = "interp,flush=block"},
  {"portable, nothing prepared", accel = "interp,prepared=off"},
  {"portable, no chaining", accel = "interp,chaining=off"},
  {"one instruction a block", accel = "jit,one-insn-per-tb=on"},
  {"forced misses", accel = "jit,force-misses=on"},
  {"short budgets", accel = "jit,stress=7"},
  {"portable, short budgets", accel = "interp,stress=8"},
  {"forced misses, short budgets", accel = "jit,stress=9,force-misses=on,chaining=off"},
  {"host's clock", accel = "jit", boot = true, options = {"-icount", "off"}},
  {"portable, host's clock", accel = "interp", boot = true, options = {"-icount", "off"}},
}

-- smm: SMIs by the APM port, with and without paging, at both levels and in v8086 mode.
local programs = {
  {"debug_registers"},
  {"apic", icount = "shift=5"}, -- its timer is compared with loops
  {"paging"},
  {"paging", cpu = "max"},
  {"counters", cpu = "max"},
  {"system_registers"},
  {"system_registers", cpu = "max"},
  {"segment_limits"},
  {"quirks"},
  {"segment_ends"},
  {"debug_traps"},
  {"fault_order"},
  {"privilege"},
  {"tasks"},
  {"v8086"},
  {"smm"},
  {"transfer_faults"},
  {"string_restarts"},
  {"page_fault_kinds"},
  {"stepping"},
  {"code_changes"},
  {"fpu_errors"},
  {"fpu_errors", cpu = "max"},
  {"v8086_monitor"},
  {"address_ends"},
  {"nmi"},
  {"self_modifying", disk = true},
}

local function options_of(program)
  local image = guest.own_image("bare_metal/" .. program[1] .. ".img")
  local options = {"-m", "16", "-net", "none", "-no-reboot", "-boot", "a", "-fda", image,
                   "-icount", program.icount or "shift=3", "-cpu", program.cpu or "pentium4"}
  if program.disk then
    table.move({"-hda", image}, 1, 2, #options + 1, options)
  end
  return options
end

local BOOT_SECTOR = 0x7C00

-- Brings a machine to where the boot sector begins to load the rest.
local function boot(m)
  while m:read_u16(BOOT_SECTOR) == 0 do
    m:run(20000)
  end
end

-- A snapshot file with the program about to be loaded, made once.
local function booted(program)
  if not program.snapshots then
    program.snapshots = guest.scratch(program.title .. ".snapshots")
    os.remove(program.snapshots)
    local m = machine(options_of(program), "-snapshots", program.snapshots, "-accel", "jit")
    boot(m)
    m:save("booted")
    m:close()
  end
  return {"-snapshots", program.snapshots, "-loadvm", "booted"}
end

local function count_of(m, name)
  return tonumber(m:monitor("info jit"):match("\n" .. name .. "%s+(%d+)"))
end

local function run_program(program, mode)
  local m = machine(options_of(program), mode.boot and {} or booted(program), mode.options or {},
    "-accel", mode.accel)
  m:wait_serial("passed", {timeout = 600})
  for name, range in pairs(mode.counters or {}) do
    local count = count_of(m, name)
    check(count >= range[1] and count <= range[2], name .. ": " .. count)
  end
  return m
end

for number, program in ipairs(programs) do
  program.title = program[1] .. (program.cpu and " " .. program.cpu or "")
  for i, mode in ipairs(modes) do
    local fits = not (mode.boot and program.icount)
    if fits and (guest.long or i == 1 or (i + number) % 5 == 0) then
      test(program.title .. ": " .. mode[1], function() run_program(program, mode) end)
    end
  end
end

test("armed breakpoints slow down what meets them, and nothing else", function()
  local m = run_program(programs[1], modes[1])
  local steps = count_of(m, "single steps")
  check(steps < 100000, steps .. " instructions were stepped")
end)
