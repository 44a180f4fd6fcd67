/* In place of disassemble.c in a build without Capstone. */
#include "disassemble.h"

unsigned disassemble(const uint8_t *code, size_t size, uint64_t address, unsigned bits,
                     ByteBuffer *text) {
    (void)code, (void)size, (void)address, (void)bits;
    byte_buffer_print(text, "built without Capstone: no listing\n");
    return 0;
}
