; v8086 mode: what IOPL keeps from it, how it is left and entered, and VME's virtual interrupt flag
; and redirection map. SDM vol. 3A chapter 20.

%include "harness.inc"

CR4_VME         equ     1
CR4_PVI         equ     2
PROGRAM         equ     7F00h                   ; segment of the programs
PROGRAM_AT      equ     PROGRAM * 16
REDIRECTED      equ     62h                     ; INT n's
NOT_REDIRECTED  equ     63h
FEATURE_VME     equ     2

; Runs code, which is copied to the program's segment and must trap, with these EFLAGS.
%macro V8086 1
        mov     dword [user_eflags], 2 | (%1)
        jmp     %%go
        bits    16
%%code:
%define V8086_CODE %%code
%define V8086_GO %%go
%endmacro
%macro V8086_END 0
        ud2                                     ; which needs no IOPL
        bits    32
V8086_GO:
        mov     esi, V8086_CODE
        mov     edi, PROGRAM_AT
        mov     ecx, V8086_GO - V8086_CODE
        rep     movsb
        RUN_V8086 PROGRAM, 0
%endmacro
%macro V8086_FAULTS 2+                          ; EFLAGS, instruction: #GP(0) at it
        V8086   %1
        %2
        V8086_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], 0
        CHECK   [seen_eip], 0
%endmacro
%macro V8086_PASSES 2+
        V8086   %1
        %2
        V8086_END
        CHECK   [seen_vector], UD
%endmacro

test:
        mov     word [main_tss + 66h], 68h + 32 ; where the permission map would begin
        SET_DESCRIPTOR SELECTOR_TSS, v8086_tss, 0FFFh, 89h
        mov     esi, main_tss
        mov     edi, v8086_tss
        mov     ecx, 26
        rep     movsd
        mov     ax, SELECTOR_TSS
        ltr     ax
        call    test_entry
        call    test_privileged
        call    test_iopl
        call    test_addressing
        call    test_interrupts
        mov     eax, 1
        cpuid
        test    edx, FEATURE_VME
        jz      .done
        call    test_vme_flags
        call    test_vme_redirection
        call    test_pvi
.done:  ret

test_entry:
        TEST    "entering and leaving"
        V8086   EFLAGS_IOPL | EFLAGS_CF
        mov     ax, cs
        mov     bx, ss
        mov     cx, ds
        mov     dx, es
        V8086_END
        CHECK   [seen_vector], UD
        CHECK   [seen_cs], PROGRAM
        CHECK   [seen_ss], V8086_STACK_SEGMENT
        CHECK   [seen_esp], 0FFF0h
        CHECK   [seen_ds], 0                    ; null in the handler
        mov     eax, [seen_eflags]
        and     eax, ~EFLAGS_RF                 ; set, as by every fault
        CHECK   eax, 2 | EFLAGS_IOPL | EFLAGS_CF | EFLAGS_VM
        CHECK   [seen_level_0_esp], LEVEL_0_STACK_TOP - 11 * 4
        CHECK   [LEVEL_0_STACK_TOP - 4], PROGRAM        ; GS
        CHECK   [LEVEL_0_STACK_TOP - 16], PROGRAM       ; ES
        movzx   eax, word [seen_ebx]
        CHECK   eax, V8086_STACK_SEGMENT
        ; POPF and IRET at level 0 without the stack frame: POPF does not set VM.
        push    dword EFLAGS_VM | 2
        popfd
        pushfd
        pop     eax
        CHECK   eax, 2
        ret

test_privileged:
        TEST    "instructions that are not for v8086 mode"
        V8086_FAULTS EFLAGS_IOPL, hlt
        V8086_FAULTS EFLAGS_IOPL, mov eax, cr0
        V8086_FAULTS EFLAGS_IOPL, lgdt [0]
        V8086_FAULTS EFLAGS_IOPL, clts
        V8086   EFLAGS_IOPL
        sldt    ax
        V8086_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eip], 0
        V8086   EFLAGS_IOPL
        lar     ax, bx
        V8086_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eip], 0
        V8086   EFLAGS_IOPL
        arpl    ax, bx
        V8086_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eip], 0
        V8086_PASSES EFLAGS_IOPL, smsw ax
        ret

test_iopl:
        TEST    "IOPL"
        V8086_FAULTS 0, cli
        V8086_FAULTS 0, sti
        V8086_FAULTS 0, pushf
        V8086_FAULTS 0, popf
        V8086_FAULTS 0, iret
        V8086_FAULTS 2000h, int 20h
        V8086_FAULTS 0, pushfd
        V8086_PASSES EFLAGS_IOPL, cli
        V8086_PASSES EFLAGS_IOPL, pushf
        V8086_PASSES 0, nop
        ; INT3 and INTO do not look at IOPL.
        V8086   0
        int3
        V8086_END
        CHECK   [seen_vector], BP_
        ; POPF changes IF, not IOPL.
        V8086   EFLAGS_IOPL
        push    word EFLAGS_IF
        popf
        V8086_END
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_IF | EFLAGS_IOPL
        CHECK   eax, EFLAGS_IF | EFLAGS_IOPL
        ret

test_addressing:
        TEST    "addresses"
        mov     dword [123450h], 0CAFEBABEh
        V8086   EFLAGS_IOPL
        mov     ax, 1234h
        mov     ds, ax
        mov     ebx, 0FFFFh
        mov     al, [ebx]
        mov     eax, [bx + 1]                   ; wraps at 64K: offset 0
        V8086_END
        CHECK   [seen_vector], UD
        V8086   EFLAGS_IOPL
        mov     ebx, 10000h
        mov     al, [ebx]
        V8086_END
        CHECK   [seen_vector], GP
        CHECK   [seen_eip], 6
        ; The last byte reaches above 1 MB: FFFF:FFFF.
        mov     byte [10FFEFh], 99h
        V8086   EFLAGS_IOPL
        mov     ax, 0FFFFh
        mov     ds, ax
        mov     bl, [0FFFFh]
        V8086_END
        movzx   eax, byte [seen_ebx]
        CHECK   eax, 99h
        ret

; Only to level 0.
test_interrupts:
        TEST    "interrupts from v8086 mode"
        SET_GATE IDT_ADDRESS + 8 * REDIRECTED, SELECTOR_USER_CODE, 0, GATE_INTERRUPT32 | DPL_3
        V8086   EFLAGS_IOPL
        int     REDIRECTED
        V8086_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], SELECTOR_USER_CODE & ~3
        SET_GATE IDT_ADDRESS + 8 * REDIRECTED, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * REDIRECTED, GATE_INTERRUPT32
        V8086   EFLAGS_IOPL
        int     REDIRECTED
        V8086_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], REDIRECTED * 8 + 2
        SET_GATE IDT_ADDRESS + 8 * NOT_REDIRECTED, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * NOT_REDIRECTED, GATE_INTERRUPT32 | DPL_3
        ret

; CLI and STI move VIF; PUSHF shows it as IF, with IOPL 3.
test_vme_flags:
        TEST    "VME's interrupt flag"
        mov     eax, cr4
        or      eax, CR4_VME
        mov     cr4, eax
        V8086   0
        sti
        pushf
        pop     ax
        V8086_END
        CHECK   [seen_vector], UD
        mov     eax, [seen_eax]
        and     eax, EFLAGS_IF | EFLAGS_IOPL
        CHECK   eax, EFLAGS_IF | EFLAGS_IOPL
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VIF | EFLAGS_IF | EFLAGS_IOPL
        CHECK   eax, EFLAGS_VIF
        V8086   EFLAGS_VIF
        cli
        V8086_END
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VIF
        CHECK   eax, 0
        V8086_FAULTS EFLAGS_VIP, sti
        V8086_FAULTS 0, popfd
        V8086_FAULTS 0, pushfd
        V8086   0
        push    word EFLAGS_IF
        popf
        V8086_END
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VIF | EFLAGS_IF
        CHECK   eax, EFLAGS_VIF
        V8086   EFLAGS_VIP
        push    word EFLAGS_IF
        popf
        V8086_END
        CHECK   [seen_vector], GP
        V8086   0
        push    word EFLAGS_TF
        popf
        V8086_END
        CHECK   [seen_vector], GP
        ret

; A clear bit in the map before the permission map: to the program's own vector table.
test_vme_redirection:
        TEST    "VME's redirection map"
        mov     edi, v8086_tss + 68h
        mov     ecx, 32
        mov     al, 0FFh
        rep     stosb
        and     byte [v8086_tss + 68h + REDIRECTED / 8], ~(1 << (REDIRECTED & 7))
        mov     dword [4 * REDIRECTED], PROGRAM << 16 | 100h
        mov     word [PROGRAM_AT + 100h], 0B0Fh ; UD2
        V8086   EFLAGS_VIF
        int     REDIRECTED
.after:
        V8086_END
        CHECK   [seen_vector], UD
        CHECK   [seen_eip], 100h
        CHECK   [seen_esp], 0FFF0h - 6
        movzx   eax, word [V8086_STACK_SEGMENT * 16 + 0FFF0h - 6]
        CHECK   eax, 2
        movzx   eax, word [V8086_STACK_SEGMENT * 16 + 0FFF0h - 2]
        and     eax, EFLAGS_IF | EFLAGS_IOPL
        CHECK   eax, EFLAGS_IF | EFLAGS_IOPL
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VIF
        CHECK   eax, 0
        V8086_FAULTS 0, int NOT_REDIRECTED
        V8086   EFLAGS_IOPL
        int     NOT_REDIRECTED
        V8086_END
        CHECK   [seen_vector], NOT_REDIRECTED
        ret

test_pvi:
        TEST    "PVI"
        mov     eax, cr4
        and     eax, ~CR4_VME
        or      eax, CR4_PVI
        mov     cr4, eax
        mov     dword [user_eflags], 2
        RUN_USER .sti
        CHECK   [seen_vector], RETURN_VECTOR
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VIF | EFLAGS_IF
        CHECK   eax, EFLAGS_VIF
        mov     dword [user_eflags], 2 | EFLAGS_VIP
        RUN_USER .sti
        CHECK   [seen_vector], GP
        mov     dword [user_eflags], 2 | EFLAGS_VIF
        RUN_USER .cli
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VIF
        CHECK   eax, 0
        mov     eax, cr4
        and     eax, ~CR4_PVI
        mov     cr4, eax
        ret
.sti:   sti
        int     RETURN_VECTOR
.cli:   cli
        int     RETURN_VECTOR

        align   16
v8086_tss:
        times   1000h db 0

%include "image_end.inc"
