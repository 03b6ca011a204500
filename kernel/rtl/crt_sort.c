/* SPDX-License-Identifier: MIT
 * qsort and bsearch [ISO C 7.22.5]. Heap sort: no recursion, no memory, and no order of elements that makes it slow. */
#include "crt.h"

typedef struct _RTLP_SORT {
    char *Base;
    size_t Width;
    int(__cdecl *Compare)(const void *, const void *);
} RTLP_SORT;

static VOID RtlpSwapElements(const RTLP_SORT *Sort, size_t a, size_t b)
{
    char *x = Sort->Base + a * Sort->Width, *y = Sort->Base + b * Sort->Width;

    for (size_t i = 0; i < Sort->Width; i++) {
        char Keep = x[i];
        x[i] = y[i];
        y[i] = Keep;
    }
}

static BOOLEAN RtlpIsLess(const RTLP_SORT *Sort, size_t a, size_t b)
{
    return Sort->Compare(Sort->Base + a * Sort->Width, Sort->Base + b * Sort->Width) < 0;
}

/* Lets the element at Root go down in the heap of Count elements. */
static VOID RtlpSiftDown(const RTLP_SORT *Sort, size_t Root, size_t Count)
{
    for (size_t Child; (Child = 2 * Root + 1) < Count; Root = Child) {
        if (Child + 1 < Count && RtlpIsLess(Sort, Child, Child + 1))
            Child++;
        if (!RtlpIsLess(Sort, Root, Child))
            return;
        RtlpSwapElements(Sort, Root, Child);
    }
}

void __cdecl qsort(void *Base, size_t Count, size_t Width, int(__cdecl *Compare)(const void *, const void *))
{
    RTLP_SORT Sort = {Base, Width, Compare};

    for (size_t i = Count / 2; i-- > 0;)
        RtlpSiftDown(&Sort, i, Count);
    while (Count > 1) {
        RtlpSwapElements(&Sort, 0, --Count);
        RtlpSiftDown(&Sort, 0, Count);
    }
}

void *__cdecl bsearch(const void *Key, const void *Base, size_t Count, size_t Width,
                      int(__cdecl *Compare)(const void *, const void *))
{
    const char *Low = Base;

    while (Count > 0) {
        const char *Middle = Low + Count / 2 * Width;
        int Order = Compare(Key, Middle);
        if (Order == 0)
            return (void *)Middle;
        if (Order > 0) {
            Low = Middle + Width;
            Count--;
        }
        Count /= 2;
    }
    return NULL;
}
