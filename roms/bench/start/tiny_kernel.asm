; The smallest Multiboot kernel: ends the emulator by the debug-exit device (iobase 501h, exit status 33).

LOAD_ADDRESS            equ     100000h
MULTIBOOT_MAGIC         equ     1BADB002h
MULTIBOOT_ADDRESSES     equ     10000h
DEBUG_EXIT_PORT         equ     501h
EXIT_DONE               equ     16

        cpu     386
        bits    32
        org     LOAD_ADDRESS
header: dd      MULTIBOOT_MAGIC, MULTIBOOT_ADDRESSES
        dd      0FFFFFFFFh & -(MULTIBOOT_MAGIC + MULTIBOOT_ADDRESSES)
        dd      header, LOAD_ADDRESS, image_end, image_end, start
start:  mov     dx, DEBUG_EXIT_PORT
        mov     al, EXIT_DONE
        out     dx, al
        hlt
        jmp     start
image_end:
