/* Small questions, in the words of QEMU: gva2gpa, sum, info mice, info uuid, info kvm. */
#include "machine_parts.h"
#include "monitor_command.h"
#include "monitor_expression.h"

#define SUM_BYTES_MOST (64u << 20)

static bool read_number(Monitor *monitor, const char **text, uint32_t *value, Error *error) {
    uint64_t number;
    if (!monitor_evaluate_expression(text, monitor_cpu(monitor), &number, error))
        return false;
    *value = (uint32_t)number;
    return true;
}

bool monitor_find_physical(Monitor *monitor, char *arguments, Error *error) {
    const char *text = arguments;
    uint32_t linear, physical;
    if (!read_number(monitor, &text, &linear, error))
        return false;
    if (tlb_probe(&monitor_cpu(monitor)->tlb, linear, &physical))
        monitor_print(monitor, "gpa: %#x\n", physical);
    else
        monitor_print(monitor, "Unmapped\n");
    return true;
}

/* The sum of BSD's 'sum', of physical memory. */
bool monitor_sum(Monitor *monitor, char *arguments, Error *error) {
    const char *text = arguments;
    uint32_t start, size;
    uint16_t sum = 0;
    if (!read_number(monitor, &text, &start, error) || !read_number(monitor, &text, &size, error))
        return false;
    if (size > SUM_BYTES_MOST)
        return error_set(error, "sum: %u bytes are the most", SUM_BYTES_MOST);
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte;
        physical_read_bytes(monitor->machine->memory, start + i, &byte, 1);
        sum = (uint16_t)((uint16_t)(sum >> 1 | sum << 15) + byte);
    }
    monitor_print(monitor, "%05d\n", sum);
    return true;
}

bool monitor_info_mice(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    bool is_absolute = machine_has_absolute_pointer(monitor->machine);
    if (is_absolute)
        monitor_print(monitor, "* Mouse #3: tablet (absolute)\n");
    monitor_print(monitor, "%s Mouse #2: PS/2 Mouse\n", is_absolute ? " " : "*");
    return true;
}

bool monitor_info_uuid(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    const uint8_t *id = monitor->machine->config.smbios.uuid;
    for (int i = 0; i < 16; i++)
        monitor_print(monitor, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    monitor_print(monitor, "\n");
    return true;
}

bool monitor_info_kvm(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    monitor_print(monitor, "kvm support: disabled\n");
    return true;
}
