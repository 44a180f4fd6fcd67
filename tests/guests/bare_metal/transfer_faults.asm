; Far transfers that fault in the middle - at each descriptor, TSS field, push and pop - and are
; started again: nothing may have changed at the fault, and the second attempt completes. SDM vol. 3A
; 6.5 (faults), 6.11 (restart), vol. 2A CALL, RET, INT n, IRET.

%include "harness.inc"
%include "restart.inc"

STACK           equ     211000h                 ; a page boundary
INNER_STACK     equ     251000h                 ; another one
LDT_BASE        equ     220000h                 ; 16 pages
IDT_COPY        equ     240000h
TSS_PAGE        equ     248000h
TASK_STACK      equ     258000h
V8086_CODE      equ     7F00h

S_LDT           equ     SELECTOR_FREE
S_TSS           equ     SELECTOR_FREE + 8       ; the present task's, at the end of a page
S_NEXT_TSS      equ     SELECTOR_FREE + 10h
; In the LDT, each on a page of its own.
L_CODE          equ     1000h | 4
L_STACK         equ     2000h | 4
L_GATE          equ     3000h | 4 | 3
L_INNER_CODE    equ     4000h | 4
L_INNER_STACK   equ     5000h | 4
L_USER_CODE     equ     6000h | 4 | 3
L_USER_STACK    equ     7000h | 4 | 3
L_DATA          equ     8000h | 4
%define L_ADDRESS(selector) (LDT_BASE + ((selector) & 0FFF8h))

VECTOR          equ     50h                     ; its gate leads to L_INNER_CODE
VECTOR_SAME     equ     51h                     ; to level 0's own segment

%macro L_DESCRIPTOR 2                           ; selector, upper dword of a flat segment
        mov     dword [L_ADDRESS(%1)], 0000FFFFh
        mov     dword [L_ADDRESS(%1) + 4], %2
%endmacro
%macro REMOVE_L 1
        REMOVE  L_ADDRESS(%1)
%endmacro
; Level 3 at a label, with this ESP and EFLAGS.
%macro GO_USER 3
        push    dword SELECTOR_USER_DATA
        push    dword %2
        push    dword %3
        push    dword SELECTOR_USER_CODE
        push    dword %1
        push    dword SELECTOR_USER_DATA
        push    dword SELECTOR_USER_DATA
        pop     ds
        pop     es
        iretd
%endmacro
; One page fault was on this page. In which order a processor reads what it pops is its business.
%macro ONCE 1
        mov     esi, %1
        call    count_faults
        CHECK   eax, 1
%endmacro
; Back at level 0, by whatever way.
%macro COME_BACK 0
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        mov     ds, ax
        mov     es, ax
        mov     esp, [saved_esp]
%endmacro

; Level 0's stack is L_STACK, and nothing else has changed up to the label.
%macro ON_LIMITED_STACK 2
        mov     eax, L_STACK
        BEFORE  %2
        mov     [before + TSS_SS], ax
        mov     dword [before + TSS_ESP], %1
        mov     ss, ax
        mov     esp, %1
%endmacro

test:
        call    restart_setup
        call    make_descriptors
        call    test_call
        call    test_return
        call    test_gate_same_level
        call    test_gate_inner_level
        call    test_return_outer
        call    test_interrupt_same_level
        call    test_interrupt_inner_level
        call    test_exception_inner_level
        call    test_iret_same_level
        call    test_iret_outer
        call    test_iret_v8086
        call    test_v8086_interrupt
        call    test_task_switch
        call    test_task_gate
        call    test_segment_loads
        call    test_not_present
        call    test_stack_limits
        ret

make_descriptors:
        mov     edi, LDT_BASE
        mov     ecx, 10000h / 4
        xor     eax, eax
        rep     stosd
        L_DESCRIPTOR L_CODE, 00CF9B00h          ; accessed already
        L_DESCRIPTOR L_STACK, 00CF9300h
        L_DESCRIPTOR L_INNER_CODE, 00CF9B00h
        L_DESCRIPTOR L_INNER_STACK, 00CF9300h
        L_DESCRIPTOR L_USER_CODE, 00CFFB00h
        L_DESCRIPTOR L_USER_STACK, 00CFF300h
        L_DESCRIPTOR L_DATA, 00CF9300h
        SET_DESCRIPTOR S_LDT, LDT_BASE, 0FFFFh, 82h
        mov     ax, S_LDT
        lldt    ax
        mov     esi, IDT_ADDRESS
        mov     edi, IDT_COPY
        mov     ecx, 256 * 2
        rep     movsd
        ; The task's TSS: ESP0 and SS0 lie on one page, the I/O map and the rest on the next.
        mov     edi, TSS_PAGE + 1000h - 0Ch
        mov     ecx, 30h
        xor     eax, eax
        rep     stosd
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], INNER_STACK + 8
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_SS0], L_INNER_STACK
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_CR3], DIRECTORY
        mov     word [TSS_PAGE + 1000h - 0Ch + TSS_LDT], S_LDT
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_MAP], 68h
        SET_DESCRIPTOR S_TSS, TSS_PAGE + 1000h - 0Ch, 67h, 89h
        mov     ax, S_TSS
        ltr     ax
        ret

; A far call at one level: the descriptor, CS above the boundary, EIP below it.
test_call:
        TEST    "far call"
        mov     [saved_esp], esp
        mov     esp, STACK + 4
        REMOVE_L L_CODE
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .call
.call:  call    L_CODE:.target
.target:
        mov     ebp, esp
        mov     esp, [saved_esp]
        CHECK   ebp, STACK - 4
        FAULTS  PF, 0, L_ADDRESS(L_CODE), PF, F_W, STACK, PF, F_W, STACK - 4
        CHECK   [STACK], SELECTOR_CODE32
        CHECK   [STACK - 4], .target
        mov     eax, cs
        CHECK   eax, L_CODE
        jmp     SELECTOR_CODE32:.near
.near:  ; the push of CS straddles the boundary
        mov     esp, STACK + 2
        mov     dword [STACK - 4], 11111111h
        REMOVE  STACK
        BEFORE  .call_2
.call_2:
        call    L_CODE:.target_2
.target_2:
        mov     ebp, esp
        mov     esp, [saved_esp]
        CHECK   ebp, STACK - 6
        FAULTS  PF, F_W, STACK
        jmp     SELECTOR_CODE32:.done
.done:  ret

; What a far return pops: EIP, CS, the descriptor.
test_return:
        TEST    "far return"
        mov     [saved_esp], esp
        mov     esp, STACK + 4
        push    dword L_CODE
        push    dword .target
        REMOVE_L L_CODE
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .return
.return:
        retf    10h
.target:
        mov     ebp, esp
        mov     esp, [saved_esp]
        CHECK   ebp, STACK + 14h
        CHECK   [fault_count], 3
        CHECK   [changed], 0
        ONCE    STACK                      ; whichever it reads first
        ONCE    STACK - 4
        CHECK   [fault_log + 24 + 8], L_ADDRESS(L_CODE)
        call    faults_forget
        jmp     SELECTOR_CODE32:.done
.done:  ret

; A call gate to the same level: the gate's descriptor, then the code's.
test_gate_same_level:
        TEST    "call gate, same level"
        SET_GATE L_ADDRESS(L_GATE), L_CODE, .target, 0EC00h
        mov     [saved_esp], esp
        mov     esp, STACK + 4
        REMOVE_L L_GATE
        REMOVE_L L_CODE
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .call
.call:  call    L_GATE:0
.target:
        mov     esp, [saved_esp]
        FAULTS  PF, 0, L_ADDRESS(L_GATE), PF, 0, L_ADDRESS(L_CODE), PF, F_W, STACK, PF, F_W, STACK - 4
        CHECK   [STACK - 4], .call + 7
        jmp     SELECTOR_CODE32:.done
.done:  ret

; A call gate to an inner level with two parameters: gate, code, the stack's descriptor, the outer
; stack that is read, the inner one that is written. (The TSS itself has to be there, or the fault
; could not be taken either.)
test_gate_inner_level:
        TEST    "call gate, inner level"
        SET_GATE L_ADDRESS(L_GATE), L_INNER_CODE, .target, 0EC02h
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], INNER_STACK + 8
        mov     [saved_esp], esp
        mov     dword [STACK], 12345678h        ; the parameters
        mov     dword [STACK - 4], 9ABCDEF0h
        REMOVE_L L_GATE
        REMOVE_L L_INNER_CODE
        REMOVE_L L_INNER_STACK
        REMOVE  STACK
        REMOVE  STACK - 1000h
        REMOVE  INNER_STACK
        REMOVE  INNER_STACK - 1000h
        GO_USER .user, STACK - 4, 2
.user:  BEFORE  .call
.call:  call    L_GATE:0
.target:
        mov     ebp, esp
        COME_BACK
        CHECK   ebp, INNER_STACK + 8 - 18h
        CHECK   [fault_count], 7
        CHECK   [changed], 0
        CHECK   [fault_log + 8], L_ADDRESS(L_GATE)
        CHECK   [fault_log + 12 + 8], L_ADDRESS(L_INNER_CODE)
        CHECK   [fault_log + 4], 0              ; the processor's own accesses are of level 0
        CHECK   [fault_log + 12 + 4], 0
        ; In which order stacks are read and written is the processor's business, but each page
        ; comes once.
        ONCE    L_ADDRESS(L_INNER_STACK)
        ONCE    STACK
        ONCE    STACK - 1000h
        ONCE    INNER_STACK
        ONCE    INNER_STACK - 1000h
        call    faults_forget
        CHECK   [INNER_STACK + 4], SELECTOR_USER_DATA
        CHECK   [INNER_STACK], STACK - 4
        CHECK   [INNER_STACK - 4], 12345678h
        CHECK   [INNER_STACK - 8], 9ABCDEF0h
        CHECK   [INNER_STACK - 0Ch], SELECTOR_USER_CODE
        CHECK   [INNER_STACK - 10h], .call + 7
        ret

; How many page faults were on the page of ESI -> EAX.
count_faults:
        push    ecx
        push    edx
        push    edi
        xor     eax, eax
        mov     ecx, [fault_count]
        mov     edi, fault_log
        and     esi, ~0FFFh
.next:  mov     edx, [edi + 8]
        and     edx, ~0FFFh
        cmp     edx, esi
        jne     .other
        inc     eax
.other: add     edi, 12
        loop    .next
        pop     edi
        pop     edx
        pop     ecx
        ret

; To the outer level: EIP and CS from the stack, the code's descriptor, ESP and SS, the stack's
; descriptor.
test_return_outer:
        TEST    "far return to an outer level"
        mov     [saved_esp], esp
        mov     esp, STACK + 8
        push    dword L_USER_STACK
        push    dword USER_STACK_TOP
        push    dword L_USER_CODE
        push    dword .target
        mov     ax, SELECTOR_USER_DATA          ; others would be taken away
        mov     ds, ax
        mov     es, ax
        REMOVE_L L_USER_CODE
        REMOVE_L L_USER_STACK
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .return
.return:
        retf
.target:
        mov     ebp, esp
        mov     ebx, ss
        mov     ecx, cs
        ATTEMPT
        int     RETURN_VECTOR
        ATTEMPT_END
        COME_BACK
        CHECK   ebp, USER_STACK_TOP
        CHECK   ebx, L_USER_STACK
        CHECK   ecx, L_USER_CODE
        call    check_four_faults
        ret

; INT n at one level: the IDT, the code's descriptor, three pushes.
test_interrupt_same_level:
        TEST    "interrupt, same level"
        SET_GATE IDT_COPY + 8 * VECTOR, L_CODE, .target, GATE_TRAP32
        ; What restarts the instruction comes through the same table: both halves of it are split so
        ; that only this vector's lies on the page that is missing.
        mov     esi, IDT_COPY
        mov     edi, IDT_COPY + 1000h - 8 * VECTOR
        mov     ecx, 256 * 2
        rep     movsd
        mov     dword [idt_register + 2], IDT_COPY + 1000h - 8 * VECTOR
        lidt    [idt_register]
        mov     [saved_esp], esp
        mov     esp, STACK + 4
        REMOVE  IDT_COPY + 1000h
        REMOVE_L L_CODE
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .int
.int:   int     VECTOR
.target:
        mov     ebp, esp
        lidt    [test_idt_register]
        mov     esp, [saved_esp]
        CHECK   ebp, STACK - 8
        FAULTS  PF, 0, IDT_COPY + 1000h, PF, 0, L_ADDRESS(L_CODE), PF, F_W, STACK, PF, F_W, STACK - 4
        CHECK   [STACK - 4], SELECTOR_CODE32
        CHECK   [STACK - 8], .int + 2
        jmp     SELECTOR_CODE32:.done
.done:  ret

; The same from level 3: the stack's descriptor, five pushes.
test_interrupt_inner_level:
        TEST    "interrupt, inner level"
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], INNER_STACK + 8
        SET_GATE IDT_ADDRESS + 8 * VECTOR, L_INNER_CODE, .target, GATE_TRAP32 | DPL_3
        mov     [saved_esp], esp
        REMOVE_L L_INNER_CODE
        REMOVE_L L_INNER_STACK
        REMOVE  INNER_STACK
        REMOVE  INNER_STACK - 1000h
        GO_USER .user, USER_STACK_TOP, 2 | EFLAGS_IF
.user:  BEFORE  .int
.int:   int     VECTOR
.target:
        mov     ebp, esp
        COME_BACK
        CHECK   ebp, INNER_STACK + 8 - 14h
        FAULTS  PF, 0, L_ADDRESS(L_INNER_CODE), PF, 0, L_ADDRESS(L_INNER_STACK), PF, F_W, INNER_STACK + 4, PF, F_W, INNER_STACK - 4
        CHECK   [INNER_STACK + 4], SELECTOR_USER_DATA
        CHECK   [INNER_STACK], USER_STACK_TOP
        CHECK   [INNER_STACK - 8], SELECTOR_USER_CODE
        CHECK   [INNER_STACK - 0Ch], .int + 2
        cli
        ret

; An exception's delivery that page-faults is restarted as the exception: #DE, then #PF (benign with
; contributory is no double fault the other way round: SDM vol. 3A table 6-5).
test_exception_inner_level:
        TEST    "exception, inner level"
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], INNER_STACK + 8
        SET_GATE IDT_ADDRESS + 8 * DE, L_INNER_CODE, .target, GATE_INTERRUPT32
        mov     [saved_esp], esp
        REMOVE  INNER_STACK
        REMOVE  INNER_STACK - 1000h
        GO_USER .user, USER_STACK_TOP, 2
.user:  xor     ecx, ecx
        BEFORE  .div
.div:   div     ecx
.target:
        mov     ebp, esp
        COME_BACK
        CHECK   ebp, INNER_STACK + 8 - 14h
        FAULTS  PF, F_W, INNER_STACK + 4, PF, F_W, INNER_STACK - 4
        CHECK   [INNER_STACK - 0Ch], .div
        SET_GATE IDT_ADDRESS + 8 * DE, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * DE, GATE_INTERRUPT32
        ret

test_iret_same_level:
        TEST    "IRET, same level"
        mov     [saved_esp], esp
        mov     esp, STACK + 8
        push    dword 2 | EFLAGS_CF
        push    dword L_CODE
        push    dword .target
        REMOVE_L L_CODE
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .iret
.iret:  iretd
.target:
        mov     ebp, esp
        mov     esp, [saved_esp]
        pushfd
        pop     ebx
        CHECK   ebp, STACK + 8
        CHECK   ebx, 2 | EFLAGS_CF
        CHECK   [fault_count], 3
        CHECK   [changed], 0
        ONCE    STACK
        ONCE    STACK - 1000h
        CHECK   [fault_log + 24 + 8], L_ADDRESS(L_CODE)
        call    faults_forget
        jmp     SELECTOR_CODE32:.done
.done:  ret

test_iret_outer:
        TEST    "IRET to an outer level"
        mov     [saved_esp], esp
        mov     esp, STACK + 8
        push    dword L_USER_STACK
        push    dword USER_STACK_TOP
        push    dword 2 | EFLAGS_CF
        push    dword L_USER_CODE
        push    dword .target
        mov     ax, SELECTOR_USER_DATA          ; others would be taken away
        mov     ds, ax
        mov     es, ax
        REMOVE_L L_USER_CODE
        REMOVE_L L_USER_STACK
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .iret
.iret:  iretd
.target:
        mov     ebp, esp
        mov     ebx, ss
        ATTEMPT
        int     RETURN_VECTOR
        ATTEMPT_END
        COME_BACK
        CHECK   ebp, USER_STACK_TOP
        CHECK   ebx, L_USER_STACK
        call    check_four_faults
        ret

check_four_faults:
        CHECK   [fault_count], 4
        CHECK   [changed], 0
        ONCE    STACK
        ONCE    STACK - 1000h
        ONCE    L_ADDRESS(L_USER_CODE)
        CHECK   [fault_log + 36 + 8], L_ADDRESS(L_USER_STACK)
        CHECK   [fault_log + 36 + 4], 0
        jmp     faults_forget

; To v8086 mode: nine dwords, of which some lie on the page that is missing.
test_iret_v8086:
        TEST    "IRET to v8086 mode"
        mov     byte [V8086_CODE * 16], 0CDh
        mov     byte [V8086_CODE * 16 + 1], RETURN_VECTOR
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], LEVEL_0_STACK_TOP
        mov     [saved_esp], esp
        mov     esp, STACK + 14h
        ATTEMPT
        push    dword 4444h                     ; GS FS DS ES
        push    dword 3333h
        push    dword 2222h
        push    dword 1111h
        push    dword V8086_STACK_SEGMENT       ; from here on below the boundary, after SS
        push    dword 0FFF0h
        push    dword 2 | EFLAGS_VM | EFLAGS_IOPL
        push    dword V8086_CODE
        push    dword 0
        REMOVE  STACK
        REMOVE  STACK - 1000h
        BEFORE  .iret
.iret:  iretd
        ATTEMPT_END
        mov     esp, [saved_esp]
        CHECK   [fault_count], 2
        CHECK   [changed], 0
        ONCE    STACK
        ONCE    STACK - 1000h
        call    faults_forget
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_cs], V8086_CODE
        CHECK   [seen_eip], 2
        CHECK   [seen_ss], V8086_STACK_SEGMENT
        CHECK   [seen_esp], 0FFF0h
        ret

; From v8086 mode nine dwords are pushed.
test_v8086_interrupt:
        TEST    "interrupt in v8086 mode"
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], INNER_STACK + 10h
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_SS0], SELECTOR_DATA32
        SET_GATE IDT_ADDRESS + 8 * VECTOR, SELECTOR_CODE32, .target, GATE_TRAP32 | DPL_3
        mov     dword [V8086_CODE * 16], 0CDh | VECTOR << 8
        mov     [saved_esp], esp
        push    dword 4444h
        push    dword 3333h
        push    dword 2222h
        push    dword 1111h
        push    dword V8086_STACK_SEGMENT
        push    dword 0FFF0h
        push    dword 2 | EFLAGS_VM | EFLAGS_IOPL
        push    dword V8086_CODE
        push    dword 0
        REMOVE  INNER_STACK
        REMOVE  INNER_STACK - 1000h
        mov     dword [before + TSS_EIP], 0
        mov     dword [before + TSS_EFLAGS], 2 | EFLAGS_VM | EFLAGS_IOPL
        mov     [before + TSS_EAX], eax
        mov     [before + TSS_ECX], ecx
        mov     [before + TSS_EDX], edx
        mov     [before + TSS_EBX], ebx
        mov     [before + TSS_EBP], ebp
        mov     [before + TSS_ESI], esi
        mov     [before + TSS_EDI], edi
        mov     dword [before + TSS_ESP], 0FFF0h
        mov     word [before + TSS_ES], 1111h
        mov     word [before + TSS_CS], V8086_CODE
        mov     word [before + TSS_SS], V8086_STACK_SEGMENT
        mov     word [before + TSS_DS], 2222h
        mov     word [before + TSS_FS], 3333h
        mov     word [before + TSS_GS], 4444h
        iretd
.target:
        mov     ebp, esp
        mov     ebx, ds
        COME_BACK
        CHECK   ebp, INNER_STACK + 10h - 24h
        CHECK   ebx, 0
        FAULTS  PF, F_W, INNER_STACK + 0Ch, PF, F_W, INNER_STACK - 4
        CHECK   [INNER_STACK + 0Ch], 4444h
        CHECK   [INNER_STACK], 1111h
        CHECK   [INNER_STACK - 14h], 2
        ret

; A JMP to a task: the new TSS is read, the old one written; each on two pages.
NEXT_TSS        equ     TSS_PAGE + 3000h - 30h  ; EBX is its last on the first page
test_task_switch:
        TEST    "task switch"
        mov     edi, NEXT_TSS
        mov     eax, .task
        call    make_next_task
        SET_DESCRIPTOR S_NEXT_TSS, NEXT_TSS, 67h, 89h
        mov     [saved_esp], esp
        REMOVE  NEXT_TSS
        REMOVE  NEXT_TSS + 1000h
        REMOVE  TSS_PAGE
        REMOVE  TSS_PAGE + 1000h
        ; A task gate's fault saves the state in the same TSS, so what is missing there would fault
        ; twice: the old TSS is there again.
        or      dword [TABLE_LOW + 4 * (TSS_PAGE >> 12)], P
        or      dword [TABLE_LOW + 4 * ((TSS_PAGE >> 12) + 1)], P
        BEFORE  .switch
.switch:
        call    S_NEXT_TSS:0
        mov     esp, [saved_esp]
        clts
        CHECK   [changed], 0
        call    check_next_tss_faults
        CHECK   [NEXT_TSS + TSS_EDI], 777h
        ; IRET back finds the old one missing.
        mov     dword [NEXT_TSS + TSS_EIP], .task_2
        mov     [saved_esp], esp
        call    S_NEXT_TSS:0
        mov     esp, [saved_esp]
        clts
        ONCE    TSS_PAGE + 1000h           ; the first page holds nothing that is read
        CHECK   [fault_log], PF
        CHECK   [fault_log + 4], 0
        mov     byte [TABLE_LOW + 4 * (TSS_PAGE >> 12)], P | W | U
        call    faults_forget
        ret
.task:  mov     edi, 777h
        iretd
.task_2:
        REMOVE  TSS_PAGE
        REMOVE  TSS_PAGE + 1000h
        iretd
        jmp     $

check_next_tss_faults:
        CHECK   [fault_count], 2
        CHECK   [fault_log], PF
        CHECK   [fault_log + 12], PF
        ONCE    NEXT_TSS
        ONCE    NEXT_TSS + 1000h
        jmp     faults_forget

; EDI: the TSS, EAX: EIP.
make_next_task:
        push    eax
        push    edi
        mov     ecx, 68h / 4
        xor     eax, eax
        rep     stosd
        pop     edi
        pop     eax
        mov     [edi + TSS_EIP], eax
        mov     dword [edi + TSS_EFLAGS], 2
        mov     dword [edi + TSS_CR3], DIRECTORY
        mov     dword [edi + TSS_ESP], TASK_STACK
        mov     dword [edi + TSS_CS], SELECTOR_CODE32
        mov     dword [edi + TSS_SS], SELECTOR_DATA32
        mov     dword [edi + TSS_DS], SELECTOR_DATA32
        mov     dword [edi + TSS_ES], SELECTOR_DATA32
        mov     word [edi + TSS_LDT], S_LDT
        mov     dword [edi + TSS_MAP], 680000h
        ret

; A task gate for an exception with an error code: the code goes onto the new task's stack, and a
; fault there is the new task's, before its first instruction.
test_task_gate:
        TEST    "exception by a task gate"
        mov     edi, NEXT_TSS
        mov     eax, .task
        call    make_next_task
        mov     dword [NEXT_TSS + TSS_ESP], INNER_STACK
        SET_DESCRIPTOR S_NEXT_TSS, NEXT_TSS, 67h, 89h
        SET_GATE IDT_ADDRESS + 8 * AC, S_NEXT_TSS, 0, 8500h | DPL_3
        mov     [saved_esp], esp
        REMOVE  NEXT_TSS
        REMOVE  NEXT_TSS + 1000h
        BEFORE  .int
.int:   int     AC                              ; no error code: INT n pushes none
.back:  mov     esp, [saved_esp]
        clts
        CHECK   [changed], 0
        call    check_next_tss_faults
        CHECK   [NEXT_TSS + TSS_ESP], INNER_STACK
        SET_GATE IDT_ADDRESS + 8 * AC, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * AC, GATE_INTERRUPT32
        ret
.task:  iretd
        jmp     .task

; MOV and POP to a segment register, LDS: the descriptor is read before the register changes.
test_segment_loads:
        TEST    "segment loads"
        mov     eax, L_DATA
        REMOVE_L L_DATA
        BEFORE  .mov
.mov:   mov     fs, ax
        FAULTS  PF, 0, L_ADDRESS(L_DATA)
        mov     ebx, fs
        CHECK   ebx, L_DATA
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        mov     [saved_esp], esp
        mov     esp, STACK
        mov     dword [STACK], L_DATA
        REMOVE  STACK
        REMOVE_L L_DATA
        BEFORE  .pop
.pop:   pop     gs
        mov     ebp, esp
        mov     esp, [saved_esp]
        FAULTS  PF, 0, STACK, PF, 0, L_ADDRESS(L_DATA)
        CHECK   ebp, STACK + 4
        mov     ebx, gs
        CHECK   ebx, L_DATA
        mov     gs, ax
        mov     dword [STACK - 4], 87654321h
        mov     word [STACK], L_DATA
        mov     edx, STACK - 4
        REMOVE  STACK
        REMOVE  STACK - 1000h
        REMOVE_L L_DATA
        BEFORE  .load
.load:  lfs     ecx, [edx]
        CHECK   ecx, 87654321h
        mov     ebx, fs
        CHECK   ebx, L_DATA
        CHECK   [fault_count], 3
        CHECK   [fault_log + 24 + 8], L_ADDRESS(L_DATA)
        CHECK   [changed], 0
        call    faults_forget
        mov     fs, ax
        ; MOV SS: the stack that was there until then takes the fault.
        mov     eax, L_STACK
        REMOVE_L L_STACK
        BEFORE  .ss
.ss:    mov     ss, ax
        mov     ebx, ss
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        CHECK   ebx, L_STACK
        FAULTS  PF, 0, L_ADDRESS(L_STACK)
        ; LAR and VERW read descriptors too.
        mov     eax, L_DATA
        REMOVE_L L_DATA
        BEFORE  .lar
.lar:   lar     ecx, eax
        and     ecx, ~0F0000h                   ; undefined
        CHECK   ecx, 00C09300h
        FAULTS  PF, 0, L_ADDRESS(L_DATA)
        REMOVE_L L_DATA
        BEFORE  .verw
.verw:  verw    ax
        setz    cl
        movzx   ecx, cl
        CHECK   ecx, 1
        FAULTS  PF, 0, L_ADDRESS(L_DATA)
        ret

; Segments that are not present: #NP with the selector, #SS for the stack; the handler puts in the
; bit, and the instruction is started again.
test_not_present:
        TEST    "segments that are not present"
        and     byte [L_ADDRESS(L_CODE) + 5], 7Fh
        mov     dword [fix], .make_present
        mov     dword [.wanted], L_ADDRESS(L_CODE)
        mov     [saved_esp], esp
        BEFORE  .call
.call:  call    L_CODE:.target
.target:
        mov     esp, [saved_esp]
        FAULTS  NP, L_CODE, 0
        jmp     SELECTOR_CODE32:.near
.near:  and     byte [L_ADDRESS(L_STACK) + 5], 7Fh
        mov     dword [fix], .make_present
        mov     dword [.wanted], L_ADDRESS(L_STACK)
        mov     eax, L_STACK
        BEFORE  .ss
.ss:    mov     ss, ax
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        FAULTS  SS_, L_STACK, 0
        and     byte [L_ADDRESS(L_DATA) + 5], 7Fh
        mov     dword [fix], .make_present
        mov     dword [.wanted], L_ADDRESS(L_DATA)
        mov     eax, L_DATA
        BEFORE  .fs
.fs:    mov     fs, ax
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        FAULTS  NP, L_DATA, 0
        ; The inner stack of an interrupt from level 3: #SS, after ESP0 was read.
        and     byte [L_ADDRESS(L_INNER_STACK) + 5], 7Fh
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_ESP0], INNER_STACK + 8
        mov     dword [TSS_PAGE + 1000h - 0Ch + TSS_SS0], L_INNER_STACK
        SET_GATE IDT_ADDRESS + 8 * VECTOR, L_INNER_CODE, .inner, GATE_TRAP32 | DPL_3
        mov     dword [fix], .make_present
        mov     dword [.wanted], L_ADDRESS(L_INNER_STACK)
        mov     [saved_esp], esp
        GO_USER .user, USER_STACK_TOP, 2
.user:  BEFORE  .int
.int:   int     VECTOR
.inner: mov     ebp, esp
        COME_BACK
        CHECK   ebp, INNER_STACK + 8 - 14h
        FAULTS  SS_, L_INNER_STACK, 0
        ; A gate that is not present: #NP with the vector, IDT bit set.
        SET_GATE IDT_ADDRESS + 8 * VECTOR, SELECTOR_CODE32, .same, (GATE_TRAP32 & ~8000h)
        mov     dword [fix], .make_present
        mov     dword [.wanted], IDT_ADDRESS + 8 * VECTOR
        mov     [saved_esp], esp
        BEFORE  .int_2
.int_2: int     VECTOR
.same:  mov     esp, [saved_esp]
        FAULTS  NP, 8 * VECTOR + 2, 0
        ret
.make_present:
        mov     eax, [.wanted]
        or      byte [eax + 5], 80h
        ret
.wanted:
        dd      0

; Pushes beyond the limit of the stack segment: #SS(0) with nothing pushed; the handler widens the
; segment.
test_stack_limits:
        TEST    "stacks with limits"
        ; offsets 211000h and above are within: expand down, limit 210FFFh
        mov     dword [L_ADDRESS(L_STACK)], 0210h
        mov     dword [L_ADDRESS(L_STACK) + 4], 00C09700h
        mov     [saved_esp], esp
        mov     dword [fix], .widen
        mov     dword [STACK], 11111111h
        ON_LIMITED_STACK STACK + 4, .call
.call:  call    L_CODE:.target
.target:
        mov     ebp, esp
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        mov     esp, [saved_esp]
        CHECK   ebp, STACK - 4
        FAULTS  SS_, 0, 0
        CHECK   [STACK], SELECTOR_CODE32
        jmp     SELECTOR_CODE32:.near
.near:  mov     word [L_ADDRESS(L_STACK)], 0210h
        mov     dword [fix], .widen
        ON_LIMITED_STACK STACK + 14h, .pusha
.pusha: pushad
        mov     ebp, esp
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        mov     esp, [saved_esp]
        CHECK   ebp, STACK + 14h - 20h
        CHECK   [STACK + 14h - 14h], STACK + 14h
        FAULTS  SS_, 0, 0
        ; Pops below it.
        mov     word [L_ADDRESS(L_STACK)], 0210h
        mov     dword [fix], .widen
        mov     dword [STACK - 8], .return_to
        mov     dword [STACK - 4], SELECTOR_CODE32
        ON_LIMITED_STACK STACK - 8, .retf
.retf:  retf
.return_to:
        mov     ebp, esp
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        mov     esp, [saved_esp]
        CHECK   ebp, STACK
        FAULTS  SS_, 0, 0
        ret
.widen: mov     word [L_ADDRESS(L_STACK)], 0200h
        ret

F_W             equ     2                       ; bit of a page fault's error code
idt_register            dw      256 * 8 - 1
                        dd      0

%include "image_end.inc"
