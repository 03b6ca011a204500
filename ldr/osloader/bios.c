/* SPDX-License-Identifier: MIT
 * What a PC BIOS leaves in low memory: the video mode and the ACPI root pointer (RSDP). */
#include "osloader/osl.h"

#define BDA_EBDA_SEGMENT 0x40eu
#define BDA_VIDEO_MODE 0x449u
#define BDA_VIDEO_COLUMNS 0x44au
#define EGA_TEXT_BASE 0xb8000u
#define RSDP_SCAN_FIRST 0xe0000u
#define RSDP_SCAN_END 0x100000u
#define RSDP_V1_LENGTH 20u
#define RSDP_V2_LENGTH 36u

static uint16_t ReadLow16(uintptr_t Address)
{
    return *(const volatile uint16_t *)Address;
}

void OslFindTextScreen(LOADER_SCREEN *Screen)
{
    uint8_t Mode = *(const volatile uint8_t *)(uintptr_t)BDA_VIDEO_MODE;
    if ((Mode != 2 && Mode != 3) || ReadLow16(BDA_VIDEO_COLUMNS) != 80)
        return;
    Screen->Type = LoaderScreenText;
    Screen->Base = EGA_TEXT_BASE;
    Screen->Width = 80;
    Screen->Height = 25;
    Screen->Pitch = 160;
    Screen->BitsPerPixel = 16;
}

static bool SumIsZero(const uint8_t *Bytes, uint32_t Length)
{
    uint8_t Sum = 0;
    for (uint32_t i = 0; i < Length; i++)
        Sum = (uint8_t)(Sum + Bytes[i]);
    return Sum == 0;
}

/* [ACPI 6.5, section 5.2.5.3] The length of the RSDP at Bytes, of which Room are readable; 0 if it is none.
 */
static uint32_t RsdpLength(const uint8_t *Bytes, uint64_t Room)
{
    if (Room < RSDP_V1_LENGTH || memcmp(Bytes, "RSD PTR ", 8) != 0 || !SumIsZero(Bytes, RSDP_V1_LENGTH))
        return 0;
    if (Bytes[15] < 2)
        return RSDP_V1_LENGTH;
    if (Room < RSDP_V2_LENGTH)
        return 0;
    uint32_t Length = Bytes[20] | (uint32_t)Bytes[21] << 8;
    bool Plausible = Length >= RSDP_V2_LENGTH && Length <= Room && !Bytes[22] && !Bytes[23];
    return Plausible && SumIsZero(Bytes, Length) ? Length : 0;
}

/* [ACPI 6.5, section 5.2.5.1] On a multiple of 16. */
static uint64_t Scan(uint64_t First, uint64_t End)
{
    for (uint64_t At = (First + 15) & ~15ull; At + RSDP_V1_LENGTH <= End; At += 16) {
        if (RsdpLength((const uint8_t *)(uintptr_t)At, End - At))
            return At;
    }
    return 0;
}

static uint64_t KeepCopy(const OSL_BOOT_INFO *Boot, uint32_t Length)
{
    void *Page = OslClaim(Boot->Map, OSL_PAGE_SIZE, LoaderMemoryAcpiReclaim, "the ACPI root pointer");
    memcpy(Page, Boot->RsdpCopy, Length);
    return (uint64_t)(uintptr_t)Page;
}

uint64_t OslFindRsdp(const OSL_BOOT_INFO *Boot)
{
    const uint8_t *Told = Boot->Rsdp ? OslPhysicalPointer(Boot->Rsdp, RSDP_V2_LENGTH) : NULL;
    if (Told && RsdpLength(Told, RSDP_V2_LENGTH))
        return Boot->Rsdp;
    uint32_t CopyLength = Boot->RsdpCopy ? RsdpLength(Boot->RsdpCopy, Boot->RsdpCopyLength) : 0;
    if (CopyLength)
        return KeepCopy(Boot, CopyLength);
    if (Boot->Protocol == LoaderBootMultiboot2Uefi)
        return 0;
    uint64_t Ebda = (uint64_t)ReadLow16(BDA_EBDA_SEGMENT) << 4;
    uint64_t Found = Ebda >= 0x400 && Ebda <= 0x9fc00 ? Scan(Ebda, Ebda + 1024) : 0;
    return Found ? Found : Scan(RSDP_SCAN_FIRST, RSDP_SCAN_END);
}
