; Nothing: what booting and reporting cost, to be subtracted from the others.

%define BENCHMARK_NAME "empty"
%include "bench32.inc"

benchmark:
        xor     eax, eax
        ret

%include "image_end.inc"
