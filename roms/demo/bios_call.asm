; Calls of the BIOS from protected mode: back to real mode, the interrupt, and return.

REAL_STACK_TOP          equ     BOOT_SECTOR_ADDRESS

        bits    32

; Raises interrupt AL in real mode with the registers in bios_eax and so on, which receive those
; that come back; CF is bit 0 of bios_flags. All registers are kept. The BIOS's handlers get no byte of
; keyboard or mouse: what comes meanwhile waits in their controller.
bios_call:
        pushad
        cli
        mov     [.interrupt + 1], al
        mov     [bios_saved_esp], esp
        mov     bx, 7008h                       ; the BIOS's vectors
        mov     ecx, 1002h
        call    pic_setup
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        jmp     SELECTOR_CODE16:.protected16
        bits    16
.protected16:
        mov     ax, SELECTOR_DATA16
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax
        mov     eax, cr0
        and     al, ~CR0_PE
        mov     cr0, eax
        jmp     0:.real
.real:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, REAL_STACK_TOP
        mov     fs, ax
        mov     gs, ax
        lidt    [bios_idt_register]
        mov     es, [bios_es]
        mov     eax, [bios_eax]
        mov     ebx, [bios_ebx]
        mov     ecx, [bios_ecx]
        mov     edx, [bios_edx]
        mov     edi, [bios_edi]
        sti
.interrupt:
        int     0                               ; the number is patched in
        cli
        push    ds
        push    word 0
        pop     ds
        pop     word [bios_ds]
        mov     [bios_eax], eax
        mov     [bios_ebx], ebx
        mov     [bios_ecx], ecx
        mov     [bios_edx], edx
        mov     [bios_edi], edi
        mov     [bios_ebp], ebp
        mov     [bios_es], es
        pushf
        pop     word [bios_flags]
        cld
        call    protected_mode_enter
        bits    32
        mov     esp, [bios_saved_esp]
        lidt    [idt_register]
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        call    pic_protected
        call    input_poll
        popad
        sti
        ret

; The vectors of protected mode; timer, keyboard, cascade and mouse let through.
pic_protected:
        mov     ebx, (IRQ_VECTOR + 8) << 8 | IRQ_VECTOR
        mov     ecx, 0EFF8h
        jmp     pic_setup

        align   4
bios_eax                dd      0
bios_ebx                dd      0
bios_ecx                dd      0
bios_edx                dd      0
bios_edi                dd      0
bios_ebp                dd      0
bios_saved_esp          dd      0
bios_es                 dw      0
bios_ds                 dw      0
bios_flags              dw      0
bios_idt_register:
        dw      3FFh
        dd      0
