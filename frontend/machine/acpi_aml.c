#include "acpi_aml.h"

#include <assert.h>
#include <string.h>

enum {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    PREFIX_BYTE = 0x0A,
    PREFIX_WORD = 0x0B,
    PREFIX_DWORD = 0x0C,
    PREFIX_STRING = 0x0D,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    PREFIX_DUAL_NAME = 0x2E,
    PREFIX_MULTI_NAME = 0x2F,
    PREFIX_EXTENDED = 0x5B,
    EXTENDED_REGION = 0x80,
    EXTENDED_FIELD = 0x81,
    EXTENDED_DEVICE = 0x82,
    EXTENDED_PROCESSOR = 0x83,
    OP_IF = 0xA0,
};

#define SEGMENT_SIZE 4
#define METHOD_SERIALIZED 8

void aml_byte(Aml *aml, uint8_t byte) {
    byte_buffer_append(&aml->code, &byte, 1);
}

/* --- names and constants -----------------------------------------------------------------------
 */

static unsigned count_segments(const char *path) {
    unsigned count = *path != '\0';
    for (; *path != '\0'; path++)
        count += *path == '.';
    return count;
}

/* Short segments are filled up with underscores. */
static const char *append_segment(Aml *aml, const char *path) {
    char segment[SEGMENT_SIZE] = {'_', '_', '_', '_'};
    size_t length = strcspn(path, ".");
    assert(length >= 1 && length <= SEGMENT_SIZE);
    memcpy(segment, path, length);
    byte_buffer_append(&aml->code, segment, SEGMENT_SIZE);
    return path[length] == '.' ? path + length + 1 : path + length;
}

void aml_path(Aml *aml, const char *path) {
    while (*path == '\\' || *path == '^')
        aml_byte(aml, (uint8_t)*path++);
    unsigned segments = count_segments(path);
    if (segments == 0)
        aml_byte(aml, 0);
    if (segments == 2)
        aml_byte(aml, PREFIX_DUAL_NAME);
    if (segments > 2) {
        aml_byte(aml, PREFIX_MULTI_NAME);
        aml_byte(aml, (uint8_t)segments);
    }
    while (*path != '\0')
        path = append_segment(aml, path);
}

void aml_integer(Aml *aml, uint64_t value) {
    if (value == 0 || value == 1) {
        aml_byte(aml, value ? OP_ONE : OP_ZERO);
    } else if (value <= 0xFF) {
        aml_byte(aml, PREFIX_BYTE);
        byte_buffer_append_le(&aml->code, value, 1);
    } else if (value <= 0xFFFF) {
        aml_byte(aml, PREFIX_WORD);
        byte_buffer_append_le(&aml->code, value, 2);
    } else { /* tables of revision 1 know 32 bits */
        assert(value <= UINT32_MAX);
        aml_byte(aml, PREFIX_DWORD);
        byte_buffer_append_le(&aml->code, value, 4);
    }
}

void aml_string(Aml *aml, const char *text) {
    aml_byte(aml, PREFIX_STRING);
    byte_buffer_append(&aml->code, text, strlen(text) + 1);
}

static unsigned hexadecimal_digit(char digit) {
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'A' + 10);
}

/* Three letters of five bits, four digits, big-endian (19.3.4, EISAID). */
void aml_eisa_id(Aml *aml, const char *id) {
    assert(strlen(id) == 7);
    unsigned value = 0;
    for (int i = 0; i < 3; i++)
        value = value << 5 | ((unsigned)id[i] & 0x1F);
    for (int i = 3; i < 7; i++)
        value = value << 4 | hexadecimal_digit(id[i]);
    aml_byte(aml, PREFIX_DWORD);
    byte_buffer_append_le(&aml->code, __builtin_bswap32(value), 4);
}

void aml_name(Aml *aml, const char *path) {
    aml_byte(aml, OP_NAME);
    aml_path(aml, path);
}

void aml_name_integer(Aml *aml, const char *path, uint64_t value) {
    aml_name(aml, path);
    aml_integer(aml, value);
}

void aml_name_eisa_id(Aml *aml, const char *path, const char *id) {
    aml_name(aml, path);
    aml_eisa_id(aml, id);
}

/* --- terms with a length -----------------------------------------------------------------------
 */

static void begin(Aml *aml) {
    assert(aml->depth < AML_DEPTH_MAX);
    aml->begun[aml->depth++] = aml->code.size;
}

/* PkgLength counts itself: one byte up to 63, else four bits and one to three further bytes. */
static unsigned encode_length(uint8_t bytes[4], size_t content) {
    if (content + 1 < 0x40) {
        bytes[0] = (uint8_t)(content + 1);
        return 1;
    }
    unsigned size = 2;
    while (content + size >= (size_t)1 << (4 + 8 * (size - 1)))
        size++;
    assert(size <= 4);
    size_t length = content + size;
    bytes[0] = (uint8_t)((size - 1) << 6 | (length & 0xF));
    for (unsigned i = 1; i < size; i++)
        bytes[i] = (uint8_t)(length >> (4 + 8 * (i - 1)));
    return size;
}

static void insert(Aml *aml, size_t position, const uint8_t *bytes, size_t count) {
    size_t tail = aml->code.size - position;
    byte_buffer_append(&aml->code, bytes, count); /* makes room */
    memmove(aml->code.data + position + count, aml->code.data + position, tail);
    memcpy(aml->code.data + position, bytes, count);
}

void aml_end(Aml *aml) {
    assert(aml->depth > 0);
    size_t position = aml->begun[--aml->depth];
    uint8_t bytes[4] = {0};
    insert(aml, position, bytes, encode_length(bytes, aml->code.size - position));
}

static void begin_extended(Aml *aml, uint8_t operator) {
    aml_byte(aml, PREFIX_EXTENDED);
    aml_byte(aml, operator);
    begin(aml);
}

void aml_begin_scope(Aml *aml, const char *path) {
    aml_byte(aml, OP_SCOPE);
    begin(aml);
    aml_path(aml, path);
}

void aml_begin_device(Aml *aml, const char *name) {
    begin_extended(aml, EXTENDED_DEVICE);
    aml_path(aml, name);
}

void aml_begin_method(Aml *aml, const char *name, unsigned arguments, bool serialized) {
    aml_byte(aml, OP_METHOD);
    begin(aml);
    aml_path(aml, name);
    aml_byte(aml, (uint8_t)(arguments | (serialized ? METHOD_SERIALIZED : 0)));
}

void aml_begin_package(Aml *aml, unsigned elements) {
    assert(elements <= UINT8_MAX);
    aml_byte(aml, OP_PACKAGE);
    begin(aml);
    aml_byte(aml, (uint8_t)elements);
}

void aml_begin_if(Aml *aml) {
    aml_byte(aml, OP_IF);
    begin(aml);
}

/* Without a register block: its power states are not offered. */
void aml_processor(Aml *aml, const char *name, uint8_t id) {
    begin_extended(aml, EXTENDED_PROCESSOR);
    aml_path(aml, name);
    aml_byte(aml, id);
    byte_buffer_append_le(&aml->code, 0, 4);
    aml_byte(aml, 0);
    aml_end(aml);
}

void aml_operation_region(Aml *aml, const char *name, unsigned space, uint64_t base,
                          uint64_t size) {
    aml_byte(aml, PREFIX_EXTENDED);
    aml_byte(aml, EXTENDED_REGION);
    aml_path(aml, name);
    aml_byte(aml, (uint8_t)space);
    aml_integer(aml, base);
    aml_integer(aml, size);
}

void aml_begin_field(Aml *aml, const char *region, unsigned access) {
    begin_extended(aml, EXTENDED_FIELD);
    aml_path(aml, region);
    aml_byte(aml, (uint8_t)access);
}

void aml_field_unit(Aml *aml, const char *name, unsigned bits) {
    uint8_t length[4];
    assert(bits < 0x3F);
    if (name != NULL)
        aml_path(aml, name);
    else
        aml_byte(aml, 0);
    /* The number of bits alone, in the encoding of a length. */
    unsigned size = encode_length(length, bits - 1);
    byte_buffer_append(&aml->code, length, size);
}

/* --- resources ---------------------------------------------------------------------------------
 */

/* Tags of descriptors: small ones hold their length. */
enum {
    RESOURCE_IRQ = 0x22,
    RESOURCE_DMA = 0x2A,
    RESOURCE_PORTS = 0x47,
    RESOURCE_END = 0x79,
    RESOURCE_MEMORY32 = 0x86,
    RESOURCE_WINDOW32 = 0x87,
    RESOURCE_WINDOW16 = 0x88,
    RESOURCE_INTERRUPT = 0x89,
};
enum { WINDOW_MEMORY, WINDOW_PORTS, WINDOW_BUSES };
enum { WINDOW_FIXED = 0x0C, MEMORY_WRITABLE = 0x01, MEMORY_CACHEABLE = 0x02, PORTS_ENTIRE = 0x03 };

/* The buffer's size comes first, as a word whatever its value, filled in at the end. */
void aml_begin_resources(Aml *aml) {
    aml_byte(aml, OP_BUFFER);
    begin(aml);
    aml_byte(aml, PREFIX_WORD);
    byte_buffer_append_le(&aml->code, 0, 2);
}

/* A checksum of 0 counts as right. */
void aml_end_resources(Aml *aml) {
    enum { SIZE_BYTES = 3 };
    size_t position = aml->begun[aml->depth - 1];
    aml_byte(aml, RESOURCE_END);
    aml_byte(aml, 0);
    size_t size = aml->code.size - position - SIZE_BYTES;
    aml->code.data[position + 1] = (uint8_t)size;
    aml->code.data[position + 2] = (uint8_t)(size >> 8);
    aml_end(aml);
}

void aml_resource_ports(Aml *aml, uint16_t first, uint8_t count) {
    enum { DECODES_16_BITS = 1, ALIGNMENT = 1 };
    aml_byte(aml, RESOURCE_PORTS);
    aml_byte(aml, DECODES_16_BITS);
    byte_buffer_append_le(&aml->code, first, 2);
    byte_buffer_append_le(&aml->code, first, 2);
    aml_byte(aml, ALIGNMENT);
    aml_byte(aml, count);
}

void aml_resource_irq(Aml *aml, unsigned irq) {
    aml_byte(aml, RESOURCE_IRQ);
    byte_buffer_append_le(&aml->code, 1u << irq, 2);
}

/* 8 bits at a time, at the speed of ISA. */
void aml_resource_dma(Aml *aml, unsigned channel) {
    aml_byte(aml, RESOURCE_DMA);
    aml_byte(aml, (uint8_t)(1u << channel));
    aml_byte(aml, 0);
}

void aml_resource_memory(Aml *aml, uint32_t base, uint32_t size) {
    aml_byte(aml, RESOURCE_MEMORY32);
    byte_buffer_append_le(&aml->code, 9, 2);
    aml_byte(aml, 0); /* read-only: software is not to put anything there */
    byte_buffer_append_le(&aml->code, base, 4);
    byte_buffer_append_le(&aml->code, size, 4);
}

void aml_resource_interrupts(Aml *aml, const uint32_t *lines, uint8_t count) {
    aml_byte(aml, RESOURCE_INTERRUPT);
    byte_buffer_append_le(&aml->code, 2u + 4u * count, 2);
    aml_byte(aml, AML_INTERRUPT_CONSUMER | AML_INTERRUPT_SHARED);
    aml_byte(aml, count);
    for (unsigned i = 0; i < count; i++)
        byte_buffer_append_le(&aml->code, lines[i], 4);
}

/* Granularity, first, last, translation, length: each 'bytes' wide. */
static void append_window(Aml *aml, unsigned kind, unsigned flags, uint32_t first, uint32_t last,
                          unsigned bytes) {
    aml_byte(aml, bytes == 2 ? RESOURCE_WINDOW16 : RESOURCE_WINDOW32);
    byte_buffer_append_le(&aml->code, 3 + 5 * bytes, 2);
    aml_byte(aml, (uint8_t)kind);
    aml_byte(aml, WINDOW_FIXED);
    aml_byte(aml, (uint8_t)flags);
    byte_buffer_append_le(&aml->code, 0, bytes);
    byte_buffer_append_le(&aml->code, first, bytes);
    byte_buffer_append_le(&aml->code, last, bytes);
    byte_buffer_append_le(&aml->code, 0, bytes);
    byte_buffer_append_le(&aml->code, last - first + 1, bytes);
}

void aml_window_buses(Aml *aml, uint16_t first, uint16_t last) {
    append_window(aml, WINDOW_BUSES, 0, first, last, 2);
}

void aml_window_ports(Aml *aml, uint16_t first, uint16_t last) {
    append_window(aml, WINDOW_PORTS, PORTS_ENTIRE, first, last, 2);
}

void aml_window_memory(Aml *aml, uint32_t first, uint32_t last, bool cacheable) {
    append_window(aml, WINDOW_MEMORY, MEMORY_WRITABLE | (cacheable ? MEMORY_CACHEABLE : 0), first,
                  last, 4);
}
