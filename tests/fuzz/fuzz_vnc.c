/* Hostile clients of VNC: handshakes, right and wrong, and messages whose fields are more or less
 * what the protocol (RFC 6143 and its community specification) allows, cut anywhere; one or two
 * clients at a time, with the guest's screen changing its size between. The whole input of a client
 * is there when it comes, and nothing comes after, so that nobody waits. */
#include "fuzz_input.h"
#include "fuzz_machine.h"
#include "machine_parts.h"
#include "vnc_server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS_MAX = 12, CLIENTS = 2, STREAM_BYTES_MAX = 16384 };

static struct {
    Machine *machine;
    EventLoop loop;
    VncServer *open, *locked; /* without and with a password */
} fixture;

static void die(const Error *error) {
    fprintf(stderr, "fuzz_vnc: %s\n", error->message);
    abort();
}

static Machine *make_machine(void) {
    MachineConfig config;
    fuzz_machine_config(&config, BACKEND_PORTABLE);
    config.start_paused = true;
    return fuzz_machine_create_halted(&config);
}

static VncServer *open_server(bool has_password) {
    char path[64];
    Error error = {.set = false};
    snprintf(path, sizeof(path), "/tmp/fuzz-vnc-%d-%d", (int)getpid(), has_password);
    char *kept = strdup(path);
    VncSpec spec = {.wanted = true, .has_password = has_password, .path = kept};
    VncServer *server = vnc_server_open(&fixture.loop, fixture.machine, &spec, "fuzz", &error);
    if (server == NULL || (has_password && !vnc_server_set_password(server, "secret", &error)))
        die(&error);
    unlink(kept);
    return server; /* 'kept' is the server's as long as it is open: to the end */
}

static void prepare(void) {
    Error error = {.set = false};
    fixture.machine = make_machine();
    if (!event_loop_init(&fixture.loop, &error))
        die(&error);
    fixture.open = open_server(false);
    fixture.locked = open_server(true);
}

/* ---- What a client sends ---- */

static void put(ByteBuffer *stream, uint64_t value, unsigned bytes) {
    while (bytes-- > 0) {
        uint8_t byte = (uint8_t)(value >> (8 * bytes));
        byte_buffer_append(stream, &byte, 1);
    }
}

static void put_noise(ByteBuffer *stream, FuzzInput *input, unsigned bytes) {
    while (bytes-- > 0)
        put(stream, fuzz_number(input, 1), 1);
}

/* A field: mostly as small as the screen, now and then at a bound or anything. */
static uint64_t field(FuzzInput *input, unsigned bytes) {
    uint64_t dice = fuzz_number(input, 1), most = (1ull << (8 * bytes)) - 1;
    return dice < 160   ? dice * 4 % (most + 1)
           : dice < 190 ? most - (dice & 3)
           : dice < 210 ? 0
                        : fuzz_number(input, bytes);
}

static void put_handshake(ByteBuffer *stream, FuzzInput *input) {
    static const char *const versions[] = {
        "RFB 003.008\n", "RFB 003.007\n",          "RFB 003.003\n", "RFB 003.889\n",
        "RFB 999.999\n", "GET / HTTP/1.1\r\n\r\n", "RFB 003.008\n", "RFB 003.008\n"};
    static const char upgrade[] =
        "GET /websockify HTTP/1.1\r\nHost: x\r\nOrigin: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n";
    unsigned dice = (unsigned)fuzz_number(input, 1);
    if (dice % 32 == 9)
        byte_buffer_append(stream, upgrade, sizeof(upgrade) - 1);
    const char *version = dice < 16 ? versions[dice % 8] : versions[0];
    byte_buffer_append(stream, version, strlen(version));
    if (strcmp(version, versions[2]) != 0)
        put(stream, dice % 16 == 3 ? dice >> 4 : dice % 16 == 4 ? 2 : 1, 1); /* security: none */
    if (dice % 16 == 4)
        put_noise(stream, input, 16); /* the answer to a challenge */
    put(stream, dice & 1, 1);         /* shared */
}

static void put_pixel_format(ByteBuffer *stream, FuzzInput *input) {
    static const uint8_t depths[] = {8, 16, 32, 24, 0, 1};
    put(stream, 0, 4);
    put(stream, depths[fuzz_number(input, 1) % sizeof(depths)], 1);
    put(stream, field(input, 1), 1);           /* depth */
    put(stream, fuzz_number(input, 1) & 1, 1); /* big endian */
    put(stream, fuzz_number(input, 1) % 4, 1); /* true colour */
    for (int i = 0; i < 3; i++)
        put(stream, field(input, 2), 2); /* most of each colour */
    for (int i = 0; i < 3; i++)
        put(stream, field(input, 1), 1); /* shifts */
    put(stream, 0, 3);
}

static void put_encodings(ByteBuffer *stream, FuzzInput *input) {
    static const int32_t encodings[] = {0,
                                        1,
                                        2,
                                        4,
                                        5,
                                        6,
                                        7,
                                        9,
                                        16,
                                        17,
                                        8,
                                        21,
                                        -260,
                                        -239,
                                        -240,
                                        -223,
                                        -224,
                                        -232,
                                        -258,
                                        -257,
                                        -259,
                                        -305,
                                        -306,
                                        -307,
                                        -308,
                                        -309,
                                        -312,
                                        -313,
                                        -314,
                                        -316,
                                        -1,
                                        -8,
                                        -23,
                                        -32,
                                        -247,
                                        -256,
                                        -512,
                                        -768,
                                        (int32_t)0xC0A1E5CE,
                                        (int32_t)0xFFFF0001,
                                        (int32_t)0xFFFE0000,
                                        (int32_t)0xFFFF8000};
    unsigned count = (unsigned)fuzz_number(input, 1) % 12;
    put(stream, 0, 1);
    put(stream, fuzz_number(input, 1) == 77 ? 0xFFFF : count, 2);
    for (unsigned i = 0; i < count; i++) {
        unsigned row = (unsigned)fuzz_number(input, 1);
        put(stream,
            row < 250 ? (uint32_t)encodings[row % (sizeof(encodings) / sizeof(encodings[0]))]
                      : fuzz_number(input, 4),
            4);
    }
}

/* Messages with fixed fields: their type, how many bytes each field has, 0 ends them. */
static const struct {
    uint8_t type;
    uint8_t fields[8];
} messages[] = {
    {3, {1, 2, 2, 2, 2}},            /* FramebufferUpdateRequest */
    {4, {1, 2, 4}},                  /* KeyEvent */
    {5, {1, 2, 2}},                  /* PointerEvent */
    {6, {3, 4, 4, 4}},               /* ClientCutText, with what may be an extended clipboard's */
    {7, {1, 1, 1, 4, 4}},            /* a file transfer's */
    {8, {1, 2}},                     /* SetScale */
    {9, {1, 1}},                     /* SetServerInput */
    {10, {1, 2, 2}},                 /* SetSingleWindow */
    {11, {3, 4}},                    /* TextChat */
    {15, {1, 2}},                    /* PalmVNC SetScaleFactor */
    {150, {1, 2, 2, 2, 2}},          /* EnableContinuousUpdates */
    {248, {3, 4, 1, 4}},             /* ClientFence */
    {250, {1, 1, 1}},                /* xvp */
    {251, {1, 2, 2, 1, 1, 4, 8, 4}}, /* SetDesktopSize */
    {252, {1, 2}},                   /* gii */
    {255, {1, 2, 4, 4}},             /* QEMU */
};

static void put_message(ByteBuffer *stream, FuzzInput *input) {
    unsigned dice = (unsigned)fuzz_number(input, 1);
    if (dice % 16 == 0) {
        put(stream, 0, 1);
        put_pixel_format(stream, input);
    } else if (dice % 16 == 1) {
        put(stream, 2, 1);
        put_encodings(stream, input);
    } else if (dice % 16 == 2) {
        put_noise(stream, input, dice / 8);
    } else {
        unsigned row =
            dice % 16 < 9 ? dice / 16 % 3 : dice % (sizeof(messages) / sizeof(messages[0]));
        put(stream, messages[row].type, 1);
        for (int i = 0; i < 8 && messages[row].fields[i] != 0; i++)
            put(stream, messages[row].fields[i] > 4 ? 0 : field(input, messages[row].fields[i]),
                messages[row].fields[i]);
        if (dice > 240)
            put_noise(stream, input, dice - 240);
    }
}

/* ---- What is done with it ---- */

/* Both ends; our own has said all and takes what comes, as much as there is room for. */
static int connect_client(VncServer *server, FuzzInput *input, unsigned messages_sent) {
    int ends[2];
    Error error = {.set = false};
    ByteBuffer stream = {.data = NULL};
    put_handshake(&stream, input);
    for (unsigned i = 0; i < messages_sent && input->position < input->size; i++)
        put_message(&stream, input);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        abort();
    size_t size = stream.size < STREAM_BYTES_MAX ? stream.size : STREAM_BYTES_MAX;
    if (write(ends[0], stream.data, size) != (ssize_t)size)
        abort();
    shutdown(ends[0], SHUT_WR);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    byte_buffer_free(&stream);
    vnc_server_add_client(server, ends[1], &error);
    return ends[0];
}

static void drain(int end) {
    char bytes[65536];
    while (read(end, bytes, sizeof(bytes)) > 0) {
    }
}

/* By Bochs's ports: another size, another depth, or text. */
static void change_screen(FuzzInput *input) {
    static const uint16_t widths[] = {640, 8, 64, 320, 1024, 16, 800, 1280};
    unsigned dice = (unsigned)fuzz_number(input, 1);
    uint16_t values[] = {4, 0,
                         1, widths[dice % 8],
                         2, (uint16_t)(dice % 5 * 60 + 8),
                         3, dice & 64 ? 32 : 16,
                         4, dice & 128 ? 0x41 : 0};
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i += 2) {
        port_map_write(fixture.machine->ports, 0x1CE, 2, values[i]);
        port_map_write(fixture.machine->ports, 0x1CF, 2, values[i + 1]);
    }
    machine_run_instructions(fixture.machine, 1 + dice);
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    int ends[CLIENTS] = {-1, -1};
    if (fixture.machine == NULL)
        prepare();
    unsigned dice = (unsigned)fuzz_number(&input, 1);
    VncServer *server = dice < 24 ? fixture.locked : fixture.open;
    unsigned clients = 1 + (dice & 1);
    for (unsigned i = 0; i < clients; i++)
        ends[i] = connect_client(server, &input, i + 1 < clients ? 6 : 64);
    for (unsigned round = 0; round < ROUNDS_MAX && vnc_server_client_count(server) > 0; round++) {
        event_loop_run_once(&fixture.loop, 0);
        vnc_server_update(server);
        for (unsigned i = 0; i < clients; i++)
            drain(ends[i]);
        if ((dice >> (round & 7) & 1) != 0)
            change_screen(&input);
    }
    for (unsigned i = 0; i < clients; i++)
        close(ends[i]);
    for (unsigned round = 0; round < 200 && vnc_server_client_count(server) > 0; round++) {
        event_loop_run_once(&fixture.loop, 0);
        vnc_server_update(server);
    }
    if (vnc_server_client_count(server) > 0)
        abort(); /* a client that is gone is kept */
    return 0;
}

void fuzz_clean_up(void) {
    if (fixture.machine == NULL)
        return;
    vnc_server_close(fixture.open);
    vnc_server_close(fixture.locked);
    machine_destroy(fixture.machine);
    event_loop_destroy(&fixture.loop);
    fixture.machine = NULL;
}
