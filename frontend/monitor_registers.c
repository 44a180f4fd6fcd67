/* 'info registers', in the layout of QEMU's. */
#include "little_endian.h"
#include "machine_parts.h"
#include "monitor_command.h"

static void print_general(Monitor *monitor, const CpuState *state) {
    static const struct {
        const char *name;
        int index;
    } order[8] = {{"EAX", REG_EAX}, {"EBX", REG_EBX}, {"ECX", REG_ECX}, {"EDX", REG_EDX},
                  {"ESI", REG_ESI}, {"EDI", REG_EDI}, {"EBP", REG_EBP}, {"ESP", REG_ESP}};
    for (int i = 0; i < 8; i++)
        monitor_print(monitor, "%s=%08x%c", order[i].name, (uint32_t)state->gpr[order[i].index],
                      i % 4 == 3 ? '\n' : ' ');
}

static void print_flags(Monitor *monitor, const Cpu *cpu) {
    uint32_t flags = cpu_get_eflags(cpu);
    static const struct {
        uint32_t bit;
        char letter;
    } letters[7] = {{FLAG_DF, 'D'}, {FLAG_OF, 'O'}, {FLAG_SF, 'S'}, {FLAG_ZF, 'Z'},
                    {FLAG_AF, 'A'}, {FLAG_PF, 'P'}, {FLAG_CF, 'C'}};
    char text[8] = {0};
    for (int i = 0; i < 7; i++)
        text[i] = (flags & letters[i].bit) != 0 ? letters[i].letter : '-';
    monitor_print(monitor, "EIP=%08x EFL=%08x [%s] CPL=%u II=%d A20=%d SMM=%d HLT=%d\n",
                  cpu->state.eip, flags, text, cpu->state.cpl, cpu->state.interrupt_shadow != 0,
                  physical_map_a20(cpu->map), cpu->state.smm != 0, cpu->state.halted != 0);
}

static void print_segment_type(Monitor *monitor, uint32_t access) {
    static const char *const system_types[16] = {
        "Reserved",   "TSS16-avl",  "LDT",       "TSS16-busy", "CallGate16", "TaskGate",
        "IntGate16",  "TrapGate16", "Reserved",  "TSS32-avl",  "Reserved",   "TSS32-busy",
        "CallGate32", "Reserved",   "IntGate32", "TrapGate32"};
    monitor_print(monitor, " DPL=%u ", ACCESS_DPL_OF(access));
    if ((access & ACCESS_S) == 0) {
        monitor_print(monitor, "%s", system_types[access & ACCESS_TYPE]);
    } else if ((access & ACCESS_CODE) != 0) {
        monitor_print(monitor, "%s [%c%c%c]", (access & ACCESS_DB) != 0 ? "CS32" : "CS16",
                      (access & ACCESS_EC) != 0 ? 'C' : '-', (access & ACCESS_RW) != 0 ? 'R' : '-',
                      (access & ACCESS_A) != 0 ? 'A' : '-');
    } else {
        monitor_print(monitor, "%s [%c%c%c]", (access & ACCESS_DB) != 0 ? "DS  " : "DS16",
                      (access & ACCESS_EC) != 0 ? 'E' : '-', (access & ACCESS_RW) != 0 ? 'W' : '-',
                      (access & ACCESS_A) != 0 ? 'A' : '-');
    }
}

/* The descriptor's upper double word without its base, as QEMU shows it: the limit's upper nibble
 * stays in. */
static void print_segment(Monitor *monitor, const Cpu *cpu, int index, const char *name) {
    const Segment *segment = &cpu->state.segment[index];
    uint32_t flags = (uint32_t)segment->access << 8;
    uint32_t limit = segment->limit;
    if ((segment->access & ACCESS_G) != 0)
        limit >>= 12;
    flags |= limit & 0xF0000;
    monitor_print(monitor, "%-3s=%04x %08x %08x %08x", name, segment->selector, segment->base,
                  segment->limit, flags);
    if (cpu_is_protected(cpu) && (segment->access & ACCESS_P) != 0)
        print_segment_type(monitor, segment->access);
    monitor_print(monitor, "\n");
}

static void print_system(Monitor *monitor, const CpuState *state) {
    monitor_print(monitor, "GDT=     %08x %08x\n", state->gdtr.base, state->gdtr.limit);
    monitor_print(monitor, "IDT=     %08x %08x\n", state->idtr.base, state->idtr.limit);
    monitor_print(monitor, "CR0=%08x CR2=%08x CR3=%08x CR4=%08x\n", state->cr0, state->cr2,
                  state->cr3, state->cr4);
    monitor_print(monitor, "DR0=%08x DR1=%08x DR2=%08x DR3=%08x \n", state->dr[0], state->dr[1],
                  state->dr[2], state->dr[3]);
    monitor_print(monitor, "DR6=%08x DR7=%08x\n", state->dr[6], state->dr[7]);
    monitor_print(monitor, "EFER=%016llx\n", (unsigned long long)state->efer);
}

static void print_fpu(Monitor *monitor, const FpuState *fpu) {
    unsigned in_use = 0;
    for (int i = 0; i < 8; i++)
        in_use |= (unsigned)((fpu->tags >> (2 * i) & 3) != 3) << i;
    monitor_print(monitor, "FCW=%04x FSW=%04x [ST=%d] FTW=%02x MXCSR=%08x\n", fpu->control,
                  fpu->status, fpu->status >> 11 & 7, in_use, fpu->mxcsr);
    for (int i = 0; i < 8; i++)
        monitor_print(monitor, "FPR%d=%016llx %04x%c", i,
                      (unsigned long long)fpu->st[i].significand, fpu->st[i].sign_exponent,
                      i % 2 == 1 ? '\n' : ' ');
    for (int i = 0; i < 8; i++) {
        monitor_print(monitor, "XMM%02d=%016llx %016llx%c", i,
                      (unsigned long long)load_le64(fpu->xmm[i] + 8),
                      (unsigned long long)load_le64(fpu->xmm[i]), i % 2 == 1 ? '\n' : ' ');
    }
}

static void print_processor(Monitor *monitor, const Cpu *cpu) {
    static const char *const names[SEG_ALL] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"};
    monitor_print(monitor, "\nCPU#%u\n", cpu->number);
    print_general(monitor, &cpu->state);
    print_flags(monitor, cpu);
    for (int i = 0; i < SEG_ALL; i++)
        print_segment(monitor, cpu, i, names[i]);
    print_system(monitor, &cpu->state);
    print_fpu(monitor, &cpu->state.fpu);
}

bool monitor_info_registers(Monitor *monitor, char *arguments, Error *error) {
    const char *word = monitor_next_word(&arguments);
    const Machine *machine = monitor->machine;
    if (word == NULL) {
        print_processor(monitor, monitor_cpu(monitor));
        return true;
    }
    if (strcmp(word, "-a") != 0)
        return error_set(error, "info registers: '-a' or nothing expected, not '%s'", word);
    for (unsigned i = 0; i < machine->processor_count; i++)
        print_processor(monitor, machine->processor[i].cpu);
    return true;
}
