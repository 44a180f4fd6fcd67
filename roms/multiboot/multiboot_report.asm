; A Multiboot kernel that tells on COM1 what it was handed: a guest for tests. Without -DELF its
; header says where it belongs; with it, it is an ELF file of two segments whose entry is a virtual
; address. With -DLOW it lies as low as a kernel can. Leaves by the debug exit at 501h.

%ifdef LOW
LOAD_ADDRESS            equ     8000h
%else
LOAD_ADDRESS            equ     200000h
%endif
DATA_ADDRESS            equ     300000h         ; of the second segment
BSS_BYTES               equ     10000h
VIRTUAL_BASE            equ     0C0000000h
MULTIBOOT_HEADER_MAGIC  equ     1BADB002h
MULTIBOOT_MEMORY_INFO   equ     00000003h       ; aligned modules, and a memory map
MULTIBOOT_ADDRESSES     equ     00010000h
STACK_TOP               equ     90000h
DEBUG_EXIT              equ     501h

; Offsets in the information.
INFO_MEMORY_LOWER       equ     4
INFO_MEMORY_UPPER       equ     8
INFO_COMMAND_LINE       equ     16
INFO_MODULE_COUNT       equ     20
INFO_MODULES            equ     24
INFO_MAP_LENGTH         equ     44
INFO_MAP_ADDRESS        equ     48

        bits    32
        org     LOAD_ADDRESS

image_start:
%ifdef ELF
        db      7Fh, "ELF", 1, 1, 1             ; 32 bits, little-endian, version 1
        times   9 db 0
        dw      2, 3                            ; executable, for i386
        dd      1
        dd      VIRTUAL_BASE + start
        dd      segments - image_start
        dd      0, 0                            ; no sections, no flags
        dw      52, 32, 2, 0, 0, 0              ; header, segment header, how many
segments:
        dd      1, 0, VIRTUAL_BASE + LOAD_ADDRESS, LOAD_ADDRESS
        dd      code_end - image_start, code_end - image_start, 5, 1000h
        dd      1, code_end - image_start, VIRTUAL_BASE + DATA_ADDRESS, DATA_ADDRESS
        dd      data_end - code_end, data_end - code_end + BSS_BYTES, 6, 1000h
data_address            equ     DATA_ADDRESS
%else
data_address            equ     code_end
%endif

        align   4
multiboot_header:
%ifdef ELF
HEADER_FLAGS            equ     MULTIBOOT_MEMORY_INFO
%else
HEADER_FLAGS            equ     MULTIBOOT_MEMORY_INFO | MULTIBOOT_ADDRESSES
%endif
        dd      MULTIBOOT_HEADER_MAGIC, HEADER_FLAGS
        dd      0FFFFFFFFh & -(MULTIBOOT_HEADER_MAGIC + HEADER_FLAGS)
%ifndef ELF
        dd      multiboot_header, LOAD_ADDRESS, data_end, data_end + BSS_BYTES, start
%endif

%include "serial.inc"

start:
        mov     esp, STACK_TOP
        cld
        mov     ebp, ebx
        push    eax
        call    serial_setup
        pop     eax
        mov     esi, magic_text
        call    print_number
        mov     eax, [ebp + INFO_MEMORY_LOWER]
        mov     esi, lower_text
        call    print_number
        mov     eax, [ebp + INFO_MEMORY_UPPER]
        mov     esi, upper_text
        call    print_number
        mov     esi, command_text
        call    serial_print
        mov     esi, [ebp + INFO_COMMAND_LINE]
        call    serial_print
        call    serial_print_line_end
        call    print_data
        push    0
        fnstcw  [esp]
        pop     eax                             ; the FPU's control word
        mov     esi, fpu_text
        call    print_number
        call    print_modules
        call    print_map
        mov     esi, done_text
        call    serial_print
        mov     dx, DEBUG_EXIT
        mov     al, 10h
        out     dx, al
.halt:  hlt
        jmp     .halt

; The text ESI, the number EAX and a line end.
print_number:
        call    serial_print
        call    serial_print_hex
        jmp     serial_print_line_end

; The second segment's text, and whether what follows it is zero.
print_data:
        mov     esi, data_address
        call    serial_print
        mov     edi, data_address + data_end - code_end
        mov     ecx, BSS_BYTES
        xor     eax, eax
        repe    scasb
        mov     eax, ecx
        mov     esi, bss_text
        jmp     print_number

; Of each module: start, end, the sum of its bytes, its text.
print_modules:
        mov     ecx, [ebp + INFO_MODULE_COUNT]
        mov     ebx, [ebp + INFO_MODULES]
.next:  jecxz   .done
        push    ecx
        mov     esi, module_text
        call    serial_print
        mov     eax, [ebx]
        and     eax, 0FFFh                      ; where it is may differ; it is aligned
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        mov     eax, [ebx + 4]
        sub     eax, [ebx]
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        call    sum_module
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        mov     esi, [ebx + 8]
        call    serial_print
        call    serial_print_line_end
        pop     ecx
        add     ebx, 16
        dec     ecx
        jmp     .next
.done:  ret

; EAX = the sum of the bytes of the module at EBX.
sum_module:
        mov     esi, [ebx]
        mov     ecx, [ebx + 4]
        sub     ecx, esi
        xor     edx, edx
        xor     eax, eax
        jecxz   .done
.next:  lodsb
        add     edx, eax
        loop    .next
.done:  mov     eax, edx
        ret

; Base, length and type of each range, the lower halves.
print_map:
        mov     ebx, [ebp + INFO_MAP_ADDRESS]
        mov     edi, ebx
        add     edi, [ebp + INFO_MAP_LENGTH]
.next:  cmp     ebx, edi
        jae     .done
        mov     esi, map_text
        call    serial_print
        mov     eax, [ebx + 4]
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        mov     eax, [ebx + 12]
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        mov     eax, [ebx + 20]
        call    serial_print_hex
        call    serial_print_line_end
        mov     eax, [ebx]
        lea     ebx, [ebx + eax + 4]
        jmp     .next
.done:  ret

magic_text              db      "MAGIC ", 0
lower_text              db      "LOWER ", 0
upper_text              db      "UPPER ", 0
command_text            db      "COMMAND ", 0
bss_text                db      "BSS ", 0
fpu_text                db      "FPU ", 0
module_text             db      "MODULE ", 0
map_text                db      "MAP ", 0
done_text               db      "DONE", 13, 10, 0

        align   4096, db 0
code_end:
        db      "DATA", 13, 10, 0
data_end:
