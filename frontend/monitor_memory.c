/* Looking at memory and ports: x, xp, print, i, o, memsave, pmemsave, dump-guest-memory. */
#include "host_file.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "memory_dump.h"
#include "monitor_command.h"
#include "monitor_disassembly.h"
#include "monitor_expression.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than this many items in one command help nobody and would stop the guest for long. */
#define MOST_ITEMS (1u << 20)

/* The "/fmt" of a command: count, format letter, size letter. */
typedef struct Format {
    uint32_t count;
    char format;   /* x d u o c i */
    unsigned size; /* bytes: 1, 2, 4, 8 */
} Format;

static bool read_format_letter(Format *format, char letter, Error *error) {
    switch (letter) {
    case 'b':
        format->size = 1;
        return true;
    case 'h':
        format->size = 2;
        return true;
    case 'w':
        format->size = 4;
        return true;
    case 'g':
        format->size = 8;
        return true;
    case 'x':
    case 'd':
    case 'u':
    case 'o':
    case 'c':
    case 'i':
        format->format = letter;
        return true;
    default:
        return error_set(error, "invalid char in format: '%c'", letter);
    }
}

static bool read_format(const char **text, Format *format, Error *error) {
    *format = (Format){.count = 1, .format = 'x', .size = 0};
    const char *at = *text;
    while (isspace((unsigned char)*at))
        at++;
    if (*at == '/') {
        at++;
        if (isdigit((unsigned char)*at)) {
            char *end;
            unsigned long count = strtoul(at, &end, 10);
            format->count = count > MOST_ITEMS ? MOST_ITEMS : (uint32_t)count;
            at = end;
        }
        while (*at != '\0' && !isspace((unsigned char)*at)) {
            if (!read_format_letter(format, *at++, error))
                return false;
        }
    }
    if (format->size == 0)
        format->size = format->format == 'c' ? 1 : 4;
    *text = at;
    return true;
}

static bool read_bytes(const Monitor *monitor, bool physical, uint32_t address, uint8_t *bytes,
                       unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        uint32_t where = address + i;
        if (!physical && !tlb_probe(&monitor_cpu(monitor)->tlb, where, &where))
            return false;
        physical_read_bytes(monitor->machine->memory, where, &bytes[i], 1);
    }
    return true;
}

static uint64_t read_le(const uint8_t *bytes, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void print_character(Monitor *monitor, uint8_t byte) {
    static const char escaped[] = "\n\r\t\\'";
    static const char letters[] = "nrt\\'";
    const char *found = byte != 0 ? strchr(escaped, byte) : NULL;
    if (found != NULL)
        monitor_print(monitor, "'\\%c'", letters[found - escaped]);
    else if (byte >= 32 && byte < 127)
        monitor_print(monitor, "'%c'", byte);
    else
        monitor_print(monitor, "'\\x%02x'", byte);
}

/* Characters an item takes, so that columns line up: hexadecimal with "0x", octal with "0". */
static int item_width(const Format *format) {
    static const int octal[9] = {[1] = 3, [2] = 6, [4] = 11, [8] = 22};
    static const int decimal[9] = {[1] = 3, [2] = 5, [4] = 10, [8] = 20};
    if (format->format == 'o')
        return octal[format->size];
    return format->format == 'x' ? (int)format->size * 2 : decimal[format->size];
}

static void print_item(Monitor *monitor, const Format *format, uint64_t value) {
    int width = item_width(format);
    switch (format->format) {
    case 'x':
        monitor_print(monitor, "0x%0*llx", width, (unsigned long long)value);
        break;
    case 'o':
        monitor_print(monitor, "%#*llo", width, (unsigned long long)value);
        break;
    case 'u':
    case 'd': /* unsigned too, as QEMU's monitor has it */
        monitor_print(monitor, "%*llu", width, (unsigned long long)value);
        break;
    default:
        print_character(monitor, (uint8_t)value);
        break;
    }
}

static unsigned items_a_line(const Format *format) {
    if (format->format == 'c')
        return 8;
    if (format->format == 'o' || format->format == 'd' || format->format == 'u')
        return format->size <= 4 ? 16 / (format->size < 4 ? 2 : 4) : 2;
    return format->size == 1 ? 8 : 16 / format->size;
}

static void dump(Monitor *monitor, const Format *format, uint32_t address, bool physical) {
    unsigned in_line = 0;
    unsigned most = items_a_line(format);
    for (uint32_t i = 0; i < format->count; i++) {
        uint8_t bytes[8];
        if (in_line == 0)
            monitor_print(monitor, "%016x:", address);
        if (!read_bytes(monitor, physical, address, bytes, format->size)) {
            monitor_print(monitor, " Cannot access memory\n");
            return;
        }
        monitor_print(monitor, " ");
        print_item(monitor, format, read_le(bytes, format->size));
        address += format->size;
        if (++in_line == most || i + 1 == format->count) {
            monitor_print(monitor, "\n");
            in_line = 0;
        }
    }
}

static bool examine(Monitor *monitor, const char *arguments, bool physical, Error *error) {
    Format format;
    uint64_t address;
    if (!read_format(&arguments, &format, error) ||
        !monitor_evaluate_expression(&arguments, monitor_cpu(monitor), &address, error))
        return false;
    if (*arguments != '\0')
        return error_set(error, "unexpected text after the address: '%s'", arguments);
    if (format.format == 'i')
        monitor_disassemble(monitor, (uint32_t)address, format.count, physical);
    else
        dump(monitor, &format, (uint32_t)address, physical);
    return true;
}

bool monitor_examine(Monitor *monitor, char *arguments, Error *error) {
    return examine(monitor, arguments, false, error);
}

bool monitor_examine_physical(Monitor *monitor, char *arguments, Error *error) {
    return examine(monitor, arguments, true, error);
}

bool monitor_evaluate(Monitor *monitor, char *arguments, Error *error) {
    Format format;
    uint64_t value;
    const char *text = arguments;
    if (!read_format(&text, &format, error) ||
        !monitor_evaluate_expression(&text, monitor_cpu(monitor), &value, error))
        return false;
    if (format.format == 'x' || format.format == 'i')
        monitor_print(monitor, "%#llx", (unsigned long long)value);
    else if (format.format == 'o')
        monitor_print(monitor, "%#llo", (unsigned long long)value);
    else if (format.format == 'c')
        print_character(monitor, (uint8_t)value);
    else
        monitor_print(monitor, format.format == 'd' ? "%lld" : "%llu", (unsigned long long)value);
    monitor_print(monitor, "\n");
    return true;
}

static bool read_port_arguments(Monitor *monitor, const char **arguments, Format *format,
                                uint64_t *port, Error *error) {
    bool sized = (*arguments)[strspn(*arguments, " \t")] == '/';
    if (!read_format(arguments, format, error) ||
        !monitor_evaluate_expression(arguments, monitor_cpu(monitor), port, error))
        return false;
    if (!sized)
        format->size = 1;
    return (format->size <= 4 && *port <= 0xFFFF) ||
           error_set(error, "a port is 0 to 0xffff, and 1, 2 or 4 bytes wide");
}

bool monitor_port_read(Monitor *monitor, char *arguments, Error *error) {
    machine_changed_otherwise(monitor->machine, "i");
    Format format;
    uint64_t port;
    const char *text = arguments;
    if (!read_port_arguments(monitor, &text, &format, &port, error))
        return false;
    uint32_t value = port_map_read(monitor->machine->ports, (uint16_t)port, format.size);
    monitor_print(monitor, "port%c[0x%04x] = 0x%0*x\n",
                  format.size == 1   ? 'b'
                  : format.size == 2 ? 'w'
                                     : 'l',
                  (unsigned)port, (int)format.size * 2, value);
    return true;
}

bool monitor_port_write(Monitor *monitor, char *arguments, Error *error) {
    machine_changed_otherwise(monitor->machine, "o");
    Format format;
    uint64_t port, value;
    const char *text = arguments;
    if (!read_port_arguments(monitor, &text, &format, &port, error) ||
        !monitor_evaluate_expression(&text, monitor_cpu(monitor), &value, error))
        return false;
    port_map_write(monitor->machine->ports, (uint16_t)port, format.size,
                   (uint32_t)(value & (UINT64_MAX >> (64 - 8 * format.size))));
    return true;
}

static bool write_range(Monitor *monitor, FILE *file, uint32_t address, uint64_t size,
                        bool physical, Error *error) {
    for (uint64_t done = 0; done < size; done++) {
        uint8_t byte;
        if (!read_bytes(monitor, physical, address + (uint32_t)done, &byte, 1))
            return error_set(error, "address 0x%08x is not mapped", address + (uint32_t)done);
        if (fputc(byte, file) == EOF)
            return error_set(error, "cannot write: %s", strerror(errno));
    }
    return true;
}

static bool save(Monitor *monitor, char *arguments, bool physical, Error *error) {
    uint64_t address, size;
    const char *text = arguments;
    if (!monitor_evaluate_expression(&text, monitor_cpu(monitor), &address, error) ||
        !monitor_evaluate_expression(&text, monitor_cpu(monitor), &size, error))
        return false;
    char *rest = arguments + (text - arguments);
    char *path = monitor_next_word(&rest);
    if (path == NULL || size > UINT32_MAX)
        return error_set(error, path == NULL ? "a file name is missing" : "the size is too large");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return error_set(error, "Error: failed to open file '%s': %s", path, strerror(errno));
    bool good = write_range(monitor, file, (uint32_t)address, size, physical, error);
    if (fclose(file) != 0)
        good = error_set(error, "cannot write '%s': %s", path, strerror(errno));
    return good;
}

static bool read_dump_options(Monitor *monitor, char *arguments, MemoryDumpOptions *options,
                              char **path, Error *error) {
    char *word = monitor_next_word(&arguments);
    if (word != NULL && strcmp(word, "-p") == 0) {
        options->paging = true;
        word = monitor_next_word(&arguments);
    }
    *path = word;
    if (word == NULL)
        return error_set(error, "dump-guest-memory: filename expected");
    const char *text = arguments;
    if (*arguments == '\0')
        return true;
    return (monitor_evaluate_expression(&text, monitor_cpu(monitor), &options->begin, error) &&
            monitor_evaluate_expression(&text, monitor_cpu(monitor), &options->length, error)) ||
           error_prefix(error, "dump-guest-memory: begin and length: ");
}

bool monitor_dump_memory(Monitor *monitor, char *arguments, Error *error) {
    MemoryDumpOptions options = {.paging = false};
    MemoryDumpProgress progress = {.done = 0};
    char *path = NULL;
    if (!read_dump_options(monitor, arguments, &options, &path, error))
        return false;
    MemoryDump *dump = memory_dump_begin(monitor->machine, &options, error);
    if (dump == NULL)
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 ? memory_dump_write(dump, fd, &progress, error)
                        : error_set(error, "Could not open '%s': %s", path, strerror(errno));
    if (fd >= 0 && close(fd) != 0)
        good = error_set(error, "cannot write '%s': %s", path, strerror(errno));
    memory_dump_end(dump);
    return good;
}

bool monitor_save_memory(Monitor *monitor, char *arguments, Error *error) {
    return save(monitor, arguments, false, error);
}

bool monitor_save_physical(Monitor *monitor, char *arguments, Error *error) {
    return save(monitor, arguments, true, error);
}
