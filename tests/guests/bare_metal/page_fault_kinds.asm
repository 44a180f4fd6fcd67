; Page faults of every kind of access - read, write, read and write, fetch, pushes and pops of each
; instruction, table reads - with either page of two missing: error code, CR2, nothing changed, and
; the instruction completes when it is started again. Then what level 3 may, the processor's own
; accesses for it, A and D bits, and what is kept in the TLB. SDM vol. 3A 4.6 to 4.10, 6.15.

%include "harness.inc"
%include "restart.inc"

EDGE            equ     211000h                 ; a page boundary
FAR_EDGE        equ     221000h
CODE_EDGE       equ     231000h
LDT_BASE        equ     240000h
F_P             equ     1
F_W             equ     2
F_U             equ     4
A               equ     20h
D               equ     40h
CR0_WP          equ     10000h
CR4_PGE         equ     80h
S_LDT           equ     SELECTOR_FREE
S_GATE          equ     SELECTOR_FREE + 8 | 3

; An instruction that accesses the dword at EDGE - 2 faults on the one page, then on the other. A CR2
; of 0 is not looked at: in which order a state image is accessed is the processor's business.
%macro CROSSES 3+                               ; error code, CR2 of the first, instruction
        REMOVE  EDGE - 1000h
        REMOVE  EDGE
        BEFORE  %%insn
%%insn: %3
        CHECK   [fault_count], 2
        CHECK   [fault_log + 4], %1
        CHECK   [fault_log + 12 + 4], %1
%if %2 != 0
        CHECK   [fault_log + 8], %2
        CHECK   [fault_log + 12 + 8], EDGE
%endif
        CHECK   [changed], 0
        call    faults_forget
        REMOVE  EDGE
        BEFORE  %%insn_2
%%insn_2:
        %3
        CHECK_FAULT %1, %2 ? EDGE : 0
        REMOVE  EDGE - 1000h
        BEFORE  %%insn_3
%%insn_3:
        %3
        CHECK_FAULT %1, %2
%endmacro
%macro CHECK_FAULT 2
        CHECK   [fault_count], 1
        CHECK   [fault_log + 4], %1
%if %2 != 0
        CHECK   [fault_log + 8], %2
%endif
        CHECK   [changed], 0
        call    faults_forget
%endmacro
; One that pushes or pops 'count' dwords round EDGE, from ESP = EDGE + 'at' on.
%macro ON_STACK 4+                              ; at, count of faults, error code, instruction
        mov     [saved_esp], esp
        mov     esp, EDGE + (%1)
        REMOVE  EDGE - 1000h
        REMOVE  EDGE
        BEFORE  %%insn
%%insn: %4
        mov     [left_esp], esp
        mov     esp, [saved_esp]
        push    eax
        mov     eax, [may_change]
        not     eax
        and     [changed], eax
        pop     eax
        CHECK   [changed], 0
        CHECK   [fault_count], %2
        CHECK   [fault_log + 4], %3
        CHECK   [fault_log + 12 * (%2 - 1) + 4], %3
        call    faults_forget
%endmacro

test:
        call    restart_setup
        call    make_tables
        call    test_reads
        call    test_writes
        call    test_read_modify_writes
        call    test_wide_accesses
        call    test_pushes
        call    test_pops
        call    test_frames
        call    test_memory_operands_of_stack
        call    test_fetches
        call    test_table_reads
        call    test_user_errors
        call    test_implicit_accesses
        call    test_accessed_and_dirty
        call    test_stale_entries
        call    test_mapped_tables
        ret

make_tables:
        mov     edi, EDGE - 1000h
        mov     ecx, 800h
        mov     eax, 01020304h
        rep     stosd
        SET_DESCRIPTOR S_LDT, LDT_BASE, 0FFFh, 82h
        mov     ax, S_LDT
        lldt    ax
        mov     [main_tss + TSS_LDT], ax
        ret

test_reads:
        TEST    "reads"
        mov     ebx, EDGE - 2
        CROSSES 0, EDGE - 2, mov eax, [ebx]
        CROSSES 0, EDGE - 2, cmp eax, [ebx]
        CROSSES 0, EDGE - 2, test [ebx], eax
        CROSSES 0, EDGE - 2, bt [ebx], ecx
        CROSSES 0, EDGE - 2, imul eax, [ebx], 3
        CROSSES 0, EDGE - 2, cmovz eax, [ebx]   ; is read whether it is moved or not
        CROSSES 0, EDGE - 2, cmovnz eax, [ebx]
        CROSSES 0, EDGE - 1, movzx eax, word [ebx + 1]
        ret

test_writes:
        TEST    "writes"
        mov     ebx, EDGE - 2
        mov     eax, 55667788h
        CROSSES F_W, EDGE - 2, mov [ebx], eax
        CHECK   [EDGE - 2], 55667788h
        CROSSES F_W, EDGE - 2, mov dword [ebx], 11223344h
        CROSSES F_W, EDGE - 1, mov [ebx + 1], ax
        CROSSES F_W, EDGE - 2, sgdt [ebx]
        ret

; They fault as writes even where only the read is about to be done.
test_read_modify_writes:
        TEST    "reads with writes"
        mov     ebx, EDGE - 2
        mov     dword [EDGE - 2], 0
        CROSSES F_W, EDGE - 2, inc dword [ebx]
        CHECK   [EDGE - 2], 3                   ; once for each of three rounds
        mov     eax, 5
        CROSSES F_W, EDGE - 2, add [ebx], eax
        CHECK   [EDGE - 2], 3 + 15
        CROSSES F_W, EDGE - 2, lock add dword [ebx], 1
        CHECK   [EDGE - 2], 21
        CROSSES F_W, EDGE - 2, not dword [ebx]
        CHECK   [EDGE - 2], ~21
        CROSSES F_W, EDGE - 2, rol dword [ebx], 4
        mov     ecx, 3
        CROSSES F_W, EDGE - 2, shl dword [ebx], cl
        CROSSES F_W, EDGE - 2, shld [ebx], eax, cl
        CROSSES F_W, EDGE - 2, bts dword [ebx], 7
        mov     dword [EDGE - 2], 0
        mov     eax, 1
        mov     ecx, 2
        CROSSES F_W, EDGE - 2, cmpxchg [ebx], ecx       ; a comparison that fails writes too
        CHECK   eax, 2
        CHECK   [EDGE - 2], 2                   ; the second round's succeeded
        mov     eax, 1
        CROSSES F_W, EDGE - 2, xchg eax, [ebx]
        CROSSES F_W, EDGE - 2, xadd [ebx], eax
        xor     ecx, ecx
        CROSSES F_W, EDGE - 2, shl dword [ebx], cl      ; a count of zero writes all the same
        CROSSES F_W, EDGE - 2, shl dword [ebx], 32
        CROSSES F_W, EDGE - 2, shrd [ebx], eax, 0
        mov     ebx, EDGE - 4
        xor     eax, eax
        xor     edx, edx
        CROSSES F_W, EDGE - 4, cmpxchg8b [ebx]
        ret

test_wide_accesses:
        TEST    "x87 and MMX operands"
        HANDLER NM, .clear_ts                   ; task switches set TS
        clts
        fninit
        mov     ebx, EDGE - 4
        CROSSES 0, EDGE - 4, fld qword [ebx]
        CROSSES F_W, EDGE - 4, fst qword [ebx]
        fninit
        fld1
        CROSSES F_W, EDGE - 4, fistp qword [ebx]
        fninit
        CROSSES 0, EDGE - 4, fld tword [ebx]
        fninit
        CROSSES F_W, 0, fnstenv [ebx]
        CROSSES F_W, 0, fnsave [ebx]
        CROSSES 0, 0, frstor [ebx]
        CROSSES 0, 0, fldenv [ebx]
        fninit
        CROSSES 0, EDGE - 4, movq mm0, [ebx]
        CROSSES F_W, EDGE - 4, movq [ebx], mm0
        emms
        HANDLER NM, 0
        ret
.clear_ts:
        clts
        add     esp, 8
        iretd

test_pushes:
        TEST    "pushes"
        mov     eax, 12345678h
        ON_STACK 2, 2, F_W, push eax            ; straddles
        ON_STACK 2, 2, F_W, push dword 7
        ON_STACK 2, 2, F_W, pushfd
        ON_STACK 1, 2, F_W, push word 5
        ON_STACK 4, 1, F_W, push eax            ; does not
        CHECK   [EDGE], 12345678h
        ON_STACK 0, 1, F_W, push eax
        ON_STACK 10h, 2, F_W, pushad
        CHECK   [EDGE + 0Ch], 12345678h
        CHECK   [left_esp], EDGE - 10h
        ON_STACK 8, 2, F_W, pushaw
        CHECK   [left_esp], EDGE - 8
        mov     [saved_esp], esp
        mov     esp, EDGE + 2
        REMOVE  EDGE
        BEFORE  .call
.call:  call    .target
.target:
        mov     esp, [saved_esp]
        FAULTS  PF, F_W, EDGE
        CHECK   [EDGE - 2], .target
        ON_STACK 2, 2, F_W, call [.pointer]
.target_2:
        ret
.pointer:
        dd      .in_between
.in_between:
        mov     [left_esp], esp
        mov     esp, [saved_esp]
        CHECK   [changed], 0
        CHECK   [fault_count], 2
        call    faults_forget
        ret

test_pops:
        TEST    "pops"
        mov     dword [EDGE - 2], 2
        ON_STACK -2, 2, 0, pop eax
        CHECK   eax, 2
        CHECK   [left_esp], EDGE + 2
        ON_STACK -2, 2, 0, popfd
        mov     edi, EDGE - 10h
        mov     ecx, 8
        mov     eax, 0AAAAAAAAh
        rep     stosd
        mov     dword [may_change], 1 << (TSS_EDI / 4) | 1 << (TSS_ESI / 4) | 1 << (TSS_EBP / 4)
        ON_STACK -10h, 2, 0, popad              ; what it had popped it pops again
        mov     dword [may_change], 0
        CHECK   [left_esp], EDGE + 10h
        CHECK   edx, 0AAAAAAAAh
        mov     dword [EDGE - 2], .target
        mov     [saved_esp], esp
        mov     esp, EDGE - 2
        REMOVE  EDGE - 1000h
        REMOVE  EDGE
        BEFORE  .ret
.ret:   ret     8
.target:
        mov     ebx, esp
        mov     esp, [saved_esp]
        CHECK   ebx, EDGE + 10
        FAULTS  PF, 0, EDGE - 2, PF, 0, EDGE
        ret

; ENTER copies a display of frame pointers; LEAVE.
test_frames:
        TEST    "ENTER and LEAVE"
        mov     ebp, FAR_EDGE + 8
        mov     dword [FAR_EDGE + 4], 41h
        mov     dword [FAR_EDGE], 42h
        mov     dword [FAR_EDGE - 4], 43h
        mov     [saved_esp], esp
        mov     esp, EDGE + 8
        REMOVE  EDGE
        REMOVE  EDGE - 1000h
        REMOVE  FAR_EDGE
        REMOVE  FAR_EDGE - 1000h
        BEFORE  .enter
.enter: enter   20h, 4
        mov     [left_esp], esp
        mov     esp, [saved_esp]
        CHECK   ebp, EDGE + 4
        CHECK   [left_esp], EDGE + 4 - 10h - 20h
        CHECK   [fault_count], 4
        CHECK   [changed], 0
        call    faults_forget
        CHECK   [EDGE + 4], FAR_EDGE + 8
        CHECK   [EDGE], 41h
        CHECK   [EDGE - 4], 42h
        CHECK   [EDGE - 8], 43h
        CHECK   [EDGE - 0Ch], EDGE + 4
        ; The last word of the frame itself is looked at as if it were written (SDM vol. 2A ENTER).
        mov     esp, EDGE + 8
        REMOVE  EDGE - 1000h
        BEFORE  .enter_2
.enter_2:
        enter   1000h, 0
        mov     [left_esp], esp
        mov     esp, [saved_esp]
        CHECK   [fault_count], 1
        CHECK   [fault_log + 4], F_W
        CHECK   [left_esp], EDGE + 4 - 1000h
        CHECK   [changed], 0
        call    faults_forget
        mov     ebp, EDGE - 2
        mov     dword [EDGE - 2], 99h
        REMOVE  EDGE
        REMOVE  EDGE - 1000h
        BEFORE  .leave
.leave: leave
        mov     [left_esp], esp
        mov     esp, [saved_esp]
        CHECK   ebp, 99h
        CHECK   [left_esp], EDGE + 2
        FAULTS  PF, 0, EDGE - 2, PF, 0, EDGE
        ret

; PUSH and POP with memory operands: read, then write; ESP changes only with both done.
test_memory_operands_of_stack:
        TEST    "PUSH and POP of memory"
        mov     ebx, FAR_EDGE - 2
        mov     dword [ebx], 3141h
        mov     [saved_esp], esp
        mov     esp, EDGE + 2
        REMOVE  EDGE
        REMOVE  EDGE - 1000h
        REMOVE  FAR_EDGE
        REMOVE  FAR_EDGE - 1000h
        BEFORE  .push
.push:  push    dword [ebx]
        mov     esp, [saved_esp]
        FAULTS  PF, 0, FAR_EDGE - 2, PF, 0, FAR_EDGE, PF, F_W, EDGE - 2, PF, F_W, EDGE
        CHECK   [EDGE - 2], 3141h
        mov     esp, EDGE - 2
        mov     dword [ebx], 0
        REMOVE  EDGE
        REMOVE  EDGE - 1000h
        REMOVE  FAR_EDGE
        REMOVE  FAR_EDGE - 1000h
        BEFORE  .pop
.pop:   pop     dword [ebx]
        mov     [left_esp], esp
        mov     esp, [saved_esp]
        CHECK   [left_esp], EDGE + 2
        FAULTS  PF, 0, EDGE - 2, PF, 0, EDGE, PF, F_W, FAR_EDGE - 2, PF, F_W, FAR_EDGE
        CHECK   [FAR_EDGE - 2], 3141h
        ; POP with ESP as the base: the address is that after the pop.
        mov     dword [EDGE + 4], 0
        mov     dword [EDGE - 4], 2718h
        mov     esp, EDGE - 4
        REMOVE  EDGE
        BEFORE  .pop_2
.pop_2: pop     dword [esp + 4]
        mov     esp, [saved_esp]
        FAULTS  PF, F_W, EDGE + 4
        CHECK   [EDGE + 4], 2718h
        ret

; An instruction of which a part is missing; a jump to a page that is.
test_fetches:
        TEST    "fetches"
        mov     byte [CODE_EDGE - 3], 0B8h      ; MOV EAX, imm32 over the boundary
        mov     dword [CODE_EDGE - 2], 0DEADF00Dh
        mov     byte [CODE_EDGE + 2], 0C3h
        ; (Bochs 2.7 gives the linear address of the last byte for CR2.)
        mov     ecx, 3
.again: mov     edx, CODE_EDGE - 3
        mov     dword [.return_to], 0
        REMOVE  CODE_EDGE
        xor     eax, eax
        call    edx
        CHECK   eax, 0DEADF00Dh
        CHECK   [fault_count], 1
        CHECK   [fault_log + 4], 0
        CHECK   [fault_log + 8], CODE_EDGE
        call    faults_forget
        REMOVE  CODE_EDGE
        REMOVE  CODE_EDGE - 1000h
        xor     eax, eax
        call    edx
        CHECK   eax, 0DEADF00Dh
        CHECK   [fault_count], 2
        CHECK   [fault_log + 8], CODE_EDGE - 3
        CHECK   [fault_log + 12 + 8], CODE_EDGE
        call    faults_forget
        dec     ecx
        jnz     .again
        ; The page after is not asked for when nothing of it is needed.
        mov     byte [CODE_EDGE - 2], 40h       ; INC EAX
        mov     byte [CODE_EDGE - 1], 0C3h
        mov     byte [CODE_EDGE], 0C3h
        REMOVE  CODE_EDGE
        xor     eax, eax
        mov     edx, CODE_EDGE - 2
        call    edx
        CHECK   eax, 1
        CHECK   [fault_count], 0
        ; A conditional jump there faults only where it is taken, and after the flags.
        mov     dword [CODE_EDGE - 4], 0C3007448h       ; DEC EAX; JZ over the boundary; RET
        mov     byte [CODE_EDGE - 2], 1
        mov     edx, CODE_EDGE - 4
        mov     eax, 2
        call    edx
        CHECK   eax, 1
        CHECK   [fault_count], 0
        call    edx
        CHECK   eax, 0
        CHECK   [fault_count], 1
        CHECK   [fault_log + 8], CODE_EDGE
        call    faults_forget
        ret
.return_to:
        dd      0

; Descriptor tables: GDT, LDT and IDT entries on missing pages are supervisor reads, whoever asks.
test_table_reads:
        TEST    "descriptor tables"
        mov     dword [LDT_BASE + 10h], 0000FFFFh
        mov     dword [LDT_BASE + 14h], 00CFF200h       ; level 3, not accessed
        mov     eax, 10h | 4 | 3
        REMOVE  LDT_BASE
        BEFORE  .load
.load:  mov     fs, ax
        FAULTS  PF, 0, LDT_BASE + 10h
        CHECK   [LDT_BASE + 14h], 00CFF300h     ; accessed now
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        ; at level 3 as well
        HANDLER RETURN_VECTOR, 0
        mov     byte [LDT_BASE + 15h], 0F2h
        REMOVE  LDT_BASE
        ATTEMPT
        push    dword SELECTOR_USER_DATA
        push    dword USER_STACK_TOP
        push    dword 2
        push    dword SELECTOR_USER_CODE
        push    dword .user
        mov     ax, SELECTOR_USER_DATA
        mov     ds, ax
        mov     es, ax
        iretd
.user:  mov     eax, 10h | 4 | 3
        BEFORE  .user_load
.user_load:
        mov     fs, ax
        int     RETURN_VECTOR
        ATTEMPT_END
        FAULTS  PF, 0, LDT_BASE + 10h
        CHECK   [LDT_BASE + 14h], 00CFF300h
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        ret

%macro USER 1+
        jmp     %%go
%%user: %1
        int     RETURN_VECTOR
%%go:   RUN_USER %%user
%endmacro

; Level 3: error codes with the U bit, and without P where an entry is missing on any level.
test_user_errors:
        TEST    "level 3"
        SET_GATE IDT_ADDRESS + 8 * PF, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * PF, GATE_INTERRUPT32
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P          ; supervisor, read only
        invlpg  [EDGE]
        USER    mov eax, [EDGE]
        CHECK   [seen_vector], PF
        CHECK   [seen_error], F_P | F_U
        USER    mov [EDGE], eax
        CHECK   [seen_error], F_P | F_U | F_W
        USER    inc dword [EDGE]
        CHECK   [seen_error], F_P | F_U | F_W
        USER    push dword [EDGE]
        CHECK   [seen_error], F_P | F_U
        USER    mov ebx, EDGE
        CHECK   [seen_vector], RETURN_VECTOR
        USER    jmp EDGE
        CHECK   [seen_vector], PF
        CHECK   [seen_error], F_P | F_U
        CHECK   [seen_eip], EDGE
        CHECK   [seen_cr2], EDGE
        ; a dword of which one half is the user's
        USER    mov eax, [EDGE - 2]
        CHECK   [seen_error], F_P | F_U
        CHECK   [seen_cr2], EDGE
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | U      ; read only
        invlpg  [EDGE]
        USER    mov eax, [EDGE - 2]
        CHECK   [seen_vector], RETURN_VECTOR
        USER    mov [EDGE - 2], eax
        CHECK   [seen_error], F_P | F_U | F_W
        CHECK   [seen_cr2], EDGE
        USER    xchg [EDGE + 8], eax
        CHECK   [seen_error], F_P | F_U | F_W
        USER    cmpxchg [EDGE + 8], eax
        CHECK   [seen_error], F_P | F_U | F_W
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U
        invlpg  [EDGE]
        ret

; What the processor reads for level 3 it reads as level 0: tables on supervisor pages do.
test_implicit_accesses:
        TEST    "the processor's own accesses"
        mov     dword [TABLE_LOW + 4 * (LDT_BASE >> 12)], LDT_BASE | P | W
        invlpg  [LDT_BASE]
        mov     byte [LDT_BASE + 15h], 0F2h
        USER    push dword 10h | 4 | 3
        USER    mov ax, 10h | 4 | 3
        jmp     .go
.user:  mov     ax, 10h | 4 | 3
        mov     fs, ax
        lar     ecx, ax
        int     RETURN_VECTOR
.go:    RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        mov     eax, [seen_ecx]
        and     eax, 0FF00h
        CHECK   eax, 0F300h
        ; With CR0.WP the accessed bit is written to a read-only page as well? It is a write of level
        ; 0: #PF.
        mov     dword [TABLE_LOW + 4 * (LDT_BASE >> 12)], LDT_BASE | P
        mov     byte [LDT_BASE + 15h], 0F2h     ; WP is off
        invlpg  [LDT_BASE]
        mov     eax, cr0
        or      eax, CR0_WP
        mov     cr0, eax
        RUN_USER .user
        CHECK   [seen_vector], PF
        CHECK   [seen_error], F_P | F_W
        mov     eax, [seen_cr2]
        and     eax, ~7
        CHECK   eax, LDT_BASE + 10h
        mov     eax, cr0
        and     eax, ~CR0_WP
        mov     cr0, eax
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        mov     dword [TABLE_LOW + 4 * (LDT_BASE >> 12)], LDT_BASE | P | W | U
        invlpg  [LDT_BASE]
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        ret

%macro CLEAR_BITS 0
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U
        mov     dword [TABLE_LOW + 4 * ((EDGE >> 12) - 1)], (EDGE - 1000h) | P | W | U
        invlpg  [EDGE]
        invlpg  [EDGE - 1000h]
%endmacro
%macro CHECK_BITS 2                             ; of the page below, of the one above
        mov     eax, [TABLE_LOW + 4 * ((EDGE >> 12) - 1)]
        and     eax, A | D
        CHECK   eax, %1
        mov     eax, [TABLE_LOW + 4 * (EDGE >> 12)]
        and     eax, A | D
        CHECK   eax, %2
%endmacro
; A where a page was used, D where it was written, neither where the access faulted.
test_accessed_and_dirty:
        TEST    "A and D"
        CLEAR_BITS
        mov     eax, [EDGE - 2]
        CHECK_BITS A, A
        mov     [EDGE - 2], ecx
        CHECK_BITS A | D, A | D
        CLEAR_BITS
        mov     eax, [EDGE - 4]
        CHECK_BITS A, 0
        xor     eax, eax
        mov     ecx, 1
        mov     dword [EDGE], 7
        CLEAR_BITS
        cmpxchg [EDGE], ecx                     ; not equal: written back all the same
        CHECK_BITS 0, A | D
        CLEAR_BITS
        test    dword [EDGE], 1
        bt      dword [EDGE], 3
        CHECK_BITS 0, A
        CLEAR_BITS
        mov     [saved_esp], esp
        mov     esp, EDGE + 8
        push    eax
        mov     esp, [saved_esp]
        CHECK_BITS 0, A | D
        CLEAR_BITS
        invlpg  [EDGE]
        prefetcht0 [EDGE]
        CHECK_BITS 0, 0
        ; REP with a count of zero
        CLEAR_BITS
        mov     edi, EDGE
        xor     ecx, ecx
        rep     stosd
        CHECK_BITS 0, 0
        ; the D bit is set by a store of level 3 where level 0 had only read
        CLEAR_BITS
        mov     eax, [EDGE]
        USER    mov [EDGE], eax
        CHECK_BITS 0, A | D
        ret

; An entry stays as it was until it is flushed, and a fault drops it: SDM vol. 3A 4.10.4.1, 4.10.4.3.
test_stale_entries:
        TEST    "stale entries"
        mov     dword [EDGE], 1
        mov     dword [FAR_EDGE], 2
        mov     eax, [EDGE]
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], FAR_EDGE | P | W | U
        ; INVLPG of any address within the page, a CR3 write, CR0.PG off and on: all end it.
        invlpg  [EDGE + 0FFFh]
        CHECK   [EDGE], 2
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U
        mov     eax, cr3
        mov     cr3, eax
        CHECK   [EDGE], 1
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], FAR_EDGE | P | W | U
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        or      eax, CR0_PG
        mov     cr0, eax
        CHECK   [EDGE], 2
        ; Rights that were widened are seen without a flush: by the fault at the latest, which walks
        ; again.
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | U
        invlpg  [EDGE]
        USER    mov [EDGE], eax
        CHECK   [seen_vector], PF
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U
        USER    mov dword [EDGE], 77h
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [EDGE], 77h
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], 0
        invlpg  [EDGE]
        USER    mov eax, [EDGE]
        CHECK   [seen_vector], PF
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U
        USER    mov eax, [EDGE]                 ; entries that are not present are not kept
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_eax], 77h
        ; A global page outlives CR3, not INVLPG, and no change of CR4.PGE.
        mov     eax, cr4
        or      eax, CR4_PGE
        mov     cr4, eax
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U | 100h
        invlpg  [EDGE]
        mov     eax, [EDGE]
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], FAR_EDGE | P | W | U | 100h
        mov     eax, cr4
        and     eax, ~CR4_PGE
        mov     cr4, eax
        CHECK   [EDGE], 2
        mov     dword [TABLE_LOW + 4 * (EDGE >> 12)], EDGE | P | W | U
        invlpg  [EDGE]
        ret

; The table is mapped by itself, at several addresses; a store through one changes what another
; means, and code that runs on a page which becomes a table goes on.
test_mapped_tables:
        TEST    "tables mapped by themselves"
        mov     dword [DIRECTORY + 4], TABLE_LOW | P | W | U    ; 400000h: the same 4 MB again
        mov     dword [DIRECTORY + 8], DIRECTORY | P | W | U    ; 800000h: the directory as a table
        mov     eax, cr3
        mov     cr3, eax
        mov     dword [EDGE], 1234h
        CHECK   [400000h + EDGE], 1234h
        mov     eax, [800000h]                  ; TABLE_LOW itself, as a page
        and     eax, ~0FFFh
        CHECK   eax, 0
        mov     eax, [801000h]                  ; through entry 1: the same
        and     eax, ~0FFFh
        CHECK   eax, 0
        mov     eax, [802000h]                  ; the directory
        and     eax, ~0FFFh
        CHECK   eax, TABLE_LOW
        mov     dword [800000h + 4 * (EDGE >> 12)], FAR_EDGE | P | W | U
        invlpg  [EDGE]
        CHECK   [EDGE], 2
        invlpg  [400000h + EDGE]
        CHECK   [400000h + EDGE], 2
        mov     dword [801000h + 4 * (EDGE >> 12)], EDGE | P | W | U
        invlpg  [EDGE]
        CHECK   [EDGE], 1234h
        mov     dword [DIRECTORY + 8], 0
        mov     dword [DIRECTORY + 4], 0
        mov     eax, cr3
        mov     cr3, eax
        ; 235000h held code; now it is the table of 400000h.
        mov     dword [235000h], 0C340h         ; INC EAX; RET
        mov     ecx, 50
        mov     edx, 235000h
        xor     eax, eax
.run:   call    edx
        loop    .run
        CHECK   eax, 50
        mov     dword [DIRECTORY + 4], 235000h | P | W | U
        mov     edi, 235000h
        mov     ecx, 400h
        mov     eax, FAR_EDGE | P | W | U
        rep     stosd
        mov     eax, cr3
        mov     cr3, eax
        CHECK   [400000h], 2
        CHECK   [7FF000h], 2
        mov     eax, [235000h]
        and     eax, A
        CHECK   eax, A
        ; and code again
        mov     dword [DIRECTORY + 4], 0
        mov     eax, cr3
        mov     cr3, eax
        mov     dword [235000h], 0C348h         ; DEC EAX; RET
        mov     eax, 5
        call    edx
        CHECK   eax, 4
        ret

left_esp                dd      0
may_change              dd      0               ; bits as in 'changed'

%include "image_end.inc"
