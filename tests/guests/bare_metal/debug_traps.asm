; Debug traps where they meet something else: each other, faults, deliveries, shadows, HLT. What
; debug registers do by themselves is in debug_registers.asm. SDM vol. 3A 6.8.3, 6.9, vol. 3B 17.2, 17.3.

%include "harness.inc"
%include "debug_registers.inc"

PRESENT         equ     80h
CODE            equ     1Ah
DATA            equ     12h
BITS_32         equ     4000h
S_CODE          equ     SELECTOR_FREE
WATCHED         equ     200000h
STACK           equ     210000h                 ; of its own, watched now and then

; WITH_DR7 with TF, from the instruction after the next on.
%macro STEPPING 0
        SET_DR  dr6, DR6_SET
        ATTEMPT
        push    dword EFLAGS_TF | 2
        popfd
%endmacro
%macro STEPPING_END 0
        ATTEMPT_END
        mov     eax, dr6
        mov     [seen_dr6], eax
%endmacro

%macro CHECK_DEBUG 2                            ; address, bits of DR6
        CHECK   [seen_vector], DB_
        CHECK   [seen_eip], %1
        CHECK   [seen_dr6], DR6_SET | (%2)
%endmacro
%macro CHECK_RF 1
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_RF
        CHECK   eax, %1
%endmacro
%define STUB(vector) (harness_stubs + HARNESS_STUB_SIZE * (vector))

test:
        call    test_steps
        call    test_steps_of_transfers
        call    test_step_after_halt
        call    test_both_at_once
        call    test_shadow
        call    test_delivery_pushes
        call    test_transfer_pushes
        call    test_icebp
        call    test_faults
        call    test_priorities
        call    test_fields
        call    test_ports
        ret

test_steps:
        TEST    "INTO that does not trap is stepped like any other"
        STEPPING
        into
.into:  nop
        STEPPING_END
        CHECK_DEBUG .into, DR6_BS
        TEST    "INTO that traps is not"
        SET_DR  dr6, DR6_SET
        ATTEMPT
        push    dword EFLAGS_TF | 800h | 2
        popfd
        into
.trapped:
        nop
        STEPPING_END
        CHECK   [seen_vector], OF_
        CHECK   [seen_eip], .trapped
        CHECK   [seen_dr6], DR6_SET
        TEST    "POPF that clears TF is followed by the trap of before"
        push    dword 2
        STEPPING
        popfd
.cleared:
        nop
        STEPPING_END
        add     esp, 4
        CHECK_DEBUG .cleared, DR6_BS
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_TF
        CHECK   eax, 0
        TEST    "IRET that sets TF is stepped only at the next instruction"
        SET_DR  dr6, DR6_SET
        ATTEMPT
        push    dword EFLAGS_TF | 2
        push    cs
        push    dword .first
        iretd
.first: mov     ebx, 1
.second:
        mov     ebx, 2
        STEPPING_END
        CHECK_DEBUG .second, DR6_BS
        TEST    "a step within REP pushes RF, one after it does not"
        mov     edi, WATCHED
        mov     ecx, 2
        STEPPING
.rep:   rep     stosb
.after_rep:
        nop
        STEPPING_END
        CHECK_DEBUG .rep, DR6_BS
        CHECK_RF EFLAGS_RF
        mov     edi, WATCHED
        mov     ecx, 1
        STEPPING
        rep     stosb
.after_one:
        nop
        STEPPING_END
        CHECK_DEBUG .after_one, DR6_BS
        CHECK_RF 0
        TEST    "a jump that is taken and one that is not"
        STEPPING
        jmp     short .target
        nop
.target:
        nop
        STEPPING_END
        CHECK_DEBUG .target, DR6_BS
        mov     ecx, 1
        STEPPING
.loop:  loop    .loop
.not_taken:
        nop
        STEPPING_END
        CHECK_DEBUG .not_taken, DR6_BS
        CHECK   [seen_ecx], 0
        TEST    "PUSHF shows TF"
        STEPPING
        pushfd
.pushed:
        nop
        STEPPING_END
        CHECK_DEBUG .pushed, DR6_BS
        ret

test_steps_of_transfers:
        TEST    "a fault clears TF, and there is no step of what did not complete"
        STEPPING
.fault: ud2
        STEPPING_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eip], .fault
        CHECK   [seen_dr6], DR6_SET
        CHECK_RF EFLAGS_RF
        TEST    "a far jump is stepped where it leads"
        STEPPING
        jmp     SELECTOR_CODE32:.far
        nop
.far:   nop
        STEPPING_END
        CHECK_DEBUG .far, DR6_BS
        TEST    "ICEBP is no step besides"
        STEPPING
        db      0F1h
.icebp: nop
        STEPPING_END
        CHECK_DEBUG .icebp, 0
        ret

test_step_after_halt:
        TEST    "a step ends HLT"
        STEPPING
        hlt
.after: nop
        STEPPING_END
        CHECK_DEBUG .after, DR6_BS
        ret

test_both_at_once:
        TEST    "a step and a data breakpoint are one trap"
        SET_DR  dr0, WATCHED
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        push    dword EFLAGS_TF | 2
        popfd
        mov     [WATCHED], eax
.stored:
        nop
        WITH_DR7_END
        CHECK_DEBUG .stored, DR6_BS | DR6_B0
        TEST    "DR6 keeps what nobody clears"
        SET_DR  dr6, DR6_SET | DR6_B1
        ATTEMPT
        push    dword EFLAGS_TF | 2
        popfd
        nop
.kept:  nop
        STEPPING_END
        CHECK   [seen_eip], .kept
        mov     eax, [seen_dr6]
        and     eax, DR6_BS
        CHECK   eax, DR6_BS
        TEST    "an instruction breakpoint comes after the trap of the instruction before"
        SET_DR  dr0, .both
        HANDLER DB_, note_order
        mov     dword [order_count], 0
        WITH_DR7 DR7_L0
        push    dword EFLAGS_TF | 2
        popfd
        nop
.both:  nop
        ud2
        WITH_DR7_END
        HANDLER DB_, 0
        CHECK   [seen_vector], UD
        CHECK   [order], .both
        mov     eax, [order_dr6]
        and     eax, DR6_BS
        CHECK   eax, DR6_BS
        ret

; Notes where it came, clears TF and sets RF in the image.
note_order:
        push    eax
        push    ebx
        mov     ebx, [order_count]
        cmp     ebx, 4
        jae     .full
        mov     eax, [esp + 16]
        mov     [order + 4 * ebx], eax
        mov     eax, dr6
        mov     [order_dr6 + 4 * ebx], eax
        inc     dword [order_count]
.full:  mov     eax, DR6_SET
        mov     dr6, eax
        pop     ebx
        pop     eax
        add     esp, 8
        and     dword [esp + 8], ~EFLAGS_TF
        or      dword [esp + 8], EFLAGS_RF
        iretd

test_shadow:
        TEST    "no instruction breakpoint directly after MOV SS and POP SS"
        SET_DR  dr0, .after_mov
        WITH_DR7 DR7_L0
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
.after_mov:
        nop
        mov     ebx, 5
        ud2
        WITH_DR7_END
        CHECK   [seen_vector], UD
        CHECK   [seen_dr6], DR6_SET
        SET_DR  dr0, .after_pop
        WITH_DR7 DR7_L0
        push    dword SELECTOR_DATA32
        pop     ss
.after_pop:
        nop
        ud2
        WITH_DR7_END
        CHECK   [seen_vector], UD
        TEST    "but after LSS, and one instruction further on"
        SET_DR  dr0, .after_lss
        mov     [far_stack], esp
        WITH_DR7 DR7_L0
        lss     esp, [far_stack]
.after_lss:
        nop
        WITH_DR7_END
        CHECK_DEBUG .after_lss, DR6_B0
        SET_DR  dr0, .further
        WITH_DR7 DR7_L0
        mov     ax, ss
        mov     ss, ax
        nop
.further:
        nop
        WITH_DR7_END
        CHECK_DEBUG .further, DR6_B0
        TEST    "MOV SS is stepped together with the next instruction"
        mov     ecx, ss
        STEPPING
        mov     ss, cx
        mov     ebx, 1
.after_both:
        mov     ebx, 2
        STEPPING_END
        CHECK_DEBUG .after_both, DR6_BS
        TEST    "a data breakpoint of MOV SS waits, and is met in the handler of INT n"
        SET_DR  dr0, WATCHED
        mov     dword [WATCHED], SELECTOR_DATA32
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_WORD)
        mov     ss, [WATCHED]
        int     RETURN_VECTOR
        WITH_DR7_END
        CHECK_DEBUG STUB(RETURN_VECTOR), DR6_B0
        ret

; The pushes of a delivery are stores: the trap comes before the handler's first instruction.
test_delivery_pushes:
        TEST    "pushes of a fault meet data breakpoints"
        mov     [saved_esp], esp
        SET_DR  dr0, STACK - 4                  ; EFLAGS
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     esp, STACK
        ud2
        WITH_DR7_END
        CHECK_DEBUG STUB(UD), DR6_B0
        TEST    "pushes of INT n do"
        SET_DR  dr0, STACK - 12                 ; EIP
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     esp, STACK
        int     RETURN_VECTOR
        WITH_DR7_END
        CHECK_DEBUG STUB(RETURN_VECTOR), DR6_B0
        TEST    "and those of an error code"
        SET_DR  dr0, STACK - 16
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     esp, STACK
        mov     ax, TEST_GDT_ENTRIES * 8
        mov     es, ax
        WITH_DR7_END
        CHECK_DEBUG STUB(GP), DR6_B0
        TEST    "and those onto the stack of an inner level"
        SET_DR  dr0, LEVEL_0_STACK_TOP - 4      ; SS
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        RUN_USER .user
        WITH_DR7_END
        mov     dword [resume_eip], 0
        CHECK_DEBUG STUB(UD), DR6_B0
        ret
.user:  ud2

test_transfer_pushes:
        TEST    "pushes of far calls and ENTER meet data breakpoints"
        mov     ebp, esp
        SET_DR  dr0, STACK - 8
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     esp, STACK
        call    SELECTOR_CODE32:.called
        nop
.called:
        nop
        WITH_DR7_END
        CHECK_DEBUG .called, DR6_B0
        SET_DR  dr0, STACK - 4
        mov     ebx, ebp
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     esp, STACK
        enter   8, 0
.entered:
        nop
        WITH_DR7_END
        CHECK_DEBUG .entered, DR6_B0
        TEST    "PUSHA and POPA do"
        SET_DR  dr0, STACK - 20
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        mov     esp, STACK
        pushad
.pushed:
        nop
        WITH_DR7_END
        CHECK_DEBUG .pushed, DR6_B0
        ret

test_icebp:
        TEST    "ICEBP clears DR7.GD and leaves DR6"
        SET_DR  dr6, DR6_SET
        ATTEMPT
        SET_DR  dr7, DR7_GD | 400h
        db      0F1h
.after: nop
        ATTEMPT_END
        CHECK   [seen_vector], DB_
        CHECK   [seen_eip], .after
        CHECK_RF 0
        mov     eax, dr7                        ; would be #DB
        CHECK   eax, 400h
        mov     eax, dr6
        CHECK   eax, DR6_SET
        TEST    "INT 1 does not clear GD"
        ATTEMPT
        SET_DR  dr7, DR7_GD | 400h
        int     1
        ATTEMPT_END
        CHECK   [seen_vector], DB_
        EXPECT  DB_, 0, mov eax, dr7
        SET_DR  dr6, DR6_SET
        ret

test_faults:
        TEST    "a data breakpoint of an instruction that faults is not met"
        SET_DR  dr0, WATCHED
        mov     dword [WATCHED], WATCHED
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        xor     edx, edx
        mov     [WATCHED + 8], edx
.div:   div     dword [WATCHED + 8]             ; a store beside, and #DE
        WITH_DR7_END
        CHECK   [seen_vector], DE
        CHECK   [seen_dr6], DR6_SET
        TEST    "RF lets a breakpoint's instruction pass once, even if it faults"
        SET_DR  dr0, .here
        HANDLER UD, skip_two
        WITH_DR7 DR7_L0
        push    dword EFLAGS_RF | 2
        push    cs
        push    dword .here
        iretd
.here:  ud2
        int     RETURN_VECTOR
        WITH_DR7_END
        HANDLER UD, 0
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_dr6], DR6_SET
        TEST    "IRET of 16 bits clears RF"
        SET_DR  dr0, .second
        WITH_DR7 DR7_L0
        mov     eax, .second                    ; lies below 64K
        mov     ecx, cs
        push    word 2
        push    cx
        push    ax
        push    dword EFLAGS_RF | 2
        push    cs
        push    dword .first
        iretd                                   ; to .first with RF
.first: o16 iret
.second:
        nop
        WITH_DR7_END
        CHECK_DEBUG .second, DR6_B0
        ret

skip_two:
        add     esp, 8
        add     dword [esp], 2
        iretd

test_priorities:
        TEST    "an instruction breakpoint beyond the limit of CS comes before #GP"
        SET_DESCRIPTOR S_CODE, WATCHED, 3, BITS_32 | PRESENT | CODE
        mov     dword [WATCHED], 90909090h
        SET_DR  dr0, WATCHED + 4
        WITH_DR7 DR7_L0
        jmp     S_CODE:0
        WITH_DR7_END
        CHECK_DEBUG 4, DR6_B0
        TEST    "an instruction breakpoint comes before an invalid opcode and general detect"
        SET_DR  dr0, .invalid
        WITH_DR7 DR7_L0
.invalid:
        ud2
        WITH_DR7_END
        CHECK_DEBUG .invalid, DR6_B0
        SET_DR  dr0, .detect
        WITH_DR7 DR7_L0 | DR7_GD
.detect:
        mov     eax, dr0
        WITH_DR7_END
        CHECK_DEBUG .detect, DR6_B0
        TEST    "general detect comes after #UD and #GP of the same instruction"
        mov     eax, cr4
        or      eax, 8                          ; DE
        mov     cr4, eax
        ATTEMPT
        SET_DR  dr7, DR7_GD | 400h
.aliased:
        mov     eax, dr4
        ATTEMPT_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eip], .aliased
        RUN_USER .user
        CHECK   [seen_vector], GP
        EXPECT  DB_, 0, mov eax, dr7
        SET_DR  dr6, DR6_SET
        mov     eax, cr4
        and     eax, ~8
        mov     cr4, eax
        ret
.user:  mov     eax, dr0

test_fields:
        TEST    "addresses of breakpoints are cut to their length"
        SET_DR  dr0, WATCHED + 7
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     [WATCHED + 8], al
        mov     [WATCHED + 3], al
        mov     [WATCHED + 4], al
.stored:
        nop
        WITH_DR7_END
        CHECK_DEBUG .stored, DR6_B0
        TEST    "a breakpoint on an instruction's second prefix is none"
        SET_DR  dr0, .prefixed + 1
        WITH_DR7 DR7_L0
.prefixed:
        db      66h, 2Eh
        mov     eax, [0]
        ud2
        WITH_DR7_END
        CHECK   [seen_vector], UD
        TEST    "an instruction breakpoint is not met by reading its bytes"
        SET_DR  dr0, WATCHED
        WITH_DR7 DR7_L0
        mov     eax, [WATCHED]
        mov     [WATCHED], eax
        ud2
        WITH_DR7_END
        CHECK   [seen_vector], UD
        TEST    "a data breakpoint is not met by a fetch"
        SET_DR  dr0, .fetched
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS)
.fetched:
        nop
        ud2
        WITH_DR7_END
        CHECK   [seen_vector], UD
        TEST    "each iteration of CMPS may meet one, and the last ends it at the next instruction"
        mov     edi, WATCHED + 100h
        mov     esi, WATCHED + 200h
        mov     ecx, 4
        xor     eax, eax
        rep     stosd
        mov     edi, WATCHED + 200h
        mov     ecx, 4
        rep     stosd
        SET_DR  dr0, WATCHED + 100h + 12
        mov     esi, WATCHED + 100h
        mov     edi, WATCHED + 200h
        mov     ecx, 4
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        repe    cmpsd
.compared:
        nop
        WITH_DR7_END
        CHECK_DEBUG .compared, DR6_B0
        CHECK   [seen_ecx], 0
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_ZF
        CHECK   eax, EFLAGS_ZF
        ret

test_ports:
        TEST    "without CR4.DE there are no I/O breakpoints"
        SET_DR  dr0, 80h
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_IO)
        out     80h, al
        nop
        ud2
        WITH_DR7_END
        CHECK   [seen_vector], UD
        mov     eax, cr4
        or      eax, 8
        mov     cr4, eax
        TEST    "an I/O breakpoint covers its length, aligned"
        SET_DR  dr0, 83h
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_IO | DR7_DWORD)
        out     84h, al
        out     80h, al
.out:   nop
        WITH_DR7_END
        CHECK_DEBUG .out, DR6_B0
        TEST    "REP INS stops after the element that met one"
        SET_DR  dr0, 80h
        mov     edi, WATCHED
        mov     ecx, 3
        mov     edx, 80h
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_IO)
        mov     edx, 80h
.ins:   rep     insb
        nop
        WITH_DR7_END
        CHECK_DEBUG .ins, DR6_B0
        CHECK   [seen_ecx], 2
        ret

saved_esp       dd      0
far_stack       dd      0, SELECTOR_DATA32
order_count     dd      0
order           times 4 dd 0
order_dr6       times 4 dd 0

%include "image_end.inc"
