; The text page: processor, memory, PCI functions, drives, speed, and a mark that moves.

COLOUR_PAGE             equ     1Fh             ; white on blue
COLOUR_BAR              equ     70h             ; black on grey
COLOUR_LABEL            equ     1Eh             ; yellow on blue
MARK_CHARACTER          equ     02h             ; a face
MARK_COLOUR             equ     4Eh
E820_SIGNATURE          equ     534D4150h       ; 'SMAP'
E820_BUFFER             equ     6000h
E820_ROWS               equ     7
PCI_ROWS                equ     8
DRIVE_ROWS              equ     4

        bits    32
machine_page_show:
        mov     byte [graphics_shown], 0
        mov     dword [bios_eax], 0003h         ; 80 by 25 text, cleared
        mov     al, 10h
        call    bios_call
        mov     dword [bios_eax], 0100h         ; no cursor
        mov     dword [bios_ecx], 2000h
        mov     al, 10h
        call    bios_call
        mov     ah, COLOUR_PAGE
        call    console_clear
        xor     eax, eax
        mov     bl, COLOUR_BAR
        call    console_bar
        mov     eax, TEXT_ROWS - 1
        mov     bl, COLOUR_BAR
        call    console_bar
        mov     esi, page_labels
.label: mov     ax, [esi]
        cmp     ax, -1
        je      .labelled
        mov     bl, [esi + 2]
        add     esi, 3
        call    console_goto
        call    console_print
        jmp     .label
.labelled:
        call    show_processor
        call    show_memory
        call    show_pci
        call    show_drives
        call    show_speed
        mov     dword [mark_cell], 0
        jmp     machine_page_move

show_processor:
        mov     ax, 020Eh
        mov     bl, COLOUR_PAGE
        call    console_goto
        pushfd                                  ; CPUID exists where EFLAGS.ID can be changed
        pop     eax
        mov     ecx, eax
        xor     eax, 200000h
        push    eax
        popfd
        pushfd
        pop     eax
        xor     eax, ecx
        test    eax, 200000h
        jnz     .cpuid
        mov     esi, no_cpuid_text
        jmp     console_print
.cpuid:
        cpu     586
        xor     eax, eax
        cpuid
        mov     [vendor], ebx
        mov     [vendor + 4], edx
        mov     [vendor + 8], ecx
        mov     esi, vendor
        call    console_print
        mov     eax, 1
        cpuid
        mov     [features], edx
        mov     [signature], eax
        cpu     386
        mov     ecx, 8                          ; family, model, stepping
        mov     ebp, signature_texts
.part:  mov     esi, ebp
        call    console_print
        mov     ebp, esi
        mov     eax, [signature]
        shr     eax, cl
        and     eax, 0Fh
        push    ecx
        call    console_print_decimal
        pop     ecx
        sub     ecx, 4
        jns     .part
        mov     ax, 030Eh
        mov     bl, COLOUR_PAGE
        call    console_goto
        mov     esi, feature_names
.feature:
        movzx   ecx, byte [esi]
        inc     esi
        cmp     cl, -1
        je      .done
        bt      [features], ecx
        jc      .has
.skip:  lodsb
        test    al, al
        jnz     .skip
        jmp     .feature
.has:   call    console_print
        jmp     .feature
.done:  ret

; INT 15h AX=E820h, one range a row.
show_memory:
        mov     dword [bios_ebx], 0
        mov     dword [row], 6
.next:  mov     dword [bios_eax], 0E820h
        mov     dword [bios_edx], E820_SIGNATURE
        mov     dword [bios_ecx], 20
        mov     dword [bios_edi], E820_BUFFER
        mov     word [bios_es], 0
        mov     al, 15h
        call    bios_call
        test    byte [bios_flags], 1
        jnz     .done
        cmp     dword [bios_eax], E820_SIGNATURE
        jne     .done
        mov     al, 2
        call    row_goto
        mov     eax, [E820_BUFFER]
        mov     bl, 8
        call    console_print_hex
        mov     al, " "
        call    console_put
        mov     eax, [E820_BUFFER + 8]
        shr     eax, 10
        call    console_print_decimal
        mov     esi, kilobytes_text
        call    console_print
        mov     eax, [E820_BUFFER + 16]
        mov     esi, ram_text
        cmp     eax, 1
        je      .kind
        mov     esi, reserved_text
.kind:  call    console_print
        cmp     dword [row], 6 + E820_ROWS
        jae     .done
        cmp     dword [bios_ebx], 0
        jne     .next
.done:  ret

show_pci:
        mov     dword [row], 6
        xor     ebx, ebx
.next:  xor     eax, eax
        call    pci_read
        cmp     ax, -1
        je      .absent
        mov     [pci_identification], eax
        mov     al, PCI_CLASS
        call    pci_read
        shr     eax, 16
        mov     [pci_class_code], eax
        push    ebx
        mov     al, 40
        call    row_goto
        mov     eax, [esp]
        shr     eax, 3
        mov     bl, 2
        call    console_print_hex
        mov     al, "."
        call    console_put
        mov     eax, [esp]
        and     eax, 7
        mov     bl, 1
        call    console_print_hex
        mov     al, " "
        call    console_put
        movzx   eax, word [pci_identification]
        mov     bl, 4
        call    console_print_hex
        mov     al, ":"
        call    console_put
        movzx   eax, word [pci_identification + 2]
        mov     bl, 4
        call    console_print_hex
        mov     esi, class_text
        call    console_print
        mov     eax, [pci_class_code]
        mov     bl, 4
        call    console_print_hex
        pop     ebx
        cmp     dword [row], 6 + PCI_ROWS
        jae     .done
.absent:
        inc     ebx
        cmp     ebx, PCI_FUNCTIONS
        jb      .next
.done:  ret

; INT 13h AH=08h for the first two floppy and hard disk drives.
show_drives:
        mov     dword [row], 16
        mov     ebp, drive_numbers
.next:  movzx   eax, byte [ebp]
        mov     [bios_edx], eax
        mov     dword [bios_eax], 0800h
        mov     word [bios_es], 0
        mov     dword [bios_edi], 0
        mov     dword [bios_ecx], 0
        mov     al, 13h
        call    bios_call
        test    byte [bios_flags], 1
        jnz     .absent
        test    byte [bios_ecx], 3Fh
        jz      .absent
        mov     al, 2
        call    row_goto
        movzx   eax, byte [ebp]
        mov     bl, 2
        call    console_print_hex
        mov     al, " "
        call    console_put
        mov     ecx, [bios_ecx]
        movzx   eax, ch
        and     ecx, 0C0h
        shl     ecx, 2
        lea     eax, [eax + ecx + 1]
        call    console_print_decimal
        mov     al, "/"
        call    console_put
        movzx   eax, byte [bios_edx + 1]
        inc     eax
        call    console_print_decimal
        mov     al, "/"
        call    console_put
        mov     eax, [bios_ecx]
        and     eax, 3Fh
        call    console_print_decimal
.absent:
        inc     ebp
        cmp     ebp, drive_numbers + DRIVE_ROWS
        jb      .next
        ret

show_speed:
        mov     ax, 1028h
        mov     bl, COLOUR_PAGE
        call    console_goto
        mov     eax, [speed_loops]
        call    console_print_decimal
        mov     esi, loops_text
        call    console_print
        mov     ax, 1128h
        mov     bl, COLOUR_PAGE
        call    console_goto
        mov     eax, [speed_megabytes]
        call    console_print_decimal
        mov     esi, megabytes_text
        call    console_print
        mov     ax, 1328h
        mov     bl, COLOUR_PAGE
        call    console_goto
        mov     esi, mouse_text
        cmp     byte [mouse_present], 0
        jne     .print
        mov     esi, no_mouse_text
.print: jmp     console_print

; Goes on at column AL of the next row of a list.
row_goto:
        mov     ah, [row]
        inc     dword [row]
        mov     bl, COLOUR_PAGE
        jmp     console_goto

; Puts the mark where the pointer is; what it covered comes back when it moves on.
machine_page_move:
        mov     eax, [pointer_y]
        imul    eax, eax, TEXT_ROWS
        xor     edx, edx
        mov     ecx, 480
        div     ecx
        imul    edi, eax, TEXT_COLUMNS
        mov     eax, [pointer_x]
        shr     eax, 3
        lea     edi, [TEXT_MEMORY + edi * 2]
        lea     edi, [edi + eax * 2]
        mov     ecx, [mark_cell]
        cmp     edi, ecx
        je      .done
        jecxz   .place
        mov     ax, [mark_covered]
        mov     [ecx], ax
.place: mov     ax, [edi]
        mov     [mark_covered], ax
        mov     word [edi], MARK_COLOUR << 8 | MARK_CHARACTER
        mov     [mark_cell], edi
.done:  ret

%macro LABEL_AT 4                               ; row, column, attribute, text
        db      %2, %1, %3, %4, 0
%endmacro
page_labels:
        LABEL_AT 0, 2, COLOUR_BAR, "Reprise"
        LABEL_AT 0, 50, COLOUR_BAR, "the machine that was found"
        LABEL_AT 2, 2, COLOUR_LABEL, "Processor"
        LABEL_AT 5, 2, COLOUR_LABEL, "Memory by the BIOS (E820)"
        LABEL_AT 5, 40, COLOUR_LABEL, "PCI bus 0"
        LABEL_AT 15, 2, COLOUR_LABEL, "Drives (cylinders/heads/sectors)"
        LABEL_AT 15, 40, COLOUR_LABEL, "Speed"
        LABEL_AT 22, 2, COLOUR_PAGE, "Arrow keys or the mouse move the face."
        LABEL_AT 24, 2, COLOUR_BAR, "G graphics   T text   S measure the speed again   P power off"
        dw      -1

signature_texts         db      " family ", 0, " model ", 0, " stepping ", 0
no_cpuid_text           db      "without CPUID: a 386 or an early 486", 0
feature_names:
        db      0, "FPU ", 0, 3, "PSE ", 0, 4, "TSC ", 0, 5, "MSR ", 0, 6, "PAE ", 0
        db      8, "CX8 ", 0, 9, "APIC ", 0, 11, "SEP ", 0, 13, "PGE ", 0, 15, "CMOV ", 0
        db      16, "PAT ", 0, 23, "MMX ", 0, 24, "FXSR ", 0, 25, "SSE ", 0, 26, "SSE2 ", 0, -1
kilobytes_text          db      " KB ", 0
ram_text                db      "RAM", 0
reserved_text           db      "reserved", 0
class_text              db      " class ", 0
loops_text              db      " million loops a second", 0
megabytes_text          db      " megabytes copied a second", 0
mouse_text              db      "A PS/2 mouse is there.", 0
no_mouse_text           db      "No PS/2 mouse: use the arrow keys.", 0
drive_numbers           db      00h, 01h, 80h, 81h

        align   4
row                     dd      0
features                dd      0
signature               dd      0
pci_identification      dd      0
pci_class_code          dd      0
mark_cell               dd      0
mark_covered            dw      0
vendor                  times   13 db 0
