; Short stretches with interrupts off, as kernels have them: CLI and STI, PUSHF and POPF around a counter
; and a queue, and software interrupts to a handler of the same ring.

%define BENCHMARK_NAME "interrupt_flag"
%include "bench32.inc"

QUEUE_ENTRIES           equ     64
SERVICE                 equ     2Fh
ROUNDS                  equ     REPETITIONS(11000000)

benchmark:
        mov     eax, service
        mov     [IDT_ADDRESS + SERVICE * 8], ax
        shr     eax, 16
        mov     [IDT_ADDRESS + SERVICE * 8 + 6], ax
        xor     ebx, ebx
        xor     esi, esi
        mov     edi, ROUNDS
.round:
        cli
        mov     eax, [counter]
        add     eax, edi
        mov     [counter], eax
        sti
        call    put_in_queue
        call    take_from_queue
        add     ebx, eax
        test    edi, 7
        jnz     .next
        int     SERVICE
.next:  dec     edi
        jnz     .round
        mov     eax, ebx
        xor     eax, [counter]
        ret

; Puts EAX into the queue.
put_in_queue:
        pushfd
        cli
        mov     ecx, [queue_in]
        mov     [queue + ecx * 4], eax
        inc     ecx
        and     ecx, QUEUE_ENTRIES - 1
        mov     [queue_in], ecx
        popfd
        ret

; Out: EAX.
take_from_queue:
        pushfd
        cli
        mov     ecx, [queue_out]
        mov     eax, [queue + ecx * 4]
        inc     ecx
        and     ecx, QUEUE_ENTRIES - 1
        mov     [queue_out], ecx
        popfd
        ret

service:
        rol     ebx, 1
        inc     dword [counter]
        iretd

        NEW_PAGE
counter                 dd      0
queue_in                dd      0
queue_out               dd      0
queue                   times   QUEUE_ENTRIES dd 0

%include "image_end.inc"
