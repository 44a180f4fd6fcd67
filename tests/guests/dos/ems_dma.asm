; Expanded memory and DMA, as a program under a memory manager for v8086 mode uses them: the page
; frame shows pages that lie elsewhere in memory, in another order, and still floppy and sound card
; reach them by DMA, because the manager looks at what is written to the DMA controller.
;
; Tells "EMS frame ....", "DMA read good", "DMA write good" and plays a second of 439.56 Hz.

        org     100h
        bits    16

PAGES           equ     4
SECTORS         equ     8
ACROSS          equ     3C00h                   ; in the frame: from one page to the next
SB              equ     220h
SAMPLES         equ     4000                    ; 160 waves of 25

        jmp     start
%include "text.inc"

start:  mov     ah, 40h                         ; is it there?
        int     67h
        test    ah, ah
        jnz     none
        mov     ah, 41h
        int     67h
        mov     [frame], bx
        PRINT   frame_text
        mov     ax, [frame]
        call    print_word
        PRINT   new_line
        mov     ah, 43h
        mov     bx, PAGES
        int     67h
        test    ah, ah
        jnz     none
        mov     [handle], dx
        xor     cx, cx
.map:   mov     ah, 44h                         ; the last page first
        mov     al, cl
        mov     bx, PAGES - 1
        sub     bx, cx
        mov     dx, [handle]
        int     67h
        test    ah, ah
        jnz     none
        inc     cx
        cmp     cx, PAGES
        jb      .map
        call    test_read
        PRINT   read_text
        call    test_write
        PRINT   write_text
        call    play
        PRINT   played_text
        mov     ah, 45h
        mov     dx, [handle]
        int     67h
        END     0

none:   PRINT   none_text
        END     1
bad:    PRINT   bad_text
        mov     ah, 45h
        mov     dx, [handle]
        int     67h
        END     2

; Sectors of cylinder CH, head DH from the first on, ES:BX, function AH.
transfer:
        mov     al, SECTORS
        mov     cl, 1
        mov     dl, 0
        mov     bp, 3
.again: pusha
        int     13h
        popa
        jnc     .good
        dec     bp
        jnz     .again
        jmp     bad
.good:  ret

; ES:DI of a buffer below that no DMA page ends in.
find_buffer:
        mov     ax, cs
        add     ax, 1000h                       ; behind this program's 64 KB
        add     ax, 0FFFh
        and     ax, 0F000h
        mov     es, ax
        xor     di, di
        ret

compare:                                        ; frame:ACROSS with ES:DI
        push    ds
        mov     ds, [frame]
        mov     si, ACROSS
        mov     cx, SECTORS * 256
        cld
        repe    cmpsw
        pop     ds
        jne     bad
        ret

; The same sectors twice: into the frame, and below.
test_read:
        mov     es, [frame]
        mov     bx, ACROSS
        mov     ah, 2
        mov     ch, 0
        mov     dh, 0
        call    transfer
        call    find_buffer
        mov     bx, di
        mov     ah, 2
        mov     ch, 0
        mov     dh, 0
        call    transfer
        jmp     compare

; From the frame to sectors that nobody uses, and back below.
test_write:
        mov     es, [frame]
        mov     di, ACROSS
        mov     cx, SECTORS * 256
        mov     ax, 1234h
.fill:  stosw
        imul    ax, 75
        add     ax, 74
        loop    .fill
        mov     bx, ACROSS
        mov     ah, 3
        mov     ch, 79
        mov     dh, 1
        call    transfer
        call    find_buffer
        mov     bx, di
        mov     ah, 2
        mov     ch, 79
        mov     dh, 1
        call    transfer
        jmp     compare

dsp:    push    ax                              ; AL: a command
        mov     dx, SB + 0Ch
.busy:  in      al, dx
        test    al, 80h
        jnz     .busy
        pop     ax
        out     dx, al
        ret

; Auto-init playing from the frame's beginning, by what is written where a program without paging
; would find it.
play:   mov     es, [frame]
        xor     di, di
        xor     bx, bx
        mov     cx, SAMPLES
.fill:  mov     al, [sine + bx]
        stosb
        inc     bx
        cmp     bx, 25
        jb      .next
        xor     bx, bx
.next:  loop    .fill
        mov     dx, SB + 6
        mov     al, 1
        out     dx, al
        mov     cx, 100
.wait:  in      al, 80h
        loop    .wait
        xor     al, al
        out     dx, al
        mov     cx, 1000
.wait2: in      al, 80h
        loop    .wait2
        mov     al, 5                           ; mask channel 1
        out     0Ah, al
        out     0Ch, al
        mov     al, 59h                         ; auto-init, from memory
        out     0Bh, al
        xor     al, al                          ; the frame is aligned
        out     02h, al
        mov     ax, [frame]
        shl     ax, 4
        mov     al, ah
        out     02h, al
        mov     ax, [frame]
        mov     al, ah
        shr     al, 4
        out     83h, al
        mov     al, (SAMPLES - 1) & 0FFh
        out     03h, al
        mov     al, (SAMPLES - 1) >> 8
        out     03h, al
        mov     al, 1
        out     0Ah, al
        mov     al, 40h
        call    dsp
        mov     al, 165                         ; 1000000 / 91 a second
        call    dsp
        mov     al, 48h
        call    dsp
        mov     al, (SAMPLES - 1) & 0FFh
        call    dsp
        mov     al, (SAMPLES - 1) >> 8
        call    dsp
        mov     al, 0D1h
        call    dsp
        mov     al, 1Ch
        call    dsp
        mov     ax, 40h
        mov     fs, ax
        mov     eax, [fs:6Ch]
        add     eax, 19
.play:  cmp     [fs:6Ch], eax
        jb      .play
        mov     al, 0D0h                        ; pause
        call    dsp
        mov     dx, SB + 0Eh
        in      al, dx
        ret

frame_text:  db "EMS frame $"
read_text:   db "DMA read good", 13, 10, '$'
write_text:  db "DMA write good", 13, 10, '$'
played_text: db "played", 13, 10, '$'
none_text:   db "no expanded memory", 13, 10, '$'
bad_text:    db "wrong bytes"
new_line:    db 13, 10, '$'
sine:   db 128, 159, 189, 214, 234, 248, 254, 253, 244, 228, 206, 179, 149
        db 107, 77, 50, 28, 12, 3, 2, 8, 22, 42, 67, 97
frame:  dw 0
handle: dw 0
