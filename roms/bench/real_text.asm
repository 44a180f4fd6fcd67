; Real mode: text on the screen as DOS programs write it. Strings by a service behind an interrupt,
; straight into B800:0, with a cursor, scrolling, windows saved and restored; numbers made by divisions.

%define BENCHMARK_NAME "real_text"
%include "bench16.inc"

TEXT_SEGMENT            equ     0B800h
SAVE_SEGMENT            equ     4000h
COLUMNS                 equ     80
LINES                   equ     25
SERVICE                 equ     61h
ROUNDS                  equ     REPETITIONS(2500)

        bits    16
benchmark:
        cli
        mov     word [SERVICE * 4], service
        mov     word [SERVICE * 4 + 2], 0
        sti
        cld
        mov     ax, 3
        int     10h
        mov     dword [rounds_left], ROUNDS
        mov     word [cursor], 0
        xor     ebp, ebp                        ; checksum
.round:
        mov     si, message
        mov     ah, 1
        int     SERVICE
        mov     eax, [rounds_left]
        mov     ah, 2
        int     SERVICE
        mov     ah, 3
        int     SERVICE
        test    byte [rounds_left], 7
        jnz     .next
        call    open_window
.next:  dec     dword [rounds_left]
        jnz     .round
        push    es
        mov     ax, TEXT_SEGMENT
        mov     es, ax
        xor     si, si
        mov     cx, COLUMNS * LINES / 2
.sum:   add     ebp, [es:si]
        rol     ebp, 1
        add     si, 4
        loop    .sum
        pop     es
        mov     eax, ebp
        ret

; AH = 1: writes the text at DS:SI up to its zero; 2: writes AL as decimal digits; 3: next line.
service:
        push    bx
        push    cx
        push    dx
        push    si
        push    di
        push    es
        mov     dx, TEXT_SEGMENT
        mov     es, dx
        mov     bl, ah
        xor     bh, bh
        add     bx, bx
        call    [services + bx]
        pop     es
        pop     di
        pop     si
        pop     dx
        pop     cx
        pop     bx
        iret

write_text:
        lodsb
        test    al, al
        jz      .done
        call    write_character
        jmp     write_text
.done:  ret

write_number:
        xor     ah, ah
        mov     cx, 3
        mov     bl, 10
.digit: div     bl
        add     ah, '0'
        push    ax
        xor     ah, ah
        loop    .digit
        mov     cx, 3
.write: pop     ax
        mov     al, ah
        push    cx
        call    write_character
        pop     cx
        loop    .write
nothing:
        ret

; Writes AL at the cursor, with an attribute of its own.
write_character:
        mov     di, [cursor]
        mov     ah, al
        and     ah, 7
        or      ah, 8
        stosw
        mov     [cursor], di
        cmp     di, COLUMNS * LINES * 2
        jb      .done
        call    scroll
.done:  ret

next_line:
        mov     ax, [cursor]
        mov     bl, COLUMNS * 2
        div     bl
        inc     al
        mul     bl
        mov     [cursor], ax
        cmp     ax, COLUMNS * LINES * 2
        jb      .done
        call    scroll
.done:  ret

scroll:
        push    ds
        push    es
        pop     ds
        mov     si, COLUMNS * 2
        xor     di, di
        mov     cx, COLUMNS * (LINES - 1)
        rep movsw
        mov     ax, 0720h
        mov     cx, COLUMNS
        rep stosw
        pop     ds
        mov     word [cursor], COLUMNS * (LINES - 1) * 2
        ret

; Saves ten lines of 40 columns, fills them, changes attributes, and restores them.
open_window:
        push    ds
        push    es
        mov     ax, TEXT_SEGMENT
        mov     ds, ax
        mov     ax, SAVE_SEGMENT
        mov     es, ax
        mov     si, COLUMNS * 2 * 8 + 40
        xor     di, di
        mov     dx, 10
.save:  mov     cx, 40
        rep movsw
        add     si, (COLUMNS - 40) * 2
        dec     dx
        jnz     .save
        push    ds
        pop     es
        mov     di, COLUMNS * 2 * 8 + 40
        mov     dx, 10
.fill:  mov     cx, 40
        mov     ax, 1FB1h
        rep stosw
        add     di, (COLUMNS - 40) * 2
        dec     dx
        jnz     .fill
        mov     di, COLUMNS * 2 * 12 + 41
        mov     cx, 40
.attribute:
        xor     byte [di], 70h                  ; only every second byte
        movzx   eax, word [di]
        add     ebp, eax
        add     di, 2
        loop    .attribute
        mov     ax, SAVE_SEGMENT
        mov     ds, ax
        xor     si, si
        mov     di, COLUMNS * 2 * 8 + 40
        mov     dx, 10
.restore:
        mov     cx, 40
        rep movsw
        add     di, (COLUMNS - 40) * 2
        dec     dx
        jnz     .restore
        pop     es
        pop     ds
        ret

        align   4
rounds_left             dd      0
cursor                  dw      0
services                dw      nothing, write_text, write_number, next_line
message                 db      "The quick brown fox jumps over the lazy dog, line ", 0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
