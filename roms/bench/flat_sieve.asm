; The benchmark `sieve` with paging off, as simple kernels and some DOS extenders run.

%define BENCHMARK_NAME "flat_sieve"
%define WITHOUT_PAGING
%include "sieve.asm"
