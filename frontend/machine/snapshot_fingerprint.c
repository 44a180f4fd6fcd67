#define _GNU_SOURCE
#include "snapshot_fingerprint.h"
#include "cpu_model.h"
#include "fw_cfg.h"
#include "machine_parts.h"
#include "snapshot_chunk.h"

#include <string.h>

static void add_contents(ByteBuffer *text, const char *what, const void *data, size_t size) {
    byte_buffer_print(text, "%s: %zu bytes, checksum %08x\n", what, size,
                      chunk_checksum(0, data, size));
}

/* ACPI tables, SMBIOS, a kernel: the guest may read them yet. */
static void add_firmware_item(void *opaque, uint16_t key, const char *name, const uint8_t *data,
                              size_t size) {
    char what[FW_CFG_FILE_NAME_SIZE + 32];
    if (name != NULL)
        snprintf(what, sizeof(what), "firmware file %s", name);
    else
        snprintf(what, sizeof(what), "firmware item %04Xh", key);
    add_contents(opaque, what, data, size);
}

static void add_processor(const Machine *machine, ByteBuffer *text) {
    const Cpu *cpu = machine->cpu;
    byte_buffer_print(text, "processor: %s\n", cpu->model->name);
    byte_buffer_print(text, "processor features:");
    for (int i = 0; i < 4; i++)
        byte_buffer_print(text, " %llx", (unsigned long long)cpu->features[i]);
    byte_buffer_print(text, "\n");
    if (machine->config.icount)
        byte_buffer_print(text, "clock: -icount shift=%u\n", machine->config.icount_shift);
    else
        byte_buffer_print(text, "clock: the host's\n");
}

void snapshot_fingerprint(const Machine *machine, ByteBuffer *text) {
    const Board *board = &machine->board;
    unsigned count;
    const GuestRegion *regions = physical_map_regions(machine->memory, &count);
    for (unsigned i = 0; i < count; i++)
        byte_buffer_print(text, "memory %s: %u KB\n", regions[i].name, regions[i].pages * 4);
    add_processor(machine, text);
    for (int i = 0; i < machine->devices.count; i++) {
        const DeviceEntry *entry = &machine->devices.entries[i];
        byte_buffer_print(text, "device %s: %s, version %u\n", entry->id, entry->device_class->name,
                          entry->device_class->fields->version);
    }
    add_contents(text, "BIOS", board->bios->data, board->bios->size);
    if (board->vga_bios != NULL)
        add_contents(text, "VGA BIOS", board->vga_bios->data, board->vga_bios->size);
    fw_cfg_each_item(board->fw_cfg, add_firmware_item, text);
}

/* The value that 'text' has for the line 'line' with so long a name; NULL if none. */
static const char *find_value(const char *text, const char *line, size_t name_length) {
    for (const char *at = text; at != NULL && *at != 0; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, line, name_length) == 0)
            return at + name_length;
    }
    return NULL;
}

/* Lines of 'one' that 'other' has not, or not so; 'mine': 'one' is the present machine. */
static bool compare_lines(const char *one, const char *other, bool mine, Error *error) {
    for (const char *line = one; line != NULL && *line != 0;) {
        const char *end = strchrnul(line, '\n');
        const char *colon = strstr(line, ": ");
        size_t name = colon != NULL && colon < end ? (size_t)(colon + 2 - line) : 0;
        const char *value = name != 0 ? find_value(other, line, name) : NULL;
        int what_length = (int)(name > 2 ? name - 2 : 0);
        if (value == NULL)
            return error_set(error, "%.*s is %s", what_length, line,
                             mine ? "not in the snapshot" : "missing in this machine");
        size_t value_length = (size_t)(end - line) - name;
        if (strncmp(line + name, value, value_length) != 0 ||
            (value[value_length] != '\n' && value[value_length] != 0))
            return error_set(error, "%.*s is '%.*s' in the snapshot and '%.*s' here", what_length,
                             line, (int)value_length, line + name,
                             (int)(strchrnul(value, '\n') - value), value);
        line = *end == 0 ? end : end + 1;
    }
    return true;
}

bool snapshot_fingerprint_compare(const char *saved, const char *present, Error *error) {
    return compare_lines(saved, present, false, error) &&
           compare_lines(present, saved, true, error);
}
