/* Hostile bytes to the GDB stub: packets with right checksums and wrong contents, cut ones, noise.
 * The machine has no firmware to run: what the stub does with it is all there is to see. */
#include "fuzz_input.h"
#include "fuzz_machine.h"
#include "gdb_packet.h"
#include "gdb_stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Machine *machine;

static void ignore_bytes(void *opaque, const void *bytes, size_t size) {
    (void)opaque;
    (void)bytes;
    (void)size;
}

static void answer_command(void *opaque, const char *line, ByteBuffer *output) {
    (void)opaque;
    byte_buffer_print(output, "%s\n", line);
}

static void ignore_end(void *opaque) {
    (void)opaque;
}

static Machine *make_machine(void) {
    MachineConfig config;
    machine_config_init(&config);
    config.ram_bytes = 4 << 20;
    config.processors = 2;
    config.icount = true;
    config.start_paused = true;
    return fuzz_machine_create_halted(&config);
}

/* Names that lead somewhere, and what may follow. */
static const char *const starts[] = {
    "?",
    "g",
    "G",
    "p",
    "P",
    "m",
    "M",
    "X",
    "c",
    "s",
    "C",
    "vCont?",
    "vCont;",
    "vCont;s:",
    "Z0,",
    "Z2,",
    "z1,",
    "H",
    "T",
    "D",
    "R",
    "qSupported",
    "qXfer:features:read:target.xml:",
    "qRcmd,",
    "qC",
    "qfThreadInfo",
    "qThreadExtraInfo,",
    "Qqemu.sstep=",
    "Qqemu.PhyMemMode:",
    "QStartNoAckMode",
    "bs",
    "bc",
    "k",
    "Z4,",
    "Z3,",
};
static const char letters[] = "0123456789abcdef0,:;=-+}sczgp#$";

static void send_packet(GdbStub *stub, FuzzInput *input) {
    ByteBuffer payload = {.data = NULL}, packet = {.data = NULL};
    const char *start = starts[fuzz_number(input, 1) % (sizeof(starts) / sizeof(starts[0]))];
    byte_buffer_append(&payload, start, strlen(start));
    unsigned length = (unsigned)fuzz_number(input, 1) % 24;
    bool noise = length == 23;
    for (unsigned i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)fuzz_number(input, 1);
        if (!noise)
            byte = (uint8_t)letters[byte % (sizeof(letters) - 1)];
        byte_buffer_append(&payload, &byte, 1);
    }
    gdb_packet_write(&packet, &payload);
    gdb_stub_receive(stub, packet.data, packet.size);
    byte_buffer_free(&packet);
    byte_buffer_free(&payload);
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    if (machine == NULL)
        machine = make_machine();
    GdbHost host = {machine, ignore_bytes, answer_command, ignore_end, NULL};
    GdbStub *stub = gdb_stub_create(&host);
    while (input.position < input.size) {
        unsigned action = (unsigned)fuzz_number(&input, 1);
        if (action % 8 == 0) {
            uint8_t byte = (uint8_t)fuzz_number(&input, 1);
            gdb_stub_receive(stub, &byte, 1);
        } else if (action % 8 == 1) {
            machine_run_instructions(machine, action);
            gdb_stub_update(stub);
        } else {
            send_packet(stub, &input);
        }
    }
    gdb_stub_destroy(stub);
    return 0;
}

void fuzz_clean_up(void) {
    machine_destroy(machine);
    machine = NULL;
}
