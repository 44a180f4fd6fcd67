/* Hostile clients of QMP: every command with arguments that fit its types more or less, and noise
 * between. The machine has two drives that may be changed, and no firmware to run. */
#include "character_device.h"
#include "fuzz_input.h"
#include "qmp.h"
#include "qmp_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Program program;
static Settings settings;
static QmpServer *server;

/* Nothing that leads out of this process: no program to start, no descriptor to take, no file to
 * write. */
static const char *const texts[] = {
    "",
    "cd0",
    "fd0",
    "node1",
    "node2",
    "file1",
    "raw",
    "qcow2",
    "file",
    "/machine",
    "/nowhere/x",
    "%n%s",
    "fd:1000000",
    "job1",
    "type",
    "info status",
    "unattached/device[0]",
    "/machine/peripheral/cd0",
    "/machine/peripheral-anon/device[0]",
};
static const int64_t numbers[] = {0, 1, -1, 2, 511, 512, 1 << 20, INT64_MAX, INT64_MIN, 4294967296};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static json_object *make_value(FuzzInput *input, const char *type, bool is_list, unsigned depth);

static json_object *make_object(FuzzInput *input, const char *members, unsigned depth) {
    json_object *object = json_object_new_object();
    QmpMember member;
    while (qmp_member_next(&members, &member))
        if (!member.optional || (fuzz_number(input, 1) & 1) != 0)
            json_object_object_add(object, member.name,
                                   make_value(input, member.type, member.is_list, depth + 1));
    if ((fuzz_number(input, 1) & 3) == 0) /* for objects that take more than is listed */
        json_object_object_add(object, "file", make_value(input, "str", false, depth + 1));
    return object;
}

static json_object *make_enumerated(FuzzInput *input, const char *values) {
    char value[QMP_WORD_BYTES] = "";
    unsigned skipped = (unsigned)fuzz_number(input, 1) % 8;
    for (unsigned i = 0; i <= skipped && qmp_value_next(&values, value); i++) {
    }
    return json_object_new_string(value);
}

static json_object *make_other(FuzzInput *input) {
    switch (fuzz_number(input, 1) % 6) {
    case 0:
        return NULL;
    case 1:
        return json_object_new_boolean(1);
    case 2:
        return json_object_new_int64(numbers[fuzz_number(input, 1) % COUNT(numbers)]);
    case 3:
        return json_object_new_array();
    case 4:
        return qmp_pack("down:b key:o axis:s value:i node:s overlay:s button:s", true,
                        qmp_pack("type:s data:s", "qcode", "a"), "x", (int64_t)1, "node1", "node2",
                        "left");
    default:
        return json_object_new_string(texts[fuzz_number(input, 1) % COUNT(texts)]);
    }
}

static json_object *make_value(FuzzInput *input, const char *type_name, bool is_list,
                               unsigned depth) {
    if (is_list) {
        json_object *list = json_object_new_array();
        for (unsigned i = (unsigned)fuzz_number(input, 1) % 4; i > 0; i--)
            json_object_array_add(list, make_value(input, type_name, false, depth + 1));
        return list;
    }
    const QmpType *type = qmp_type_find(type_name);
    uint8_t dice = (uint8_t)fuzz_number(input, 1);
    if (dice < 16 || depth > 6 || strcmp(type_name, "any") == 0)
        return make_other(input);
    if (strcmp(type_name, "str") == 0)
        return json_object_new_string(texts[dice % COUNT(texts)]);
    if (strcmp(type_name, "int") == 0)
        return json_object_new_int64(numbers[dice % COUNT(numbers)]);
    if (strcmp(type_name, "bool") == 0)
        return json_object_new_boolean(dice & 1);
    if (type == NULL)
        return make_other(input);
    return type->members[0] == '=' ? make_enumerated(input, type->members + 1)
                                   : make_object(input, type->members, depth);
}

static void send_command(QmpSession *session, FuzzInput *input) {
    unsigned count = 0;
    while (qmp_commands[count].name != NULL)
        count++;
    const QmpCommand *command = &qmp_commands[fuzz_number(input, 2) % count];
    json_object *message =
        qmp_pack("execute:s arguments:o", command->name, make_object(input, command->arguments, 0));
    const char *text = json_object_to_json_string(message);
    qmp_session_receive(session, (const uint8_t *)text, strlen(text));
    json_object_put(message);
    qmp_program_part.serve(server);
}

static char *make_file(size_t size, uint8_t first) {
    char *path = strdup("/tmp/fuzz-qmp-XXXXXX");
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file == NULL || fputc(first, file) == EOF || fseek(file, (long)size - 1, SEEK_SET) != 0 ||
        fputc(0xF4, file) == EOF || fclose(file) != 0)
        abort();
    return path;
}

static void open_program(void) {
    Error error = {.set = false};
    char *rom = make_file(65536, 0xF4), *disk = make_file(1 << 20, 0);
    settings_init(&settings);
    MachineConfig *config = &settings.machine;
    config->ram_bytes = 4 << 20;
    config->icount = config->start_paused = config->no_shutdown = true;
    config->bios = rom;
    config->ide[2] = (DriveConfig){.present = true,
                                   .is_cd = true,
                                   .file = disk,
                                   .format = "raw",
                                   .boot_index = -1,
                                   .device_id = "cd0",
                                   .node_name = "node1"};
    settings.image[settings.image_count++] = (ImageSpec){
        .id = "node1", .file = disk, .format = "raw", .read_only = true, .is_node = true};
    settings.image[settings.image_count++] = (ImageSpec){.id = "file1",
                                                         .file = disk,
                                                         .format = "raw",
                                                         .read_only = true,
                                                         .is_node = true,
                                                         .is_file = true};
    CharacterSpec nowhere = {.kind = CHARACTER_NULL};
    settings.monitor_is_control[0] = true;
    settings.monitor_count = 1;
    program = (Program){.settings = &settings, .ready_fd = -1};
    if (!event_loop_init(&program.loop, &error) ||
        (program.machine = machine_create(config, &error)) == NULL ||
        (program.monitor_device[0] =
             character_device_open(&program.loop, &nowhere, "qmp", &error)) == NULL ||
        (program.migration = migration_create(program.machine, &program.loop, NULL, &error)) ==
            NULL ||
        (server = qmp_program_part.open(&program, &error)) == NULL) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    program.devices[program.device_count++] = program.monitor_device[0];
    program.monitor_host = (MonitorHost){.machine = program.machine, .version = "0"};
    remove(rom);
    remove(disk);
    free(rom);
}

int fuzz_one(const uint8_t *data, size_t size) {
    static const char hello[] = "{\"execute\":\"qmp_capabilities\"}";
    FuzzInput input = {data, size, 0};
    if (server == NULL)
        open_program();
    QmpSession *session = &server->session[0];
    session->negotiated = false;
    qmp_session_receive(session, (const uint8_t *)"\xff", 1);
    qmp_session_receive(session, (const uint8_t *)hello, strlen(hello));
    while (input.position < input.size) {
        unsigned action = (unsigned)fuzz_number(&input, 1);
        if (action % 8 == 0) {
            uint8_t bytes[8];
            for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)fuzz_number(&input, 1);
            qmp_session_receive(session, bytes, action / 32 + 1);
            qmp_session_receive(session, (const uint8_t *)"\xff", 1);
        } else if (action % 8 == 1) {
            machine_run_instructions(program.machine, action);
        } else {
            send_command(session, &input);
        }
    }
    return 0;
}

void fuzz_clean_up(void) {
    if (server == NULL)
        return;
    qmp_program_part.close(server);
    machine_destroy(program.machine);
    character_device_close(program.monitor_device[0]);
    event_loop_destroy(&program.loop);
    free((char *)settings.machine.ide[2].file);
    settings_free(&settings);
    server = NULL;
}
