#include "irq_lines.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

typedef struct IrqLinesState {
    uint16_t levels[IRQ_LINE_SOURCES]; /* a bit a line */
} IrqLinesState;

static const Field irq_lines_state_fields[] = {
    FIELD_ARRAY(IrqLinesState, U16, levels),
    FIELD_END,
};

static const FieldTable irq_lines_fields = {
    "irq-lines",
    2,
    sizeof(IrqLinesState),
    irq_lines_state_fields,
};

struct IrqLines {
    IrqLinesState state;
    Wire outputs[IRQ_LINES];
};

/* 'input' is the source times IRQ_LINES plus the line. */
static void irq_lines_set(void *opaque, int input, int level) {
    IrqLines *lines = opaque;
    unsigned line = (unsigned)input % IRQ_LINES, any = 0;
    uint16_t *levels = lines->state.levels, *driven = &levels[input / IRQ_LINES];
    if (!level && !(*driven & 1u << line))
        return; /* chips say again and again that they want nothing */
    *driven = (uint16_t)((*driven & ~(1u << line)) | (level ? 1u << line : 0));
    for (int source = 0; source < IRQ_LINE_SOURCES; source++)
        any |= levels[source];
    wire_set(&lines->outputs[line], any >> line & 1);
}

Wire irq_lines_input(IrqLines *lines, unsigned source, unsigned line) {
    return (Wire){irq_lines_set, lines, (int)(source * IRQ_LINES + line)};
}

/* No reset: the levels belong to the chips that drive them. */
static const DeviceClass irq_lines_class = {"irq-lines", &irq_lines_fields, NULL, NULL};

IrqLines *irq_lines_create(const DeviceContext *context, const Wire outputs[IRQ_LINES]) {
    IrqLines *lines = allocate_zeroed(sizeof *lines);
    memcpy(lines->outputs, outputs, sizeof lines->outputs);
    device_list_add(context->devices, &irq_lines_class, "irq-lines", lines, &lines->state);
    return lines;
}

void irq_lines_destroy(IrqLines *lines) {
    free(lines);
}
