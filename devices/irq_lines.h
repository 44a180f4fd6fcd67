/* An interrupt request line that several chips share: it is high while any of them drives it high.
 */
#ifndef REPRISE_IRQ_LINES_H
#define REPRISE_IRQ_LINES_H

#include "device_context.h"

typedef struct IrqLines IrqLines;

enum { IRQ_LINES = 16, IRQ_LINE_SOURCES = 8 };

/* Sixteen lines that lead to 'outputs'. */
IrqLines *irq_lines_create(const DeviceContext *context, const Wire outputs[IRQ_LINES]);
void irq_lines_destroy(IrqLines *lines);

/* The wire by which source 0 to 7 drives a line. */
Wire irq_lines_input(IrqLines *lines, unsigned source, unsigned line);

#endif
