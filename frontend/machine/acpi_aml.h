/* Writing AML, the byte code of ACPI's definition blocks. (ACPI specification 20, "AML
 * specification"; 6.4, "Resource data types for ACPI".)
 *
 * Terms are appended in order. What holds others - a scope, device, method, package, buffer - is
 * begun and ended; its length is put before it at the end. */
#ifndef REPRISE_ACPI_AML_H
#define REPRISE_ACPI_AML_H

#include "byte_buffer.h"

#define AML_DEPTH_MAX 16

typedef struct Aml {
    ByteBuffer code;
    size_t begun[AML_DEPTH_MAX]; /* where the length of each open term belongs */
    int depth;
} Aml;

/* Operators that stand before their operands. */
enum {
    AML_STORE = 0x70,
    AML_AND = 0x7B,
    AML_OR = 0x7D,
    AML_CREATE_DWORD_FIELD = 0x8A,
    AML_EQUAL = 0x93,
    AML_LESS = 0x95,
    AML_RETURN = 0xA4,
};
/* Operands of one byte. */
enum { AML_NO_TARGET = 0x00, AML_LOCAL0 = 0x60, AML_ARGUMENT0 = 0x68 };

/* Kinds of access that a field's users make. */
enum { AML_FIELD_BYTE = 1, AML_FIELD_WORD = 2, AML_FIELD_DWORD = 3 };
enum { AML_REGION_MEMORY = 0, AML_REGION_IO = 1, AML_REGION_PCI_CONFIG = 2 };

/* How an interrupt arrives, as the extended interrupt descriptor has it. */
enum { AML_INTERRUPT_CONSUMER = 1, AML_INTERRUPT_SHARED = 8 };

void aml_byte(Aml *aml, uint8_t byte); /* an operator or operand as it is */
/* A path: segments of up to four characters between dots, perhaps after '\' or '^'. */
void aml_path(Aml *aml, const char *path);
void aml_integer(Aml *aml, uint64_t value);
void aml_string(Aml *aml, const char *text);
/* The number that an identifier like "PNP0C0F" is packed into. */
void aml_eisa_id(Aml *aml, const char *id);

/* Name(path, ...): the value comes next; and the three commonest. */
void aml_name(Aml *aml, const char *path);
void aml_name_integer(Aml *aml, const char *path, uint64_t value);
void aml_name_eisa_id(Aml *aml, const char *path, const char *id);

void aml_begin_scope(Aml *aml, const char *path);
void aml_begin_device(Aml *aml, const char *name);
void aml_begin_method(Aml *aml, const char *name, unsigned arguments, bool serialized);
void aml_begin_package(Aml *aml, unsigned elements);
/* If: the predicate comes next, then what depends on it. */
void aml_begin_if(Aml *aml);
void aml_processor(Aml *aml, const char *name, uint8_t id);
/* Ends what was begun last. */
void aml_end(Aml *aml);

void aml_operation_region(Aml *aml, const char *name, unsigned space, uint64_t base, uint64_t size);
void aml_begin_field(Aml *aml, const char *region, unsigned access);
/* One unit of the open field; a NULL name leaves bits out. */
void aml_field_unit(Aml *aml, const char *name, unsigned bits);

/* A buffer of resource descriptors; aml_end_resources() adds the end tag. */
void aml_begin_resources(Aml *aml);
void aml_end_resources(Aml *aml);
/* Ports from 'first' on, at that place alone. */
void aml_resource_ports(Aml *aml, uint16_t first, uint8_t count);
void aml_resource_irq(Aml *aml, unsigned irq); /* edge-triggered, as on ISA */
void aml_resource_dma(Aml *aml, unsigned channel);
void aml_resource_memory(Aml *aml, uint32_t base, uint32_t size);
/* Level-triggered, active high, one of 'count' lines. */
void aml_resource_interrupts(Aml *aml, const uint32_t *lines, uint8_t count);
/* What a bridge passes on: bus numbers, ports and memory, 'first' to 'last'. */
void aml_window_buses(Aml *aml, uint16_t first, uint16_t last);
void aml_window_ports(Aml *aml, uint16_t first, uint16_t last);
void aml_window_memory(Aml *aml, uint32_t first, uint32_t last, bool cacheable);

#endif
