; A ROM in place of the BIOS: checks where a ROM of KILOBYTES is mapped and started, and reports by
; POST codes on ports 80h and 190h, by LPT1 and by COM1. It uses no stack before it has checked the
; reset vector, no other ROM, no interrupt and no disk.
;
;   KILOBYTES   size of the image: a multiple of 64 up to 256
;   END_JUMP    the end is JMP $; else HLT with interrupts off
;
; Codes at port 190h say what has been reached:
;   00 started   10 reset vector   20 shadow below 1 MB   30 whole image below 4 GB   40 port 80h
;   50 LPT1      60 COM1           FF all of it;          an error ends with EE and the failed stage

        cpu     386
        bits    16

POST_PS2        equ     190h
POST_AT         equ     80h
LPT1            equ     378h
COM1            equ     3F8h
LPT_STATUS      equ     LPT1 + 1
LPT_CONTROL     equ     LPT1 + 2
NOT_BUSY        equ     80h
NOT_ACKNOWLEDGE equ     40h
SELECT_INIT     equ     0Ch
STROBE          equ     01h
COM_LINE_STATUS equ     COM1 + 5
COM_EMPTY       equ     20h
DELAYS          equ     200
IMAGE_MARK      equ     47414D49h               ; "IMAG", at the image's first byte
SHADOW_MARK     equ     44414853h               ; "SHAD", at the first byte of its last 128 KB
IMAGE_BYTES     equ     KILOBYTES * 1024
IMAGE_BASE      equ     -IMAGE_BYTES & 0FFFFFFFFh

%macro STAGE 1
        mov     bl, %1
        mov     al, bl
        mov     dx, POST_PS2
        out     dx, al
%endmacro

        org     0                               ; offsets within the whole image
image:
        dd      IMAGE_MARK
%if KILOBYTES > 128
        times   IMAGE_BYTES - 20000h - ($ - image) db 0
        dd      SHADOW_MARK
%endif
%if KILOBYTES > 64
        times   IMAGE_BYTES - 10000h - ($ - image) db 0
%endif
; An offset within the last 64 KB, which lie at F0000h.
%define HERE(label) ((label) - image - IMAGE_BYTES + 10000h)

; CS has still the base FFFF0000h: code and data up there are read through it.
from_reset:
        STAGE   00h
        STAGE   10h
        mov     ax, cs
        cmp     ax, 0F000h
        jne     failed
        cmp     word [cs:HERE(reset_vector) + 14], 55AAh
        jne     failed
        STAGE   20h
        jmp     0F000h:HERE(in_shadow)

in_shadow:
        mov     ax, cs
        mov     ds, ax
        cmp     word [HERE(reset_vector) + 14], 55AAh
        jne     failed
        mov     word [HERE(reset_vector) + 14], 0       ; a ROM keeps what it holds
        cmp     word [HERE(reset_vector) + 14], 55AAh
        jne     failed
        mov     ax, 0E000h
        mov     ds, ax
%if KILOBYTES == 64
        cmp     dword [0], IMAGE_MARK           ; nothing is there, not even its alias
        je      failed
%elif KILOBYTES == 128
        cmp     dword [0], IMAGE_MARK
        jne     failed
%else
        cmp     dword [0], SHADOW_MARK
        jne     failed
%endif

        STAGE   30h
        lgdt    [cs:HERE(gdt_pointer)]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     cx, 8
        mov     ds, cx                          ; a segment of 4 GB that real mode keeps
        and     al, 0FEh
        mov     cr0, eax
        mov     esi, IMAGE_BASE
        cmp     dword [esi], IMAGE_MARK
        jne     failed
        cmp     word [dword 0FFFFFFFEh], 55AAh
        jne     failed

; A page register of the DMA controller, and a delay.
        STAGE   40h
        mov     al, 5Ah
        out     POST_AT, al
        in      al, POST_AT
        cmp     al, 5Ah
        jne     failed
        mov     cx, DELAYS
.delay: mov     al, cl
        out     POST_AT, al
        loop    .delay
        mov     ax, 0A503h                      ; the upper byte goes to port 81h
        out     POST_AT, ax
        in      ax, POST_AT
        cmp     ax, 0A503h
        jne     failed

        xor     ax, ax
        mov     ss, ax
        mov     sp, 7C00h
        push    cs
        pop     ds
        STAGE   50h
        call    print_polling
        call    print_strobing
        STAGE   60h
        call    send
        STAGE   0FFh
finish:
        cli
%ifdef END_JUMP
        jmp     $
%else
        hlt
        jmp     finish
%endif

; BL = the stage.
failed:
        mov     al, 0EEh
        mov     dx, POST_PS2
        out     dx, al
        mov     al, bl
        out     dx, al
        jmp     finish

; As BIOSes print: wait for a printer that is not busy, strobe, wait for its acknowledgement.
print_polling:
        mov     si, HERE(polled_text)
.next:  lodsb
        test    al, al
        jz      .done
        mov     dx, LPT1
        out     dx, al
        mov     dx, LPT_STATUS
        mov     cx, 1000
.busy:  in      al, dx
        test    al, NOT_BUSY
        loopz   .busy
        jz      failed
        mov     dx, LPT_CONTROL
        mov     al, SELECT_INIT | STROBE
        out     dx, al
        mov     al, SELECT_INIT
        out     dx, al
        mov     dx, LPT_STATUS
        mov     cx, 1000
.wait:  in      al, dx
        test    al, NOT_ACKNOWLEDGE
        loopnz  .wait
        jnz     failed
        jmp     .next
.done:  ret

; As simple programs do: data and a strobe, and nothing is looked at.
print_strobing:
        mov     si, HERE(strobed_text)
.next:  lodsb
        test    al, al
        jz      .done
        mov     dx, LPT1
        out     dx, al
        mov     dx, LPT_CONTROL
        in      al, dx
        or      al, STROBE
        out     dx, al
        and     al, ~STROBE & 0FFh
        out     dx, al
        jmp     .next
.done:  ret

send:
        mov     dx, COM1 + 3
        mov     al, 83h                         ; the divisor
        out     dx, al
        mov     dx, COM1
        mov     ax, 1
        out     dx, ax
        mov     dx, COM1 + 3
        mov     al, 3                           ; 8N1
        out     dx, al
        mov     si, HERE(sent_text)
.next:  mov     dx, COM_LINE_STATUS
.full:  in      al, dx
        test    al, COM_EMPTY
        jz      .full
        lodsb
        test    al, al
        jz      .done
        mov     dx, COM1
        out     dx, al
        jmp     .next
.done:  ret

polled_text:    db      "polled", 13, 10, 0
strobed_text:   db      "strobed", 13, 10, 0
sent_text:      db      "sent", 13, 10, 0

        align   8
gdt:    dq      0
        dq      00CF92000000FFFFh
gdt_pointer:
        dw      15
        dd      0F0000h + HERE(gdt)

        times   IMAGE_BYTES - 16 - ($ - image) db 0
reset_vector:
        jmp     near from_reset                 ; relative: CS keeps its base
        times   14 - ($ - reset_vector) db 0
        dw      55AAh
