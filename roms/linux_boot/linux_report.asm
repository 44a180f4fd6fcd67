; What a Linux kernel's setup code sees, told on COM1: a guest for tests of the boot protocol. VERSION
; is the protocol's (0: from before it had versions); with HIGH the kernel is loaded to 1 MB, as a
; bzImage is. Leaves by the debug exit at 501h.

%ifndef VERSION
%define VERSION 20Ch
%endif

SETUP_SECTORS           equ     4
COM1                    equ     3F8h
DEBUG_EXIT              equ     501h
%ifdef HIGH
LOAD_FLAGS              equ     1
KERNEL_ADDRESS          equ     100000h
%else
LOAD_FLAGS              equ     0
KERNEL_ADDRESS          equ     10000h
%endif
OLD_COMMAND_LINE_MAGIC  equ     20h
OLD_COMMAND_LINE        equ     22h

        bits    16
        org     0

; The boot sector, which no loader runs.
        times   1F1h - ($ - $$) db 0
        db      SETUP_SECTORS
        dw      0
        dd      (kernel_end - kernel) / 16
        dw      0
video_mode:
        dw      0FFFFh                          ; video mode: normal
        dw      0
        dw      0AA55h
        jmp     setup
%if VERSION
        times   202h - ($ - $$) db 0
        db      "HdrS"
        dw      VERSION
        dd      0                               ; no hook
        dw      1000h                           ; obsolete
        dw      0                               ; no version text
loader_type:
        db      0
load_flags:
        db      LOAD_FLAGS
        dw      8000h                           ; to move
        dd      KERNEL_ADDRESS
initrd_address:
        dd      0
initrd_size:
        dd      0
        dd      0
heap_end:
        dw      0
        dw      0
command_line:
        dd      0
        dd      37FFFFFFh                       ; initrd at most here
        dd      1000000h                        ; alignment
        db      0, 0
        dw      0
        dd      100                             ; longest command line
        times   268h - ($ - $$) db 0
%endif
        times   280h - ($ - $$) db 0

; CS is 20h above the other segments: entered at its offset 0, the code runs with offsets 200h less
; than those of the data.
setup:
        pushf
        cld
        pop     word [flags_seen]
        mov     dx, COM1 + 3
        mov     al, 3                           ; 8 bits, no parity
        out     dx, al
        mov     ax, cs
        mov     si, cs_text
        call    print_number
        mov     ax, ds
        mov     si, ds_text
        call    print_number
        mov     ax, es
        mov     si, es_text
        call    print_number
        mov     ax, ss
        mov     si, ss_text
        call    print_number
        mov     ax, sp
        mov     si, sp_text
        call    print_number
        mov     ax, [flags_seen]
        and     ax, 200h                        ; interrupts
        mov     si, if_text
        call    print_number
        mov     ax, [video_mode]
        mov     si, video_text
        call    print_number
%if VERSION
        movzx   ax, byte [loader_type]
        mov     si, loader_text
        call    print_number
        movzx   ax, byte [load_flags]
        mov     si, load_flags_text
        call    print_number
        mov     ax, [heap_end]
        mov     si, heap_text
        call    print_number
        mov     ax, [initrd_size]
        mov     si, initrd_text
        call    print_number
        cmp     dword [initrd_size], 0
        je      .no_initrd
        mov     ax, [initrd_address]
        and     ax, 0FFFh
        mov     si, aligned_text
        call    print_number
        mov     eax, [initrd_address]
        mov     si, initrd_data_text
        call    print_at
.no_initrd:
%endif
        mov     eax, KERNEL_ADDRESS
        mov     si, kernel_text
        call    print_at
        mov     si, command_text
        call    print
%if VERSION >= 202h
        mov     eax, [command_line]
%else
        mov     si, no_command_text
        cmp     word [OLD_COMMAND_LINE_MAGIC], 0A33Fh
        jne     .print_command
        xor     eax, eax
        mov     ax, ds
        shl     eax, 4
        movzx   ecx, word [OLD_COMMAND_LINE]
        add     eax, ecx
%endif
        ror     eax, 4
        mov     es, ax                          ; the line's segment
        shr     eax, 28
        mov     si, ax
.next:  mov     al, [es:si]
        inc     si
        test    al, al
        jz      .end
        call    put
        jmp     .next
.print_command:
        call    print
.end:   mov     si, done_text
        call    print
        mov     dx, DEBUG_EXIT
        mov     al, 10h
        out     dx, al
.halt:  hlt
        jmp     .halt

; The text SI, the number AX, a line end.
print_number:
        call    print
        mov     cx, 4
.next:  rol     ax, 4
        push    ax
        and     ax, 0Fh
        mov     bx, ax
        mov     al, [digits + bx]
        call    put
        pop     ax
        loop    .next
        mov     si, end_text
; The text DS:SI.
print:
        push    ax
.next:  mov     al, [si]
        inc     si
        test    al, al
        jz      .done
        call    put
        jmp     .next
.done:  pop     ax
        ret

; Sends AL.
put:
        push    dx
        push    ax
        mov     dx, COM1 + 5
.wait:  in      al, dx
        test    al, 20h
        jz      .wait
        pop     ax
        mov     dx, COM1
        out     dx, al
        pop     dx
        ret

; The text SI, and the eight characters at linear address EAX, which the BIOS fetches.
print_at:
        call    print
        mov     [source_low], ax
        shr     eax, 16
        mov     [source_middle], al
        mov     [source_high], ah
        xor     eax, eax
        mov     ax, ds
        shl     eax, 4
        add     eax, fetched
        mov     [target_low], ax
        shr     eax, 16
        mov     [target_middle], al
        push    ds
        pop     es
        mov     si, move_table
        mov     cx, 4                           ; words
        mov     ah, 87h
        int     15h
        mov     si, fetched
        call    print
        mov     si, end_text
        jmp     print

        align   8, db 0
; For the BIOS's block move: descriptors of source and target, and room for its own.
move_table:
        times   16 db 0
        dw      0FFFFh
source_low:
        dw      0
source_middle:
        db      0, 93h, 0
source_high:
        db      0
        dw      0FFFFh
target_low:
        dw      0
target_middle:
        db      0, 93h, 0, 0
        times   16 db 0
fetched:
        times   8 db 0
        db      0
flags_seen:
        dw      0

digits          db      "0123456789ABCDEF"
cs_text         db      "CS ", 0
ds_text         db      "DS ", 0
es_text         db      "ES ", 0
ss_text         db      "SS ", 0
sp_text         db      "SP ", 0
if_text         db      "IF ", 0
video_text      db      "VIDEO ", 0
%if VERSION
loader_text     db      "LOADER ", 0
load_flags_text db      "LOADFLAGS ", 0
heap_text       db      "HEAP ", 0
initrd_text     db      "INITRD ", 0
aligned_text    db      "ALIGNED ", 0
initrd_data_text db     "INITRDDATA ", 0
%endif
kernel_text     db      "KERNEL ", 0
command_text    db      "COMMAND ", 0
%if VERSION < 202h
no_command_text db      "NONE", 0
%endif
done_text       db      13, 10, "DONE"
end_text        db      13, 10, 0

        times   (SETUP_SECTORS + 1) * 512 - ($ - $$) db 0
kernel:
        db      "PAYLOAD!"
        times   4096 - 8 db 0CCh
kernel_end:
