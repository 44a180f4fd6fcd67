; String instructions that are interrupted and that fault: at every boundary between two iterations
; by single steps, by page faults, at segment limits, at the end of the address space; counts of
; zero; address sizes; overlapping moves. SDM vol. 2B REP, vol. 1 7.3.9.

%include "harness.inc"
%include "restart.inc"

BUFFER          equ     210000h                 ; pages one to one
BUFFER_2        equ     220000h
S_LIMITED       equ     SELECTOR_FREE           ; base BUFFER, 1000h bytes
S_DOWN          equ     SELECTOR_FREE + 8       ; expand down: from 1000h of it on
S_CODE16        equ     SELECTOR_FREE + 10h
F_W             equ     2
STEPS           equ     7

test:
        call    restart_setup
        SET_DESCRIPTOR S_LIMITED, BUFFER, 0FFFh, 4092h
        SET_DESCRIPTOR S_DOWN, BUFFER, 0FFFh, 4096h
        SET_DESCRIPTOR S_CODE16, 0, 0FFFFh, 9Ah
        call    test_single_steps
        call    test_compare_steps
        call    test_page_faults
        call    test_two_pages
        call    test_compare_faults
        call    test_zero_counts
        call    test_counter_sizes
        call    test_overlap
        call    test_limits
        call    test_wrap
        call    test_wrap_16
        call    test_ports
        call    test_timer
        ret

; Each iteration is followed by a trap, and EIP stays on the instruction until the last.
step_handler:
        add     esp, 8                          ; vector, error code
        push    eax
        mov     eax, [esp + 4]                  ; EIP
        cmp     eax, [stepped_insn]
        jne     .other
        inc     dword [steps_within]
        add     [step_ecx_sum], ecx
        add     [step_edi_sum], edi
        pop     eax
        iretd
.other: inc     dword [steps_after]
        mov     [step_end], eax
        and     dword [esp + 12], ~EFLAGS_TF    ; over
        pop     eax
        iretd
%macro STEP 2+                                  ; label of the instruction, the instruction
        HANDLER DB_, step_handler
        mov     dword [stepped_insn], %1
        mov     dword [steps_within], 0
        mov     dword [steps_after], 0
        mov     dword [step_ecx_sum], 0
        mov     dword [step_edi_sum], 0
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
%1:     %2
%%end:  HANDLER DB_, 0
        CHECK   [step_end], %%end
        CHECK   [steps_after], 1
%endmacro

test_single_steps:
        TEST    "a trap after each iteration"
        cld
        mov     edi, BUFFER
        mov     ecx, STEPS
        mov     eax, 0A5A5A5A5h
        STEP    .stos, rep stosd
        CHECK   [steps_within], STEPS - 1
        CHECK   [step_ecx_sum], STEPS * (STEPS - 1) / 2
        CHECK   [step_edi_sum], BUFFER * (STEPS - 1) + 4 * STEPS * (STEPS - 1) / 2
        CHECK   ecx, 0
        CHECK   edi, BUFFER + 4 * STEPS
        mov     esi, BUFFER
        mov     edi, BUFFER_2
        mov     ecx, STEPS
        STEP    .movs, rep movsw
        CHECK   [steps_within], STEPS - 1
        CHECK   [step_ecx_sum], STEPS * (STEPS - 1) / 2
        CHECK   esi, BUFFER + 2 * STEPS
        CHECK   edi, BUFFER_2 + 2 * STEPS
        mov     esi, BUFFER
        mov     ecx, STEPS
        STEP    .lods, rep lodsb
        CHECK   [steps_within], STEPS - 1
        CHECK   esi, BUFFER + STEPS
        mov     ecx, 1
        mov     edi, BUFFER
        STEP    .once, rep stosb
        CHECK   [steps_within], 0
        mov     ecx, 0
        STEP    .none, rep stosb
        CHECK   [steps_within], 0
        CHECK   edi, BUFFER + 1
        ret

; Flags too are those of the iteration.
test_compare_steps:
        TEST    "a trap after each comparison"
        mov     edi, BUFFER
        mov     ecx, 100h
        mov     al, 5
        rep     stosb
        mov     byte [BUFFER + 5], 6
        mov     edi, BUFFER
        mov     ecx, 100h
        STEP    .scas, repe scasb
        CHECK   [steps_within], 5
        CHECK   edi, BUFFER + 6
        CHECK   ecx, 0FAh
        mov     edi, BUFFER
        mov     ecx, 100h
        mov     al, 6
        STEP    .scas_2, repne scasb
        CHECK   [steps_within], 5
        CHECK   ecx, 0FAh
        mov     esi, BUFFER
        mov     edi, BUFFER + 8
        mov     ecx, 100h
        STEP    .cmps, repe cmpsb
        CHECK   [steps_within], 5
        CHECK   esi, BUFFER + 6
        CHECK   ecx, 0FAh
        ret

; A fault leaves the counters at the element that it is about.
test_page_faults:
        TEST    "page faults within"
        mov     edi, BUFFER + 1000h - 10h
        mov     ecx, 800h
        mov     eax, 12345678h
        REMOVE  BUFFER + 1000h
        REMOVE  BUFFER + 2000h
        ; 'before' is what it is like at the first fault.
        mov     edi, BUFFER + 1000h
        mov     ecx, 7FCh
        BEFORE  .stos
        mov     edi, BUFFER + 1000h - 10h
        mov     ecx, 800h
.stos:  rep     stosd
        CHECK   [fault_count], 2
        CHECK   [fault_log], PF
        CHECK   [fault_log + 4], F_W
        CHECK   [fault_log + 8], BUFFER + 1000h
        CHECK   [fault_log + 12 + 8], BUFFER + 2000h
        ; at the second fault ECX and EDI are others, and nothing else is
        CHECK   [changed], 1 << (TSS_ECX / 4) | 1 << (TSS_EDI / 4)
        CHECK   ecx, 0
        CHECK   edi, BUFFER + 1000h - 10h + 2000h
        call    faults_forget
        CHECK   [BUFFER + 1000h], 12345678h
        CHECK   [BUFFER + 2FECh], 12345678h
        ; Downwards, elements that straddle: the whole element is missing.
        std
        REMOVE  BUFFER + 1000h
        mov     edi, BUFFER + 1FFEh
        mov     ecx, 1FFh
        BEFORE  .down
        mov     edi, BUFFER + 1FFEh + 4
        mov     ecx, 200h
        REMOVE  BUFFER + 2000h
.down:  rep     stosd
        cld
        CHECK   [fault_count], 2
        CHECK   [fault_log + 8], BUFFER + 2002h
        CHECK   [fault_log + 12 + 8], BUFFER + 1FFEh
        CHECK   ecx, 0
        CHECK   edi, BUFFER + 2002h - 800h
        call    faults_forget
        ret

; MOVS with its source and its destination missing: the read comes first.
test_two_pages:
        TEST    "MOVS between missing pages"
        mov     esi, BUFFER + 1000h
        mov     edi, BUFFER_2 + 1000h
        mov     ecx, 10h
        REMOVE  BUFFER + 1000h
        REMOVE  BUFFER_2 + 1000h
        BEFORE  .movs
.movs:  rep     movsd
        FAULTS  PF, 0, BUFFER + 1000h, PF, F_W, BUFFER_2 + 1000h
        CHECK   esi, BUFFER + 1040h
        CHECK   edi, BUFFER_2 + 1040h
        CHECK   ecx, 0
        ; Source and destination reach their boundaries at different elements.
        mov     edi, BUFFER
        mov     ecx, 800h
        xor     eax, eax
.fill:  stosd
        inc     eax
        loop    .fill
        mov     esi, BUFFER + 0FE0h
        mov     edi, BUFFER_2 + 0FF0h
        mov     ecx, 100h
        REMOVE  BUFFER + 1000h
        REMOVE  BUFFER_2 + 1000h
        rep     movsd
        CHECK   [fault_count], 2
        CHECK   [fault_log + 8], BUFFER_2 + 1000h
        CHECK   [fault_log + 4], F_W
        CHECK   [fault_log + 12 + 8], BUFFER + 1000h
        CHECK   [fault_log + 12 + 4], 0
        call    faults_forget
        mov     esi, BUFFER + 0FE0h
        mov     edi, BUFFER_2 + 0FF0h
        mov     ecx, 100h
        repe    cmpsd
        CHECK   ecx, 0
        ret

; REPE CMPS and REPNE SCAS: flags of the last comparison are there at the fault.
test_compare_faults:
        TEST    "comparisons that fault"
        mov     edi, BUFFER
        mov     ecx, 800h
        xor     eax, eax
        rep     stosd
        mov     edi, BUFFER_2
        mov     ecx, 800h
        rep     stosd
        mov     byte [BUFFER_2 + 1008h], 1
        mov     esi, BUFFER + 0FF8h
        mov     edi, BUFFER_2 + 0FF8h
        mov     ecx, 100h
        REMOVE  BUFFER_2 + 1000h
        repe    cmpsb
        setb    al
        movzx   eax, al
        CHECK   eax, 1                          ; 0 - 1
        CHECK   ecx, 100h - 11h
        CHECK   esi, BUFFER + 1009h
        CHECK   [fault_log + 8], BUFFER_2 + 1000h
        CHECK   [fault_count], 1
        call    faults_forget
        mov     edi, BUFFER_2 + 0FF8h
        mov     ecx, 100h
        mov     al, 1
        REMOVE  BUFFER_2 + 1000h
        repne   scasb
        CHECK   ecx, 100h - 11h
        CHECK   [fault_log + 8], BUFFER_2 + 1000h
        CHECK   [fault_log + 4], 0
        call    faults_forget
        ret

; A count of zero touches nothing, not even what would fault, and keeps the flags.
test_zero_counts:
        TEST    "counts of zero"
        xor     ecx, ecx
        mov     esi, 80000000h                  ; no page there
        mov     edi, 80001000h
        mov     edx, 0FFFFh
        stc
        rep     movsd
        rep     stosb
        rep     lodsw
        repe    cmpsd
        repne   scasb
        rep     insb
        rep     outsd
        setc    al
        movzx   eax, al
        CHECK   eax, 1
        CHECK   esi, 80000000h
        CHECK   edi, 80001000h
        CHECK   ecx, 0
        ; beyond a limit, too
        push    es
        mov     ax, S_LIMITED
        mov     es, ax
        mov     edi, 2000h
        rep     stosd
        pop     es
        CHECK   edi, 2000h
        ret

; The address size says whether CX or ECX counts, and whether SI and DI wrap.
test_counter_sizes:
        TEST    "CX or ECX"
        mov     ecx, 0FFFF0003h
        mov     edi, 0ABCD7000h
        mov     al, 77h
        a16     rep stosb                       ; at 7000h
        CHECK   ecx, 0FFFF0000h
        CHECK   edi, 0ABCD7003h
        a16     rep stosb                       ; CX is 0
        CHECK   ecx, 0FFFF0000h
        CHECK   edi, 0ABCD7003h
        mov     ecx, 0FFFF0000h
        a16     jcxz .taken
        CHECK   0, 1
.taken: a16     loop .loop                      ; CX becomes FFFFh
.loop:  CHECK   ecx, 0FFFFFFFFh
        ; SI wraps at 64 KB: FFFFh, then 0
        mov     byte [0FFFFh], 11h
        mov     ebx, [0]
        mov     byte [0], 22h
        mov     esi, 5555FFFFh
        mov     ecx, 2
        mov     edi, BUFFER
        xor     eax, eax
        a16     lodsb
        CHECK   eax, 11h
        CHECK   esi, 55550000h
        a16     lodsb
        CHECK   eax, 22h
        CHECK   esi, 55550001h
        mov     [0], ebx
        ret

; Overlapping moves copy element by element, in both directions, whatever the distance.
test_overlap:
        TEST    "overlapping moves"
        call    .pattern
        mov     esi, BUFFER
        mov     edi, BUFFER + 1
        mov     ecx, 20h
        rep     movsb                           ; the first byte is repeated
        CHECK   [BUFFER + 1Ch], 10101010h
        CHECK   [BUFFER + 20h], 33323110h
        call    .pattern
        mov     esi, BUFFER
        mov     edi, BUFFER + 3
        mov     ecx, 8
        rep     movsd
        CHECK   [BUFFER + 4], 11131211h         ; 10 11 12 (10 11 12 13) (11 12 13 17) (12 13 17 1B) ...
        CHECK   [BUFFER + 8], 12171312h
        call    .pattern
        std
        mov     esi, BUFFER + 1Fh
        mov     edi, BUFFER + 1Eh
        mov     ecx, 1Eh
        rep     movsb                           ; downwards: the last byte is repeated
        cld
        CHECK   [BUFFER + 1], 2F2F2F2Fh
        CHECK   [BUFFER + 18h], 2F2F2F2Fh
        call    .pattern
        std
        mov     esi, BUFFER + 1Fh               ; upwards overlap, downwards direction: a plain copy
        mov     edi, BUFFER + 21h
        mov     ecx, 20h
        rep     movsb
        cld
        CHECK   [BUFFER + 2], 13121110h
        CHECK   [BUFFER + 1Eh], 2F2E2D2Ch
        ; A fault in the middle of an overlap that is repeated goes on where it was.
        mov     edi, BUFFER + 0FF0h
        mov     byte [edi], 42h
        mov     esi, BUFFER + 0FF0h
        mov     edi, BUFFER + 0FF1h
        mov     ecx, 20h
        REMOVE  BUFFER + 1000h
        rep     movsb
        CHECK   [fault_count], 1
        CHECK   [fault_log + 4], F_W
        call    faults_forget
        CHECK   [BUFFER + 0FFEh], 42424242h
        CHECK   [BUFFER + 100Dh], 42424242h
        ret
.pattern:                                       ; 10h, 11h, ... 3Fh
        mov     edi, BUFFER
        mov     ecx, 30h
        mov     al, 10h
.byte:  stosb
        inc     al
        loop    .byte
        ret

; The element that passes the limit faults; those before it are done. #GP, or #SS by the stack.
test_limits:
        TEST    "limits within"
        SET_GATE IDT_ADDRESS + 8 * GP, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * GP, GATE_INTERRUPT32
        SET_GATE IDT_ADDRESS + 8 * SS_, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * SS_, GATE_INTERRUPT32
        mov     ax, S_LIMITED
        mov     es, ax
        mov     fs, ax
        mov     edi, 0FF2h
        mov     ecx, 10h
        mov     eax, 99999999h
        mov     dword [BUFFER + 0FFCh], 0
        EXPECT  GP, 0, rep stosd
        CHECK   [seen_ecx], 10h - 3             ; FF2, FF6, FFA are within, FFE is not
        CHECK   [seen_edi], 0FFEh
        CHECK   [BUFFER + 0FFCh], 00009999h
        std
        mov     edi, 8
        mov     ecx, 10h
        EXPECT  GP, 0, rep stosd
        cld
        CHECK   [seen_ecx], 10h - 3             ; 8, 4, 0; then FFFFFFFC
        CHECK   [seen_edi], 0FFFFFFFCh
        mov     edi, BUFFER_2 - BUFFER
        mov     ax, SELECTOR_DATA32
        mov     es, ax
        mov     edi, BUFFER_2
        mov     esi, 0FFCh
        mov     ecx, 3
        EXPECT  GP, 0, fs rep movsd
        CHECK   [seen_ecx], 2
        CHECK   [seen_esi], 1000h
        CHECK   [seen_edi], BUFFER_2 + 4
        ; expand down: offsets above the limit
        mov     ax, S_DOWN
        mov     es, ax
        std
        mov     edi, 1008h
        mov     ecx, 10h
        EXPECT  GP, 0, rep stosd
        cld
        CHECK   [seen_ecx], 10h - 3             ; 1008, 1004, 1000
        CHECK   [seen_edi], 0FFCh
        ; the stack segment's
        mov     ax, SELECTOR_DATA32
        mov     es, ax
        mov     [saved_esp], esp
        SET_DESCRIPTOR S_LIMITED, 0, STACK_TOP + 0FFFh, 4092h
        mov     dx, S_LIMITED
        mov     esi, STACK_TOP + 0FF8h
        mov     edi, BUFFER
        mov     ecx, 5
        ATTEMPT
        mov     ss, dx
        ss rep  movsd
        ATTEMPT_END
        CHECK   [seen_vector], SS_
        CHECK   [seen_error], 0
        CHECK   [seen_ecx], 3
        CHECK   [seen_esi], STACK_TOP + 1000h
        ret

; Over the end of the address space, linear: FFFFF000h's page and page 0.
test_wrap:
        TEST    "the end of 4 GB"
        mov     dword [DIRECTORY + 0FFCh], 102000h | P | W | U
        mov     edi, 102000h
        mov     ecx, 400h
        xor     eax, eax
        rep     stosd
        mov     dword [102FFCh], BUFFER | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        push    dword [0]
        push    dword [4]
        mov     dword [0], 0
        mov     dword [4], 0
        mov     edi, 0FFFFFFF8h
        mov     ecx, 4
        mov     eax, 0C001D00Dh
        rep     stosd
        CHECK   edi, 8
        CHECK   [BUFFER + 0FFCh], 0C001D00Dh
        CHECK   [0], 0C001D00Dh
        CHECK   [4], 0C001D00Dh
        pop     dword [4]
        pop     dword [0]
        ; a base moves it there
        SET_DESCRIPTOR S_LIMITED, 0FFFFF000h, 0FFFFFh, 0C092h
        mov     ax, S_LIMITED
        mov     es, ax
        mov     edi, 0FF8h
        mov     ecx, 2
        mov     eax, 13571357h
        rep     stosd
        mov     bx, SELECTOR_DATA32
        mov     es, bx
        CHECK   [BUFFER + 0FFCh], 13571357h
        ret

; 16-bit offsets wrap within a segment of 64 KB; an element that straddles its end faults.
test_wrap_16:
        TEST    "the end of 64 KB"
        SET_DESCRIPTOR S_LIMITED, 200000h, 0FFFFh, 92h
        mov     ax, S_LIMITED
        mov     es, ax
        mov     edi, 0FFFCh
        mov     ecx, 3
        mov     eax, 24682468h
        a16     rep stosd
        CHECK   ecx, 0
        CHECK   edi, 8
        mov     bx, SELECTOR_DATA32
        mov     es, bx
        CHECK   [200000h], 24682468h
        CHECK   [200004h], 24682468h
        CHECK   [20FFFCh], 24682468h
        mov     ax, S_LIMITED
        mov     es, ax
        mov     edi, 0FFFAh
        mov     ecx, 3
        EXPECT  GP, 0, a16 rep stosd
        CHECK   [seen_ecx], 2
        CHECK   [seen_edi], 0FFFEh
        mov     es, bx
        ret

; INS and OUTS: a page fault comes before the port is read, and after a completed element.
test_ports:
        TEST    "port strings"
        mov     edx, 0C3h                       ; a DMA address: a flip-flop between low and high byte
        mov     al, 0
        out     0D8h, al                        ; clears the flip-flop
        mov     dx, 0C4h
        mov     al, 34h
        out     dx, al
        mov     al, 12h
        out     dx, al
        mov     al, 0
        out     0D8h, al
        mov     edi, BUFFER + 0FFFh
        mov     ecx, 2
        REMOVE  BUFFER + 1000h
        rep     insb
        CHECK   [fault_count], 1
        CHECK   [fault_log + 4], F_W
        CHECK   [fault_log + 8], BUFFER + 1000h
        call    faults_forget
        movzx   eax, word [BUFFER + 0FFFh]
        CHECK   eax, 1234h                      ; a third read would have turned it round
        mov     al, 0
        out     0D8h, al
        mov     word [BUFFER + 0FFFh], 5678h
        mov     esi, BUFFER + 0FFFh
        mov     ecx, 2
        REMOVE  BUFFER + 1000h
        rep     outsb
        CHECK   [fault_log + 4], 0
        call    faults_forget
        mov     al, 0
        out     0D8h, al
        in      al, dx
        mov     ah, al
        in      al, dx
        xchg    al, ah
        movzx   eax, ax
        CHECK   eax, 5678h
        ret

; The timer's interrupts within a long REP: each finds the counters in step, and it ends right.
test_timer:
        TEST    "timer interrupts within"
        HANDLER 20h, .tick
        START_8259 MASTER_8259, 20h, SLAVE_ON_IRQ_2, ~1 & 0FFh ; IRQ 0 alone
        mov     al, 34h                         ; channel 0, rate generator
        out     43h, al
        mov     al, 100
        out     40h, al
        mov     al, 0
        out     40h, al
        mov     dword [ticks], 0
        mov     dword [wrong], 0
        mov     ebp, 100000
        sti
.again: mov     esi, BUFFER
        mov     edi, BUFFER_2
        mov     ecx, 4000h
.moves: rep     movsd
        cmp     ecx, 0
        jne     .bad
        cmp     edi, BUFFER_2 + 10000h
        je      .good
.bad:   inc     dword [wrong]
.good:  cmp     dword [ticks], 200
        jae     .end
        dec     ebp
        jnz     .again
.end:   cli
        mov     al, 0FFh
        out     21h, al
        HANDLER 20h, 0
        cmp     dword [ticks], 3
        setae   al
        movzx   eax, al
        CHECK   eax, 1
        CHECK   [wrong], 0
        ret
.tick:  push    eax
        inc     dword [ticks]
        cmp     dword [esp + 12], .moves        ; elsewhere the registers may be half set up
        jne     .in_step
        mov     eax, BUFFER_2 + 10000h          ; EDI + 4 * ECX is where it will end
        sub     eax, edi
        shr     eax, 2
        cmp     eax, ecx
        je      .in_step
        inc     dword [wrong]
.in_step:
        mov     al, 20h
        out     20h, al
        pop     eax
        add     esp, 8
        iretd

stepped_insn            dd      0
steps_within            dd      0
steps_after             dd      0
step_end                dd      0
step_ecx_sum            dd      0
step_edi_sum            dd      0
ticks                   dd      0
wrong                   dd      0

%include "image_end.inc"
