; Offsets of 16 bits that wrap, and what happens at the ends of stack and code segments. Where silicon
; is named it is an AMD EPYC whose 16-bit segments come from modify_ldt, and Bochs 2.7 does the same.

%include "harness.inc"
%include "user16.inc"

test:
        call    set_user16_descriptors
        call    test_cut_eip
        call    test_wraps
        call    test_stack_ends
        call    test_code_ends
        ret

test_cut_eip:
        TEST    "near transfers of 16 bits cut EIP"
        mov     word [LOW_CODE + 10h], 0B0Fh    ; ud2
        mov     edi, 210000h + LOW_CODE
        mov     dword [edi], 0DEB66h            ; o16 jmp short to 10h
        ATTEMPT
        jmp     edi
        ATTEMPT_END
        CHECK_FAULT UD, 0, LOW_CODE + 10h
        mov     dword [edi], 0CE866h            ; o16 call to 10h
        ATTEMPT
        jmp     edi
        ATTEMPT_END
        CHECK_FAULT UD, 0, LOW_CODE + 10h
        ATTEMPT
        push    dword 77770000h | (LOW_CODE + 10h)
        o16 ret
        ATTEMPT_END
        CHECK_FAULT UD, 0, LOW_CODE + 10h
        ATTEMPT
        mov     eax, 7777h << 16 | (LOW_CODE + 10h)
        o16 jmp ax
        ATTEMPT_END
        CHECK_FAULT UD, 0, LOW_CODE + 10h
        ret

; Operands of two parts are two accesses, and each offset wraps at 16 bits: silicon.
test_wraps:
        TEST    "a far pointer must be within the limit whole, an immediate operand within CS"
        SET_DESCRIPTOR S_DATA, SCRATCH, 6, BITS_32 | PRESENT | DATA
        mov     ax, S_DATA
        mov     fs, ax
        mov     dword [SCRATCH], .far
        mov     word [SCRATCH + 4], SELECTOR_CODE32
        mov     word [SCRATCH + 6], 0
        EXPECT  GP, 0, jmp far [fs:2]
        EXPECT  GP, 0, call far [fs:2]
        EXPECT  GP, 0, lgs eax, [fs:2]
        EXPECT  GP, 0, lgdt [fs:2]
        EXPECT  GP, 0, bound eax, [fs:0]
        jmp     far [fs:0]
.far:   mov     dword [SCRATCH], 1234B890h      ; nop, and a MOV that ends beyond
        SET_DESCRIPTOR S_SMALL_CODE & ~3, SCRATCH, 4, BITS_32 | PRESENT | CODE
        ATTEMPT
        jmp     (S_SMALL_CODE & ~3):0
        ATTEMPT_END
        CHECK_FAULT GP, 0, 1
        TEST    "UD1 has a ModRM byte, UD2 has none"
        mov     word [SCRATCH + 3], 0B90Fh
        ATTEMPT
        jmp     (S_SMALL_CODE & ~3):3           ; a limit of 4 cuts its ModRM off
        ATTEMPT_END
        CHECK_FAULT GP, 0, 3
        mov     word [SCRATCH + 3], 0B0Fh
        ATTEMPT
        jmp     (S_SMALL_CODE & ~3):3
        ATTEMPT_END
        CHECK_FAULT UD, 0, 3
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        mov     word [STACK16 + 0FFFEh], 1111h
        mov     word [STACK16], S_WIDE16
        mov     word [STACK16 + 10000h], S_STACK16
        TEST    "the selector of a far pointer at FFFEh is at 0"
        USER16  8000h
        mov     ax, S_WIDE16
        mov     ds, ax
        mov     si, 0FFFEh
        les     ax, [si]
        mov     bx, es
        USER16_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eax], 1111h
        CHECK   [seen_ebx], S_WIDE16
        TEST    "the upper bound of an array at FFFEh is at 0"
        mov     word [STACK16 + 0FFFEh], -5
        mov     word [STACK16], 5
        mov     word [STACK16 + 10000h], -5
        USER16  8000h
        mov     si, 0FFFEh
        bound   ax, [si]
        USER16_END
        CHECK   [seen_vector], UD
        mov     word [STACK16], -4
        USER16  8000h
        mov     si, 0FFFEh
        bound   ax, [si]
        USER16_END
        CHECK_FAULT BR_, 0, 3
        TEST    "POP to memory by ESP on a 16-bit stack wraps with SP"
        mov     word [STACK16 + 0FFFEh], 2222h
        mov     word [STACK16], 0
        USER16  8000h
        mov     esp, 0FFFEh
        a32 pop word [esp]
        mov     eax, esp
        USER16_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eax], 0
        CHECK   [STACK16], 2222h
        TEST    "a word at FFFFh is beyond the segment, #SS of the stack and #GP else"
        USER16  8000h
        mov     si, 0FFFFh
        lodsw
        USER16_END
        CHECK_FAULT GP, 0, 3
        USER16  8000h
        mov     bp, 0FFFFh
        mov     [bp], ax
        USER16_END
        CHECK_FAULT SS_, 0, 3
        USER16  8000h
        mov     si, 0FFFDh
        mov     eax, [si]
        USER16_END
        CHECK_FAULT GP, 0, 3
        ret

test_stack_ends:
        TEST    "SP 0 and 2 wrap, odd pointers that would straddle the end are #SS"
        USER16  0
        push    ax
        mov     dx, sp
        USER16_END
        CHECK   [seen_vector], UD
        CHECK   [seen_edx], 0FFFEh
        USER16  1
        push    ax
        USER16_END
        CHECK_FAULT SS_, 0, 0
        USER16  1
        call    .nowhere
.nowhere:
        USER16_END
        CHECK_FAULT SS_, 0, 0
        USER16  3
        call    S_CODE16:0
        USER16_END
        CHECK_FAULT SS_, 0, 0
        USER16  0FFFFh
        pop     ax
        USER16_END
        CHECK_FAULT SS_, 0, 0
        USER16  0FFFFh
        ret
        USER16_END
        CHECK_FAULT SS_, 0, 0
        USER16  2
        push    eax
        USER16_END
        CHECK_FAULT SS_, 0, 0
        USER16  8000h
        mov     bp, 0FFFFh
        leave
        USER16_END
        CHECK_FAULT SS_, 0, 3
        TEST    "ENTER looks whether the frame's end can be written"
        USER16  4
        enter   6, 0
        USER16_END
        CHECK   [seen_vector], UD
        USER16  4
        enter   3, 0
        USER16_END
        CHECK_FAULT SS_, 0, 0
        movzx   eax, word [seen_esp]
        CHECK   eax, 4
        TEST    "PUSHA over the end keeps what it pushed and SP"
        mov     dword [STACK16], 0
        USER16  5
        mov     ax, 1
        mov     cx, 2
        pusha
        USER16_END
        CHECK_FAULT SS_, 0, 6
        movzx   eax, word [seen_esp]
        CHECK   eax, 5
        CHECK   [STACK16], 01000200h
        TEST    "POPA over the end keeps what it popped and SP"
        mov     edi, STACK16
        mov     ecx, 8000h
        mov     eax, 33333333h
        rep     stosd
        USER16  0FFF3h
        mov     cx, 2
        mov     ax, 1
        popa
        USER16_END
        CHECK_FAULT SS_, 0, 6
        movzx   eax, word [seen_esp]
        CHECK   eax, 0FFF3h
        CHECK   [seen_edi], 3333h
        CHECK   [seen_ebp], 3333h
        CHECK   [seen_edx], 3333h
        CHECK   [seen_ecx], 2
        CHECK   [seen_eax], 1
        ret

; The end of a code segment: who faults, the jump or what would follow it.
test_code_ends:
        TEST    "a jump that is not taken at the end of its segment does not fault itself"
        SET_DESCRIPTOR S_SMALL_CODE, SCRATCH, 3, BITS_32 | PRESENT | LEVEL_3 | CODE
        mov     dword [SCRATCH], 00749090h      ; nop nop jz $
        call    .run_clear
        CHECK_FAULT GP, 0, 4
        mov     dword [SCRATCH], 00759090h      ; jnz: taken, to 4
        call    .run_clear
        CHECK_FAULT GP, 0, 2
        mov     dword [SCRATCH], 00E39090h      ; jecxz, ECX is 1
        call    .run_clear
        CHECK_FAULT GP, 0, 4
        TEST    "LOOP beyond the end faults only if it goes on, with the old count"
        mov     dword [SCRATCH], 10E29090h
        call    .run_clear
        CHECK_FAULT GP, 0, 4                    ; ECX was 1
        CHECK   [seen_ecx], 0
        mov     ecx, 2
        call    .run
        CHECK_FAULT GP, 0, 2
        CHECK   [seen_ecx], 2
        mov     dword [SCRATCH], 10E19090h      ; loope, ZF is clear
        mov     ecx, 2
        call    .run
        CHECK_FAULT GP, 0, 4
        CHECK   [seen_ecx], 1
        mov     dword [SCRATCH], 10E09090h      ; loopne
        mov     ecx, 2
        call    .run
        CHECK_FAULT GP, 0, 2
        CHECK   [seen_ecx], 2
        TEST    "a call beyond the end pushes nothing"
        mov     dword [SCRATCH], 0E8h
        SET_DESCRIPTOR S_SMALL_CODE, SCRATCH, 7, BITS_32 | PRESENT | LEVEL_3 | CODE
        mov     dword [SCRATCH + 1], 1000h
        call    .run
        CHECK_FAULT GP, 0, 0
        CHECK   [seen_esp], USER_STACK_TOP
        ret
.run_clear:
        mov     ecx, 1
.run:   pop     dword [user16_return]
        ATTEMPT
        push    dword SELECTOR_USER_DATA
        push    dword USER_STACK_TOP
        push    dword 2
        push    dword S_SMALL_CODE
        push    dword 0
        iretd
        ATTEMPT_END
        jmp     [user16_return]

%include "image_end.inc"
