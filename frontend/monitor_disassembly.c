#include "monitor_disassembly.h"
#include "capstone_library.h"
#include "machine_parts.h"
#include "monitor_command.h"

#define LONGEST_INSTRUCTION 15
#define BYTES_A_LINE 8

static size_t fetch(const Monitor *monitor, uint32_t address, bool physical, uint8_t *bytes) {
    size_t count = 0;
    while (count < LONGEST_INSTRUCTION) {
        uint32_t where = address + (uint32_t)count;
        if (!physical && !tlb_probe(&monitor_cpu(monitor)->tlb, where, &where))
            break;
        physical_read_bytes(monitor->machine->memory, where, &bytes[count++], 1);
    }
    return count;
}

/* One line holds eight bytes; what is longer goes on in the next. */
static void print_instruction(Monitor *monitor, const cs_insn *insn) {
    for (unsigned first = 0; first < insn->size; first += BYTES_A_LINE) {
        monitor_print(monitor, "0x%08x: ", (uint32_t)insn->address + first);
        for (unsigned i = first; i < first + BYTES_A_LINE; i++) {
            if (i < insn->size)
                monitor_print(monitor, " %02x", insn->bytes[i]);
            else
                monitor_print(monitor, "   ");
        }
        if (first == 0)
            monitor_print(monitor, "  %-8s %s", insn->mnemonic, insn->op_str);
        monitor_print(monitor, "\n");
    }
}

static bool print_one(Monitor *monitor, const CapstoneLibrary *capstone, csh engine,
                      uint32_t *address, bool physical) {
    uint8_t bytes[LONGEST_INSTRUCTION];
    size_t size = fetch(monitor, *address, physical, bytes);
    if (size == 0) {
        monitor_print(monitor, "0x%08x: Cannot access memory\n", *address);
        return false;
    }
    cs_insn *insn;
    if (capstone->disasm(engine, bytes, size, *address, 1, &insn) == 1) {
        print_instruction(monitor, insn);
        *address += insn->size;
        capstone->free(insn, 1);
    } else {
        monitor_print(monitor, "0x%08x:  %02x                       .byte    0x%02x\n", *address,
                      bytes[0], bytes[0]);
        *address += 1;
    }
    return true;
}

void monitor_disassemble(Monitor *monitor, uint32_t address, uint32_t count, bool physical) {
    const Segment *code = &monitor_cpu(monitor)->state.segment[SEG_CS];
    csh engine;
    CapstoneLibrary capstone;
    Error error = {.set = false};
    cs_mode mode = (code->access & ACCESS_DB) != 0 ? CS_MODE_32 : CS_MODE_16;
    if (!capstone_library_load(&capstone, &error) ||
        capstone.open(CS_ARCH_X86, mode, &engine) != CS_ERR_OK) {
        monitor_print(monitor, "no disassembler: %s\n", error.set ? error.message : "cs_open");
        return;
    }
    capstone.option(engine, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    for (uint32_t i = 0; i < count && print_one(monitor, &capstone, engine, &address, physical);
         i++) {
    }
    capstone.close(&engine);
}
