; The text screen, 80 by 25, written directly.

TEXT_MEMORY             equ     0B8000h
TEXT_COLUMNS            equ     80
TEXT_ROWS               equ     25

        bits    32

; Fills the screen with blanks of the attribute AH.
console_clear:
        mov     al, " "
        mov     edi, TEXT_MEMORY
        mov     ecx, TEXT_COLUMNS * TEXT_ROWS
        rep stosw
        ret

; Fills row EAX with blanks of the attribute BL.
console_bar:
        imul    edi, eax, TEXT_COLUMNS * 2
        add     edi, TEXT_MEMORY
        mov     ah, bl
        mov     al, " "
        mov     ecx, TEXT_COLUMNS
        rep stosw
        ret

; Goes on at row AH, column AL, with the attribute BL.
console_goto:
        movzx   ecx, ah
        imul    ecx, ecx, TEXT_COLUMNS
        movzx   eax, al
        add     ecx, eax
        lea     ecx, [TEXT_MEMORY + ecx * 2]
        mov     [console_cursor], ecx
        mov     [console_attribute], bl
        ret

; Writes the character AL. All registers are kept.
console_put:
        push    edi
        push    eax
        mov     edi, [console_cursor]
        cmp     edi, TEXT_MEMORY + TEXT_COLUMNS * TEXT_ROWS * 2
        jae     .done
        mov     ah, [console_attribute]
        stosw
        mov     [console_cursor], edi
.done:  pop     eax
        pop     edi
        ret

; Writes the text at ESI up to its zero.
console_print:
        lodsb
        test    al, al
        jz      .done
        call    console_put
        jmp     console_print
.done:  ret

; Writes the low BL hexadecimal digits of EAX.
console_print_hex:
        movzx   ecx, bl
        mov     edx, eax
.digit: dec     ecx
        js      .done
        mov     eax, edx
        shl     ecx, 2
        shr     eax, cl
        shr     ecx, 2
        and     eax, 0Fh
        mov     al, [hex_digits + eax]
        call    console_put
        jmp     .digit
.done:  ret

; Writes EAX in decimal.
console_print_decimal:
        mov     ebx, 10
        xor     ecx, ecx
.divide:
        xor     edx, edx
        div     ebx
        push    edx
        inc     ecx
        test    eax, eax
        jnz     .divide
.digit: pop     eax
        add     al, "0"
        call    console_put
        loop    .digit
        ret

        align   4
console_cursor          dd      TEXT_MEMORY
console_attribute       db      07h
