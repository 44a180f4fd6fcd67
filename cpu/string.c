/* String instructions with their REP prefixes: SDM vol. 2, MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS
 * and REP.
 *
 * Each operation has a slow form, one element with every check, and (but for port I/O) a fast form,
 * which runs over as many elements as lie on one plain page of memory on each side. The fast form
 * never faults and calls nothing outside: where anything is unusual it does nothing, and the slow
 * form takes the next element, which also brings the page into the TLB. Registers are exact after
 * every element, so a fault or a pause needs nothing undone. Flags are written once, at the end: a
 * CMPS or SCAS that faults or is interrupted on the way shows those from before it, however it was
 * cut to pieces; but for single steps. */
#include "cpu_debug.h"
#include "flags.h"
#include "little_endian.h"
#include "timeless_device.h"
#include "transfer.h"
#include <string.h>

typedef struct StringRun {
    Cpu *cpu;
    unsigned size; /* of an element */
    unsigned source_segment;
    uint32_t address_mask; /* of SI, DI and CX, or of ESI, EDI and ECX */
    bool down;             /* DF */
    bool while_equal;      /* REPE: goes on while ZF is 1; REPNE: while it is 0 */
    bool compared;         /* flags are to be written */
    bool stopped;          /* by REPE's or REPNE's condition */
    bool uses_port;        /* a device may want the run loop */
    uint32_t flags;        /* of the last comparison */
} StringRun;

typedef struct StringOperation {
    /* One element; false with an exception. Moves no register. */
    bool (*one)(StringRun *run);
    /* At most 'limit' (> 1) elements; tells how many were done, 0 if the slow form has to. NULL:
     * there is no fast form. */
    uint32_t (*many)(StringRun *run, uint32_t limit);
    bool uses_source, uses_destination, uses_port;
    bool stores; /* to the destination */
} StringOperation;

static uint32_t pointer_of(const StringRun *run, unsigned reg) {
    return (uint32_t)run->cpu->state.gpr[reg] & run->address_mask;
}

static void move_register(const StringRun *run, unsigned reg, uint32_t distance) {
    uint32_t value = (uint32_t)run->cpu->state.gpr[reg];
    uint32_t mask = run->address_mask;
    run->cpu->state.gpr[reg] = (value & ~mask) | ((value + distance) & mask);
}

static uint64_t accumulator(const StringRun *run) {
    return run->cpu->state.gpr[REG_EAX] & alu_mask(run->size);
}

static void set_accumulator(StringRun *run, uint64_t value) {
    uint64_t *eax = &run->cpu->state.gpr[REG_EAX];
    *eax = (*eax & ~alu_mask(run->size)) | value;
}

static bool read_source(StringRun *run, uint64_t *value) {
    return cpu_read(run->cpu, run->source_segment, pointer_of(run, REG_ESI), run->size, value);
}

static bool read_destination(StringRun *run, uint64_t *value) {
    return cpu_read(run->cpu, SEG_ES, pointer_of(run, REG_EDI), run->size, value);
}

static bool write_destination(StringRun *run, uint64_t value) {
    return cpu_write(run->cpu, SEG_ES, pointer_of(run, REG_EDI), run->size, value);
}

/* How many elements from 'offset' on (downwards with DF) lie on the same page, within the segment
 * and short of a wrap of the offset; at most 'limit'. */
static uint32_t count_on_page(const StringRun *run, const Segment *cache, uint32_t offset,
                              bool write, uint32_t limit) {
    Cpu *cpu = run->cpu;
    uint32_t linear = cache->base + offset;
    uint32_t in_page = linear & PAGE_OFFSET_MASK;
    unsigned size = run->size;
    if (in_page + size > PAGE_SIZE || (cpu_checks_alignment(cpu) && (linear & (size - 1)) != 0))
        return 0;
    unsigned shift = size >> 1; /* of 1, 2 and 4: a division would cost more than a short copy */
    uint64_t to_wrap = ((uint64_t)run->address_mask + 1 - offset) >> shift;
    uint32_t in_segment =
        run->down ? (offset >> shift) + 1 : (uint32_t)(to_wrap < limit ? to_wrap : limit);
    uint32_t on_page = run->down ? (in_page >> shift) + 1 : (PAGE_SIZE - in_page) >> shift;
    uint32_t count = on_page < limit ? on_page : limit;
    if (in_segment < count)
        count = in_segment;
    uint32_t lowest = run->down ? offset - (count - 1) * size : offset;
    return count == 0 || !segment_allows(cache, lowest, count * size, write) ? 0 : count;
}

/* The same, of plain memory. '*host' is where the first one is. */
static uint32_t find_span(const StringRun *run, unsigned segment, uint32_t offset, bool write,
                          uint32_t limit, uint8_t **host) {
    Cpu *cpu = run->cpu;
    const Segment *cache = &cpu->state.segment[segment];
    uint32_t linear = cache->base + offset;
    uint32_t count = count_on_page(run, cache, offset, write, limit);
    unsigned table = (cpu->state.cpl == 3 ? TLB_USER_READ : TLB_SUPER_READ) + (write ? 1 : 0);
    int64_t address = cpu->tlb.entry[table][linear >> PAGE_BITS] + (int64_t)linear;
    if (address < 0)
        return 0;
    *host = (uint8_t *)(uintptr_t)address;
    return count;
}

/* One side of a string that may be plain memory or VGA's. */
typedef struct StringSide {
    uint8_t *host; /* NULL: it is the device's */
    TimelessDevice device;
} StringSide;

static uint32_t find_side(const StringRun *run, unsigned segment, uint32_t offset, bool write,
                          uint32_t limit, StringSide *side) {
    Cpu *cpu = run->cpu;
    *side = (StringSide){0};
    uint32_t count = find_span(run, segment, offset, write, limit, &side->host);
    if (count != 0)
        return count;
    const Segment *cache = &cpu->state.segment[segment];
    side->host = NULL;
    side->device = timeless_device_find(&cpu->tlb, cache->base + offset, run->size,
                                        write ? ACCESS_WRITE : ACCESS_READ, cpu->state.cpl == 3);
    return side->device.range == NULL ? 0 : count_on_page(run, cache, offset, write, limit);
}

static uint32_t load_side(const StringRun *run, const StringSide *side, ptrdiff_t distance) {
    return side->host != NULL ? (uint32_t)load_le(side->host + distance, run->size)
                              : timeless_device_read(&side->device, (uint32_t)distance, run->size);
}

static void store_side(const StringRun *run, const StringSide *side, ptrdiff_t distance,
                       uint32_t value) {
    if (side->host != NULL)
        store_le(side->host + distance, run->size, value);
    else
        timeless_device_write(&side->device, (uint32_t)distance, run->size, value);
}

/* Runs a loop whose body takes 'size' as a constant. */
#define WITH_CONSTANT_SIZE(size, loop) ((size) == 1 ? loop(1) : (size) == 2 ? loop(2) : loop(4))

/* Element by element, as the processor does it: what overlaps ahead of the copy is read after it
 * was written. */
static inline __attribute__((always_inline)) void
copy_elements(uint8_t *to, const uint8_t *from, uint32_t count, unsigned size, ptrdiff_t step) {
    for (; count > 0; count--, to += step, from += step)
        store_le(to, size, load_le(from, size));
}

static void copy_overlapping(uint8_t *to, const uint8_t *from, uint32_t count, unsigned size,
                             ptrdiff_t step) {
#define COPY(constant_size) copy_elements(to, from, count, constant_size, step)
    WITH_CONSTANT_SIZE(size, COPY);
#undef COPY
}

static inline __attribute__((always_inline)) void fill_elements(uint8_t *to, uint32_t count,
                                                                unsigned size, uint64_t value) {
    for (uint32_t i = 0; i < count; i++)
        store_le(to + (size_t)i * size, size, value);
}

/* How many elements, up to 'count', a REPE or REPNE comparison of '*left' with 'right' runs over;
 * '*left' does not move if 'left_step' is 0. */
static inline __attribute__((always_inline)) uint32_t
compare_elements(const uint8_t *left, ptrdiff_t left_step, const uint8_t *right,
                 ptrdiff_t right_step, uint32_t count, unsigned size, bool while_equal) {
    uint32_t done = 0;
    bool equal;
    do {
        equal = load_le(left, size) == load_le(right, size);
        left += left_step;
        right += right_step;
        done++;
    } while (done < count && equal == while_equal);
    return done;
}

static ptrdiff_t step_of(const StringRun *run) {
    return run->down ? -(ptrdiff_t)run->size : (ptrdiff_t)run->size;
}

static bool movs_one(StringRun *run) {
    uint64_t value;
    return read_source(run, &value) && write_destination(run, value);
}

/* One by one, where a device is on one side or on both. */
static uint32_t move_by_device(const StringRun *run, const StringSide *from, const StringSide *to,
                               uint32_t count) {
    ptrdiff_t step = step_of(run), distance = 0;
    physical_map_before_device(run->cpu->map);
    for (uint32_t i = 0; i < count; i++, distance += step)
        store_side(run, to, distance, load_side(run, from, distance));
    return count;
}

static uint32_t movs_many(StringRun *run, uint32_t limit) {
    StringSide source, destination;
    uint32_t count =
        find_side(run, run->source_segment, pointer_of(run, REG_ESI), false, limit, &source);
    if (count == 0)
        return 0;
    count = find_side(run, SEG_ES, pointer_of(run, REG_EDI), true, count, &destination);
    if (count == 0)
        return 0;
    if (source.host == NULL || destination.host == NULL)
        return move_by_device(run, &source, &destination, count);
    uint8_t *from = source.host, *to = destination.host;
    size_t bytes = (size_t)count * run->size;
    size_t back = run->down ? bytes - run->size : 0; /* from the first element to the lowest byte */
    bool ahead = run->down ? to < from && to + bytes > from : to > from && to < from + bytes;
    if (ahead)
        copy_overlapping(to, from, count, run->size, step_of(run));
    else
        memmove(to - back, from - back, bytes);
    return count;
}

static bool stos_one(StringRun *run) {
    return write_destination(run, accumulator(run));
}

static uint32_t stos_many(StringRun *run, uint32_t limit) {
    StringSide side;
    uint32_t count = find_side(run, SEG_ES, pointer_of(run, REG_EDI), true, limit, &side);
    if (count == 0)
        return 0;
    if (side.host == NULL) {
        physical_map_before_device(run->cpu->map);
        for (uint32_t i = 0; i < count; i++)
            timeless_device_write(&side.device, i * (uint32_t)step_of(run), run->size,
                                  (uint32_t)accumulator(run));
        return count;
    }
    uint8_t *to = side.host;
    uint8_t *lowest = run->down ? to - (size_t)(count - 1) * run->size : to;
    uint64_t value = accumulator(run);
#define FILL(constant_size) fill_elements(lowest, count, constant_size, value)
    WITH_CONSTANT_SIZE(run->size, FILL);
#undef FILL
    return count;
}

static bool lods_one(StringRun *run) {
    uint64_t value;
    if (!read_source(run, &value))
        return false;
    set_accumulator(run, value);
    return true;
}

static uint32_t lods_many(StringRun *run, uint32_t limit) {
    uint8_t *from;
    uint32_t count =
        find_span(run, run->source_segment, pointer_of(run, REG_ESI), false, limit, &from);
    if (count == 0)
        return 0;
    ptrdiff_t last = (ptrdiff_t)(count - 1) * run->size;
    set_accumulator(run, load_le(run->down ? from - last : from + last, run->size));
    return count;
}

static void compare(StringRun *run, uint64_t left, uint64_t right) {
    run->compared = true;
    run->flags = 0;
    alu_sub(run->size, left, right, &run->flags);
    run->stopped = (left == right) != run->while_equal;
}

static bool cmps_one(StringRun *run) {
    uint64_t left, right;
    if (!read_source(run, &left) || !read_destination(run, &right))
        return false;
    compare(run, left, right);
    return true;
}

static uint32_t cmps_many(StringRun *run, uint32_t limit) {
    uint8_t *left, *right;
    uint32_t count =
        find_span(run, run->source_segment, pointer_of(run, REG_ESI), false, limit, &left);
    if (count == 0)
        return 0;
    count = find_span(run, SEG_ES, pointer_of(run, REG_EDI), false, count, &right);
    if (count == 0)
        return 0;
    ptrdiff_t step = step_of(run);
    uint32_t done;
#define COMPARE(constant_size)                                                                     \
    compare_elements(left, step, right, step, count, constant_size, run->while_equal)
    done = WITH_CONSTANT_SIZE(run->size, COMPARE);
#undef COMPARE
    ptrdiff_t last = (ptrdiff_t)(done - 1) * step;
    compare(run, load_le(left + last, run->size), load_le(right + last, run->size));
    return done;
}

static bool scas_one(StringRun *run) {
    uint64_t right;
    if (!read_destination(run, &right))
        return false;
    compare(run, accumulator(run), right);
    return true;
}

static uint32_t scas_many(StringRun *run, uint32_t limit) {
    uint8_t *right;
    uint32_t count = find_span(run, SEG_ES, pointer_of(run, REG_EDI), false, limit, &right);
    if (count == 0)
        return 0;
    ptrdiff_t step = step_of(run);
    uint8_t wanted[8] = {0};
    store_le(wanted, run->size, accumulator(run));
    uint32_t done;
#define COMPARE(constant_size)                                                                     \
    compare_elements(wanted, 0, right, step, count, constant_size, run->while_equal)
    done = WITH_CONSTANT_SIZE(run->size, COMPARE);
#undef COMPARE
    ptrdiff_t last = (ptrdiff_t)(done - 1) * step;
    compare(run, accumulator(run), load_le(right + last, run->size));
    return done;
}

/* The destination is checked before the port is read: reading it may pop a queue. */
static bool ins_one(StringRun *run) {
    Cpu *cpu = run->cpu;
    uint32_t offset = pointer_of(run, REG_EDI), linear;
    if (!cpu_check_segment(cpu, SEG_ES, offset, run->size, true, &linear))
        return false;
    if (cpu_checks_alignment(cpu) && (linear & (run->size - 1)) != 0) {
        cpu_raise_error(cpu, EXCEPTION_AC, 0);
        return false;
    }
    if (!linear_check_write(cpu, linear, run->size, cpu->state.cpl == 3))
        return false;
    uint16_t port = (uint16_t)cpu->state.gpr[REG_EDX];
    cpu->outside_accesses++;
    uint32_t value = port_map_read(cpu->ports, port, run->size);
    if (cpu_has_breakpoints(cpu))
        cpu_watch_port(cpu, port, run->size);
    return write_destination(run, value);
}

static bool outs_one(StringRun *run) {
    Cpu *cpu = run->cpu;
    uint64_t value;
    if (!read_source(run, &value))
        return false;
    uint16_t port = (uint16_t)cpu->state.gpr[REG_EDX];
    cpu->outside_accesses++;
    port_map_write(cpu->ports, port, run->size, (uint32_t)value);
    if (cpu_has_breakpoints(cpu))
        cpu_watch_port(cpu, port, run->size);
    return true;
}

static const StringOperation movs = {movs_one, movs_many, true, true, false, true};
static const StringOperation stos = {stos_one, stos_many, false, true, false, true};
static const StringOperation lods = {lods_one, lods_many, true, false, false, false};
static const StringOperation cmps = {cmps_one, cmps_many, true, true, false, false};
static const StringOperation scas = {scas_one, scas_many, false, true, false, false};
static const StringOperation ins = {ins_one, NULL, false, true, true, true};
static const StringOperation outs = {outs_one, NULL, true, false, true, false};

/* Elements on, after 'count' of them were done. */
static void advance(StringRun *run, const StringOperation *operation, bool repeat, uint32_t count) {
    uint32_t distance = count * run->size;
    if (run->down)
        distance = 0u - distance;
    if (operation->uses_source)
        move_register(run, REG_ESI, distance);
    if (operation->uses_destination)
        move_register(run, REG_EDI, distance);
    if (repeat)
        move_register(run, REG_ECX, 0u - count);
    run->cpu->iterations += count;
}

static HelperResult finish(StringRun *run) {
    if (run->compared)
        cpu_set_status_flags(run->cpu, run->flags);
    run->cpu->state.eflags &= ~(uint32_t)FLAG_RF;
    run->cpu->state.eip = run->cpu->next_eip;
    return run->uses_port ? HELPER_JUMP : HELPER_NEXT;
}

/* An interrupt that comes now finds RF set in the image it pushes: SDM vol. 3B 17.3.1.1. A
 * single-step trap finds the last comparison's flags, as there is one after every iteration. */
static HelperResult pause(StringRun *run) {
    if (run->compared && run->cpu->state.eflags & FLAG_TF)
        cpu_set_status_flags(run->cpu, run->flags);
    run->cpu->state.eflags |= FLAG_RF;
    return HELPER_AGAIN;
}

/* Do the next 'count' stores reach the bytes of the instruction itself? Then it goes on as what
 * they make of it: an interrupt between two iterations would fetch it anew, and whether one comes
 * must make no difference. */
static bool reaches_itself(const StringRun *run, const StringOperation *operation, uint32_t count) {
    const CpuState *state = &run->cpu->state;
    if (!operation->stores)
        return false;
    uint32_t code = state->segment[SEG_CS].base + state->eip;
    uint32_t code_bytes = run->cpu->next_eip - state->eip;
    uint32_t first = state->segment[SEG_ES].base + pointer_of(run, REG_EDI);
    uint64_t bytes = (uint64_t)count * run->size;
    uint32_t lowest = run->down ? first - (uint32_t)(bytes - run->size) : first;
    return (uint32_t)(code - lowest) < bytes || (uint32_t)(lowest - code) < code_bytes;
}

/* Runs elements until the count is used up, the condition ends it, a fault comes, or the run loop
 * is wanted. */
static HelperResult repeat_elements(StringRun *run, const StringOperation *operation, bool repeat) {
    Cpu *cpu = run->cpu;
    uint64_t count_before = cpu->state.instruction_count;
    uint32_t allowed = cpu->iterations_allowed;
    bool fast =
        operation->many != NULL; /* not on pages with data breakpoints: see tlb_set_watched() */
    for (;;) {
        uint32_t left = repeat ? pointer_of(run, REG_ECX) : 1;
        uint32_t budget = allowed > cpu->iterations ? allowed - cpu->iterations : 1;
        uint32_t limit = left < budget ? left : budget;
        bool itself = reaches_itself(run, operation, limit),
             changed = itself && reaches_itself(run, operation, 1);
        uint32_t done = fast && limit > 1 && !itself ? operation->many(run, limit) : 0;
        if (done == 0) {
            /* Each iteration is an instruction to devices that look at the clock; the caller adds
             * them up himself. */
            cpu->state.instruction_count = count_before + cpu->iterations;
            bool good = operation->one(run);
            cpu->state.instruction_count = count_before;
            if (!good)
                return HELPER_FAULT;
            done = 1;
        }
        advance(run, operation, repeat, done);
        if (!repeat || left == done || run->stopped)
            return finish(run);
        if (cpu->iterations >= allowed || changed || cpu->break_after ||
            cpu->state.pending_debug != 0)
            return pause(run);
    }
}

static HelperResult run_string(Cpu *cpu, uint32_t a, uint32_t b, const StringOperation *operation) {
    enum { REPE = 1 };
    unsigned repeat = a >> 8 & 0xFF;
    StringRun run = {.cpu = cpu,
                     .size = a & 0xF,
                     .source_segment = b,
                     .address_mask = (a >> 4 & 0xF) == 2 ? 0xFFFF : 0xFFFFFFFF,
                     .down = cpu->state.direction < 0,
                     .while_equal = repeat == REPE,
                     .uses_port = operation->uses_port};
    cpu->iterations = 0;
    if (repeat != 0 && pointer_of(&run, REG_ECX) == 0)
        return finish(&run);
    if (operation->uses_port && !port_io_check(cpu, (uint16_t)cpu->state.gpr[REG_EDX], run.size))
        return HELPER_FAULT;
    return repeat_elements(&run, operation, repeat != 0);
}

#define STRING_HELPER(operation)                                                                   \
    HelperResult helper_string_##operation(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0,          \
                                           uint32_t t1) {                                          \
        (void)t0;                                                                                  \
        (void)t1;                                                                                  \
        return run_string(cpu, a, b, &operation);                                                  \
    }

STRING_HELPER(movs)
STRING_HELPER(stos)
STRING_HELPER(lods)
STRING_HELPER(cmps)
STRING_HELPER(scas)
STRING_HELPER(ins)
STRING_HELPER(outs)
