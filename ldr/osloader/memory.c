/* SPDX-License-Identifier: MIT
 * The four functions that the compiler and ldr/pe call. Eight bytes at a time: `rep movsb` is slow under TCG.
 */
#include "osloader/osl.h"

void *memcpy(void *Destination, const void *Source, size_t Count)
{
    void *To = Destination;
    const void *From = Source;
    size_t Words = Count / 8, Rest = Count % 8;
    __asm__ volatile("rep movsq\n\tmovq %3, %%rcx\n\trep movsb"
                     : "+D"(To), "+S"(From), "+c"(Words)
                     : "r"(Rest)
                     : "memory");
    return Destination;
}

void *memset(void *Destination, int Value, size_t Count)
{
    void *To = Destination;
    size_t Words = Count / 8, Rest = Count % 8;
    uint64_t Pattern = (uint8_t)Value * 0x0101010101010101ull;
    __asm__ volatile("rep stosq\n\tmovq %3, %%rcx\n\trep stosb"
                     : "+D"(To), "+c"(Words)
                     : "a"(Pattern), "r"(Rest)
                     : "memory");
    return Destination;
}

void *memmove(void *Destination, const void *Source, size_t Count)
{
    uint8_t *To = Destination;
    const uint8_t *From = Source;
    if ((uintptr_t)To - (uintptr_t)From >= Count)
        return memcpy(Destination, Source, Count);
    while (Count-- > 0)
        *(volatile uint8_t *)(To + Count) = From[Count];
    return Destination;
}

int memcmp(const void *A, const void *B, size_t Count)
{
    const volatile uint8_t *First = A;
    const volatile uint8_t *Second = B;
    for (size_t i = 0; i < Count; i++) {
        if (First[i] != Second[i])
            return First[i] - Second[i];
    }
    return 0;
}
