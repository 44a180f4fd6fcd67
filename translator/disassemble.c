/* See disassemble.h. */
#include "disassemble.h"
#include <capstone/capstone.h>

unsigned disassemble(const uint8_t *code, size_t size, uint64_t address, unsigned bits,
                     ByteBuffer *text) {
    csh handle;
    cs_mode mode = bits == 16 ? CS_MODE_16 : bits == 32 ? CS_MODE_32 : CS_MODE_64;
    if (cs_open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK)
        return 0;
    cs_insn *insn = cs_malloc(handle);
    unsigned count = 0;
    while (size > 0 && cs_disasm_iter(handle, &code, &size, &address, insn)) {
        byte_buffer_print(text, "%08llx  %-8s%s%s\n", (unsigned long long)insn->address,
                          insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
        count++;
    }
    if (size > 0)
        byte_buffer_print(text, "%08llx  (no instruction: %02x)\n", (unsigned long long)address,
                          *code);
    cs_free(insn, 1);
    cs_close(&handle);
    return count;
}
