; Shifts and rotates by CL (counts of zero among them), double shifts, and work on AH, BH, CH, DH.

%define BENCHMARK_NAME "shifts"
%include "bench32.inc"

ROUNDS                  equ     REPETITIONS(80000000)

benchmark:
        mov     edi, ROUNDS
        mov     eax, 12345678h
        mov     edx, 9ABCDEF0h
        mov     ebx, 0F0E1D2C3h
        xor     esi, esi
.round:
        mov     ecx, eax                        ; counts that depend on data
        shr     ecx, 3
        rol     edx, cl
        xor     edx, eax
        shl     eax, cl
        adc     esi, eax
        sar     ebx, cl
        adc     ebx, edx
        shld    eax, edx, cl
        mov     cl, dh
        shrd    edx, ebx, cl
        rcl     bx, 1
        mov     ch, al
        add     ah, dl
        xor     bh, ah
        adc     dh, ch
        xchg    bl, bh
        sub     ch, bh
        movzx   ebp, ch
        add     esi, ebp
        movzx   ebp, ah
        lea     eax, [eax + ebp * 4 + 1]
        ror     esi, 5
        dec     edi
        jnz     .round
        xor     eax, edx
        xor     eax, ebx
        add     eax, esi
        ret

%include "image_end.inc"
