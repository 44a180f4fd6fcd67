; What a hostile guest does to its machine: one way for each number in [way], which the test script
; writes into the image. "ready" goes to the serial port first; most ways never come back.
;
; Ways that store random values do so by a generator that starts with [seed].

%include "boot_sector.inc"
        jmp     hostile_start
hostile_mark            db      "WAYANDSEED"            ; the script looks for it
way                     dd      0
seed                    dd      1
%include "protected_mode.inc"
%include "interrupts.inc"
%include "paging.inc"
%include "serial.inc"
%include "ide.inc"
exception_end:
        mov     dword [0B8000h], 0F210F21h
        jmp     $
        cpu     p4

STACK_TOP       equ     90000h
CR4_PSE         equ     10h

        bits    16
hostile_start:
        call    a20_enable
        call    protected_mode_enter
        bits    32
        mov     esp, STACK_TOP
        call    serial_setup
        call    interrupts_setup
        mov     al, 0FFh
        out     PIC1_DATA, al
        out     PIC2_DATA, al
        mov     esi, ready_text
        call    serial_print
        mov     eax, [way]
        cmp     eax, WAYS
        jae     .bad
        call    [ways + 4 * eax]
        mov     esi, back_text
        call    serial_print
.bad:   cli
        hlt
        jmp     .bad

ways:
        dd      way_spin, way_halt, way_triple_fault, way_fault_loop, way_fault_loop_without_stack
        dd      way_jump_to_nothing, way_jump_to_rom, way_jump_to_video, way_jump_to_apic
        dd      way_unmap_self, way_unmap_all, way_overwrite_self, way_copy_over_self
        dd      way_garbage_idt, way_garbage_gdt, way_task_loop, way_tables_in_devices
        dd      way_port_storm, way_port_strings, way_pci_storm, way_memory_storm, way_msr_storm
        dd      way_real_mode_wrap, way_interrupt_storm, way_alignment_loop
        dd      way_breakpoint_loop, way_timer_storm, way_single_step_loop, way_dma_storm
        dd      way_code_segment_storm
WAYS            equ     ($ - ways) / 4

; EAX = the next random number: Marsaglia's xorshift32.
random:
        mov     eax, [seed]
        push    ecx
        mov     ecx, eax
        shl     ecx, 13
        xor     eax, ecx
        mov     ecx, eax
        shr     ecx, 17
        xor     eax, ecx
        mov     ecx, eax
        shl     ecx, 5
        xor     eax, ecx
        pop     ecx
        mov     [seed], eax
        ret

way_spin:
        cli
        jmp     $

way_halt:
        cli
        hlt
        jmp     way_halt

way_triple_fault:
        lidt    [empty_table]
        ud2

; The handler of #UD is UD2: no instruction ever completes.
way_fault_loop:
        mov     eax, .undefined
        call    set_undefined_handler
.undefined:
        ud2

; The same, with each frame on a page that is missing.
way_fault_loop_without_stack:
        call    paging_enable
        mov     eax, .undefined
        call    set_undefined_handler
        mov     esp, 40000000h
.undefined:
        ud2

; #UD goes to EAX.
set_undefined_handler:
        mov     [IDT_ADDRESS + 8 * 6], ax
        shr     eax, 16
        mov     [IDT_ADDRESS + 8 * 6 + 6], ax
        ret

way_jump_to_nothing:
        mov     eax, 0D0000000h
        jmp     eax
way_jump_to_rom:
        mov     eax, 0C0000h
        jmp     eax
way_jump_to_video:
        mov     edi, 0B8000h
        mov     ecx, 4000
        mov     eax, 90909090h
        rep     stosd
        mov     word [0B8000h + 100], 0FEEBh    ; JMP $
        mov     eax, 0B8000h
        jmp     eax
way_jump_to_apic:
        mov     eax, 0FEE00000h
        jmp     eax

; The page of this code goes, first without INVLPG, then with it.
way_unmap_self:
        call    paging_enable
        mov     esi, [PAGE_DIRECTORY]
        and     esi, -PAGE_SIZE
        mov     eax, .here
        shr     eax, 12
        mov     dword [esi + 4 * eax], 0
        nop
.here:  nop
        invlpg  [.here]
        jmp     $

way_unmap_all:
        call    paging_enable
        mov     edi, PAGE_DIRECTORY
        mov     ecx, 400h
        xor     eax, eax
        rep     stosd
        mov     eax, cr3
        mov     cr3, eax
        jmp     $

; Each round stores another instruction before itself.
way_overwrite_self:
        mov     ecx, 100000
.again: call    random
        mov     byte [.patched + 1], al
        mov     bl, al
.patched:
        mov     al, 0
        cmp     al, bl
        jne     .wrong
        loop    .again
        ret
.wrong: mov     esi, wrong_text
        jmp     serial_print

; REP MOVS over the REP MOVS.
way_copy_over_self:
        mov     esi, 200000h
        mov     edi, esi
        mov     ecx, 10000h
        mov     al, 90h
        rep     stosb
        mov     byte [200000h + 0FFFFh], 0C3h
        mov     edi, .copy - 100h
        mov     ecx, 200h
.copy:  rep     movsb
        times 400h nop
        jmp     $

; Every vector is garbage.
way_garbage_idt:
        mov     edi, IDT_ADDRESS
        mov     ecx, VECTOR_COUNT * 2
.entry: call    random
        stosd
        loop    .entry
        ud2

way_garbage_gdt:
        mov     edi, gdt + 8
        mov     ecx, (gdt_end - gdt) / 4 - 2
.entry: call    random
        stosd
        loop    .entry
        mov     ax, SELECTOR_DATA32
        mov     ds, ax
        mov     ss, ax
        jmp     SELECTOR_CODE32:0

; Two tasks that jump to each other for ever.
way_task_loop:
        mov     ax, 28h
        lgdt    [task_gdt_register]
        ltr     ax
        jmp     30h:0
.first: jmp     30h:0
        jmp     .first
.second:
        jmp     28h:0
        jmp     .second

; Page directory and tables in ROM, in video memory, in the APICs, where nothing is, in themselves.
way_tables_in_devices:
        call    random
        and     eax, 7
        mov     ebx, [device_pages + 4 * eax]
        mov     dword [200000h], 83h            ; the low 4 MB
        mov     edi, 200004h
        mov     ecx, 3FFh
        lea     eax, [ebx + 7]
        rep     stosd
        mov     eax, cr4
        or      eax, CR4_PSE
        mov     cr4, eax
        mov     eax, 200000h
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        mov     edi, IDT_ADDRESS + 8 * 14
        mov     eax, .next
        mov     [edi], ax
        shr     eax, 16
        mov     [edi + 6], ax
.next:  mov     esp, STACK_TOP
        call    random
        mov     esi, eax
        call    random
        test    al, 1
        jz      .load
        mov     [esi], eax
        jmp     .next
.load:  mov     eax, [esi]
        test    al, 3Fh
        jnz     .next
        mov     cr3, ebx                        ; the directory itself there
        jmp     .next

; Random values to random ports in every width; those that end or reset the machine are left out.
way_port_storm:
        mov     ecx, 300000
.next:  call    random
        mov     edx, eax
        test    eax, 30000h
        jz      .any                            ; a quarter goes anywhere, most to where chips are
        and     edx, 7FFh
.any:   and     edx, 0FFFFh
        call    is_left_out
        je      .skip
        call    random
        mov     ebx, eax
        shr     ebx, 29
        jmp     [.kinds + 4 * ebx]
.kinds: dd      .out8, .out16, .out32, .in8, .in16, .in32, .out8, .in8
.out8:  out     dx, al
        jmp     .skip
.out16: out     dx, ax
        jmp     .skip
.out32: out     dx, eax
        jmp     .skip
.in8:   in      al, dx
        jmp     .skip
.in16:  in      ax, dx
        jmp     .skip
.in32:  in      eax, dx
.skip:  loop    .next
        ret

; ZF if an access at DX might reset or power off: ports 64h, 92h, B2h, CF9h, and the monitor's debug exit.
is_left_out:
        push    ebx
        push    edx
        mov     ebx, 4                          ; the widest access, and one that begins before
.byte:  cmp     dx, 64h
        je      .done
        cmp     dx, 92h
        je      .done
        cmp     dx, 0CF9h
        je      .done
        cmp     dx, 604h
        je      .done
        cmp     dx, 605h
        je      .done
        cmp     dx, 0B004h
        je      .done
        cmp     dx, 0B005h
        je      .done
        inc     dx
        dec     ebx
        jnz     .byte
        test    esp, esp                        ; not zero
.done:  pop     edx
        pop     ebx
        ret

way_port_strings:
        mov     ebp, 3000
.next:  call    random
        mov     edx, eax
        and     edx, 7FFh
        call    is_left_out
        je      .skip
        mov     esi, 300000h
        mov     edi, 300000h
        mov     ecx, 100
        shr     eax, 29
        cmp     eax, 1
        jb      .insb
        je      .insd
        cmp     eax, 3
        jb      .outsb
        je      .outsd
        cmp     eax, 5
        jb      .insw
        rep     outsw
        jmp     .skip
.insb:  rep     insb
        jmp     .skip
.insd:  rep     insd
        jmp     .skip
.outsb: rep     outsb
        jmp     .skip
.outsd: rep     outsd
        jmp     .skip
.insw:  rep     insw
.skip:  dec     ebp
        jnz     .next
        ret

; Random writes to every register of every function: base addresses over RAM, over the APICs and over
; each other; PAM and SMRAM; interrupt routes.
way_pci_storm:
        mov     ecx, 200000
.next:  call    random
        and     eax, 3FFCh
        or      eax, 80000000h
        mov     edx, PCI_ADDRESS
        out     dx, eax
        call    random
        mov     ebx, eax
        mov     edx, ebx
        and     edx, 3
        add     edx, PCI_DATA
        shr     ebx, 30
        jz      .byte
        cmp     ebx, 1
        je      .load
        mov     edx, PCI_DATA
        out     dx, eax
        jmp     .touch
.byte:  out     dx, al
        jmp     .touch
.load:  in      eax, dx
.touch: call    random
        and     eax, 0FFFFFFFCh
        cmp     eax, 100000h
        jb      .low
        mov     ebx, [eax]                      ; wherever a device may lie now
.low:   loop    .next
        ret

; Loads and stores of every width above RAM and in the hole below 1 MB.
way_memory_storm:
        mov     ecx, 300000
.next:  call    random
        mov     edi, eax
        call    random
        mov     ebx, eax
        and     ebx, 7
        jmp     [.regions + 4 * ebx]
.regions:
        dd      .apic, .io_apic, .video, .video, .high, .hpet, .rom, .frame_buffer
.apic:  and     edi, 0FFFh
        or      edi, 0FEE00000h
        jmp     .access
.io_apic:
        and     edi, 0FFh
        or      edi, 0FEC00000h
        jmp     .access
.hpet:  and     edi, 3FFh
        or      edi, 0FED00000h
        jmp     .access
.video: and     edi, 1FFFFh
        or      edi, 0A0000h
        jmp     .access
.rom:   and     edi, 3FFFFh
        or      edi, 0FFFC0000h
        jmp     .access
.frame_buffer:
        and     edi, 0FFFFFFh
        or      edi, 0FD000000h
        jmp     .access
.high:  or      edi, 0E0000000h
.access:
        call    random
        mov     ebx, eax
        shr     ebx, 29
        jmp     [.kinds + 4 * ebx]
.kinds: dd      .load8, .load16, .load32, .store8, .store16, .store32, .exchange, .move
.load8: mov     al, [edi]
        jmp     .done
.load16:
        mov     ax, [edi]
        jmp     .done
.load32:
        mov     eax, [edi]
        jmp     .done
.store8:
        mov     [edi], al
        jmp     .done
.store16:
        mov     [edi], ax
        jmp     .done
.store32:
        mov     [edi], eax
        jmp     .done
.exchange:
        xchg    [edi], eax
        jmp     .done
.move:  mov     esi, edi
        push    ecx
        mov     ecx, 8
        rep     movsd
        pop     ecx
.done:  dec     ecx
        jnz     .next
        ret

; Random values to every known number, and random numbers; faults are skipped over.
way_msr_storm:
        mov     eax, .skip_wrmsr
        mov     [IDT_ADDRESS + 8 * 13], ax
        shr     eax, 16
        mov     [IDT_ADDRESS + 8 * 13 + 6], ax
        mov     ebp, 200000
.next:  call    random
        mov     ecx, eax
        test    eax, 700000h
        jz      .number
        and     ecx, 7FFh
        test    eax, 800000h
        jz      .number
        or      ecx, 0C0000000h
        and     ecx, 0C00001FFh
.number:
        call    random
        mov     edx, eax
        test    edx, 0F0000h
        jz      .value
        and     edx, 0Fh
.value: call    random
        test    eax, 40000000h
        jz      .read
        wrmsr
        jmp     .again
.read:  rdmsr
.again: dec     ebp
        jnz     .next
        ret
.skip_wrmsr:
        add     dword [esp + 4], 2
        add     esp, 4
        iretd

; 16-bit code whose stack and instruction pointer wrap.
way_real_mode_wrap:
        lidt    [real_table]
        jmp     SELECTOR_CODE16:.real16
        bits    16
.real16:
        mov     eax, cr0
        and     al, ~1
        mov     cr0, eax
        jmp     0:.real
.real:  xor     ax, ax
        mov     ss, ax
        mov     sp, 1                           ; pushes wrap through the vector table
        mov     ds, ax
        mov     word [6 * 4], .push
        mov     word [6 * 4 + 2], 0
        mov     word [12 * 4], .push
        mov     word [12 * 4 + 2], 0
        mov     word [13 * 4], .push
        mov     word [13 * 4 + 2], 0
.push:  pusha
        pushad
        call    .push
        bits    32

; Every interrupt is let in, and its handler lets the next one in.
way_interrupt_storm:
        mov     edi, IDT_ADDRESS + 8 * 8
        mov     ebx, .handler
        mov     ecx, 40
.gate:  mov     [edi], bx
        mov     edx, ebx
        shr     edx, 16
        mov     [edi + 6], dx
        add     edi, 8
        loop    .gate
        mov     eax, 2
        call    pit_setup
        mov     al, 0
        out     PIC1_DATA, al
        out     PIC2_DATA, al
        sti
        jmp     $
.handler:
        mov     esp, STACK_TOP
        mov     al, PIC_END_OF_INTERRUPT
        out     PIC1_COMMAND, al
        sti
        jmp     $

; An instruction breakpoint on the debug handler itself.
way_breakpoint_loop:
        mov     eax, .handler
        mov     [IDT_ADDRESS + 8], ax
        shr     eax, 16
        mov     [IDT_ADDRESS + 8 + 6], ax
        mov     eax, .handler
        mov     dr0, eax
        mov     eax, 401h
        mov     dr7, eax
.handler:
        nop
        jmp     $

; Single step whose handler sets TF again and goes on in itself.
way_single_step_loop:
        mov     eax, .handler
        mov     [IDT_ADDRESS + 8], ax
        shr     eax, 16
        mov     [IDT_ADDRESS + 8 + 6], ax
.handler:
        mov     esp, STACK_TOP
        push    dword 102h
        popfd
        jmp     .handler

; Every timer at its shortest period.
way_timer_storm:
        mov     al, 34h                         ; 8254: counter 0, rate generator
        out     PIT_CONTROL, al
        mov     al, 2
        out     PIT_COUNTER_0, al
        xor     al, al
        out     PIT_COUNTER_0, al
        mov     al, 0B6h                        ; counter 2, square wave, gated on
        out     PIT_CONTROL, al
        mov     al, 2
        out     42h, al
        xor     al, al
        out     42h, al
        mov     al, 3
        out     61h, al
        mov     al, 0Ah                         ; the clock's periodic interrupt
        out     70h, al
        mov     al, 21h
        out     71h, al
        mov     al, 0Bh
        out     70h, al
        mov     al, 72h
        out     71h, al
        mov     edi, 0FED00000h                 ; HPET: all comparators
        mov     dword [edi + 10h], 0
        mov     dword [edi + 0F0h], 0
        mov     ecx, 3
        lea     esi, [edi + 100h]
.comparator:
        mov     dword [esi], 14Ch               ; periodic, enabled, value set, 32 bits
        mov     dword [esi + 8], 1
        add     esi, 20h
        loop    .comparator
        mov     dword [edi + 10h], 1
        mov     edi, 0FEE00000h                 ; local APIC
        mov     dword [edi + 0F0h], 1FFh
        mov     dword [edi + 3E0h], 0Bh         ; divided by 1
        mov     dword [edi + 320h], 20020h      ; periodic
        mov     dword [edi + 380h], 1
        call    random
        test    al, 1
        jz      $
        sti
        jmp     $

; The same code by code segments with ever other bases: no two runs of it can share a translation.
CHAIN           equ     200000h
way_code_segment_storm:
        mov     edi, CHAIN
        mov     ecx, 4000h
        mov     ax, 0EBh                        ; JMP $ + 2
        rep     stosw
        mov     byte [edi], 0CBh                ; RETF
        xor     ebp, ebp
.next:  inc     ebp
        mov     eax, ebp
        shl     eax, 16
        mov     ax, 0FFFFh
        mov     [gdt + 18h], eax
        mov     eax, ebp
        shr     eax, 16
        or      eax, 0CF9B00h
        mov     [gdt + 1Ch], eax
        mov     eax, CHAIN
        sub     eax, ebp
        push    cs
        push    dword .next
        push    dword 18h
        push    eax
        retf

; Bus-master transfers to and from anywhere: devices, ROM, nothing, the end of the address space, the
; table itself; tables anywhere; commands that stop in the middle.
way_dma_storm:
        call    ide_find_bus_master
        mov     ecx, 80
.next:  push    ecx
        call    random
        and     eax, 7
        mov     ebx, [.places + 4 * eax]
        mov     edi, ebx                        ; the table lies there, or in RAM
        call    random
        test    al, 3
        jz      .have_table
        mov     edi, 300000h
.have_table:
        mov     esi, 300000h
        mov     ecx, 8
.entry: call    random
        and     eax, 7
        mov     edx, [.places + 4 * eax]
        call    random
        and     eax, 7FFCh
        add     edx, eax
        mov     [esi], edx
        call    random
        and     eax, 8000FFFEh
        mov     [esi + 4], eax
        add     esi, 8
        loop    .entry
        lea     edx, [ebp + 4]
        mov     eax, edi
        out     dx, eax
        lea     edx, [ebp + 2]
        mov     al, 66h
        out     dx, al
        call    random
        mov     [ide_sectors], al
        and     eax, 8
        mov     ebx, eax                        ; the direction
        mov     edx, ebp
        out     dx, al
        call    random
        and     eax, 3FFh
        mov     dl, IDE_READ_DMA
        test    ebx, ebx
        jnz     .command
        mov     dl, 0CAh                        ; write
.command:
        call    ide_start
        mov     edx, ebp
        lea     eax, [ebx + 1]
        out     dx, al
        call    random
        and     eax, 0FFFFh
        mov     ecx, eax
        lea     edx, [ebp + 2]
.wait:  in      al, dx
        test    al, 1
        loopnz  .wait
        mov     edx, ebp
        mov     al, bl
        out     dx, al
        call    random
        test    al, 7
        jnz     .same
        mov     dx, 3F6h                        ; a reset of the channel
        mov     al, 4
        out     dx, al
        mov     al, 0
        out     dx, al
.same:  pop     ecx
        dec     ecx
        jnz     .next
        ret
.places:
        dd      0B8000h, 0F0000h, 0FEE00000h, 0FFFFF000h, 0D0000000h, 300000h, 0A0000h, 3FF0000h

; #AC at level 3 whose handler runs at level 3 on an unaligned stack: a real processor hangs, too.
way_alignment_loop:
        mov     dword [gdt + 18h], 0FFFFh
        mov     dword [gdt + 1Ch], 0CFFB00h
        mov     dword [gdt + 20h], 0FFFFh
        mov     dword [gdt + 24h], 0CFF300h
        mov     edi, IDT_ADDRESS + 8 * 17
        mov     word [edi + 2], 18h | 3
        mov     eax, cr0
        or      eax, 40000h
        mov     cr0, eax
        push    dword 20h | 3
        push    dword 80001h
        push    dword 40002h                    ; AC
        push    dword 18h | 3
        push    dword .user
        iretd
.user:  mov     eax, [80001h]
        jmp     $

        align   8
task_gdt:
        dq      0, 00CF9B000000FFFFh, 00CF93000000FFFFh, 00009B000000FFFFh, 000093000000FFFFh
        dw      67h, task_1, 8900h, 0
        dw      67h, task_2, 8900h, 0
task_gdt_register:
        dw      $ - task_gdt - 1
        dd      task_gdt
        align   16
%macro TASK 1
        times   8 dd 0
        dd      %1, 2
        times   4 dd 0
        dd      STACK_TOP, 0, 0, 0
        dd      10h, 8, 10h, 10h, 10h, 10h
        dd      0, 680000h
%endmacro
task_1: TASK    way_task_loop.first
task_2: TASK    way_task_loop.second
device_pages            dd      0F0000h, 0B8000h, 0FEE00000h, 0FEC00000h, 0D0000000h, 200000h, 0A0000h, 0FED00000h
empty_table             dw      0
                        dd      0
real_table              dw      3FFh
                        dd      0
ready_text              db      "ready", 13, 10, 0
back_text               db      "back", 13, 10, 0
wrong_text              db      "wrong", 13, 10, 0

%include "image_end.inc"
