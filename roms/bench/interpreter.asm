; A byte-code interpreter: an indirect jump for each operation, as in language run times.
;
; It runs a small stack machine: ESI is its program counter, EDI its stack pointer (growing up, the
; top of the stack in EAX), EBX its eight variables.

%define BENCHMARK_NAME "interpreter"
%include "bench32.inc"

VM_STACK                equ     ARENA
ROUNDS                  equ     REPETITIONS(28)

; operation numbers are positions in this table
operations:
        dd      op_push, op_load, op_store, op_add, op_subtract, op_multiply, op_xor, op_shift_right
        dd      op_duplicate, op_jump_nonzero, op_call, op_return, op_less, op_halt
%assign number 0
%macro OPERATION 1
VM_%1   equ     number
%assign number number + 1
%endmacro
        OPERATION PUSH
        OPERATION LOAD
        OPERATION STORE
        OPERATION ADD
        OPERATION SUBTRACT
        OPERATION MULTIPLY
        OPERATION XOR
        OPERATION SHIFT_RIGHT
        OPERATION DUPLICATE
        OPERATION JUMP_NONZERO
        OPERATION CALL
        OPERATION RETURN
        OPERATION LESS
        OPERATION HALT

%macro DISPATCH 0
        movzx   ecx, byte [esi]
        inc     esi
        jmp     [operations + ecx * 4]
%endmacro

op_push:
        mov     [edi], eax
        add     edi, 4
        mov     eax, [esi]
        add     esi, 4
        DISPATCH
op_load:
        mov     [edi], eax
        add     edi, 4
        movzx   ecx, byte [esi]
        inc     esi
        mov     eax, [ebx + ecx * 4]
        DISPATCH
op_store:
        movzx   ecx, byte [esi]
        inc     esi
        mov     [ebx + ecx * 4], eax
        sub     edi, 4
        mov     eax, [edi]
        DISPATCH
op_add:
        sub     edi, 4
        add     eax, [edi]
        DISPATCH
op_subtract:
        sub     edi, 4
        mov     edx, [edi]
        sub     edx, eax
        mov     eax, edx
        DISPATCH
op_multiply:
        sub     edi, 4
        imul    eax, [edi]
        DISPATCH
op_xor:
        sub     edi, 4
        xor     eax, [edi]
        DISPATCH
op_shift_right:
        mov     cl, [esi]
        inc     esi
        shr     eax, cl
        DISPATCH
op_duplicate:
        mov     [edi], eax
        add     edi, 4
        DISPATCH
op_jump_nonzero:
        test    eax, eax
        mov     edx, [esi]
        lea     esi, [esi + 4]
        jz      .stay
        mov     esi, edx
.stay:  sub     edi, 4
        mov     eax, [edi]
        DISPATCH
op_call:
        mov     edx, [esi]
        add     esi, 4
        push    esi
        mov     esi, edx
        DISPATCH
op_return:
        pop     esi
        DISPATCH
op_less:
        sub     edi, 4
        cmp     [edi], eax
        setb    al
        movzx   eax, al
        DISPATCH
op_halt:
        jmp     vm_halted

benchmark:
        mov     dword [rounds_left], ROUNDS
.round:
        mov     esi, program
        mov     edi, VM_STACK
        mov     ebx, variables
        xor     eax, eax
        DISPATCH
vm_halted:
        dec     dword [rounds_left]
        jnz     benchmark.round
        mov     eax, [variables + 1 * 4]
        ret

%macro VM_IMMEDIATE 2                           ; operation, 32-bit value
        db      VM_%1
        dd      %2
%endmacro
%macro VM_SHORT 2                               ; operation, variable or count
        db      VM_%1, %2
%endmacro

; for (v0 = 200000; v0; v0--) { v1 = mix(v1 * 31 + v0); if (v1 < v2) v3 ^= v1; }
program:
        VM_IMMEDIATE PUSH, 200000
        VM_SHORT STORE, 0
.loop:  VM_SHORT LOAD, 1
        VM_IMMEDIATE PUSH, 31
        db      VM_MULTIPLY
        VM_SHORT LOAD, 0
        db      VM_ADD
        VM_IMMEDIATE CALL, .mix
        db      VM_DUPLICATE
        VM_SHORT STORE, 1
        VM_SHORT LOAD, 2
        db      VM_LESS
        VM_IMMEDIATE JUMP_NONZERO, .less
        VM_SHORT LOAD, 1
        VM_SHORT STORE, 2
        VM_IMMEDIATE PUSH, 1
        VM_IMMEDIATE JUMP_NONZERO, .count
.less:  VM_SHORT LOAD, 3
        VM_SHORT LOAD, 1
        db      VM_XOR
        VM_SHORT STORE, 3
.count: VM_SHORT LOAD, 0
        VM_IMMEDIATE PUSH, 1
        db      VM_SUBTRACT
        db      VM_DUPLICATE
        VM_SHORT STORE, 0
        VM_IMMEDIATE JUMP_NONZERO, .loop
        VM_SHORT LOAD, 3
        VM_SHORT LOAD, 1
        db      VM_ADD
        VM_SHORT STORE, 1
        db      VM_HALT
.mix:   db      VM_DUPLICATE
        VM_SHORT SHIFT_RIGHT, 15
        db      VM_XOR
        db      VM_RETURN

        NEW_PAGE
variables               dd      0, 1, 0, 0, 0, 0, 0, 0
rounds_left             dd      0

%include "image_end.inc"
