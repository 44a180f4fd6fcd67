/* SSE arithmetic on the SSE unit of an x86-64 host, whose results, flags and choice of NaN are
 * those of the guest's. Exceptions are masked here; where one is raised that the guest has
 * unmasked, the exact software does the operation over. So it does all of them where underflow is
 * unmasked: it is met by exact results then, too (SDM vol. 1 4.9.1.5), and the host would not tell.
 */
#include "vector_float.h"

#if defined(__x86_64__)

/* As <emmintrin.h> defines it, without the rest of that header. */
typedef long long HostVector __attribute__((vector_size(16)));

enum { MXCSR_FLAGS = 0x3F, MXCSR_MASKS = 0x1F80, MXCSR_UNDERFLOW_MASK = 1 << 11 };

/* ldmxcsr guest; INSTRUCTION a, b; stmxcsr flags; ldmxcsr host: one statement, so that nothing of
 * the compiler's comes between. */
#define CASE(parameter, instruction)                                                               \
    case parameter:                                                                                \
        __asm__ volatile("ldmxcsr %[guest]\n\t" instruction " %[b], %[a]\n\t"                      \
                         "stmxcsr %[flags]\n\tldmxcsr %[host]"                                     \
                         : [a] "+x"(a), [flags] "=m"(flags)                                        \
                         : [b] "x"(b), [guest] "m"(guest), [host] "m"(host));                      \
        break;
#define CASES(kind, name)                                                                          \
    CASE(kind, name "ps")                                                                          \
    CASE(VECTOR_DOUBLE | kind, name "pd")                                                          \
    CASE(VECTOR_SCALAR | kind, name "ss")                                                          \
    CASE(VECTOR_DOUBLE | VECTOR_SCALAR | kind, name "sd")

bool vector_run_on_host(Cpu *cpu, VectorOperation *operation) {
    uint32_t host, mxcsr = cpu->state.fpu.mxcsr, flags = 0;
    if ((mxcsr & MXCSR_UNDERFLOW_MASK) == 0)
        return false;
    __asm__ volatile("stmxcsr %0" : "=m"(host));
    const uint32_t guest = (mxcsr & ~(uint32_t)MXCSR_FLAGS) | MXCSR_MASKS;
    HostVector a = {(long long)operation->a.half[0], (long long)operation->a.half[1]};
    HostVector b = {(long long)operation->b.half[0], (long long)operation->b.half[1]};
    switch (operation->row->parameter) {
        CASES(VECTOR_ADD, "add")
        CASES(VECTOR_MULTIPLY, "mul")
        CASES(VECTOR_MINUS, "sub")
        CASES(VECTOR_MIN, "min")
        CASES(VECTOR_DIVIDE, "div")
        CASES(VECTOR_MAX, "max")
        CASES(VECTOR_ROOT, "sqrt")
    default:
        return false;
    }
    flags &= MXCSR_FLAGS;
    if (flags & ~(mxcsr >> 7))
        return false;
    cpu->state.fpu.mxcsr |= flags;
    operation->result = (Vector){{(uint64_t)a[0], (uint64_t)a[1]}};
    return true;
}

#else

bool vector_run_on_host(Cpu *cpu, VectorOperation *operation) {
    (void)cpu, (void)operation;
    return false;
}

#endif
