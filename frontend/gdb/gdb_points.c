/* Break- and watchpoints: Z and z packets. Software breakpoints are kept like hardware ones, for
 * nothing is to be seen of them in the guest's memory. */
#include "gdb_session.h"

static const CpuStopKind kinds[] = {CPU_STOP_EXECUTE, CPU_STOP_EXECUTE, CPU_STOP_WRITE,
                                    CPU_STOP_READ, CPU_STOP_ACCESS};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* "TYPE,ADDRESS,KIND": KIND is the length of what a watchpoint watches. */
static bool take_point(GdbText *text, GdbPoint *point) {
    uint64_t type, address, length;
    if (!gdb_take_number(text, &type) || type >= KINDS || !gdb_take(text, ",") ||
        !gdb_take_number(text, &address) || address > UINT32_MAX || !gdb_take(text, ",") ||
        !gdb_take_number(text, &length) || length > UINT32_MAX)
        return false;
    bool executes = kinds[type] == CPU_STOP_EXECUTE;
    *point = (GdbPoint){(unsigned)type,
                        {kinds[type], (uint32_t)address, executes ? 1 : (uint32_t)length}};
    return true;
}

static bool is_same_place(const CpuStopPoint *a, const CpuStopPoint *b) {
    return a->kind == b->kind && a->address == b->address && a->length == b->length;
}

static unsigned find_point(const GdbStub *stub, const GdbPoint *point) {
    unsigned i = 0;
    while (i < stub->point_count && (stub->point[i].type != point->type ||
                                     !is_same_place(&stub->point[i].point, &point->point)))
        i++;
    return i;
}

bool gdb_insert_point(GdbStub *stub, GdbText *text) {
    GdbPoint point;
    if (!take_point(text, &point)) {
        gdb_fail(stub, GDB_EINVAL);
    } else if (find_point(stub, &point) < stub->point_count) {
        gdb_answer(stub, "OK");
    } else if (stub->point_count == CPU_STOP_POINTS ||
               !machine_debug_add(stub->machine, &point.point)) {
        gdb_fail(stub, GDB_ENOSPC);
    } else {
        stub->point[stub->point_count++] = point;
        gdb_answer(stub, "OK");
    }
    return true;
}

/* A software and a hardware breakpoint at one place are one to the machine. */
bool gdb_remove_point(GdbStub *stub, GdbText *text) {
    GdbPoint point;
    if (!take_point(text, &point)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    unsigned place = find_point(stub, &point);
    if (place < stub->point_count) {
        stub->point[place] = stub->point[--stub->point_count];
        bool wanted = false;
        for (unsigned i = 0; i < stub->point_count; i++)
            wanted |= is_same_place(&stub->point[i].point, &point.point);
        if (!wanted)
            machine_debug_remove(stub->machine, &point.point);
    }
    gdb_answer(stub, "OK");
    return true;
}
