; A ROM in place of the BIOS whose first instructions send a byte on COM1 and end the emulator by the
; debug-exit device (iobase 501h, exit status 33).

ROM_BYTES               equ     10000h
RESET_OFFSET            equ     0FFF0h
COM1                    equ     3F8h
DEBUG_EXIT_PORT         equ     501h
EXIT_DONE               equ     16

        cpu     386
        bits    16
        times   RESET_OFFSET db 0F4h            ; HLT
        mov     dx, COM1
        mov     al, '!'
        out     dx, al
        mov     dx, DEBUG_EXIT_PORT
        mov     al, EXIT_DONE
        out     dx, al
        hlt
        times   ROM_BYTES - ($ - $$) db 0F4h
