/* What the debugger asks about the stub, its threads, and what it passes to the monitor. */
#include "gdb_registers.h"
#include "gdb_session.h"

#include <stdio.h>
#include <string.h>

bool gdb_supported(GdbStub *stub, GdbText *text) {
    stub->knows_swbreak = strstr(text->at, "swbreak+") != NULL;
    stub->knows_hwbreak = strstr(text->at, "hwbreak+") != NULL;
    byte_buffer_print(&stub->payload,
                      "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+;"
                      "swbreak+;hwbreak+;multiprocess-%s",
                      GDB_PACKET_BYTES,
                      stub->machine->history != NULL ? ";ReverseStep+;ReverseContinue+" : "");
    return true;
}

/* This answer is acknowledged still. */
bool gdb_no_acknowledgement(GdbStub *stub, GdbText *text) {
    (void)text;
    stub->no_acknowledgement = true;
    gdb_answer(stub, "OK");
    return true;
}

/* "target.xml:OFFSET,LENGTH": 'm' and a piece, or 'l' and the last one. */
bool gdb_transfer_features(GdbStub *stub, GdbText *text) {
    uint64_t offset, length;
    if (!gdb_take(text, "target.xml:")) {
        gdb_fail(stub, 0);
        return true;
    }
    if (!gdb_take_number(text, &offset) || !gdb_take(text, ",") ||
        !gdb_take_number(text, &length)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    ByteBuffer description = {.data = NULL};
    gdb_describe_target(&description);
    size_t from = offset < description.size ? (size_t)offset : description.size;
    size_t left = description.size - from;
    size_t most = length < GDB_PACKET_BYTES - 1 ? (size_t)length : GDB_PACKET_BYTES - 1;
    gdb_answer(stub, left > most ? "m" : "l");
    byte_buffer_append(&stub->payload, description.data + from, left > most ? most : left);
    byte_buffer_free(&description);
    return true;
}

/* ---- Threads ---- */

bool gdb_take_thread(const GdbStub *stub, GdbText *text, unsigned *processor, bool *any) {
    uint64_t number;
    *any = gdb_take(text, "-1");
    if (*any)
        return true;
    if (!gdb_take_number(text, &number) || number > stub->machine->processor_count)
        return false;
    *any = number == 0;
    if (!*any)
        *processor = (unsigned)number - 1;
    return true;
}

bool gdb_first_threads(GdbStub *stub, GdbText *text) {
    (void)text;
    for (unsigned i = 0; i < stub->machine->processor_count; i++)
        byte_buffer_print(&stub->payload, "%c%x", i == 0 ? 'm' : ',', i + 1);
    return true;
}

bool gdb_next_threads(GdbStub *stub, GdbText *text) {
    (void)text;
    gdb_answer(stub, "l");
    return true;
}

bool gdb_thread_info(GdbStub *stub, GdbText *text) {
    unsigned processor = 0;
    bool any;
    if (!gdb_take_thread(stub, text, &processor, &any)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    const CpuState *state = &stub->machine->processor[processor].cpu->state;
    char info[48];
    int length = snprintf(info, sizeof(info), "CPU#%u [%s]", processor,
                          state->halted ? "halted " : "running");
    gdb_append_hex(&stub->payload, info, (size_t)length);
    return true;
}

bool gdb_current_thread(GdbStub *stub, GdbText *text) {
    if (text->at == text->end) /* not qCRC and its like */
        byte_buffer_print(&stub->payload, "QC%x", stub->selected + 1);
    return true;
}

/* It was there before the debugger: which leaves it running when it goes. */
bool gdb_attached(GdbStub *stub, GdbText *text) {
    (void)text;
    gdb_answer(stub, "1");
    return true;
}

bool gdb_thread_alive(GdbStub *stub, GdbText *text) {
    unsigned processor;
    bool any;
    if (gdb_take_thread(stub, text, &processor, &any))
        gdb_answer(stub, "OK");
    else
        gdb_fail(stub, GDB_EINVAL);
    return true;
}

/* "Hg": for registers and memory; "Hc": for steps of old debuggers. */
bool gdb_select_thread(GdbStub *stub, GdbText *text) {
    bool steps = gdb_take(text, "c"), any = false;
    unsigned processor = stub->selected;
    if ((!steps && !gdb_take(text, "g")) || !gdb_take_thread(stub, text, &processor, &any)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    if (steps)
        stub->continued = any ? -1u : processor;
    else if (!any)
        stub->selected = processor;
    gdb_answer(stub, "OK");
    return true;
}

/* ---- As QEMU has it: "maintenance packet qqemu.sstep" and its like ---- */

bool gdb_step_bits(GdbStub *stub, GdbText *text) {
    (void)text;
    byte_buffer_print(&stub->payload, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", GDB_STEP_ENABLE,
                      GDB_STEP_NO_IRQ, GDB_STEP_NO_TIMER);
    return true;
}

bool gdb_query_step(GdbStub *stub, GdbText *text) {
    (void)text;
    byte_buffer_print(&stub->payload, "0x%x", stub->step_bits);
    return true;
}

bool gdb_set_step(GdbStub *stub, GdbText *text) {
    uint64_t bits;
    gdb_take(text, "0x");
    if (gdb_take_number(text, &bits) && bits < 8) {
        stub->step_bits = (unsigned)bits;
        gdb_answer(stub, "OK");
    } else {
        gdb_fail(stub, GDB_EINVAL);
    }
    return true;
}

bool gdb_query_physical(GdbStub *stub, GdbText *text) {
    (void)text;
    byte_buffer_print(&stub->payload, "%d", stub->physical);
    return true;
}

bool gdb_set_physical(GdbStub *stub, GdbText *text) {
    uint64_t on;
    if (gdb_take_number(text, &on)) {
        stub->physical = on != 0;
        gdb_answer(stub, "OK");
    } else {
        gdb_fail(stub, GDB_EINVAL);
    }
    return true;
}

/* "monitor COMMAND": its output in pieces, then OK. */
bool gdb_run_monitor(GdbStub *stub, GdbText *text) {
    char line[1024];
    size_t length = (size_t)(text->end - text->at) / 2;
    if (length >= sizeof(line) || !gdb_take_bytes(text, line, length)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    line[length] = '\0';
    ByteBuffer output = {.data = NULL};
    stub->host.run_command(stub->host.opaque, line, &output);
    size_t most = GDB_PACKET_BYTES / 2 - 1;
    for (size_t done = 0; done < output.size; done += most) {
        gdb_answer(stub, "O");
        gdb_append_hex(&stub->payload, output.data + done,
                       output.size - done < most ? output.size - done : most);
        gdb_send_payload(stub);
    }
    byte_buffer_free(&output);
    gdb_answer(stub, "OK");
    return true;
}

bool gdb_symbol(GdbStub *stub, GdbText *text) {
    (void)text;
    gdb_answer(stub, "OK"); /* no symbol is wanted */
    return true;
}
