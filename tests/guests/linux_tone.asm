; A program for Linux (i386) that plays two seconds of 441 Hz, 16 bits, stereo at 44100 Hz, on /dev/dsp.
; nasm -f bin -o linux_tone linux_tone.asm
        bits 32
        org 0x08048000

ehdr:   db 0x7F, "ELF", 1, 1, 1, 0
        times 8 db 0
        dw 2, 3
        dd 1, _start, phdr - ehdr, 0, 0
        dw 52, 32, 1, 0, 0, 0
phdr:   dd 1, 0, ehdr, ehdr, file_end - ehdr, memory_end - ehdr, 7, 0x1000

SYS_EXIT equ 1
SYS_WRITE equ 4
SYS_OPEN equ 5
SYS_IOCTL equ 54
O_RDWR equ 2
O_WRONLY equ 1
MIXER_WRITE_VOLUME equ 0xC0044D00
MIXER_WRITE_PCM equ 0xC0044D04
DSP_SPEED equ 0xC0045002
DSP_SETFMT equ 0xC0045005
DSP_CHANNELS equ 0xC0045006
DSP_SYNC equ 0x5001
AFMT_S16_LE equ 0x10
FRAMES equ 44100
FRAME_BYTES equ 4

_start:
        mov ebx, mixer_name
        mov ecx, O_RDWR
        call open
        mov ecx, MIXER_WRITE_VOLUME
        mov edx, 0x6464
        call control
        mov ecx, MIXER_WRITE_PCM
        mov edx, 0x4646         ; 70 %: more amplifies on some codecs
        call control
        mov ebx, dsp_name
        mov ecx, O_WRONLY
        call open
        mov ecx, DSP_SETFMT
        mov edx, AFMT_S16_LE
        call control
        mov ecx, DSP_CHANNELS
        mov edx, 2
        call control
        mov ecx, DSP_SPEED
        mov edx, 44100
        call control
        call make_tone
        call play
        call play
        mov ecx, DSP_SYNC
        mov edx, 0
        call control
        xor ebx, ebx
exit:
        mov eax, SYS_EXIT
        int 0x80

; EBX name, ECX flags -> EBX file
open:
        mov eax, SYS_OPEN
        xor edx, edx
        int 0x80
        test eax, eax
        js failed
        mov ebx, eax
        ret
failed:
        neg eax
        mov ebx, eax
        jmp exit

; EBX file, ECX request, EDX its argument
control:
        push edx
        mov [argument], edx
        mov edx, argument
        mov eax, SYS_IOCTL
        int 0x80
        pop edx
        test eax, eax
        js failed
        ret

; Periods of 100 frames: 20000 * sin(2 pi n / 100).
make_tone:
        xor ecx, ecx
        mov edi, samples
.next:
        mov [argument], ecx
        fild dword [argument]
        fldpi
        fmulp
        fidiv dword [half_period]
        fsin
        fimul dword [loudness]
        fistp dword [argument]
        mov ax, [argument]
        stosw
        stosw
        inc ecx
        cmp ecx, FRAMES
        jb .next
        ret

play:
        mov ecx, samples
        mov edx, FRAMES * FRAME_BYTES
.more:
        mov eax, SYS_WRITE
        int 0x80
        test eax, eax
        js failed
        add ecx, eax
        sub edx, eax
        jnz .more
        ret

mixer_name db "/dev/mixer", 0
dsp_name db "/dev/dsp", 0
        align 4
half_period dd 50
loudness dd 20000
argument dd 0
file_end:
        absolute $
samples resb FRAMES * FRAME_BYTES
memory_end:
