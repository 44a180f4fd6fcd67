/* See gdb_stub.h. */
#include "gdb_session.h"

#include <stdlib.h>
#include <string.h>

static bool gdb_detach(GdbStub *stub, GdbText *text);
static bool gdb_kill(GdbStub *stub, GdbText *text);
static bool gdb_kill_process(GdbStub *stub, GdbText *text);
static bool gdb_restart(GdbStub *stub, GdbText *text);

typedef struct GdbCommand {
    const char *name; /* a packet that begins so; of two that fit the first counts */
    GdbHandler *run;
    bool on_main; /* not on the machine's thread */
} GdbCommand;

static const GdbCommand commands[] = {
    // clang-format off
    {"?",                 gdb_tell_stop,          false},
    {"g",                 gdb_read_registers,     false},
    {"G",                 gdb_write_registers,    false},
    {"p",                 gdb_read_register,      false},
    {"P",                 gdb_write_register,     false},
    {"m",                 gdb_read_memory,        false},
    {"M",                 gdb_write_memory,       false},
    {"X",                 gdb_write_binary,       false},
    {"c",                 gdb_continue,           false},
    {"s",                 gdb_step,               false},
    {"bc",                gdb_continue_back,      false},
    {"bs",                gdb_step_back,          false},
    {"vCont?",            gdb_list_actions,       false},
    {"vCont",             gdb_run_actions,        false},
    {"vKill",             gdb_kill_process,       true},
    {"Z",                 gdb_insert_point,       false},
    {"z",                 gdb_remove_point,       false},
    {"H",                 gdb_select_thread,      false},
    {"T",                 gdb_thread_alive,       false},
    {"D",                 gdb_detach,             true},
    {"k",                 gdb_kill,               true},
    {"R",                 gdb_restart,            true},
    {"qSupported",        gdb_supported,          false},
    {"QStartNoAckMode",   gdb_no_acknowledgement, false},
    {"qXfer:features:read:", gdb_transfer_features, false},
    {"qfThreadInfo",      gdb_first_threads,      false},
    {"qsThreadInfo",      gdb_next_threads,       false},
    {"qThreadExtraInfo,", gdb_thread_info,        false},
    {"qC",                gdb_current_thread,     false},
    {"qAttached",         gdb_attached,           false},
    {"qSymbol",           gdb_symbol,             false},
    {"qRcmd,",            gdb_run_monitor,        true},
    {"qqemu.sstepbits",   gdb_step_bits,          false},
    {"qqemu.sstep",       gdb_query_step,         false},
    {"Qqemu.sstep=",      gdb_set_step,           false},
    {"qqemu.PhyMemMode",  gdb_query_physical,     false},
    {"Qqemu.PhyMemMode:", gdb_set_physical,       false},
    // clang-format on
};

void gdb_answer(GdbStub *stub, const char *text) {
    byte_buffer_append(&stub->payload, text, strlen(text));
}

void gdb_fail(GdbStub *stub, unsigned number) {
    byte_buffer_print(&stub->payload, "E%02x", number);
}

static void send_last(GdbStub *stub) {
    stub->host.send(stub->host.opaque, stub->last_packet.data, stub->last_packet.size);
}

void gdb_send_payload(GdbStub *stub) {
    stub->last_packet.size = 0;
    gdb_packet_write(&stub->last_packet, &stub->payload);
    stub->payload.size = 0;
    send_last(stub);
}

/* ---- The end ---- */

static void detach(void *opaque) {
    machine_history_end(opaque);
    machine_debug_detach(opaque);
}

static void leave(GdbStub *stub) {
    if (stub->detached)
        return;
    stub->detached = true;
    machine_call(stub->machine, detach, stub->machine);
    if (stub->ran_before && machine_run_state(stub->machine) == RUN_STATE_PAUSED)
        machine_continue(stub->machine, NULL);
}

static bool gdb_detach(GdbStub *stub, GdbText *text) {
    (void)text;
    stub->ran_before = true; /* whoever detaches wants it to go on */
    leave(stub);
    gdb_answer(stub, "OK");
    return true;
}

static bool gdb_kill(GdbStub *stub, GdbText *text) {
    (void)text;
    stub->host.quit(stub->host.opaque);
    return false;
}

static bool gdb_kill_process(GdbStub *stub, GdbText *text) {
    gdb_kill(stub, text);
    gdb_answer(stub, "OK");
    return true;
}

static bool gdb_restart(GdbStub *stub, GdbText *text) {
    (void)text;
    machine_reset(stub->machine);
    return false; /* it has no answer */
}

/* ---- Packets ---- */

typedef struct GdbCall {
    GdbStub *stub;
    GdbHandler *run;
    GdbText text;
    bool answers;
} GdbCall;

static void run_call(void *opaque) {
    GdbCall *call = opaque;
    call->answers = call->run(call->stub, &call->text);
}

/* A packet that is not known gets an empty answer. */
static void serve_packet(GdbStub *stub) {
    GdbCall call = {.stub = stub,
                    .text = {stub->reader.payload, stub->reader.payload + stub->reader.size},
                    .answers = true};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!gdb_take(&call.text, commands[i].name))
            continue;
        call.run = commands[i].run;
        if (commands[i].on_main)
            run_call(&call);
        else
            machine_call(stub->machine, run_call, &call);
        break;
    }
    if (call.answers)
        gdb_send_payload(stub);
    stub->payload.size = 0;
}

static void acknowledge(GdbStub *stub, const char *sign) {
    if (!stub->no_acknowledgement)
        stub->host.send(stub->host.opaque, sign, 1);
}

static void serve_event(GdbStub *stub, GdbEvent event) {
    if (event == GDB_PACKET) {
        acknowledge(stub, "+");
        serve_packet(stub);
    } else if (event == GDB_BAD_PACKET) {
        acknowledge(stub, "-");
    } else if (event == GDB_INTERRUPT) {
        stub->interrupted = true;
        machine_stop(stub->machine, NULL);
        gdb_stub_update(stub);
    } else if (event == GDB_REPEAT && !stub->no_acknowledgement) {
        send_last(stub);
    }
}

void gdb_stub_receive(GdbStub *stub, const void *bytes, size_t size) {
    for (size_t i = 0; i < size && !stub->detached; i++)
        serve_event(stub, gdb_packet_read(&stub->reader, ((const uint8_t *)bytes)[i]));
}

static void append_stop(void *opaque) {
    gdb_append_stop(opaque);
}

void gdb_stub_update(GdbStub *stub) {
    int status;
    if (!stub->waits || stub->detached ||
        (machine_run_state(stub->machine) == RUN_STATE_RUNNING &&
         !machine_has_ended(stub->machine, &status)))
        return;
    stub->waits = false;
    machine_call(stub->machine, append_stop, stub);
    gdb_send_payload(stub);
}

/* ---- Coming and going ---- */

/* Where there is no way back the debugger is told that it has none. */
static void attach(void *opaque) {
    machine_debug_attach(opaque);
    machine_history_begin(opaque, NULL);
}

GdbStub *gdb_stub_create(const GdbHost *host) {
    GdbStub *stub = calloc(1, sizeof(*stub));
    if (stub == NULL)
        return NULL;
    stub->host = *host;
    stub->machine = host->machine;
    stub->step_bits = GDB_STEP_ENABLE | GDB_STEP_NO_IRQ | GDB_STEP_NO_TIMER;
    stub->continued = -1u;
    stub->ran_before = machine_run_state(stub->machine) == RUN_STATE_RUNNING;
    machine_stop(stub->machine, NULL);
    machine_call(stub->machine, attach, stub->machine);
    return stub;
}

void gdb_stub_destroy(GdbStub *stub) {
    if (stub == NULL)
        return;
    gdb_stub_update(stub); /* that the guest ended may be news */
    leave(stub);
    byte_buffer_free(&stub->payload);
    byte_buffer_free(&stub->last_packet);
    free(stub);
}
