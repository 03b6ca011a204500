/* SPDX-License-Identifier: MIT */
/* Private to ldr/pe: checked access to the bytes of an image, and errors. Nothing here trusts an RVA or a
 * size. */
#ifndef PE_PEI_H
#define PE_PEI_H

#include "pe/pe.h"
#include "pe/pe_format.h"

#define PEI_PAGE_SIZE 0x1000u
#define PEI_MAX_IMAGE_SIZE 0x7FFF0000u /* RVAs have 31 bits: import thunks use the others */
#define PEI_MAX_SECTIONS 96u           /* [PE Format] the loader limits the number of sections to 96 */
#define PEI_MAX_STRING 4096u           /* longest name, with its NUL */

/* An argument for %llx and %llu: uint64_t is another type on each of our targets. */
#define PEI_U(Value) ((unsigned long long)(Value))

/* Fills Error (if any) with the sentence and returns Status. Format knows %s (cleaned of what is not
 * printable), %u, %llu and %llx. Offset is kept as the place of the fault. */
PE_STATUS PeiFail(PE_ERROR *Error, PE_STATUS Status, uint64_t Offset, const char *Format, ...)
    __attribute__((format(printf, 4, 5)));

static inline uint16_t PeiLoad16(const uint8_t *Bytes)
{
    return (uint16_t)(Bytes[0] | (Bytes[1] << 8));
}

static inline uint32_t PeiLoad32(const uint8_t *Bytes)
{
    uint32_t Value;
    __builtin_memcpy(&Value, Bytes, sizeof Value);
    return Value;
}

static inline uint64_t PeiLoad64(const uint8_t *Bytes)
{
    uint64_t Value;
    __builtin_memcpy(&Value, Bytes, sizeof Value);
    return Value;
}

static inline void PeiStore64(uint8_t *Bytes, uint64_t Value)
{
    __builtin_memcpy(Bytes, &Value, sizeof Value);
}

/* True if [Offset, Offset+Size) lies in [0, Limit). */
static inline bool PeiFits(uint64_t Offset, uint64_t Size, uint64_t Limit)
{
    return Offset <= Limit && Size <= Limit - Offset;
}

/* True if [A, A+ASize) and [B, B+BSize) share a byte. The sums must not overflow (32-bit parts never do). */
static inline bool PeiOverlap(uint64_t A, uint64_t ASize, uint64_t B, uint64_t BSize)
{
    return A < B + BSize && B < A + ASize;
}

static inline bool PeiIsPowerOfTwo(uint32_t Value)
{
    return Value != 0 && (Value & (Value - 1)) == 0;
}

/* Alignment is a power of two. */
static inline uint64_t PeiAlignUp(uint64_t Value, uint64_t Alignment)
{
    return (Value + Alignment - 1) & ~(Alignment - 1);
}

/* Copies Size (at most 128) bytes at Rva. Bytes of a section that its file data does not reach are zero, as
 * they are once mapped. False if they do not lie in one section or the headers. */
bool PeiRead(const PE_IMAGE *Image, uint64_t Rva, void *Out, uint32_t Size);

/* A NUL-terminated string at Rva that ends inside the same section within PEI_MAX_STRING bytes, or NULL. */
const char *PeiString(const PE_IMAGE *Image, uint64_t Rva);

/* Bytes that can be read on from Rva in one piece; *Bytes points there. 0 if there are none. */
uint64_t PeiAvailable(const PE_IMAGE *Image, uint64_t Rva, const uint8_t **Bytes);

/* Where the bytes of an RVA are, for PE_ERROR.Offset: the file offset in files (the RVA if it has none). */
uint64_t PeiOffset(const PE_IMAGE *Image, uint64_t Rva);

void PeiReadSectionHeader(const PE_IMAGE *Image, uint32_t Index, PEF_SECTION_HEADER *Header);
void PeiDescribeSection(const PE_IMAGE *Image, const PEF_SECTION_HEADER *Header, PE_SECTION *Section);
PE_STATUS PeiCheckSections(PE_IMAGE *Image, uint32_t Flags, PE_ERROR *Error);

/* The kind of file and the machine: PE_OK with the header's offset, or the sentence that says what it is
 * instead. */
PE_STATUS PeiCheckSignature(const uint8_t *Bytes, uint64_t Length, uint32_t *HeaderOffset, PE_ERROR *Error);
PE_STATUS PeiCheckMachine(uint16_t Machine, uint64_t Offset, PE_ERROR *Error);
PE_STATUS PeiCheckNotArm64ec(const PE_IMAGE *Image, PE_ERROR *Error);

PE_STATUS PeiCheckDirectories(PE_IMAGE *Image, PE_ERROR *Error);

/* The export at an index of the address table or of the name table; PE_NOT_FOUND if it is a hole (RVA 0). The
 * first one leaves Name and Hint to its caller. */
PE_STATUS PeiTakeFunction(const PE_EXPORTS *Exports, uint32_t Function, PE_EXPORT *Export, PE_ERROR *Error);
PE_STATUS PeiTakeNamed(const PE_EXPORTS *Exports, uint32_t Index, PE_EXPORT *Export, PE_ERROR *Error);

/* The bytes of the first version resource; PE_NOT_FOUND if there is none. */
PE_STATUS PeiFindVersionResource(const PE_IMAGE *Image, const uint8_t **Data, uint32_t *Size,
                                 PE_ERROR *Error);

/* Strings: no libc here. */
size_t PeiLength(const char *Text);

static inline int PeiCompare(const char *A, const char *B)
{
    while (*A == *B && *A != '\0') {
        A++;
        B++;
    }
    return (int)(uint8_t)*A - (int)(uint8_t)*B;
}

#endif
