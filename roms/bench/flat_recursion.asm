; The benchmark `recursion` with paging off, as simple kernels and some DOS extenders run.

%define BENCHMARK_NAME "flat_recursion"
%define WITHOUT_PAGING
%include "recursion.asm"
