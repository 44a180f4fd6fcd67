; A boot sector that does what VMware's tools do with the clipboard: it waits for a text of the
; host's, prints it on the serial port, and copies it back with other letters: all in lower case
; become capitals. Then it waits for the next one.

        org     7C00h
        bits    16

%include "vmware_port.inc"

GET_LENGTH      equ     6
GET_PIECE       equ     7
SET_LENGTH      equ     8
SET_PIECE       equ     9
SERIAL          equ     3F8h
BUFFER          equ     8000h

start:  cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 7C00h
        mov     si, ready
        call    print
.wait:  CALL_PORT GET_LENGTH, 0
        cmp     eax, -1
        je      .wait
        mov     ebp, eax                        ; bytes
        mov     di, BUFFER
        lea     esi, [eax + 3]
        shr     esi, 2                          ; pieces
        push    si
.get:   CALL_PORT GET_PIECE, 0
        stosd
        dec     si
        jnz     .get
        mov     byte [BUFFER + bp], 0
        mov     si, BUFFER
        call    print
        mov     si, BUFFER
.letter: lodsb
        cmp     al, 'a'
        jb      .other
        cmp     al, 'z'
        ja      .other
        sub     byte [si - 1], 20h
.other: test    al, al
        jnz     .letter
        CALL_PORT SET_LENGTH, ebp
        pop     di
        mov     si, BUFFER
.put:   mov     ebp, [si]
        CALL_PORT SET_PIECE, ebp
        add     si, 4
        dec     di
        jnz     .put
        mov     si, copied
        call    print
        jmp     .wait

print:  lodsb
        test    al, al
        jz      .end
        mov     ah, al
        mov     dx, SERIAL + 5
.wait:  in      al, dx
        test    al, 20h                         ; it takes another byte
        jz      .wait
        mov     al, ah
        mov     dx, SERIAL
        out     dx, al
        jmp     print
.end:   ret

ready:  db      "clipboard is ready", 10, 0
copied: db      10, "copied", 10, 0

        times   510 - ($ - $$) db 0
        dw      0AA55h
