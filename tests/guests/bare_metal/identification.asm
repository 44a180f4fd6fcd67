; What a processor says of itself, as lines of "name: number ..." in hexadecimal: the bits of EFLAGS,
; CR0 and CR4 that can be set, the coprocessor, the 5/2 test, and every leaf of CPUID as
; "cpuid LEAF SUBLEAF: EAX EBX ECX EDX". A line is left out where its instruction is undefined.
; test_cpu_models.py knows what each model must say.

%include "harness.inc"

CR0_TRIED               equ     0005003Eh       ; AM, WP, NE, ET, TS, EM, MP
CR0_CD                  equ     40000000h
CR0_NW                  equ     20000000h
FLAGS_TRIED             equ     0FFFCFFFFh & ~(EFLAGS_IF | EFLAGS_TF)   ; not RF and VM
EXTENDED                equ     80000000h
HYPERVISOR              equ     40000000h
HYPERVISOR_BIT          equ     80000000h       ; ECX of leaf 1
SUBLEAVES               equ     4
FPU_UNTOUCHED           equ     5A5Ah

test:
        call    try_cr0
        call    try_flags
        call    try_divide
        call    try_coprocessor
        call    try_cpuid
        mov     esi, cpuid_done_text
        call    serial_print
        jmp     try_cr4                         ; last: reserved bits make QEMU 7.2 go astray

; Sends the name at ESI, then EAX.
print_number:
        call    serial_print
        call    serial_print_hex
        jmp     serial_print_line_end

; CR0 as it is with all ordinary bits cleared, and set; ET may be wired to 1.
try_cr0:
        mov     ebp, cr0
        mov     eax, ebp
        and     eax, ~(CR0_TRIED | CR0_CD | CR0_NW)
        mov     cr0, eax
        mov     eax, cr0
        mov     esi, cr0_clear_text
        call    print_number
        mov     eax, ebp
        or      eax, CR0_TRIED | CR0_CD | CR0_NW
        mov     cr0, eax
        mov     eax, cr0
        mov     cr0, ebp
        mov     esi, cr0_set_text
        jmp     print_number

; EFLAGS after POPFD and IRETD of all ones and of all zeroes.
try_flags:
        push    dword FLAGS_TRIED
        popfd
        pushfd
        pop     eax
        push    dword 2
        popfd
        mov     esi, popf_text
        call    print_number
        push    dword FLAGS_TRIED & ~EFLAGS_NT
        push    cs
        push    dword .there
        iretd
.there: pushfd
        pop     eax
        push    dword 2
        push    cs
        push    dword .back
        iretd
.back:  mov     esi, iret_text
        call    print_number
        pushfd
        pop     eax
        mov     esi, cleared_text
        jmp     print_number

; 5 / 2 with all flags clear: what stands in them afterwards.
try_divide:
        xor     eax, eax
        sahf
        mov     al, 5
        mov     bl, 2
        div     bl
        lahf
        movzx   eax, ah
        mov     esi, divide_text
        jmp     print_number

; The status and control words after FNINIT, and whether +infinity equals -infinity, as on a 287.
try_coprocessor:
        mov     ebp, cr0
        mov     eax, ebp
        and     eax, ~0Ch                       ; EM and TS
        mov     cr0, eax
        mov     dword [status], FPU_UNTOUCHED
        mov     dword [control], FPU_UNTOUCHED
        fninit
        fnstsw  [status]
        fnstcw  [control]
        mov     eax, [status]
        mov     esi, status_text
        call    print_number
        mov     eax, [control]
        mov     esi, control_text
        call    print_number
        cmp     word [status], 0
        jne     .done
        fld1
        fldz
        fdivp
        fld     st0
        fchs
        fcompp
        fnstsw  [status]
        movzx   eax, word [status]
        and     eax, 4500h                      ; C3, C2, C0
        mov     esi, infinity_text
        call    print_number
        fninit
.done:  mov     cr0, ebp
        ret

; Each bit of CR4 by itself: those that can be set.
try_cr4:
        ATTEMPT
        mov     eax, cr4
        ATTEMPT_END
        cmp     dword [seen_vector], NOTHING
        jne     .done
        mov     [old_cr4], eax
        mov     dword [cr4_bit], 1
        mov     dword [cr4_bits], 0
.next:  ATTEMPT
        mov     eax, [old_cr4]
        or      eax, [cr4_bit]
        mov     cr4, eax
        mov     eax, [cr4_bit]
        or      [cr4_bits], eax
        ATTEMPT_END
        mov     eax, [old_cr4]
        mov     cr4, eax
        shl     dword [cr4_bit], 1
        jnz     .next
        mov     eax, [cr4_bits]
        mov     esi, cr4_text
        jmp     print_number
.done:  ret

try_cpuid:
        ATTEMPT
        xor     eax, eax
        cpuid
        mov     [highest], eax
        ATTEMPT_END
        cmp     dword [seen_vector], NOTHING
        jne     .done
        xor     ebp, ebp
        call    print_leaves
        mov     eax, 1
        cpuid
        test    ecx, HYPERVISOR_BIT
        jz      .extended
        mov     ebp, HYPERVISOR
        call    print_highest_and_leaves
.extended:
        mov     ebp, EXTENDED
        mov     eax, EXTENDED
        cpuid
        test    eax, eax                        ; without such leaves it is what leaf 0 or another says
        jns     .done
        call    print_highest_and_leaves
.done:  ret

print_highest_and_leaves:
        mov     eax, ebp
        cpuid
        mov     [highest], eax
; Leaves from EBP to [highest], of each the first subleaves.
print_leaves:
        mov     dword [subleaf], 0
.next:  mov     esi, leaf_text
        call    serial_print
        mov     eax, ebp
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        mov     eax, [subleaf]
        call    serial_print_hex
        mov     al, ':'
        call    serial_put
        mov     eax, ebp
        mov     ecx, [subleaf]
        cpuid
        mov     [registers], eax
        mov     [registers + 4], ebx
        mov     [registers + 8], ecx
        mov     [registers + 12], edx
        mov     edi, registers
        mov     ebx, 4
.register:
        mov     al, ' '
        call    serial_put
        mov     eax, [edi]
        call    serial_print_hex
        add     edi, 4
        dec     ebx
        jnz     .register
        call    serial_print_line_end
        inc     dword [subleaf]
        cmp     dword [subleaf], SUBLEAVES
        jb      .next
        inc     ebp
        cmp     ebp, [highest]
        jbe     print_leaves
        ret

cr0_clear_text  db      "cr0 cleared: ", 0
cr0_set_text    db      "cr0 set: ", 0
popf_text       db      "popf: ", 0
iret_text       db      "iret: ", 0
cleared_text    db      "flags cleared: ", 0
divide_text     db      "5/2: ", 0
status_text     db      "fnstsw: ", 0
control_text    db      "fnstcw: ", 0
infinity_text   db      "infinities: ", 0
cr4_text        db      "cr4: ", 0
leaf_text       db      "cpuid ", 0
cpuid_done_text db      "done", 13, 10, 0
        align   4
status          dd      0
control         dd      0
old_cr4         dd      0
cr4_bit         dd      0
cr4_bits        dd      0
highest         dd      0
subleaf         dd      0
registers       times   4 dd 0

%include "image_end.inc"
