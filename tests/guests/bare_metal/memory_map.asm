; Reports what the BIOS says of the memory, by all its ways, and tries the last word of what it calls
; free: lines of "name: number ..." on the serial port, in hexadecimal, and "done".

%include "boot_sector.inc"
        jmp     memory_map_start
%include "protected_mode.inc"
%include "serial.inc"

E820_RAM                equ     1
E820_ENTRY_SIZE         equ     20
E820_SIGNATURE          equ     534D4150h       ; "SMAP"
ENTRIES_MAX             equ     32
CMOS_INDEX              equ     70h
CMOS_DATA               equ     71h
PATTERN                 equ     5AC3F00Dh

        bits    16
memory_map_start:
        call    read_e820
        call    read_sizes
        call    read_cmos
        call    a20_enable
        call    protected_mode_enter

        bits    32
        call    serial_setup
        call    print_e820
        call    print_sizes
        call    probe_last_word
        mov     esi, done_text
        call    serial_print
.halt:  hlt
        jmp     .halt

        bits    16
; INT 15h AX=E820h: all entries to `entries`.
read_e820:
        xor     ebx, ebx
        mov     di, entries
.next:  mov     eax, 0E820h
        mov     edx, E820_SIGNATURE
        mov     ecx, E820_ENTRY_SIZE
        int     15h
        jc      .done
        cmp     eax, E820_SIGNATURE
        jne     .done
        add     di, E820_ENTRY_SIZE
        inc     dword [entry_count]
        cmp     dword [entry_count], ENTRIES_MAX
        je      .done
        test    ebx, ebx
        jnz     .next
.done:  ret

; INT 12h, INT 15h AH=88h and AX=E801h: KB below 1 MB, KB above it, KB up to 16 MB and 64 KB units
; above.
read_sizes:
        int     12h
        mov     [size_12], ax
        mov     ah, 88h
        int     15h
        mov     [size_88], ax
        mov     ax, 0E801h
        int     15h
        mov     [size_e801_low], ax
        mov     [size_e801_high], bx
        ret

; The bytes at 15h to 18h, 30h, 31h, 34h and 35h.
read_cmos:
        mov     si, cmos_places
        mov     di, cmos_values
        mov     cx, CMOS_PLACES
.next:  lodsb
        out     CMOS_INDEX, al
        in      al, CMOS_DATA
        stosb
        loop    .next
        ret

        bits    32
; Sends the name at ESI, then EAX.
print_number:
        call    serial_print
        call    serial_print_hex
        jmp     serial_print_line_end

print_e820:
        mov     edi, entries
        mov     ebx, [entry_count]
.next:  test    ebx, ebx
        jz      .done
        mov     esi, e820_text
        call    serial_print
        mov     ebp, E820_ENTRY_SIZE / 4
.part:  mov     eax, [edi]
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        add     edi, 4
        dec     ebp
        jnz     .part
        call    serial_print_line_end
        dec     ebx
        jmp     .next
.done:  ret

print_sizes:
        mov     ebx, size_names
.next:  mov     esi, [ebx]
        test    esi, esi
        jz      .done
        mov     eax, [ebx + 4]
        movzx   eax, word [eax]
        call    print_number
        add     ebx, 8
        jmp     .next
.done:  ret

; The last dword of the highest free memory must keep what is stored, and be no alias of a lower one.
probe_last_word:
        mov     edi, entries
        mov     ecx, [entry_count]
        xor     ebx, ebx
.next:  cmp     dword [edi + 16], E820_RAM
        jne     .other
        cmp     dword [edi + 4], 0
        jne     .other
        mov     eax, [edi]
        add     eax, [edi + 8]
        cmp     eax, ebx
        jbe     .other
        mov     ebx, eax
.other: add     edi, E820_ENTRY_SIZE
        loop    .next
        sub     ebx, 4
        mov     dword [ebx], PATTERN
        mov     edx, ebx
        shr     edx, 1                          ; half as high: RAM, too
        and     edx, ~3
        not     dword [edx]
        mov     eax, [ebx]
        not     dword [edx]
        mov     esi, probe_text
        jmp     print_number

e820_text       db      "e820: ", 0
probe_text      db      "probe: ", 0
done_text       db      "done", 13, 10, 0
name_12         db      "int12: ", 0
name_88         db      "int15-88: ", 0
name_low        db      "e801-low: ", 0
name_high       db      "e801-high: ", 0
name_cmos15     db      "cmos-15: ", 0
name_cmos17     db      "cmos-17: ", 0
name_cmos30     db      "cmos-30: ", 0
name_cmos34     db      "cmos-34: ", 0
cmos_places     db      15h, 16h, 17h, 18h, 30h, 31h, 34h, 35h
CMOS_PLACES     equ     $ - cmos_places

        align   4
size_names:
        dd      name_12, size_12, name_88, size_88, name_low, size_e801_low
        dd      name_high, size_e801_high, name_cmos15, cmos_values, name_cmos17, cmos_values + 2
        dd      name_cmos30, cmos_values + 4, name_cmos34, cmos_values + 6, 0
entry_count     dd      0
size_12         dw      0
size_88         dw      0
size_e801_low   dw      0
size_e801_high  dw      0
cmos_values     times   CMOS_PLACES db 0
        align   4
entries         times   ENTRIES_MAX * E820_ENTRY_SIZE db 0

%include "image_end.inc"
