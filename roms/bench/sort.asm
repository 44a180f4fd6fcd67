; Quicksort (recursive) and heapsort of the same random numbers: unpredictable branches, compares
; with memory operands, calls.

%ifndef BENCHMARK_NAME
%define BENCHMARK_NAME "sort"
%endif
%include "bench32.inc"

COUNT                   equ     65536
ROUNDS                  equ     REPETITIONS(34)

benchmark:
        mov     dword [seed], 12345
        mov     dword [rounds_left], ROUNDS
        mov     dword [checksum], 0
.round:
        push    dword [seed]
        call    fill
        mov     esi, ARENA
        mov     edi, ARENA + (COUNT - 1) * 4
        call    quicksort
        call    add_checksum
        pop     dword [seed]                    ; the same numbers again
        call    fill
        call    heapsort
        call    add_checksum
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, [checksum]
        ret

fill:
        mov     eax, [seed]
        xor     ecx, ecx
.next:  RANDOM_NEXT eax
        mov     edx, eax
        shr     edx, 4
        mov     [ARENA + ecx * 4], edx
        inc     ecx
        cmp     ecx, COUNT
        jb      .next
        mov     [seed], eax
        ret

; Sorts the numbers from address ESI to address EDI, both included (Hoare's partition).
quicksort:
        cmp     esi, edi
        jae     .done
        push    esi
        push    edi
        mov     eax, esi                        ; pivot from the middle
        add     eax, edi
        rcr     eax, 1
        and     eax, -4
        mov     eax, [eax]
.forward:
        cmp     [esi], eax
        jae     .backward
        add     esi, 4
        jmp     .forward
.backward:
        cmp     [edi], eax
        jbe     .compare
        sub     edi, 4
        jmp     .backward
.compare:
        cmp     esi, edi
        ja      .split
        mov     ecx, [esi]
        mov     edx, [edi]
        mov     [esi], edx
        mov     [edi], ecx
        add     esi, 4
        sub     edi, 4
        cmp     esi, edi
        jbe     .forward
.split:
        pop     ebx                             ; the end
        pop     edx                             ; the beginning
        push    esi
        push    ebx
        mov     esi, edx
        call    quicksort
        pop     edi
        pop     esi
        jmp     quicksort
.done:  ret

heapsort:
        mov     esi, COUNT / 2
.build: dec     esi
        js      .built
        push    esi
        mov     edi, COUNT
        call    sift_down
        pop     esi
        jmp     .build
.built: mov     edi, COUNT
.take:  dec     edi
        jz      .done
        mov     eax, [ARENA]
        xchg    eax, [ARENA + edi * 4]
        mov     [ARENA], eax
        xor     esi, esi
        call    sift_down
        jmp     .take
.done:  ret

; Lets the number at index ESI sink in the heap of EDI numbers.
sift_down:
        mov     eax, [ARENA + esi * 4]
.level: lea     ecx, [esi * 2 + 1]
        cmp     ecx, edi
        jae     .place
        mov     edx, [ARENA + ecx * 4]
        lea     ebx, [ecx + 1]
        cmp     ebx, edi
        jae     .chosen
        cmp     [ARENA + ebx * 4], edx
        jbe     .chosen
        mov     ecx, ebx
        mov     edx, [ARENA + ecx * 4]
.chosen:
        cmp     edx, eax
        jbe     .place
        mov     [ARENA + esi * 4], edx
        mov     esi, ecx
        jmp     .level
.place: mov     [ARENA + esi * 4], eax
        ret

add_checksum:
        mov     eax, [checksum]
        xor     ecx, ecx
.next:  rol     eax, 3
        add     eax, [ARENA + ecx * 4]
        inc     ecx
        cmp     ecx, COUNT
        jb      .next
        mov     [checksum], eax
        ret

        NEW_PAGE
seed                    dd      0
checksum                dd      0
rounds_left             dd      0

%include "image_end.inc"
