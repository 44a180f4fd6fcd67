; The benchmark `sort` with paging off, as simple kernels and some DOS extenders run.

%define BENCHMARK_NAME "flat_sort"
%define WITHOUT_PAGING
%include "sort.asm"
