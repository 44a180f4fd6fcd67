/* Registers and memory. */
#include "gdb_registers.h"
#include "gdb_session.h"

static Cpu *selected_cpu(GdbStub *stub) {
    return stub->machine->processor[stub->selected].cpu;
}

bool gdb_read_registers(GdbStub *stub, GdbText *text) {
    (void)text;
    for (unsigned i = 0; i < gdb_register_count(); i++)
        gdb_append_register(&stub->payload, selected_cpu(stub), i);
    return true;
}

/* Those that cannot be changed are passed over: the debugger sends all to change one. */
bool gdb_write_registers(GdbStub *stub, GdbText *text) {
    uint8_t bytes[GDB_REGISTER_BYTES];
    if (!machine_history_change(stub->machine)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    for (unsigned i = 0; i < gdb_register_count() && text->at < text->end; i++) {
        if (!gdb_take_bytes(text, bytes, gdb_register_size(i))) {
            gdb_fail(stub, GDB_EINVAL);
            return true;
        }
        gdb_set_register(selected_cpu(stub), i, bytes);
    }
    gdb_answer(stub, "OK");
    return true;
}

bool gdb_read_register(GdbStub *stub, GdbText *text) {
    uint64_t number;
    if (gdb_take_number(text, &number) && number < gdb_register_count())
        gdb_append_register(&stub->payload, selected_cpu(stub), (unsigned)number);
    else
        gdb_fail(stub, GDB_EINVAL);
    return true;
}

bool gdb_write_register(GdbStub *stub, GdbText *text) {
    uint64_t number;
    uint8_t bytes[GDB_REGISTER_BYTES];
    if (gdb_take_number(text, &number) && number < gdb_register_count() && gdb_take(text, "=") &&
        gdb_take_bytes(text, bytes, gdb_register_size((unsigned)number)) &&
        machine_history_change(stub->machine) &&
        gdb_set_register(selected_cpu(stub), (unsigned)number, bytes))
        gdb_answer(stub, "OK");
    else
        gdb_fail(stub, GDB_EINVAL);
    return true;
}

static MachineView view_of(const GdbStub *stub) {
    return (MachineView){stub->selected, stub->physical};
}

/* "ADDRESS,LENGTH"; addresses are 32 bits wide, and ranges end with them. */
static bool take_range(GdbText *text, uint32_t *address, size_t *length, size_t most) {
    uint64_t start, count;
    if (!gdb_take_number(text, &start) || !gdb_take(text, ",") || !gdb_take_number(text, &count) ||
        start > UINT32_MAX || count > most || start + count > (uint64_t)UINT32_MAX + 1)
        return false;
    *address = (uint32_t)start;
    *length = (size_t)count;
    return true;
}

/* As much as there is from the start on; nothing at all is an error. */
bool gdb_read_memory(GdbStub *stub, GdbText *text) {
    uint32_t address;
    size_t length, done = 0;
    uint8_t bytes[PAGE_SIZE];
    if (!take_range(text, &address, &length, GDB_PACKET_BYTES / 2)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    while (done < length) {
        uint32_t at = address + (uint32_t)done;
        size_t piece = PAGE_SIZE - (at & PAGE_OFFSET_MASK);
        if (piece > length - done)
            piece = length - done;
        if (!machine_debug_read(stub->machine, view_of(stub), at, bytes, piece))
            break;
        gdb_append_hex(&stub->payload, bytes, piece);
        done += piece;
    }
    if (done == 0 && length != 0)
        gdb_fail(stub, GDB_EFAULT);
    return true;
}

static bool write_taken(GdbStub *stub, GdbText *text, bool binary) {
    uint32_t address;
    size_t length;
    uint8_t bytes[GDB_PACKET_BYTES];
    if (!take_range(text, &address, &length, sizeof(bytes)) || !gdb_take(text, ":") ||
        !(binary ? gdb_take_binary(text, bytes, length) : gdb_take_bytes(text, bytes, length)))
        gdb_fail(stub, GDB_EINVAL);
    else if (!machine_history_change(stub->machine) ||
             !machine_debug_write(stub->machine, view_of(stub), address, bytes, length))
        gdb_fail(stub, GDB_EFAULT);
    else
        gdb_answer(stub, "OK");
    return true;
}

bool gdb_write_memory(GdbStub *stub, GdbText *text) {
    return write_taken(stub, text, false);
}

bool gdb_write_binary(GdbStub *stub, GdbText *text) {
    return write_taken(stub, text, true);
}
