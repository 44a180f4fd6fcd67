; Fibonacci and Takeuchi numbers by plain recursion: CALL, RET, PUSH and POP, little else.

%ifndef BENCHMARK_NAME
%define BENCHMARK_NAME "recursion"
%endif
%include "bench32.inc"

ROUNDS                  equ     REPETITIONS(600)

benchmark:
        mov     ebp, ROUNDS
        xor     ebx, ebx
.round:
        mov     eax, 23
        call    fibonacci
        rol     ebx, 3
        add     ebx, eax
        push    dword 6
        push    dword 12
        push    dword 18
        call    takeuchi
        add     esp, 12
        xor     ebx, eax
        dec     ebp
        jnz     .round
        mov     eax, ebx
        ret

; EAX = the EAXth Fibonacci number, arguments in a register.
fibonacci:
        cmp     eax, 2
        jb      .done
        push    eax
        dec     eax
        call    fibonacci
        pop     ecx
        push    eax
        lea     eax, [ecx - 2]
        call    fibonacci
        pop     ecx
        add     eax, ecx
.done:  ret

; EAX = takeuchi(x, y, z), arguments on the stack and a frame, as compilers without optimisation do.
takeuchi:
        push    ebp
        mov     ebp, esp
        mov     eax, [ebp + 16]                 ; z
        mov     ecx, [ebp + 12]                 ; y
        mov     edx, [ebp + 8]                  ; x
        cmp     ecx, edx
        jge     .done
        push    ecx                             ; takeuchi(z - 1, x, y)
        push    edx
        dec     eax
        push    eax
        call    takeuchi
        mov     [esp + 8], eax                  ; the third argument of the outer call
        mov     eax, [ebp + 8]                  ; takeuchi(y - 1, z, x)
        push    eax
        push    dword [ebp + 16]
        mov     eax, [ebp + 12]
        dec     eax
        push    eax
        call    takeuchi
        add     esp, 12
        mov     [esp + 4], eax
        push    dword [ebp + 16]                ; takeuchi(x - 1, y, z)
        push    dword [ebp + 12]
        mov     eax, [ebp + 8]
        dec     eax
        push    eax
        call    takeuchi
        add     esp, 12
        mov     [esp], eax
        call    takeuchi
        add     esp, 12
.done:  pop     ebp
        ret

%include "image_end.inc"
