; Runs cases of system state one after the other: each is a list of patches to the arena (arena.inc), the last of
; which is the instruction that it is about. A case ends by some exception, if only the INT3 that fills memory; what
; it left in registers and arena is its result.
;
; The file CASES holds them, as random_cases.py writes it: for each a word with its length, then patches (word offset
; into the arena, byte length, bytes; length 80h: one byte of bits to flip), ended by offset FFFFh. Length 0 ends the
; cases.
;
; A triple fault resets the machine. Memory survives that, so the case is noted as one that ended so, and
; the next one follows.

%include "boot_sector.inc"
%include "arena.inc"
        jmp     runner_start
        align   16
%ifndef MARKS
%define MARKS 0
%endif
; At 7E10h, for whoever watches the machine: MARKS stops at each result, by XCHG BX, BX and then until
; mark_seen is set.
marks                   db      MARKS
mark_seen               db      0
                        dw      mark_wait

%include "protected_mode.inc"

        cpu     p4

HOME_STACK              equ     7B00h
RUNNER_END              equ     0A000h
VECTOR_TRIPLE           equ     0FFFFh
S_DOUBLE_FAULT          equ     18h
RESULT_COUNT            equ     (result_end - result) / 4
BREAKPOINT_FILL         equ     0CCCCCCCCh

        bits    16
runner_start:
        call    a20_enable
        call    protected_mode_enter
        bits    32
        mov     esp, HOME_STACK
        mov     al, 0FFh                        ; no interrupts from the board
        out     21h, al
        out     0A1h, al
        in      al, 70h                         ; nor NMIs
        or      al, 80h
        out     70h, al
        cld
        cmp     dword [PROGRESS], PROGRESS_MAGIC
        jne     .first
        cmp     dword [PROGRESS + 12], PROGRESS_RUNNING
        jne     .first
        call    fill_memory
        call    note_triple_fault
        jmp     next_case
.first: call    copy_high
        call    fill_memory
        mov     dword [PROGRESS], PROGRESS_MAGIC
        mov     dword [PROGRESS + 4], 0
        mov     dword [PROGRESS + 8], RESULTS
        mov     dword [PROGRESS + 12], PROGRESS_RUNNING
        mov     dword [PROGRESS + 16], HIGH_CASES
        jmp     run_case

; Template and cases go above 1 MiB, since the image reaches over the arena.
copy_high:
        mov     esi, template
        mov     edi, HIGH_TEMPLATE
        mov     ecx, ARENA_SIZE / 4
        rep     movsd
        mov     esi, cases
        mov     edi, HIGH_CASES
        mov     ecx, (90000h - 8000h) / 4
        rep     movsd
        ret

fill_memory:
        mov     eax, BREAKPOINT_FILL
        mov     edi, 500h
        mov     ecx, (7A00h - 500h) / 4
        rep     stosd
        mov     edi, RUNNER_END
        mov     ecx, (FILL_END - RUNNER_END) / 4
        rep     stosd
        xor     edi, edi                        ; real mode's vectors: VME's INT n in v8086 mode
        mov     eax, (ARENA_LANDING >> 4) << 16
        mov     ecx, 256
.vector:
        stosd
        inc     eax
        loop    .vector
        ret

note_triple_fault:
        mov     edi, result
        mov     ecx, RESULT_COUNT
        xor     eax, eax
        rep     stosd
        mov     dword [result_vector], VECTOR_TRIPLE
        mov     edi, [PROGRESS + 8]
        call    put_result
        xor     eax, eax
        stosd
        mov     [PROGRESS + 8], edi
        ret

; Goes on behind the case that has just ended.
next_case:
        inc     dword [PROGRESS + 4]
        mov     esi, [PROGRESS + 16]
        movzx   eax, word [esi]
        lea     esi, [esi + eax + 2]
        mov     [PROGRESS + 16], esi
run_case:
        mov     esi, [PROGRESS + 16]
        cmp     word [esi], 0
        je      finish
        call    make_arena
        lgdt    [arena_gdt_register]
        lidt    [arena_idt_register]
        mov     byte [mark_seen], 0
        jmp     start_case

finish: mov     dword [PROGRESS + 12], PROGRESS_DONE
.stop:  xchg    bx, bx                          ; Bochs' debugger stops
        jmp     .stop

; ESI = the case.
make_arena:
        push    esi
        mov     esi, HIGH_TEMPLATE
        mov     edi, SHADOW
        mov     ecx, ARENA_SIZE / 4
        rep     movsd
        pop     esi
        add     esi, 2
.patch: movzx   edi, word [esi]
        cmp     edi, 0FFFFh
        je      .patched
        movzx   ecx, byte [esi + 2]
        add     esi, 3
        add     edi, SHADOW
        test    cl, 80h
        jnz     .flip
        rep     movsb
        jmp     .patch
.flip:  lodsb
        xor     [edi], al
        jmp     .patch
.patched:
        mov     esi, SHADOW
        mov     edi, ARENA
        mov     ecx, ARENA_SIZE / 4
        rep     movsd
        ret

; Everything that may fault here is a result, too.
start_case:
        mov     ebx, 0BBBBBBBBh
        mov     ebp, ebx
        fninit                          ; else an x87 error of the last case would freeze this one
        lldt    [ARENA_ENTRY + ENTRY_LDTR]
        ltr     [ARENA_ENTRY + ENTRY_TR]
        mov     eax, [ARENA_ENTRY + ENTRY_CR4]
        mov     cr4, eax
        mov     eax, ARENA_PAGE_DIRECTORY
        mov     cr3, eax
        mov     eax, [ARENA_ENTRY + ENTRY_CR0]
        mov     cr0, eax
        mov     eax, [ARENA_ENTRY + ENTRY_DR]
        mov     dr0, eax
        mov     eax, [ARENA_ENTRY + ENTRY_DR + 4]
        mov     dr1, eax
        mov     eax, [ARENA_ENTRY + ENTRY_DR + 8]
        mov     dr2, eax
        mov     eax, [ARENA_ENTRY + ENTRY_DR + 0Ch]
        mov     dr3, eax
        mov     ecx, [ARENA_ENTRY + ENTRY_DR + 10h]
        mov     es, [ARENA_ENTRY + ENTRY_DS + 4]
        mov     fs, [ARENA_ENTRY + ENTRY_DS + 8]
        mov     gs, [ARENA_ENTRY + ENTRY_DS + 0Ch]
        test    byte [ARENA_ENTRY + ENTRY_FRAME + 10], 2        ; VM
        jnz     .outer
        test    byte [ARENA_ENTRY + ENTRY_FRAME + 4], 3         ; level
        jnz     .outer
        mov     dr7, ecx
        mov     ss, [ARENA_ENTRY + ENTRY_FRAME + 10h]
        mov     esp, [ARENA_ENTRY + ENTRY_FRAME + 0Ch]
        push    dword [ARENA_ENTRY + ENTRY_FRAME + 8]
        push    dword [ARENA_ENTRY + ENTRY_FRAME + 4]
        push    dword [ARENA_ENTRY + ENTRY_FRAME]
        jmp     .registers
.outer: mov     dr7, ecx
        mov     esp, ARENA_ENTRY + ENTRY_FRAME
.registers:
        mov     eax, [ARENA_ENTRY + ENTRY_EAX]
        mov     ecx, [ARENA_ENTRY + ENTRY_EAX + 4]
        mov     edx, [ARENA_ENTRY + ENTRY_EAX + 8]
        mov     ebx, [ARENA_ENTRY + ENTRY_EAX + 0Ch]
        mov     ebp, [ARENA_ENTRY + ENTRY_EAX + 14h]
        mov     esi, [ARENA_ENTRY + ENTRY_EAX + 18h]
        mov     edi, [ARENA_ENTRY + ENTRY_EAX + 1Ch]
        mov     ds, [ARENA_ENTRY + ENTRY_DS]
        iretd

; Every gate of the arena leads here. Nothing but CS is known to be usable.
        align   16
stubs:
%assign vector 0
%rep 256
        align   16
        push    dword vector
        jmp     record
%assign vector vector + 1
%endrep
        align   16
double_fault_entry:
        push    dword 8
record: pushfd
        cmp     byte [cs:marks], 0
        je      mark_passed
        xchg    bx, bx
mark_wait:
        cmp     byte [cs:mark_seen], 0
        je      mark_wait
mark_passed:
        push    eax
        mov     eax, ds
        push    eax
        mov     eax, SELECTOR_DATA32
        mov     ds, eax
        pop     dword [result_ds]
        pop     dword [result_eax]
        pop     dword [result_eflags]
        pop     dword [result_vector]
        mov     [result_esp], esp
        mov     eax, dr7
        mov     [result_dr7], eax
        mov     eax, 400h
        mov     dr7, eax
        mov     [result_ecx], ecx
        mov     [result_edx], edx
        mov     [result_ebx], ebx
        mov     [result_ebp], ebp
        mov     [result_esi], esi
        mov     [result_edi], edi
        mov     [result_es], es
        mov     [result_ss], ss
        mov     [result_fs], fs
        mov     [result_gs], gs
        str     [result_tr]
        sldt    [result_ldtr]
        sgdt    [result_gdtr]
        sidt    [result_idtr]
        mov     eax, cr0
        mov     [result_cr0], eax
        mov     eax, cr2
        mov     [result_cr2], eax
        mov     eax, cr3
        mov     [result_cr3], eax
        mov     eax, cr4
        mov     [result_cr4], eax
        mov     eax, dr6
        mov     [result_dr6], eax
        mov     eax, SELECTOR_DATA32
        mov     ss, eax
        mov     esp, HOME_STACK
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        push    dword 2
        popfd
        mov     eax, 11h
        mov     cr0, eax
        xor     eax, eax
        mov     cr4, eax
        mov     cr2, eax
        mov     eax, 0FFFF0FF0h
        mov     dr6, eax
        lgdt    [gdt_register]
        mov     edi, [PROGRESS + 8]
        call    put_result
        call    put_changes
        mov     [PROGRESS + 8], edi
        jmp     next_case

; The case and its registers to EDI.
put_result:
        mov     eax, [PROGRESS + 4]
        stosd
        mov     esi, result
        mov     ecx, RESULT_COUNT
        rep     movsd
        ret

; The number of dwords of the arena that changed, and offset and new value of each, to EDI.
put_changes:
        mov     ebx, edi
        add     edi, 4
        mov     ebp, edi                        ; next pair
        mov     esi, SHADOW
        mov     edi, ARENA
        mov     ecx, ARENA_SIZE / 4
.next:  repe    cmpsd
        je      .done
        lea     eax, [edi - ARENA - 4]
        mov     [ebp], eax
        mov     eax, [edi - 4]
        mov     [ebp + 4], eax
        add     ebp, 8
        jecxz   .done
        jmp     .next
.done:  mov     edi, ebp
        sub     ebp, ebx
        shr     ebp, 3
        mov     [ebx], ebp
        ret

        align   4
result:
result_vector           dd      0
result_eax              dd      0
result_ecx              dd      0
result_edx              dd      0
result_ebx              dd      0
result_esp              dd      0
result_ebp              dd      0
result_esi              dd      0
result_edi              dd      0
result_es               dd      0
result_ss               dd      0
result_ds               dd      0
result_fs               dd      0
result_gs               dd      0
result_ldtr             dd      0
result_tr               dd      0
result_eflags           dd      0
result_cr0              dd      0
result_cr2              dd      0
result_cr3              dd      0
result_cr4              dd      0
result_dr6              dd      0
result_dr7              dd      0
result_gdtr             dd      0, 0
result_idtr             dd      0, 0
result_end:
arena_gdt_register:
        dw      1FFh
        dd      ARENA_GDT
        align   4
arena_idt_register:
        dw      7FFh
        dd      ARENA_IDT
        times   RUNNER_END - BOOT_SECTOR_ADDRESS - ($ - $$) db 0CCh

; What follows is copied to memory above 1 MiB.
        align   16
template:

%macro AT 1                                     ; go on at this address of the arena
        times   (%1) - ARENA - ($ - template) db 0
%endmacro
%macro TSS32 5                                  ; EIP, CS, SS, ESP, data segments
        dd      0
        dd      ARENA_STACK_0, 10h, ARENA_STACK_1, 41h, ARENA_STACK_2, 52h
        dd      ARENA_PAGE_DIRECTORY
        dd      %1, 2
        dd      0E0E00001h, 0E0E00002h, 0E0E00003h, 0E0E00004h, %4, 0E0E00006h, 0E0E00007h, 0E0E00008h
        dd      %5, %2, %3, %5, %5, %5
        dd      58h
        dw      0, 0DFFFh
%endmacro
%macro TSS16 5
        dw      0
        dw      ARENA_STACK_0 & 0FFFFh, 88h, ARENA_STACK_1 & 0FFFFh, 91h, ARENA_STACK_2 & 0FFFFh, 9Ah
        dw      (%1) & 0FFFFh, 2
        dw      0E001h, 0E002h, 0E003h, 0E004h, (%4) & 0FFFFh, 0E006h, 0E007h, 0E008h
        dw      %5, %2, %3, %5
        dw      58h
%endmacro
%macro TSS_DESCRIPTOR 3                         ; base, limit, access
        dw      %2, (%1) & 0FFFFh
        db      (%1) >> 16, %3, 0, 0
%endmacro

; GDT. From A8h on the cases put their own.
        dq      0
        dq      00CF9B000000FFFFh               ; 08h: the runner's
        dq      00CF93000000FFFFh               ; 10h
        TSS_DESCRIPTOR ARENA_TSS_DOUBLE_FAULT, 67h, 89h                 ; 18h
        TSS_DESCRIPTOR ARENA_TSS_MAIN, 1FFh, 89h                        ; 20h
        dq      00CFFB000000FFFFh               ; 28h: flat, level 3
        dq      00CFF3000000FFFFh               ; 30h
        dq      00CFBB000000FFFFh               ; 38h: flat, level 1
        dq      00CFB3000000FFFFh               ; 40h
        dq      00CFDB000000FFFFh               ; 48h: flat, level 2
        dq      00CFD3000000FFFFh               ; 50h
        TSS_DESCRIPTOR ARENA_LDT_A, 0FFh, 82h                           ; 58h
        TSS_DESCRIPTOR ARENA_LDT_B, 0FFh, 82h                           ; 60h
        TSS_DESCRIPTOR ARENA_TSS_A, 0FFh, 0E9h                          ; 68h
        TSS_DESCRIPTOR ARENA_TSS_B, 0FFh, 0E9h                          ; 70h
        TSS_DESCRIPTOR ARENA_TSS_C, 0FFh, 0E1h                          ; 78h
        TSS_DESCRIPTOR ARENA_TSS_D, 0FFh, 0E1h                          ; 80h
        dq      000093030000FFFFh               ; 88h: 16-bit stacks of levels 0 to 3 in the arena
        dq      0000B3030000FFFFh               ; 90h
        dq      0000D3030000FFFFh               ; 98h
        dq      0000F3030000FFFFh               ; A0h
        AT      ARENA_LDT_A
        dq      0
        dq      00CF9B000000FFFFh               ; 0Ch
        dq      00CF93000000FFFFh               ; 14h
        dq      00CFFB000000FFFFh               ; 1Ch
        dq      00CFF3000000FFFFh               ; 24h
        AT      ARENA_LDT_B
        dq      0
        dq      00CFFB000000FFFFh
        dq      00CFF3000000FFFFh
        AT      ARENA_IDT
%assign vector 0
%rep 256
%if vector == 8
        dw      0, S_DOUBLE_FAULT, 8500h, 0
%elif vector == 3 || vector == 4
        dw      (stubs - $$) + BOOT_SECTOR_ADDRESS + 16 * vector, 8, 0EE00h, 0
%else
        dw      (stubs - $$) + BOOT_SECTOR_ADDRESS + 16 * vector, 8, 8E00h, 0
%endif
%assign vector vector + 1
%endrep
        AT      ARENA_TSS_MAIN
        TSS32   0, 0, 0, 0, 0
        AT      ARENA_TSS_A
        TSS32   ARENA_LANDING + 0A0h, 8, 10h, ARENA_STACK_TASK, 10h
        AT      ARENA_TSS_B
        TSS32   ARENA_LANDING + 0B0h, 2Bh, 33h, ARENA_STACK_TASK, 33h
        AT      ARENA_TSS_C
        TSS16   9880h, 0A8h, 88h, ARENA_STACK_TASK, 88h
        AT      ARENA_TSS_D
        TSS16   9890h, 0B3h, 0A3h, ARENA_STACK_TASK, 0A3h
        AT      ARENA_TSS_DOUBLE_FAULT
        TSS32   (double_fault_entry - $$) + BOOT_SECTOR_ADDRESS, 8, 10h, ARENA_STACK_0 + 7F0h, 10h
        AT      ARENA_STACK_0 - 800h
        times   (ARENA_ENTRY - ARENA_STACK_0 + 800h) / 4 dd 3C3C3C3Ch
        AT      ARENA_ENTRY
        dd      0AAA00000h, 0CCC00001h, 0DDD00002h, 0BBB00003h, 0, 0BBB00005h, 55500006h, 0DDD00007h
        dd      30h, 30h, 30h, 30h
        dd      58h, 20h, 11h, 0
        dd      0, 0, 0, 0, 400h
        AT      ARENA_ENTRY + ENTRY_FRAME
        dd      ARENA_CODE, 2Bh, 2, ARENA_STACK_3, 33h, 0, 0, 0, 0
        AT      ARENA_CODE
        times   1000h db 0CCh
        AT      ARENA_PAGE_DIRECTORY
        dd      ARENA_PAGE_TABLE + 27h
        times   1023 dd 0
        AT      ARENA_PAGE_TABLE
%assign page 0
%rep 1024
%if page >= (ARENA >> 12) && page < ((ARENA + ARENA_SIZE) >> 12)
        dd      (page << 12) | 7
%else
        dd      (page << 12) | 67h
%endif
%assign page page + 1
%endrep
        AT      ARENA + ARENA_SIZE
cases:
        incbin  CASES
        dw      0
%include "image_end.inc"
