/* See disassemble.h. */
#include "disassemble.h"
#include "capstone_library.h"

unsigned disassemble(const uint8_t *code, size_t size, uint64_t address, unsigned bits,
                     ByteBuffer *text) {
    csh handle;
    CapstoneLibrary capstone;
    Error error = {.set = false};
    cs_mode mode = bits == 16 ? CS_MODE_16 : bits == 32 ? CS_MODE_32 : CS_MODE_64;
    if (!capstone_library_load(&capstone, &error)) {
        byte_buffer_print(text, "%s\n", error.message);
        return 0;
    }
    bool arm = bits == DISASSEMBLE_AARCH64;
    if (capstone.open(arm ? CS_ARCH_ARM64 : CS_ARCH_X86, arm ? CS_MODE_ARM : mode, &handle) !=
        CS_ERR_OK)
        return 0;
    cs_insn *insn = capstone.malloc(handle);
    unsigned count = 0;
    while (size > 0 && capstone.disasm_iter(handle, &code, &size, &address, insn)) {
        byte_buffer_print(text, "%08llx  %-8s%s%s\n", (unsigned long long)insn->address,
                          insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
        count++;
    }
    if (size > 0)
        byte_buffer_print(text, "%08llx  (no instruction: %02x)\n", (unsigned long long)address,
                          *code);
    capstone.free(insn, 1);
    capstone.close(&handle);
    return count;
}
