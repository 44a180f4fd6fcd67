; The graphics page: VBE, 640 by 480 in 32 bits, in a linear frame buffer. A picture behind, balls
; that bounce by the timer, and a cross for the pointer.

GRAPHICS_WIDTH          equ     640
GRAPHICS_HEIGHT         equ     480
GRAPHICS_ROW            equ     GRAPHICS_WIDTH * 4
BACKGROUND              equ     120000h         ; above the page tables, and with FRAME below 4 MiB
FRAME                   equ     250000h
VBE_INFO                equ     6000h
VBE_MODE_INFO           equ     6400h
VBE_OK                  equ     004Fh
VBE_LINEAR              equ     4000h
VBE_MODE_HAS_LINEAR     equ     80h
BALL_SIZE               equ     40
BALL_COUNT              equ     5
POINTER_ARM             equ     10
TITLE_SCALE             equ     5
TITLE_X                 equ     180
TITLE_Y                 equ     60

        bits    32
graphics_page_show:
        cmp     byte [graphics_shown], 0
        jne     .done
        call    vbe_find_mode
        jc      .none
        mov     dword [bios_eax], 4F02h
        movzx   eax, word [vbe_mode]
        or      eax, VBE_LINEAR
        mov     [bios_ebx], eax
        mov     al, 10h
        call    bios_call
        cmp     word [bios_eax], VBE_OK
        jne     .none
        mov     byte [graphics_shown], 1
        mov     eax, [VBE_MODE_INFO + 28h]      ; PhysBasePtr
        mov     [frame_buffer], eax
        mov     edx, eax
        mov     ecx, [frame_pitch]
        imul    ecx, ecx, GRAPHICS_HEIGHT
        add     ecx, PAGE_SIZE - 1
        shr     ecx, 12
        call    paging_map
        call    draw_background
        call    graphics_page_frame
        mov     esi, graphics_text
        jmp     serial_print
.none:  mov     esi, no_graphics_text
        jmp     serial_print
.done:  ret

; Looks through the BIOS's list for the mode; CF set when it has none.
vbe_find_mode:
        mov     dword [VBE_INFO], "VBE2"
        mov     dword [bios_eax], 4F00h
        mov     dword [bios_edi], VBE_INFO
        mov     word [bios_es], 0
        mov     al, 10h
        call    bios_call
        cmp     word [bios_eax], VBE_OK
        jne     .none
        movzx   esi, word [VBE_INFO + 10h]      ; VideoModePtr, a far pointer
        shl     esi, 4
        movzx   eax, word [VBE_INFO + 0Eh]
        add     esi, eax
.next:  movzx   ecx, word [esi]
        add     esi, 2
        cmp     cx, -1
        je      .none
        mov     [vbe_mode], cx
        mov     [bios_ecx], ecx
        mov     dword [bios_eax], 4F01h
        mov     dword [bios_edi], VBE_MODE_INFO
        mov     word [bios_es], 0
        mov     al, 10h
        call    bios_call
        cmp     word [bios_eax], VBE_OK
        jne     .next
        test    byte [VBE_MODE_INFO], VBE_MODE_HAS_LINEAR
        jz      .next
        cmp     word [VBE_MODE_INFO + 12h], GRAPHICS_WIDTH
        jne     .next
        cmp     word [VBE_MODE_INFO + 14h], GRAPHICS_HEIGHT
        jne     .next
        cmp     byte [VBE_MODE_INFO + 19h], 32
        jne     .next
        movzx   eax, word [VBE_MODE_INFO + 10h] ; BytesPerScanLine
        mov     [frame_pitch], eax
        clc
        ret
.none:  stc
        ret

; Blends blue and green over the picture, and writes the name large, from the BIOS's font.
draw_background:
        mov     edi, BACKGROUND
        xor     edx, edx
.row:   xor     ecx, ecx
.pixel: mov     eax, edx
        shr     eax, 1                          ; blue grows downwards
        mov     ebx, ecx
        shr     ebx, 3
        mov     ah, bl                          ; green to the right
        mov     ebx, ecx
        xor     ebx, edx
        and     ebx, 40h                        ; a chequered red
        shl     ebx, 14
        or      eax, ebx
        stosd
        inc     ecx
        cmp     ecx, GRAPHICS_WIDTH
        jb      .pixel
        inc     edx
        cmp     edx, GRAPHICS_HEIGHT
        jb      .row
        mov     dword [bios_eax], 1130h         ; the 8 by 16 font
        mov     dword [bios_ebx], 0600h
        mov     al, 10h
        call    bios_call
        movzx   eax, word [bios_es]
        shl     eax, 4
        movzx   ecx, word [bios_ebp]
        add     eax, ecx
        mov     [font], eax
        mov     esi, title_text
        mov     edi, BACKGROUND + TITLE_Y * GRAPHICS_ROW + TITLE_X * 4
.character:
        lodsb
        test    al, al
        jz      .done
        call    draw_character
        add     edi, 8 * TITLE_SCALE * 4
        jmp     .character
.done:  ret

; Draws the character AL at address EDI, TITLE_SCALE times as large as its font.
draw_character:
        pushad
        movzx   esi, al
        shl     esi, 4
        add     esi, [font]
        mov     ch, 16
.row:   mov     ah, [esi]
        inc     esi
        mov     bh, TITLE_SCALE
.line:  mov     dl, 80h
        push    edi
.bit:   mov     bl, TITLE_SCALE
.dot:   test    ah, dl
        jz      .clear
        mov     dword [edi], 0FFFFFFh
.clear: add     edi, 4
        dec     bl
        jnz     .dot
        shr     dl, 1
        jnz     .bit
        pop     edi
        add     edi, GRAPHICS_ROW
        dec     bh
        jnz     .line
        dec     ch
        jnz     .row
        popad
        ret

; Draws one picture in memory and shows it, at most once a tick.
graphics_page_frame:
        mov     eax, [timer_ticks]
        cmp     eax, [frame_tick]
        je      .done
        mov     [frame_tick], eax
        mov     esi, BACKGROUND
        mov     edi, FRAME
        mov     ecx, GRAPHICS_WIDTH * GRAPHICS_HEIGHT
        rep movsd
        mov     ebp, balls
.ball:  call    move_ball
        call    draw_ball
        add     ebp, 20
        cmp     ebp, balls + BALL_COUNT * 20
        jb      .ball
        call    draw_pointer
        mov     esi, FRAME
        mov     edi, [frame_buffer]
        mov     edx, GRAPHICS_HEIGHT
.row:   mov     ecx, GRAPHICS_WIDTH
        rep movsd
        add     edi, [frame_pitch]
        sub     edi, GRAPHICS_ROW
        dec     edx
        jnz     .row
.done:  ret

; Ball EBP: x, y, speeds of both, colour.
move_ball:
        mov     eax, [ebp]
        add     eax, [ebp + 8]
        cmp     eax, GRAPHICS_WIDTH - BALL_SIZE ; unsigned: left of zero is beyond, too
        jb      .keep_x
        neg     dword [ebp + 8]
        mov     eax, [ebp]
.keep_x:
        mov     [ebp], eax
        mov     eax, [ebp + 4]
        add     eax, [ebp + 12]
        cmp     eax, GRAPHICS_HEIGHT - BALL_SIZE
        jb      .keep_y
        neg     dword [ebp + 12]
        mov     eax, [ebp + 4]
.keep_y:
        mov     [ebp + 4], eax
        ret

; Every pixel of the square whose distance from the middle is below the radius.
draw_ball:
        imul    edi, [ebp + 4], GRAPHICS_ROW
        mov     eax, [ebp]
        lea     edi, [edi + eax * 4 + FRAME]
        mov     esi, -(BALL_SIZE / 2)             ; vertical distance
.row:   mov     ecx, -(BALL_SIZE / 2)
.pixel: mov     eax, ecx
        imul    eax, ecx
        mov     edx, esi
        imul    edx, esi
        add     eax, edx
        cmp     eax, (BALL_SIZE / 2) * (BALL_SIZE / 2)
        jae     .outside
        mov     eax, [ebp + 16]
        mov     [edi], eax
.outside:
        add     edi, 4
        inc     ecx
        cmp     ecx, BALL_SIZE / 2
        jl      .pixel
        add     edi, GRAPHICS_ROW - BALL_SIZE * 4
        inc     esi
        cmp     esi, BALL_SIZE / 2
        jl      .row
        ret

; A white cross; what would lie outside the picture is left out.
draw_pointer:
        mov     ecx, -POINTER_ARM
.next:  mov     eax, [pointer_x]
        add     eax, ecx
        mov     edx, [pointer_y]
        call    draw_dot
        mov     eax, [pointer_x]
        mov     edx, [pointer_y]
        add     edx, ecx
        call    draw_dot
        inc     ecx
        cmp     ecx, POINTER_ARM
        jle     .next
        ret

draw_dot:
        cmp     eax, GRAPHICS_WIDTH
        jae     .done
        cmp     edx, GRAPHICS_HEIGHT
        jae     .done
        imul    edx, edx, GRAPHICS_WIDTH
        add     eax, edx
        mov     dword [FRAME + eax * 4], 0FFFFFFh
.done:  ret

        align   4
balls:
        dd      40, 200, 3, 2, 0E04040h
        dd      500, 300, -2, 3, 40E040h
        dd      300, 250, 2, -2, 4040E0h
        dd      150, 400, -3, -1, 0E0E040h
        dd      420, 180, 1, 3, 0E040E0h
frame_buffer            dd      0
frame_pitch             dd      0
frame_tick              dd      0
font                    dd      0
vbe_mode                dw      0
graphics_shown          db      0
title_text              db      "Reprise", 0
graphics_text           db      "REPRISE DEMO GRAPHICS", 13, 10, 0
no_graphics_text        db      "REPRISE DEMO HAS NO VBE MODE 640x480x32", 13, 10, 0
