; Scenes of what software does with a VGA, one a key:
;
;   1  palette bars: the background changes every 16 scan lines, another colour each frame
;   2  split screen: the upper part scrolls by the start address, the lower stands
;   3  mode X, 320x240 in 256 colours, unchained
;   4  360x480 in 256 colours
;   5  CGA, 320x200 in 4 colours, another palette and background with each further 5
;   6  640x350 in 16 colours
;   7  wobble: the panning changes every 8 scan lines
;
; Registers as in IBM's manual; waits poll input status 1 as old programs do.

%include "boot_sector.inc"

STATUS          equ     3DAh
SEQUENCER       equ     3C4h
GRAPHICS        equ     3CEh
CRTC            equ     3D4h
ATTRIBUTE       equ     3C0h

payload_code:
        mov     byte [scene], '1'
        jmp     start_scene
next:   mov     ah, 1
        int     16h
        jz      scene_goes_on
        xor     ah, ah
        int     16h
        sub     al, '1'
        cmp     al, 7
        jae     scene_goes_on
        add     al, '1'
        mov     [scene], al
start_scene:
        xor     bx, bx
        mov     bl, [scene]
        sub     bl, '1'
        add     bx, bx
        jmp     [scenes + bx]
scene_goes_on:
        jmp     [again]


; ---- Waits ----

wait_retrace:                                   ; for its beginning
        mov     dx, STATUS
.over:  in      al, dx
        test    al, 8
        jnz     .over
.until: in      al, dx
        test    al, 8
        jz      .until
        ret

wait_display:                                   ; for the first line of the picture
        mov     dx, STATUS
.until: in      al, dx
        test    al, 1
        jnz     .until
        ret

; For the end of CX lines: the last ends when this returns.
wait_lines:
        mov     dx, STATUS
.shown: in      al, dx
        test    al, 1
        jnz     .shown
.blank: in      al, dx
        test    al, 1
        jz      .blank
        loop    .shown
        ret

; ---- Registers ----

; DAC entry AL = red BL, green BH, blue 0.
set_colour:
        mov     dx, 3C8h
        out     dx, al
        inc     dx
        mov     al, bl
        out     dx, al
        mov     al, bh
        out     dx, al
        xor     al, al
        out     dx, al
        ret

; Entry i = (i mod 64, i / 4, 63 - i mod 64).
set_palette:
        xor     cx, cx
.entry: mov     dx, 3C8h
        mov     al, cl
        out     dx, al
        inc     dx
        and     al, 3Fh
        out     dx, al
        mov     al, cl
        shr     al, 2
        out     dx, al
        mov     al, cl
        not     al
        and     al, 3Fh
        out     dx, al
        inc     cl
        jnz     .entry
        ret

; Words (index, value) at SI up to 0 for the port DX.
set_registers:
        lodsw
        test    ax, ax
        jz      .done
        out     dx, ax
        jmp     set_registers
.done:  ret

set_mode:
        xor     ah, ah
        int     10h
        mov     ax, 0A000h
        mov     es, ax
        xor     di, di
        ret

; ---- 1: palette bars ----

palette_bars:
        mov     al, 13h
        call    set_mode
        mov     byte [frame], 0
        mov     word [again], .frame
.frame: cli                                     ; an interrupt could take a line
        call    wait_retrace
        inc     byte [frame]
        mov     bl, [frame]
        mov     bh, 0
        call    .set
        call    wait_display
        mov     si, 24
.bar:   mov     cx, 16
        call    wait_lines
        inc     bl
        inc     bh
        call    .set
        dec     si
        jnz     .bar
        sti
        jmp     next
.set:   and     bl, 3Fh
        xor     al, al
        jmp     set_colour

; ---- 2: split screen ----

; Row r of memory has colour r mod 16. The split comes after line 299; its rows are 0 and on.
split_screen:
        mov     al, 0Dh
        call    set_mode
        mov     dx, SEQUENCER
        mov     bx, 0
.row:   mov     ax, 0F02h
        out     dx, ax
        mov     dx, GRAPHICS                    ; the colour by set/reset
        mov     ah, bl
        and     ah, 0Fh
        xor     al, al
        out     dx, ax
        mov     ax, 0F01h
        out     dx, ax
        mov     cx, 20
        rep     stosw
        mov     dx, SEQUENCER
        inc     bx
        cmp     bx, 1000
        jb      .row
        mov     dx, CRTC
        mov     si, .registers
        call    set_registers
        mov     word [scroll], 100
        mov     word [again], .frame
.frame: call    wait_display                    ; the address is taken over at the next retrace
        inc     word [scroll]
        cmp     word [scroll], 500
        jb      .set
        mov     word [scroll], 100
.set:   imul    bx, [scroll], 40
        mov     dx, CRTC
        mov     al, 0Ch
        mov     ah, bh
        out     dx, ax
        inc     al
        mov     ah, bl
        out     dx, ax
        call    wait_retrace
        jmp     next
.registers:                                     ; line compare 299 = 12Bh
        dw      2B18h, 1F07h, 8009h, 0

; ---- 3 and 4: unchained modes ----

; Pixel (x, y) is (x + 3 y) mod 256. BP = bytes of a line in a plane, SI = lines.
draw_unchained:
        mov     byte [plane], 0
.plane: mov     cl, [plane]
        mov     ax, 0102h
        shl     ah, cl
        mov     dx, SEQUENCER
        out     dx, ax
        xor     di, di
        xor     bx, bx                          ; y
.line:  mov     ax, bx
        add     ax, bx
        add     ax, bx
        add     al, [plane]
        mov     cx, bp
.byte:  stosb
        add     al, 4
        loop    .byte
        inc     bx
        cmp     bx, si
        jb      .line
        inc     byte [plane]
        cmp     byte [plane], 4
        jb      .plane
        ret

unchain:
        mov     al, 13h
        call    set_mode
        call    set_palette
        mov     dx, SEQUENCER
        mov     ax, 0604h
        out     dx, ax
        mov     dx, CRTC
        mov     ax, 2C11h                       ; the first registers are no longer protected
        out     dx, ax
        ret

mode_x: call    unchain
        mov     dx, 3C2h
        mov     al, 0E3h
        out     dx, al
        mov     dx, CRTC
        mov     si, .registers
        call    set_registers
        mov     bp, 80
        mov     si, 240
        call    draw_unchained
        jmp     still
.registers:
        dw      0D06h, 3E07h, 4109h, 0EA10h, 2C11h, 0DF12h, 0014h, 0E715h, 0616h, 0E317h, 0

mode_360:
        call    unchain
        mov     dx, 3C2h
        mov     al, 0E7h                        ; the faster clock
        out     dx, al
        mov     dx, CRTC
        mov     si, .registers
        call    set_registers
        mov     bp, 90
        mov     si, 480
        call    draw_unchained
        jmp     still
.registers:
        dw      6B00h, 5901h, 5A02h, 8E03h, 5E04h, 8A05h, 0D06h, 3E07h, 4009h, 0EA10h, 0AC11h
        dw      0DF12h, 2D13h, 0014h, 0E715h, 0616h, 0E317h, 0

still:  mov     word [again], next
        jmp     next

; ---- 5: CGA ----

; Line y has (y / 2) mod 4 in all its pixels.
cga:    mov     al, 04h
        call    set_mode
        mov     ax, 0B800h
        mov     es, ax
        xor     bx, bx
.line:  mov     ax, bx
        shr     ax, 1
        mov     di, ax
        imul    di, di, 80
        test    bl, 1
        jz      .even
        add     di, 2000h
.even:  and     ax, 3
        imul    ax, ax, 5555h
        mov     cx, 40
        rep     stosw
        inc     bx
        cmp     bx, 200
        jb      .line
        inc     byte [palette]
        mov     bl, [palette]                   ; the background: 1, 2 ..., bright ones from 16 on
        and     bl, 1Fh
        mov     bh, 0
        mov     ah, 0Bh
        int     10h
        mov     bl, [palette]
        and     bl, 1
        mov     bh, 1
        mov     ah, 0Bh
        int     10h
        jmp     still

; ---- 6: 640x350 ----

; Line y has the colour y mod 16.
ega:    mov     al, 10h
        call    set_mode
        mov     dx, GRAPHICS
        mov     ax, 0F01h
        out     dx, ax
        xor     bx, bx
.line:  mov     ah, bl
        and     ah, 0Fh
        xor     al, al
        out     dx, ax
        mov     cx, 40
        rep     stosw
        inc     bx
        cmp     bx, 350
        jb      .line
        jmp     still

; ---- 7: wobble ----

; Pixels 8 to 15 of each line are white; block b of eight lines is shifted by b mod 8.
wobble: mov     al, 12h
        call    set_mode
        mov     di, 1
        mov     cx, 480
.line:  mov     byte [es:di], 0FFh
        add     di, 80
        loop    .line
        mov     word [again], .frame
.frame: cli
        call    wait_retrace
        xor     bl, bl
        call    .set
        call    wait_display
        mov     si, 59
.block: mov     cx, 8
        call    wait_lines
        inc     bl
        and     bl, 7
        call    .set
        dec     si
        jnz     .block
        sti
        jmp     next
.set:   mov     dx, STATUS
        in      al, dx
        mov     dx, ATTRIBUTE
        mov     al, 33h
        out     dx, al
        mov     al, bl
        out     dx, al
        ret

scenes          dw      palette_bars, split_screen, mode_x, mode_360, cga, ega, wobble
again           dw      next
scroll          dw      0
scene           db      0
frame           db      0
plane           db      0
palette         db      0

%include "image_end.inc"
