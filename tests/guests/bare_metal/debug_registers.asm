; Debug registers: instruction, data and I/O breakpoints, general detect, single step and task
; switches, RF, and what DR6 says of each. SDM vol. 3B 17.2 and 17.3.

%include "harness.inc"
%include "debug_registers.inc"

CR4_DE          equ     8
SELECTOR_TASK   equ     SELECTOR_FREE
WATCHED         equ     200000h                 ; pages of their own
UNWATCHED       equ     201000h

; The vector and DR6 of a debug exception that must come at address %1; DR6 has the bits %2.
%macro CHECK_DEBUG 2
        CHECK   [seen_vector], DB_
        CHECK   [seen_eip], %1
        CHECK   [seen_dr6], DR6_SET | (%2)
%endmacro
%macro CHECK_NO_DEBUG 0
        CHECK   [seen_vector], NOTHING
        CHECK   [seen_dr6], DR6_SET
%endmacro

test:
        mov     eax, cr4
        or      eax, CR4_DE
        mov     cr4, eax
        call    test_values
        call    test_execution
        call    test_data
        call    test_data_lengths
        call    test_data_in_loop
        call    test_strings
        call    test_other_accesses
        call    test_vectors
        call    test_ports
        call    test_general_detect
        call    test_breakpoint_after_detect
        call    test_single_step
        call    test_stack_shadow
        call    test_task_switch
        call    test_unwatched_code
        ret

test_values:
        TEST    "values of the registers"
        SET_DR  dr6, 0
        mov     eax, dr6
        CHECK   eax, DR6_SET
        SET_DR  dr6, 0FFFFFFFFh
        mov     eax, dr6
        and     eax, 0FFFEFFFFh                 ; bit 16 is RTM's where that exists
        CHECK   eax, 0FFFEEFFFh
        SET_DR  dr7, 0
        mov     eax, dr7
        CHECK   eax, 400h
        SET_DR  dr0, 12345678h
        SET_DR  dr3, 9ABCDEF0h
        mov     eax, dr0
        mov     edx, dr3
        CHECK   eax, 12345678h
        CHECK   edx, 9ABCDEF0h
        EXPECT  UD, 0, mov eax, dr4
        EXPECT  UD, 0, mov dr5, eax
        mov     eax, cr4
        and     eax, ~CR4_DE
        mov     cr4, eax
        SET_DR  dr6, DR6_SET
        mov     eax, dr4
        CHECK   eax, DR6_SET
        mov     eax, dr5
        CHECK   eax, 400h
        mov     eax, cr4
        or      eax, CR4_DE
        mov     cr4, eax
        RUN_USER user_reads_dr
        CHECK   [seen_vector], GP
        CHECK   [seen_error], 0
        ret
user_reads_dr:
        mov     eax, dr0

; A fault before the instruction; RF in the image lets it pass.
test_execution:
        TEST    "instruction breakpoints"
        SET_DR  dr0, .first
        SET_DR  dr1, .second
        WITH_DR7 DR7_L0
        mov     ebx, 1
.first: mov     ebx, 2
        WITH_DR7_END
        CHECK_DEBUG .first, DR6_B0
        CHECK   [seen_ebx], 1
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_RF
        CHECK   eax, 0

        HANDLER DB_, resume_past_breakpoint
        mov     dword [breakpoints], 0
        WITH_DR7 DR7_L1
        mov     ecx, 100
.loop:  nop
.second:
        nop
        loop    .loop
        WITH_DR7_END
        CHECK   [breakpoints], 100
        HANDLER DB_, 0

        ; Not at an address inside an instruction, nor with another one's prefix left out.
        SET_DR  dr0, .inside + 2
        WITH_DR7 DR7_G0
.inside:
        mov     eax, 12345678h
        nop
        WITH_DR7_END
        CHECK_NO_DEBUG

        ; A place that was run before without a breakpoint, and is run after it is taken away.
        SET_DR  dr3, counted_code
        call    counted_code
        call    counted_code
        WITH_DR7 DR7_G3
        call    counted_code
        WITH_DR7_END
        CHECK_DEBUG counted_code, DR6_B3
        ATTEMPT
        call    counted_code
        ATTEMPT_END
        CHECK   [seen_vector], NOTHING
        CHECK   [breakpoints], 103
        ret

        align   64
counted_code:
        inc     dword [breakpoints]
        ret

resume_past_breakpoint:
        inc     dword [breakpoints]
        or      dword [esp + 16], EFLAGS_RF
        add     esp, 8
        iretd

; Traps after the instruction.
test_data:
        TEST    "data breakpoints"
        SET_DR  dr0, WATCHED
        mov     eax, [WATCHED]                  ; in the TLB before it is watched
        mov     [WATCHED], eax
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     eax, [WATCHED]                  ; a load does not count
        mov     [WATCHED + 4], eax
        mov     [WATCHED - 4], eax
        mov     [UNWATCHED], eax
        nop
        WITH_DR7_END
        CHECK_NO_DEBUG
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     dword [WATCHED], 77h
.after_store:
        mov     ebx, 5
        WITH_DR7_END
        CHECK_DEBUG .after_store, DR6_B0
        CHECK   [WATCHED], 77h

        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        mov     ebx, [WATCHED]
.after_load:
        mov     ebx, 5
        WITH_DR7_END
        CHECK_DEBUG .after_load, DR6_B0
        CHECK   [seen_ebx], 77h

        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        inc     dword [WATCHED]
.after_inc:
        nop
        WITH_DR7_END
        CHECK_DEBUG .after_inc, DR6_B0

        ; Two at once; and one of them not enabled, which leaves its bit alone or sets it: look at
        ; the enabled one.
        SET_DR  dr1, WATCHED + 2
        WITH_DR7 DR7_L0 | DR7_L1 | DR7_FIELD(0, DR7_WRITE | DR7_BYTE) | DR7_FIELD(1, DR7_ACCESS | DR7_WORD)
        mov     dword [WATCHED], 5
.after_both:
        nop
        WITH_DR7_END
        CHECK_DEBUG .after_both, DR6_B0 | DR6_B1
        ret

; Any byte of the watched ones counts, across pages too.
test_data_lengths:
        TEST    "lengths of data breakpoints"
        SET_DR  dr2, WATCHED + 1000h
        WITH_DR7 DR7_L2 | DR7_FIELD(2, DR7_ACCESS | DR7_WORD)
        mov     eax, [WATCHED + 0FFCh]
        mov     al, [WATCHED + 1002h]
        nop
        WITH_DR7_END
        CHECK_NO_DEBUG
        WITH_DR7 DR7_L2 | DR7_FIELD(2, DR7_ACCESS | DR7_WORD)
        mov     eax, [WATCHED + 0FFDh]
.crossing:
        nop
        WITH_DR7_END
        CHECK_DEBUG .crossing, DR6_B2
        WITH_DR7 DR7_L2 | DR7_FIELD(2, DR7_ACCESS | DR7_WORD)
        mov     [WATCHED + 1001h], al
.last:
        nop
        WITH_DR7_END
        CHECK_DEBUG .last, DR6_B2
        SET_DR  dr2, WATCHED + 1FFFh            ; the last byte of a page
        WITH_DR7 DR7_L2 | DR7_FIELD(2, DR7_WRITE | DR7_BYTE)
        mov     [WATCHED + 1FFEh], eax
.over:
        nop
        WITH_DR7_END
        CHECK_DEBUG .over, DR6_B2
        ret

; In code that runs often: the trap comes at the very iteration that stores there.
test_data_in_loop:
        TEST    "a data breakpoint in a loop"
        SET_DR  dr0, WATCHED + 4 * 5000
        mov     edi, WATCHED
        mov     ecx, 10000
.warm:  mov     [edi], ecx
        add     edi, 4
        loop    .warm
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     edi, WATCHED
        mov     ecx, 10000
.store: mov     [edi], ecx
.stored:
        add     edi, 4
        loop    .store
        WITH_DR7_END
        CHECK_DEBUG .stored, DR6_B0
        CHECK   [seen_ecx], 5000
        ret

; A REP string instruction stops after the iteration that met it.
test_strings:
        TEST    "data breakpoints and string instructions"
        SET_DR  dr0, WATCHED + 400h
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     edi, WATCHED
        mov     ecx, 800h
        xor     eax, eax
.stos:  rep     stosd
        nop
        WITH_DR7_END
        CHECK_DEBUG .stos, DR6_B0
        CHECK   [seen_ecx], 800h - 101h
        CHECK   [seen_edi], WATCHED + 404h
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        mov     esi, WATCHED
        mov     edi, UNWATCHED + 4000h
        mov     ecx, 1000h
.movs:  rep     movsb
        nop
        WITH_DR7_END
        CHECK_DEBUG .movs, DR6_B0
        CHECK   [seen_esi], WATCHED + 401h
        ret

; What does not go through plain loads and stores.
test_other_accesses:
        TEST    "data breakpoints and other accesses"
        SET_DR  dr0, WATCHED
        mov     dword [WATCHED], 0
        mov     dword [WATCHED + 4], 0
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     [saved_esp], esp
        mov     esp, WATCHED + 4
        push    eax
.pushed:
        nop
        WITH_DR7_END
        CHECK_DEBUG .pushed, DR6_B0
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        sgdt    [WATCHED - 4]
.sgdt:  nop
        WITH_DR7_END
        CHECK_DEBUG .sgdt, DR6_B0
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        fninit
        fld1
        fstp    qword [WATCHED - 4]
.fstp:  nop
        WITH_DR7_END
        CHECK_DEBUG .fstp, DR6_B0
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        xor     eax, eax
        xor     edx, edx
        lock cmpxchg8b [WATCHED]
.cmpxchg8b:
        nop
        WITH_DR7_END
        CHECK_DEBUG .cmpxchg8b, DR6_B0
        ret

; 16 bytes of which the watched ones are the last, in code that was run before.
test_vectors:
        mov     eax, 1
        cpuid
        test    edx, 4000000h                   ; SSE2
        jz      .done
        TEST    "data breakpoints and vectors"
        mov     eax, cr4
        or      eax, 200h
        mov     cr4, eax
        SET_DR  dr0, WATCHED + 2Ch
        xorps   xmm0, xmm0
        mov     ecx, 100
.warm:  movaps  [WATCHED + 20h], xmm0
        movups  xmm1, [WATCHED + 1Fh]
        loop    .warm
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     ecx, 1
.store: movups  xmm1, [WATCHED + 1Fh]
        movaps  [WATCHED + 20h], xmm0
.stored:
        loop    .store
        WITH_DR7_END
        CHECK_DEBUG .stored, DR6_B0
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        movups  xmm1, [WATCHED + 1Ch]           ; ends just before
        movups  xmm1, [WATCHED + 1Dh]
.loaded:
        nop
        WITH_DR7_END
        CHECK_DEBUG .loaded, DR6_B0
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        addps   xmm0, [WATCHED + 20h]
.added: nop
        WITH_DR7_END
        CHECK_DEBUG .added, DR6_B0
        fninit
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_DWORD)
        fld     qword [WATCHED + 28h]
.pushed:
        nop
        WITH_DR7_END
        CHECK_DEBUG .pushed, DR6_B0
.done:  ret

test_ports:
        TEST    "I/O breakpoints"
        SET_DR  dr1, 80h
        WITH_DR7 DR7_L1 | DR7_FIELD(1, DR7_IO | DR7_BYTE)
        in      al, 84h
        out     81h, al
        mov     [80h], al
        nop
        WITH_DR7_END
        CHECK_NO_DEBUG
        WITH_DR7 DR7_L1 | DR7_FIELD(1, DR7_IO | DR7_BYTE)
        out     80h, al
.out:   nop
        WITH_DR7_END
        CHECK_DEBUG .out, DR6_B1
        WITH_DR7 DR7_L1 | DR7_FIELD(1, DR7_IO | DR7_BYTE)
        mov     dx, 80h
        in      al, dx
.in:    nop
        WITH_DR7_END
        CHECK_DEBUG .in, DR6_B1
        ret

test_general_detect:
        TEST    "general detect"
        SET_DR  dr6, DR6_SET
        SET_DR  dr7, DR7_GD | 400h
        EXPECT  DB_, 0, mov eax, dr0
        mov     eax, dr6                        ; GD was cleared on the way
        CHECK   eax, DR6_SET | DR6_BD
        mov     eax, dr7
        CHECK   eax, 400h
        SET_DR  dr7, DR7_GD | 400h
        EXPECT  DB_, 0, mov dr3, eax
        ret

; BD that nobody cleared does not make an instruction breakpoint's image have RF.
test_breakpoint_after_detect:
        TEST    "an instruction breakpoint while DR6.BD is set"
        SET_DR  dr0, .here
        SET_DR  dr6, DR6_SET | DR6_BD
        ATTEMPT
        SET_DR  dr7, DR7_L0
.here:  nop
        ATTEMPT_END
        SET_DR  dr7, 400h
        CHECK   [seen_vector], DB_
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_RF
        CHECK   eax, 0
        ret

test_single_step:
        TEST    "single step"
        SET_DR  dr6, DR6_SET
        ATTEMPT
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
        mov     ebx, 1                          ; the first that is stepped
.after: mov     ebx, 2
        ATTEMPT_END
        mov     eax, dr6
        CHECK   [seen_vector], DB_
        CHECK   [seen_eip], .after
        CHECK   [seen_ebx], 1
        CHECK   eax, DR6_SET | DR6_BS
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_TF
        CHECK   eax, EFLAGS_TF

        ; Each iteration of a REP is a step; a handler counts them.
        HANDLER DB_, count_steps
        mov     dword [breakpoints], 0
        ATTEMPT
        mov     edi, WATCHED
        mov     ecx, 10
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
        rep     stosb
        pushfd
        and     dword [esp], ~EFLAGS_TF
        popfd
        ATTEMPT_END
        CHECK   [breakpoints], 10 + 3
        HANDLER DB_, 0
        ; INT n is not followed by a trap: the handler has TF clear, the image has it set.
        ATTEMPT
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
        int     RETURN_VECTOR
        ATTEMPT_END
        CHECK   [seen_vector], RETURN_VECTOR
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_TF
        CHECK   eax, EFLAGS_TF
        ; ICEBP is a trap of its own, and says nothing in DR6.
        SET_DR  dr6, DR6_SET
        ATTEMPT
        db      0F1h
.icebp: nop
        ATTEMPT_END
        CHECK   [seen_vector], DB_
        CHECK   [seen_eip], .icebp
        mov     eax, dr6
        CHECK   eax, DR6_SET
        ret

count_steps:
        inc     dword [breakpoints]
        add     esp, 8
        iretd

; MOV SS holds a trap back by one instruction, with what the next one adds to it.
test_stack_shadow:
        TEST    "MOV SS and debug traps"
        SET_DR  dr0, WATCHED
        mov     dword [WATCHED], SELECTOR_DATA32
        WITH_DR7 DR7_L0 | DR7_FIELD(0, DR7_ACCESS | DR7_WORD)
        mov     ss, [WATCHED]
        mov     ebx, 1
.after: mov     ebx, 2
        WITH_DR7_END
        CHECK_DEBUG .after, DR6_B0
        CHECK   [seen_ebx], 1
        ret

; The T flag traps before the new task's first instruction; a switch clears the local enables.
test_task_switch:
        TEST    "task switches and debug registers"
        SET_DESCRIPTOR SELECTOR_TASK, other_tss, 67h, 89h
        SET_DR  dr1, WATCHED
        WITH_DR7 DR7_L0 | DR7_G0 | DR7_L1
        jmp     SELECTOR_TASK:0
        WITH_DR7_END
        CHECK_DEBUG other_task, DR6_BT
        str     ax
        movzx   eax, ax
        CHECK   eax, SELECTOR_TASK
        mov     eax, [other_task_dr7]
        ; Back to the first task's TSS.
        and     byte [test_gdt + SELECTOR_TSS + 5], ~2
        mov     ax, SELECTOR_TSS
        ltr     ax
        ret

; Millions of instructions beside armed breakpoints: the test script looks how they were run.
test_unwatched_code:
        TEST    "code beside breakpoints"
        SET_DR  dr0, WATCHED
        SET_DR  dr1, counted_code
        WITH_DR7 DR7_L0 | DR7_L1 | DR7_FIELD(0, DR7_WRITE | DR7_DWORD)
        mov     ecx, 1000000
.loop:  mov     [UNWATCHED], ecx
        mov     eax, [WATCHED + 100h]
        loop    .loop
        WITH_DR7_END
        CHECK_NO_DEBUG
        ret

other_task:
        mov     eax, dr7
        mov     [other_task_dr7], eax
        int     RETURN_VECTOR

        align   16
other_tss:
        dd      0
        times   6 dd 0
        dd      0                               ; CR3
        dd      other_task, 2
        dd      0, 0, 0, 0, STACK_TOP - 1000h, 0, 0, 0
        dd      SELECTOR_DATA32, SELECTOR_CODE32, SELECTOR_DATA32, SELECTOR_DATA32, SELECTOR_DATA32, SELECTOR_DATA32
        dd      0
        dw      1, 68h                          ; T
breakpoints             dd      0
saved_esp               dd      0
other_task_dr7          dd      0

%include "image_end.inc"
