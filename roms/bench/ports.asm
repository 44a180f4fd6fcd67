; Input and output instructions: registers of the 8259, the UART, the DMA pages, the CMOS memory, the
; VGA and the PCI host bridge, by bytes, words and double words.

%define BENCHMARK_NAME "ports"
%include "bench32.inc"

SCRATCH                 equ     COM1 + 7
DMA_PAGE                equ     87h
CMOS_INDEX              equ     70h
CMOS_DATA               equ     71h
CMOS_SHUTDOWN           equ     0Fh
POST_CODE               equ     80h
VGA_SEQUENCER           equ     3C4h
VGA_STATUS              equ     3DAh
PCI_ADDRESS             equ     0CF8h
PCI_DATA                equ     0CFCh
ROUNDS                  equ     REPETITIONS(1500000)

benchmark:
        mov     edi, ROUNDS
        xor     ebx, ebx                        ; checksum
.round:
        xor     eax, eax
        in      al, PIC1_DATA
        out     PIC1_DATA, al
        add     ebx, eax
        mov     edx, SCRATCH
        mov     eax, edi
        out     dx, al
        in      al, dx
        add     ebx, eax
        out     POST_CODE, al
        mov     al, CMOS_SHUTDOWN
        out     CMOS_INDEX, al
        mov     eax, edi
        and     al, 3Fh
        out     CMOS_DATA, al
        mov     al, CMOS_SHUTDOWN
        out     CMOS_INDEX, al
        in      al, CMOS_DATA
        xor     ebx, eax
        mov     edx, DMA_PAGE
        out     dx, al
        in      al, dx
        rol     ebx, 1
        add     ebx, eax
        mov     edx, VGA_SEQUENCER              ; index and data as one word
        mov     ax, 0F02h
        out     dx, ax
        inc     edx
        in      al, dx
        and     eax, 0Fh
        add     ebx, eax
        mov     edx, VGA_STATUS
        in      al, dx                          ; depends on the time
        mov     edx, PCI_ADDRESS
        mov     eax, 80000000h                  ; bus 0, device 0: its vendor and device
        out     dx, eax
        mov     edx, PCI_DATA
        in      eax, dx
        xor     ebx, eax
        dec     edi
        jnz     .round
        mov     al, CMOS_SHUTDOWN
        out     CMOS_INDEX, al
        xor     eax, eax
        out     CMOS_DATA, al
        mov     eax, ebx
        ret

%include "image_end.inc"
