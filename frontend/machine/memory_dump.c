#include "memory_dump.h"
#include "allocate.h"
#include "host_file.h"
#include "host_poll.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "page_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ELF_BYTES = 52, SEGMENT_BYTES = 32, SECTION_BYTES = 40 };
enum { ELF_TYPE_CORE = 4, ELF_MACHINE_386 = 3, SEGMENT_LOAD = 1, SEGMENT_NOTE = 4 };
enum { NOTE_PRSTATUS = 1, NOTE_QEMU = 0 };
/* More segments than the ELF header can count are counted by the first section header. */
#define SEGMENTS_IN_HEADER 0xFFFFu
#define SEGMENTS_MAX (1u << 20)
#define PART_BYTES (1u << 20)
#define LOOK_MS 100

typedef struct DumpSegment {
    uint32_t linear, physical;
    uint64_t bytes;
} DumpSegment;

struct MemoryDump {
    Machine *machine;
    RunState before;
    uint64_t begin, end; /* of RAM */
    DumpSegment *segments;
    size_t count, capacity;
    ByteBuffer notes, head;
};

/* ---- Segments ---- */

static void add_segment(MemoryDump *dump, DumpSegment segment) {
    dump->segments =
        allocate_grow(dump->segments, &dump->capacity, dump->count + 1, sizeof(*dump->segments));
    dump->segments[dump->count++] = segment;
}

static void add_linear_page(MemoryDump *dump, uint32_t page, uint32_t physical_page) {
    uint64_t physical = (uint64_t)physical_page << PAGE_BITS;
    DumpSegment *last = dump->count > 0 ? &dump->segments[dump->count - 1] : NULL;
    if (physical < dump->begin || physical + PAGE_SIZE > dump->end)
        return;
    if (last != NULL && last->linear + last->bytes == (uint64_t)page << PAGE_BITS &&
        last->physical + last->bytes == physical)
        last->bytes += PAGE_SIZE;
    else if (dump->count < SEGMENTS_MAX)
        add_segment(dump, (DumpSegment){page << PAGE_BITS, (uint32_t)physical, PAGE_SIZE});
}

/* What the first processor that has paging on has mapped. */
static void add_linear(MemoryDump *dump) {
    const Machine *machine = dump->machine;
    const Tlb *tlb = NULL;
    for (unsigned i = 0; i < machine->processor_count && tlb == NULL; i++)
        if (page_walk_is_paging(&machine->processor[i].cpu->tlb))
            tlb = &machine->processor[i].cpu->tlb;
    for (uint32_t page = 0; tlb != NULL && page < PHYSICAL_PAGES; page++) {
        PageWalk found;
        if (page_walk_probe(tlb, page << PAGE_BITS, &found))
            add_linear_page(dump, page, found.physical_page);
    }
}

/* ---- Notes ---- */

static void put_note(ByteBuffer *out, const char *name, uint32_t type, const uint8_t *data,
                     size_t size) {
    static const uint8_t zeros[4];
    size_t name_size = strlen(name) + 1;
    byte_buffer_append_le(out, name_size, 4);
    byte_buffer_append_le(out, size, 4);
    byte_buffer_append_le(out, type, 4);
    byte_buffer_append(out, name, name_size);
    byte_buffer_append(out, zeros, (4 - name_size % 4) % 4);
    byte_buffer_append(out, data, size);
}

/* struct elf_prstatus of Linux on i386: signal and process first, then the registers in the order
 * of struct user_regs_struct. */
static void put_status(ByteBuffer *out, Cpu *cpu) {
    enum { STATUS_BYTES = 144, STATUS_PROCESS = 24, STATUS_REGISTERS = 72 };
    const CpuState *state = &cpu->state;
    const uint64_t *gpr = state->gpr;
    uint8_t status[STATUS_BYTES] = {0};
    const uint32_t registers[] = {
        (uint32_t)gpr[REG_EBX],
        (uint32_t)gpr[REG_ECX],
        (uint32_t)gpr[REG_EDX],
        (uint32_t)gpr[REG_ESI],
        (uint32_t)gpr[REG_EDI],
        (uint32_t)gpr[REG_EBP],
        (uint32_t)gpr[REG_EAX],
        state->segment[SEG_DS].selector,
        state->segment[SEG_ES].selector,
        state->segment[SEG_FS].selector,
        state->segment[SEG_GS].selector,
        (uint32_t)gpr[REG_EAX], /* of a system call */
        state->segment[SEG_CS].base + state->eip,
        state->segment[SEG_CS].selector,
        cpu_get_eflags(cpu),
        (uint32_t)gpr[REG_ESP],
        state->segment[SEG_SS].selector,
    };
    store_le32(status + STATUS_PROCESS, (uint32_t)cpu->number + 1);
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        store_le32(status + STATUS_REGISTERS + 4 * i, registers[i]);
    put_note(out, "CORE", NOTE_PRSTATUS, status, sizeof(status));
}

static void put_descriptor(ByteBuffer *out, uint32_t selector, uint32_t limit, uint32_t flags,
                           uint64_t base) {
    byte_buffer_append_le(out, selector, 4);
    byte_buffer_append_le(out, limit, 4);
    byte_buffer_append_le(out, flags, 4);
    byte_buffer_append_le(out, 0, 4);
    byte_buffer_append_le(out, base, 8);
}

/* QEMUCPUState, version 1, which 'crash' and 'drgn' read: 64-bit registers whatever the guest. */
static void put_qemu_note(ByteBuffer *out, Cpu *cpu) {
    enum { QEMU_NOTE_BYTES = 440 };
    static const uint8_t registers[] = {REG_EAX, REG_EBX, REG_ECX, REG_EDX,
                                        REG_ESI, REG_EDI, REG_ESP, REG_EBP};
    static const uint8_t segments[] = {SEG_CS, SEG_DS, SEG_ES,   SEG_FS,
                                       SEG_GS, SEG_SS, SEG_LDTR, SEG_TR};
    const CpuState *state = &cpu->state;
    const uint32_t control[] = {state->cr0, 0, state->cr2, state->cr3, state->cr4};
    ByteBuffer note = {.data = NULL};
    byte_buffer_append_le(&note, 1, 4);
    byte_buffer_append_le(&note, QEMU_NOTE_BYTES, 4);
    for (size_t i = 0; i < sizeof(registers); i++)
        byte_buffer_append_le(&note, state->gpr[registers[i]], 8);
    for (unsigned i = 8; i < GPR_COUNT; i++)
        byte_buffer_append_le(&note, state->gpr[i], 8);
    byte_buffer_append_le(&note, state->eip, 8);
    byte_buffer_append_le(&note, cpu_get_eflags(cpu), 8);
    for (size_t i = 0; i < sizeof(segments); i++) {
        const Segment *segment = &state->segment[segments[i]];
        put_descriptor(&note, segment->selector, segment->limit, (uint32_t)segment->access << 8,
                       segment->base);
    }
    put_descriptor(&note, 0, state->gdtr.limit, 0, state->gdtr.base);
    put_descriptor(&note, 0, state->idtr.limit, 0, state->idtr.base);
    for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++)
        byte_buffer_append_le(&note, control[i], 8);
    byte_buffer_append_le(&note, 0, 8); /* MSR_KERNEL_GS_BASE */
    put_note(out, "QEMU", NOTE_QEMU, note.data, note.size);
    byte_buffer_free(&note);
}

/* ---- The head ---- */

static void put_header(const MemoryDump *dump, uint32_t segments) {
    static const uint8_t identity[16] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    ByteBuffer *out = (ByteBuffer *)(uintptr_t)&dump->head;
    bool counted = segments < SEGMENTS_IN_HEADER;
    byte_buffer_append(out, identity, sizeof(identity));
    byte_buffer_append_le(out, ELF_TYPE_CORE, 2);
    byte_buffer_append_le(out, ELF_MACHINE_386, 2);
    byte_buffer_append_le(out, 1, 4);
    byte_buffer_append_le(out, 0, 4);                         /* entry */
    byte_buffer_append_le(out, ELF_BYTES + SECTION_BYTES, 4); /* program headers */
    byte_buffer_append_le(out, ELF_BYTES, 4);                 /* section headers */
    byte_buffer_append_le(out, 0, 4);
    byte_buffer_append_le(out, ELF_BYTES, 2);
    byte_buffer_append_le(out, SEGMENT_BYTES, 2);
    byte_buffer_append_le(out, counted ? segments : SEGMENTS_IN_HEADER, 2);
    byte_buffer_append_le(out, SECTION_BYTES, 2);
    byte_buffer_append_le(out, 1, 2);
    byte_buffer_append_le(out, 0, 2);
    for (unsigned field = 0; field < SECTION_BYTES / 4; field++) /* the null section; sh_info */
        byte_buffer_append_le(out, field == 7 && !counted ? segments : 0, 4);
}

static void put_segment(ByteBuffer *out, uint32_t type, uint64_t offset, uint32_t linear,
                        uint32_t physical, uint64_t bytes) {
    byte_buffer_append_le(out, type, 4);
    byte_buffer_append_le(out, offset, 4);
    byte_buffer_append_le(out, linear, 4);
    byte_buffer_append_le(out, physical, 4);
    byte_buffer_append_le(out, bytes, 4);
    byte_buffer_append_le(out, bytes, 4);
    byte_buffer_append_le(out, type == SEGMENT_LOAD ? 7 : 0, 4);
    byte_buffer_append_le(out, type == SEGMENT_LOAD ? PAGE_SIZE : 0, 4);
}

/* RAM begins at a page of the file. */
static bool put_head(MemoryDump *dump, Error *error) {
    uint32_t segments = (uint32_t)dump->count + 1;
    uint64_t notes_at = ELF_BYTES + SECTION_BYTES + (uint64_t)segments * SEGMENT_BYTES;
    uint64_t memory_at = (notes_at + dump->notes.size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    static const uint8_t zeros[PAGE_SIZE];
    if (memory_at + dump->end - dump->begin > UINT32_MAX)
        return error_set(error, "so much memory does not fit into an ELF file of 32 bits");
    put_header(dump, segments);
    put_segment(&dump->head, SEGMENT_NOTE, notes_at, 0, 0, dump->notes.size);
    for (size_t i = 0; i < dump->count; i++) {
        const DumpSegment *segment = &dump->segments[i];
        put_segment(&dump->head, SEGMENT_LOAD, memory_at + segment->physical - dump->begin,
                    segment->linear, segment->physical, segment->bytes);
    }
    byte_buffer_append(&dump->head, dump->notes.data, dump->notes.size);
    byte_buffer_append(&dump->head, zeros, (size_t)(memory_at - dump->head.size));
    return true;
}

static bool choose_range(MemoryDump *dump, const MemoryDumpOptions *options, Error *error) {
    uint64_t ram = physical_map_ram_bytes(dump->machine->memory);
    dump->begin = options->begin;
    dump->end = options->length == 0 || options->length > ram - options->begin
                    ? ram
                    : options->begin + options->length;
    if (options->begin >= ram)
        return error_set(error, "there is no memory at 0x%llx", (unsigned long long)options->begin);
    return true;
}

static void free_dump(MemoryDump *dump) {
    byte_buffer_free(&dump->notes);
    byte_buffer_free(&dump->head);
    free(dump->segments);
    free(dump);
}

MemoryDump *memory_dump_begin(Machine *machine, const MemoryDumpOptions *options, Error *error) {
    MemoryDump *dump = allocate_zeroed(sizeof(*dump));
    dump->machine = machine;
    dump->before = machine->run_state;
    if (!choose_range(dump, options, error)) {
        free_dump(dump);
        return NULL;
    }
    if (options->paging)
        add_linear(dump);
    if (dump->count == 0) /* no paging: linear addresses are physical ones */
        add_segment(dump, (DumpSegment){(uint32_t)dump->begin, (uint32_t)dump->begin,
                                        dump->end - dump->begin});
    for (unsigned i = 0; i < machine->processor_count; i++)
        put_status(&dump->notes, machine->processor[i].cpu);
    for (unsigned i = 0; i < machine->processor_count; i++)
        put_qemu_note(&dump->notes, machine->processor[i].cpu);
    if (!put_head(dump, error)) {
        free_dump(dump);
        return NULL;
    }
    if (machine->run_state == RUN_STATE_RUNNING)
        machine_set_run_state(machine, RUN_STATE_SAVE_VM);
    return dump;
}

void memory_dump_end(MemoryDump *dump) {
    if (dump->machine->run_state == RUN_STATE_SAVE_VM)
        machine_set_run_state(dump->machine, dump->before);
    free_dump(dump);
}

uint64_t memory_dump_bytes(const MemoryDump *dump) {
    return dump->head.size + dump->end - dump->begin;
}

/* Nobody may be reading a pipe: look now and then whether to give up. */
static bool may_write(int fd, const MemoryDumpProgress *progress) {
    HostPoll ready = {.fd = fd, .events = HOST_POLL_OUTPUT};
    while (!__atomic_load_n(&progress->cancelled, __ATOMIC_ACQUIRE))
        if (host_poll(&ready, 1, LOOK_MS) > 0)
            return true;
    return false;
}

static bool write_all(int fd, const uint8_t *data, uint64_t size, MemoryDumpProgress *progress,
                      Error *error) {
    while (size > 0) {
        if (!may_write(fd, progress))
            return error_set(error, "it was cancelled");
        ssize_t count = write(fd, data, size < PART_BYTES ? (size_t)size : PART_BYTES);
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count <= 0)
            return error_set(error, "cannot write the memory: %s", strerror(errno));
        data += count;
        size -= (uint64_t)count;
        __atomic_add_fetch(&progress->done, (uint64_t)count, __ATOMIC_RELAXED);
    }
    return true;
}

bool memory_dump_write(const MemoryDump *dump, int fd, MemoryDumpProgress *progress, Error *error) {
    host_file_set_nonblocking(fd);
    return write_all(fd, dump->head.data, dump->head.size, progress, error) &&
           write_all(fd, physical_map_ram(dump->machine->memory) + dump->begin,
                     dump->end - dump->begin, progress, error);
}
