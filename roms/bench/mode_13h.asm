; Drawing in mode 13h, 320 by 200 in 256 colours, a byte a pixel: filled rectangles, lines, a picture
; with transparent pixels, scrolling, and a whole picture copied from a buffer.

%define BENCHMARK_NAME "mode_13h"
%define VIDEO_MODE 13h
%include "bench32.inc"

SCREEN                  equ     0A0000h
WIDTH                   equ     320
HEIGHT                  equ     200
BUFFER                  equ     ARENA
SPRITE                  equ     ARENA + 20000h
SPRITE_SIZE             equ     32
ROUNDS                  equ     REPETITIONS(50000)

benchmark:
        mov     eax, 99
        xor     ecx, ecx
.sprite:
        RANDOM_NEXT eax
        mov     edx, eax
        shr     edx, 24
        test    dl, 3                           ; a quarter is transparent
        jz      .transparent
        mov     [SPRITE + ecx], dl
.transparent:
        inc     ecx
        cmp     ecx, SPRITE_SIZE * SPRITE_SIZE
        jb      .sprite
        mov     [seed], eax
        mov     dword [rounds_left], ROUNDS
        xor     ebx, ebx                        ; checksum
.round:
        call    random_position
        call    draw_rectangle
        call    random_position
        call    draw_sprite
        call    random_position
        call    draw_line
        test    dword [rounds_left], 15
        jnz     .next
        call    scroll
        call    copy_buffer
.next:  dec     dword [rounds_left]
        jnz     .round
        mov     esi, SCREEN
        mov     ecx, WIDTH * HEIGHT / 4
.sum:   lodsd
        rol     ebx, 5
        add     ebx, eax
        dec     ecx
        jnz     .sum
        mov     eax, ebx
        ret

; Out: EDI = address of a pixel at least 64 from the right and the bottom, AL = a colour.
random_position:
        mov     eax, [seed]
        RANDOM_NEXT eax
        mov     [seed], eax
        mov     edi, eax
        shr     edi, 25                         ; 0 to 127
        imul    edi, edi, WIDTH
        movzx   edx, ah
        lea     edi, [edi + edx + SCREEN]
        shr     eax, 16
        ret

draw_rectangle:
        mov     edx, 48
.line:  mov     ecx, 56
        rep stosb
        add     edi, WIDTH - 56
        dec     edx
        jnz     .line
        ret

draw_sprite:
        mov     esi, SPRITE
        mov     edx, SPRITE_SIZE
.line:  mov     ecx, SPRITE_SIZE
.pixel: mov     al, [esi]
        test    al, al
        jz      .skip
        mov     [edi], al
.skip:  inc     esi
        inc     edi
        dec     ecx
        jnz     .pixel
        add     edi, WIDTH - SPRITE_SIZE
        dec     edx
        jnz     .line
        ret

; Bresenham's line, 60 pixels to the right and 37 down, mixed with what is there.
draw_line:
        mov     ecx, 60
        mov     edx, 30
.pixel: xor     [edi], al
        add     bl, [edi]
        inc     edi
        sub     edx, 37
        jns     .same
        add     edi, WIDTH
        add     edx, 60
.same:  dec     ecx
        jnz     .pixel
        ret

scroll:
        mov     esi, SCREEN + WIDTH
        mov     edi, SCREEN
        mov     ecx, WIDTH * (HEIGHT - 1) / 4
        rep movsd
        ret

; A picture made pixel by pixel in memory, shown at once.
copy_buffer:
        mov     edi, BUFFER
        mov     ecx, WIDTH * HEIGHT
        mov     eax, [seed]
.pixel: add     eax, ecx
        mov     [edi], ah
        inc     edi
        dec     ecx
        jnz     .pixel
        mov     esi, BUFFER + WIDTH * 50
        mov     edi, SCREEN + WIDTH * 50
        mov     ecx, WIDTH * 50 / 4
        rep movsd
        ret

        NEW_PAGE
seed                    dd      0
rounds_left             dd      0

%include "image_end.inc"
