/* What came out of a machine's ports since it was made. */
#ifndef REPRISE_SCRIPT_OUTPUT_H
#define REPRISE_SCRIPT_OUTPUT_H

#include "byte_buffer.h"
#include "machine_config.h"

typedef struct ScriptOutput {
    ByteBuffer serial[MACHINE_SERIAL_PORTS];
    ByteBuffer parallel[MACHINE_PARALLEL_PORTS];
    ByteBuffer debug_console, firmware_log;
    size_t serial_waited[MACHINE_SERIAL_PORTS]; /* up to here wait_serial() has seen */
    ByteBuffer post;    /* POST codes: SCRIPT_POST_BYTES each, of which the oldest are dropped */
    size_t post_waited; /* up to here wait_post() has seen */
} ScriptOutput;

/* A POST code in the buffer: the port, low byte first, and the code. */
enum { SCRIPT_POST_BYTES = 3 };
PostCode script_output_post(const ScriptOutput *output, size_t offset);

void script_output_free(ScriptOutput *output);
/* Makes 'to' the same as 'from'. */
void script_output_copy(ScriptOutput *to, const ScriptOutput *from);

/* Has the ports of a machine to be made lead there: the debug console always, the firmware's log
 * where it is asked for. */
void script_output_wire(ScriptOutput *output, MachineConfig *config, bool has_firmware_log);

#endif
