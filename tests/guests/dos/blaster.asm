; Looks for a sound card as games do, and tells what it is: port and version of the DSP, the
; interrupt line by command F2h, the DMA channel by which one a transfer ends, AdLib by its timers,
; OPL3 by its status, the mixer by a register that keeps what is written.

        org     100h
        bits    16

BYTES           equ     16

        jmp     start
%include "text.inc"

start:  cld
        mov     word [port], 220h
        call    reset_dsp
        je      .found
        mov     word [port], 240h
        call    reset_dsp
        je      .found
        PRINT   none_text
        jmp     adlib
.found: PRINT   port_text
        mov     ax, [port]
        call    print_word
        PRINT   dsp_text
        mov     al, 0E1h
        call    command
        call    answer
        call    print_byte
        call    answer
        call    print_byte
        call    find_irq
        PRINT   irq_text
        mov     al, [irq]
        call    print_byte
        call    find_dma
        PRINT   dma_text
        mov     al, [dma]
        call    print_byte

adlib:  mov     ax, 6004h                       ; both timers masked, flags cleared
        call    opl
        mov     ax, 8004h
        call    opl
        mov     dx, 388h
        in      al, dx
        and     al, 0E0h
        jnz     .no
        mov     ax, 0FF02h                      ; 80 us
        call    opl
        mov     ax, 2104h
        call    opl
        mov     dx, 388h
        mov     cx, 200
.wait:  in      al, dx
        loop    .wait
        and     al, 0E0h
        push    ax
        mov     ax, 6004h
        call    opl
        mov     ax, 8004h
        call    opl
        pop     ax
        cmp     al, 0C0h
        jne     .no
        PRINT   adlib_text
        mov     dx, 388h
        in      al, dx
        test    al, 6
        jnz     .no
        PRINT   opl3_text
.no:    mov     dx, [port]
        add     dx, 4
        mov     al, 22h
        out     dx, al
        inc     dx
        mov     al, 5Ah
        out     dx, al
        in      al, dx
        and     al, 0EEh
        cmp     al, 4Ah
        jne     end
        PRINT   mixer_text
end:    PRINT   end_text
        END     0

; ZF: the DSP at [port] answers.
reset_dsp:
        mov     dx, [port]
        add     dx, 6
        mov     al, 1
        out     dx, al
        mov     cx, 2
        call    pause
        xor     al, al
        out     dx, al
        mov     cx, 14
        call    pause
        add     dx, 8
        in      al, dx
        test    al, 80h
        jz      .no
        sub     dx, 4
        in      al, dx
        cmp     al, 0AAh
        ret
.no:    cmp     al, 0AAh                        ; 7Fh at most: ZF is clear
        ret

pause:  push    ax                              ; CX times 15 us, by the refresh of memory
.next:  in      al, 61h
        and     al, 10h
        cmp     al, ah
        je      .next
        mov     ah, al
        loop    .next
        pop     ax
        ret

command:
        push    ax
        mov     dx, [port]
        add     dx, 0Ch
.busy:  in      al, dx
        test    al, 80h
        jnz     .busy
        pop     ax
        out     dx, al
        ret

answer: mov     dx, [port]
        add     dx, 0Eh
        mov     cx, 0FFFFh
.wait:  in      al, dx
        test    al, 80h
        loopz   .wait
        sub     dx, 4
        in      al, dx
        ret

opl:    mov     dx, 388h                        ; AL: register, AH: value
        out     dx, al
        mov     cx, 6
.short: in      al, dx
        loop    .short
        inc     dx
        mov     al, ah
        out     dx, al
        dec     dx
        mov     cx, 35
.long:  in      al, dx
        loop    .long
        ret

%macro HANDLER 2                                ; line, at the second controller
line_%1:
        push    ax
        push    dx
        mov     byte [cs:irq], %1
        mov     dx, [cs:port]
        add     dx, 0Eh
        in      al, dx
        mov     al, 20h
%if %2
        out     0A0h, al
%endif
        out     20h, al
        pop     dx
        pop     ax
        iret
%endmacro

        HANDLER 5, 0
        HANDLER 7, 0
        HANDLER 9, 1
        HANDLER 10, 1

vectors: dw 0Dh, line_5, 0Fh, line_7, 71h, line_9, 72h, line_10
VECTORS equ ($ - vectors) / 4

find_irq:
        mov     byte [irq], 0
        push    ds
        xor     ax, ax
        mov     es, ax
        mov     si, vectors
        mov     di, old_vectors
        mov     cx, VECTORS
        cli
.set:   lodsw
        mov     bx, ax
        shl     bx, 2
        mov     eax, [es:bx]
        mov     [di], eax
        add     di, 4
        lodsw
        mov     [es:bx], ax
        mov     [es:bx + 2], cs
        loop    .set
        in      al, 21h
        mov     ah, al
        in      al, 0A1h
        mov     [masks], ax
        and     al, ~06h                        ; 9, 10
        out     0A1h, al
        mov     al, ah
        and     al, ~0A4h                       ; 2, 5, 7
        out     21h, al
        sti
        mov     al, 0F2h
        call    command
        mov     cx, 134
        call    pause
        cli
        mov     ax, [masks]
        out     0A1h, al
        mov     al, ah
        out     21h, al
        mov     si, vectors
        mov     di, old_vectors
        mov     cx, VECTORS
.back:  lodsw
        mov     bx, ax
        shl     bx, 2
        lodsw
        mov     eax, [di]
        mov     [es:bx], eax
        add     di, 4
        loop    .back
        sti
        pop     ds
        ret

; All channels are given a few bytes; the one that gets rid of them is it.
find_dma:
        mov     byte [dma], 0FFh
        xor     ebx, ebx
        mov     bx, cs
        shl     ebx, 4
        add     ebx, samples
        in      al, 8                           ; old flags go
        mov     si, channels
.next:  movzx   cx, byte [si]
        cmp     cl, 0FFh
        je      .play
        mov     al, cl
        or      al, 4
        out     0Ah, al
        out     0Ch, al
        mov     al, cl
        or      al, 48h
        out     0Bh, al
        mov     dx, cx
        shl     dx, 1
        mov     al, bl
        out     dx, al
        mov     al, bh
        out     dx, al
        inc     dx
        mov     al, BYTES - 1
        out     dx, al
        xor     al, al
        out     dx, al
        movzx   dx, byte [si + 1]
        mov     eax, ebx
        shr     eax, 16
        out     dx, al
        mov     al, cl
        out     0Ah, al
        add     si, 2
        jmp     .next
.play:  mov     al, 40h
        call    command
        mov     al, 156                         ; 10 kHz
        call    command
        mov     al, 14h
        call    command
        mov     al, BYTES - 1
        call    command
        xor     al, al
        call    command
        mov     cx, 334
        call    pause
        in      al, 8
        mov     ah, al
        mov     dx, [port]
        add     dx, 0Eh
        in      al, dx
        mov     si, channels
.look:  mov     cl, [si]
        cmp     cl, 0FFh
        je      .end
        mov     al, cl                          ; masked again
        or      al, 4
        out     0Ah, al
        mov     al, 1
        shl     al, cl
        test    ah, al
        jz      .other
        mov     [dma], cl
.other: add     si, 2
        jmp     .look
.end:   ret

channels: db 0, 87h, 1, 83h, 3, 82h, 0FFh       ; with their page registers
none_text:  db "no DSP$"
port_text:  db "port $"
dsp_text:   db " DSP $"
irq_text:   db " IRQ $"
dma_text:   db " DMA $"
adlib_text: db " AdLib$"
opl3_text:  db " OPL3$"
mixer_text: db " mixer$"
end_text:   db " end", 13, 10, '$'
port:   dw 0
irq:    db 0
dma:    db 0
masks:  dw 0
samples: times BYTES db 80h
old_vectors:
