; Modes of the BIOS, and what the BIOS can do to them, one a key, each filled with a pattern that shows every bit of its
; memory's use. The cursor is off, blinking too. A dot goes to the debug console (E9h) when it is there.
;
;   a text   b 8x8 font   c 8x14 font   d 40 columns   e monochrome   f 200 lines   g 350 lines
;   h 4, i 5, j 6: CGA    k Dh, l Eh, m 10h, n 11h, o 12h: planes     p 13h

%include "boot_sector.inc"

payload_code:
        mov     al, 'a'
show:   sub     al, 'a'
        xor     ah, ah
        mov     bx, ax
        add     bx, bx
        call    [modes + bx]
        mov     dx, 0E9h
        mov     al, '.'
        out     dx, al
next:   xor     ah, ah
        int     16h
        cmp     al, 'a'
        jb      next
        cmp     al, 'p'
        jbe     show
        jmp     next

modes:  dw text, small_font, middle_font, narrow, monochrome, lines_200, lines_350
        dw cga_4, cga_5, cga_6, planes_d, planes_e, planes_10, planes_11, planes_12, bytes_13

; AL: the mode, with 400 lines where it is one of text, or at .lines with what AH of 200, 350 and 400.
set_mode:
        mov     ah, 2
.lines: push    ax
        mov     al, ah
        mov     ah, 12h
        mov     bl, 30h
        int     10h
        pop     ax
        xor     ah, ah
        int     10h
        mov     ah, 1                           ; no cursor
        mov     cx, 2000h
        int     10h
        mov     ax, 1003h                       ; bright backgrounds, no blinking
        xor     bl, bl
        int     10h
        ret

; Each character with each attribute in turn, at segment ES.
fill_text:
        xor     di, di
        xor     ax, ax
.cell:  stosw
        inc     al
        jnz     .same
        inc     ah
.same:  add     ah, 17
        cmp     di, 4096 * 2
        jb      .cell
        ret

text:   mov     al, 3
fill_colour_text:
        call    set_mode
fill_b800:
        mov     ax, 0B800h
        mov     es, ax
        jmp     fill_text
narrow: mov     al, 1
        jmp     fill_colour_text
small_font:
        mov     si, 1112h
        jmp     with_font
middle_font:
        mov     si, 1111h
with_font:
        mov     al, 3
        call    set_mode
        mov     ax, si
        xor     bl, bl
        int     10h
        mov     ah, 1
        mov     cx, 2000h
        int     10h
        jmp     fill_b800
monochrome:
        mov     al, 7
        call    set_mode
        mov     ax, 0B000h
        mov     es, ax
        jmp     fill_text
lines_200:
        mov     ax, 0003h
        call    set_mode.lines
        jmp     fill_b800
lines_350:
        mov     ax, 0103h
        call    set_mode.lines
        jmp     fill_b800

cga_4:  mov     al, 4
        jmp     fill_cga
cga_5:  mov     al, 5
        jmp     fill_cga
cga_6:  mov     al, 6
fill_cga:
        call    set_mode
        mov     ax, 0B800h
        mov     es, ax
        xor     di, di
.byte:  mov     ax, di
        add     al, ah
        stosb
        cmp     di, 4000h
        jb      .byte
        ret

planes_d:
        mov     al, 0Dh
        jmp     fill_planes
planes_e:
        mov     al, 0Eh
        jmp     fill_planes
planes_10:
        mov     al, 10h
        jmp     fill_planes
planes_11:
        mov     al, 11h
        jmp     fill_planes
planes_12:
        mov     al, 12h
fill_planes:
        call    set_mode
        mov     ax, 0A000h
        mov     es, ax
        mov     cx, 4
.plane: mov     dx, 3C4h                        ; map mask
        mov     ax, 1002h
        shr     ah, cl
        out     dx, ax
        xor     di, di
.byte:  mov     ax, di
        add     al, ah
        rol     al, cl
        stosb
        test    di, di
        jnz     .byte
        loop    .plane
        mov     ax, 0F02h
        out     dx, ax
        ret

bytes_13:
        mov     al, 13h
        call    set_mode
        mov     ax, 0A000h
        mov     es, ax
        xor     di, di
.byte:  mov     ax, di
        add     al, ah
        stosb
        test    di, di
        jnz     .byte
        ret

%include "image_end.inc"
