/* See cpu_debugger.h. */
#include "cpu_debugger.h"

#include <string.h>

/* Sets seen before keep their number, and so their translations. */
static void number_set(CpuDebugger *debugger) {
    CpuStopSet *set = &debugger->set;
    set->number = 0;
    if (set->count == 0)
        return;
    size_t bytes = set->count * sizeof(set->address[0]);
    for (unsigned i = 0; i < CPU_STOP_SETS; i++) {
        const CpuStopSet *known = &debugger->known[i];
        if (known->count == set->count && memcmp(known->address, set->address, bytes) == 0)
            set->number = known->number;
    }
    if (set->number == 0) {
        set->number = ++debugger->last_number;
        debugger->known[set->number % CPU_STOP_SETS] = *set;
    }
}

static void collect_set(CpuDebugger *debugger) {
    CpuStopSet *set = &debugger->set;
    set->count = 0;
    for (unsigned i = 0; i < debugger->count; i++) {
        if (debugger->point[i].kind != CPU_STOP_EXECUTE)
            continue;
        unsigned place = set->count++;
        for (; place > 0 && set->address[place - 1] > debugger->point[i].address; place--)
            set->address[place] = set->address[place - 1];
        set->address[place] = debugger->point[i].address;
    }
    number_set(debugger);
}

static unsigned find_point(const CpuDebugger *debugger, const CpuStopPoint *point) {
    unsigned i = 0;
    while (i < debugger->count && (debugger->point[i].kind != point->kind ||
                                   debugger->point[i].address != point->address ||
                                   debugger->point[i].length != point->length))
        i++;
    return i;
}

static uint32_t count_pages(const CpuStopPoint *point) {
    if (point->kind == CPU_STOP_EXECUTE)
        return 0;
    uint32_t last = point->address + (point->length - 1);
    return (last >> PAGE_BITS) - (point->address >> PAGE_BITS) + 1;
}

unsigned cpu_debugger_list_pages(const CpuDebugger *debugger, uint32_t *pages) {
    unsigned count = 0;
    for (unsigned i = 0; i < debugger->count; i++) {
        uint32_t number = count_pages(&debugger->point[i]);
        for (uint32_t page = 0; page < number; page++)
            pages[count++] = (debugger->point[i].address >> PAGE_BITS) + page;
    }
    return count;
}

bool cpu_debugger_add(CpuDebugger *debugger, const CpuStopPoint *point) {
    if (find_point(debugger, point) < debugger->count)
        return true;
    if (debugger->count == CPU_STOP_POINTS || point->length == 0 ||
        point->address + (point->length - 1) < point->address)
        return false;
    uint64_t pages = count_pages(point);
    for (unsigned i = 0; i < debugger->count; i++)
        pages += count_pages(&debugger->point[i]);
    if (pages > CPU_DEBUGGER_PAGES)
        return false;
    debugger->point[debugger->count++] = *point;
    collect_set(debugger);
    return true;
}

bool cpu_debugger_remove(CpuDebugger *debugger, const CpuStopPoint *point) {
    unsigned i = find_point(debugger, point);
    if (i == debugger->count)
        return false;
    debugger->point[i] = debugger->point[--debugger->count];
    collect_set(debugger);
    return true;
}

uint32_t cpu_bytes_to_stop(const Cpu *cpu, uint32_t linear, uint32_t available) {
    const CpuStopSet *set = &cpu->debugger->set;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t distance = set->address[i] - linear;
        if (distance < available)
            available = distance;
    }
    return available;
}

bool cpu_stops_before(Cpu *cpu, uint32_t linear) {
    CpuDebugger *debugger = cpu->debugger;
    if (cpu_stop_set(cpu) == 0 || cpu_bytes_to_stop(cpu, linear, 1) != 0 ||
        (cpu->state.eflags & FLAG_RF) ||
        (debugger->passed_count == cpu->state.instruction_count &&
         debugger->passed_processor == cpu->number))
        return false;
    debugger->met = (CpuStopPoint){CPU_STOP_EXECUTE, linear, 1};
    debugger->met_address = linear;
    cpu->break_after = 1;
    return true;
}

static const CpuStopPoint *find_access(const CpuDebugger *debugger, uint32_t linear, uint32_t size,
                                       bool write) {
    for (unsigned i = 0; debugger != NULL && i < debugger->count; i++) {
        const CpuStopPoint *point = &debugger->point[i];
        bool wanted = point->kind == CPU_STOP_ACCESS ||
                      point->kind == (write ? CPU_STOP_WRITE : CPU_STOP_READ);
        if (wanted && (linear - point->address < point->length || point->address - linear < size))
            return point;
    }
    return NULL;
}

bool cpu_stops_at_access(const Cpu *cpu, uint32_t linear, uint32_t size, bool write) {
    return find_access(cpu->debugger, linear, size, write) != NULL;
}

void cpu_stop_after_access(Cpu *cpu, uint32_t linear, uint32_t size, bool write) {
    CpuDebugger *debugger = cpu->debugger;
    const CpuStopPoint *point = find_access(debugger, linear, size, write);
    if (point == NULL)
        return;
    debugger->met = *point;
    debugger->met_address = linear - point->address < point->length ? linear : point->address;
    cpu->break_after = 1;
}
