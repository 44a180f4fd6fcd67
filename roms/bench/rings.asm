; Ring 3 and ring 0: a user's program that calls its kernel by an interrupt gate, by a call gate and,
; where the processor has it, by SYSENTER, with the kernel saving registers and loading segments.

%define BENCHMARK_NAME "rings"
%include "bench32.inc"
        cpu     686

OWN_TSS                 equ     28h
GATE                    equ     30h
KERNEL_CODE             equ     38h             ; these four in SYSENTER's order
KERNEL_DATA             equ     40h
USER_CODE               equ     48h | 3
USER_DATA               equ     50h | 3
SERVICE                 equ     2Fh             ; a vector that no device has
KERNEL_STACK            equ     88000h
USER_STACK              equ     ARENA + 10000h
MSR_SYSENTER_CS         equ     174h
MSR_SYSENTER_ESP        equ     175h
MSR_SYSENTER_EIP        equ     176h
ROUNDS                  equ     REPETITIONS(1800000)

own_gdt:
        dq      0, 00CF9B000000FFFFh, 00CF93000000FFFFh, 00009B000000FFFFh, 000093000000FFFFh
tss_descriptor:
        dw      103, 0
        db      0, 89h, 0, 0
gate_descriptor:
        dw      0, KERNEL_CODE
        db      1, 0ECh                         ; one argument, ring 3, 32-bit call gate
        dw      0
        dq      00CF9B000000FFFFh, 00CF93000000FFFFh, 00CFFB000000FFFFh, 00CFF3000000FFFFh
own_gdt_end:
own_gdt_register:
        dw      own_gdt_end - own_gdt - 1
        dd      own_gdt

benchmark:
        mov     eax, task_state
        mov     [tss_descriptor + 2], ax
        shr     eax, 16
        mov     [tss_descriptor + 4], al
        mov     [tss_descriptor + 7], ah
        mov     dword [task_state + 4], KERNEL_STACK
        mov     dword [task_state + 8], KERNEL_DATA
        mov     word [task_state + 102], 104    ; no I/O map
        mov     eax, gate_service
        mov     [gate_descriptor], ax
        shr     eax, 16
        mov     [gate_descriptor + 6], ax
        mov     eax, interrupt_service
        mov     [IDT_ADDRESS + SERVICE * 8], ax
        mov     word [IDT_ADDRESS + SERVICE * 8 + 4], 0EE00h
        shr     eax, 16
        mov     [IDT_ADDRESS + SERVICE * 8 + 6], ax
        lgdt    [own_gdt_register]
        mov     ax, OWN_TSS
        ltr     ax
        call    setup_sysenter
        call    allow_user
        mov     [return_stack], esp
        push    dword USER_DATA
        push    dword USER_STACK
        pushfd
        push    dword USER_CODE
        push    dword user
        iretd

; Every page may be used by ring 3.
allow_user:
        mov     edi, PAGE_DIRECTORY
        mov     ecx, IDENTITY_PAGES + PAGE_SIZE / 4 ; the directory, and its tables behind it
.entry: or      dword [edi], 4
        add     edi, 4
        dec     ecx
        jnz     .entry
        mov     eax, cr3
        mov     cr3, eax
        ret

setup_sysenter:
        mov     eax, 1
        cpuid
        bt      edx, 11
        sbb     eax, eax
        mov     [has_sysenter], eax
        jz      .done
        xor     edx, edx
        mov     ecx, MSR_SYSENTER_CS
        mov     eax, KERNEL_CODE
        wrmsr
        mov     ecx, MSR_SYSENTER_ESP
        mov     eax, KERNEL_STACK
        wrmsr
        mov     ecx, MSR_SYSENTER_EIP
        mov     eax, sysenter_service
        wrmsr
.done:  ret

; In ring 3.
user:
        mov     ax, USER_DATA
        mov     ds, ax
        mov     es, ax
        mov     edi, ROUNDS
        xor     ebx, ebx
.round:
        mov     eax, edi
        int     SERVICE
        add     ebx, eax
        push    edi
        call    GATE:0
        xor     ebx, eax
        mov     eax, edi
        call    call_sysenter
        rol     ebx, 1
        add     ebx, eax
        dec     edi
        jnz     .round
        mov     eax, -1                         ; the end
        int     SERVICE

call_sysenter:
        cmp     dword [has_sysenter], 0
        je      .without
        mov     ecx, esp
        mov     edx, .back
        sysenter
.back:  ret
.without:
        int     SERVICE
        ret

; EAX = EAX * 5 + 1; -1 ends the program.
interrupt_service:
        push    ds
        push    es
        pushad
        mov     cx, KERNEL_DATA
        mov     ds, cx
        mov     es, cx
        cmp     eax, -1
        je      user_end
        inc     dword [services]
        lea     eax, [eax + eax * 4 + 1]
        mov     [esp + 28], eax                 ; EAX of POPAD
        popad
        pop     es
        pop     ds
        iretd

sysenter_service:
        push    ecx
        push    edx
        inc     dword [services]
        lea     eax, [eax + eax * 4 + 1]
        pop     edx
        pop     ecx
        sti
        sysexit

; The argument is at [ESP + 8]; the gate copied it.
gate_service:
        mov     eax, [esp + 8]
        lea     eax, [eax + eax * 2 + 7]
        retf    4

user_end:
        mov     esp, [return_stack]
        mov     ax, SELECTOR_DATA32
        mov     ss, ax
        mov     eax, ebx
        ret

        NEW_PAGE
task_state              times   26 dd 0
return_stack            dd      0
services                dd      0
has_sysenter            dd      0

%include "image_end.inc"
