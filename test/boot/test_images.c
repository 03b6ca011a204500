/* SPDX-License-Identifier: MIT
 * The loaded images: page protections against the section table, relocation, binding, cookie; and the
 * archive. */
#include "testkrnl.h"

#include "cpio/cpio.h"

#define SECTION_EXECUTE 0x20000000u
#define SECTION_READ 0x40000000u
#define SECTION_WRITE 0x80000000u
#define DEFAULT_COOKIE 0x00002B992DDFA232ull

/* Forwarded by hal.dll to TestReturnSeven below; and a function of hal.dll that calls TestReturnSeven by
 * import. */
__declspec(dllimport) int HalForwarded(void);
__declspec(dllimport) int HalAddOne(void);
__declspec(dllexport) int TestReturnSeven(void);

uint64_t __security_cookie = DEFAULT_COOKIE;

/* [PE Format, The Load Configuration Structure] as far as the security cookie. */
typedef struct LOAD_CONFIG {
    uint32_t Size;
    uint8_t Skipped[84];
    uint64_t SecurityCookie;
} LOAD_CONFIG;
_Static_assert(offsetof(LOAD_CONFIG, SecurityCookie) == 0x58, "LOAD_CONFIG.SecurityCookie");
const LOAD_CONFIG _load_config_used = {.Size = sizeof(LOAD_CONFIG),
                                       .SecurityCookie = (uintptr_t)&__security_cookie};

static int Target = 1234;
static int *volatile PointerToTarget = &Target; /* needs a relocation */
static uint8_t ZeroedData[20000];

int TestReturnSeven(void)
{
    return 7;
}

static uint32_t Read32(const uint8_t *At)
{
    uint32_t Value;
    __builtin_memcpy(&Value, At, 4);
    return Value;
}

static uint32_t CharacteristicsOf(const uint8_t *Base, uint32_t Rva)
{
    const uint8_t *Header = Base + Read32(Base + 0x3c);
    uint32_t Count = Header[6] | (uint32_t)Header[7] << 8;
    const uint8_t *Section = Header + 24 + (Header[20] | (uint32_t)Header[21] << 8);
    for (uint32_t i = 0; i < Count; i++, Section += 40) {
        uint32_t Start = Read32(Section + 12);
        uint32_t Size = (Read32(Section + 8) + 4095) & ~4095u;
        if (Rva >= Start && Rva - Start < Size)
            return Read32(Section + 36);
    }
    return Rva < 4096 ? SECTION_READ : 0;
}

static void CheckPages(const LOADER_BLOCK *Block, const LOADER_IMAGE *Image)
{
    for (uint32_t Rva = 0; Rva < Image->Size; Rva += 4096) {
        uint64_t PageSize = 0;
        uint64_t Leaf = WalkTables(Block->PageTableRoot, Image->Base + Rva, &PageSize);
        uint32_t Wanted = CharacteristicsOf((const uint8_t *)(uintptr_t)Image->Base, Rva);
        if (Wanted == 0) {
            CheckValue(Leaf == 0, "a gap of an image is not mapped", Image->Base + Rva);
            continue;
        }
        CheckValue((Leaf & PTE_ADDRESS) == Image->Physical + Rva && PageSize == 4096, "image page",
                   Image->Base + Rva);
        CheckValue(!(Leaf & PTE_WRITE) == !(Wanted & SECTION_WRITE), "image page is writable",
                   Image->Base + Rva);
        CheckValue(!(Leaf & PTE_NO_EXECUTE) == !!(Wanted & SECTION_EXECUTE), "image page is executable",
                   Image->Base + Rva);
    }
    uint64_t PageSize;
    Check(WalkTables(Block->PageTableRoot, Image->Base + Image->Size, &PageSize) == 0,
          "nothing behind an image");
    Check(WalkTables(Block->PageTableRoot, Image->Base - 4096, &PageSize) == 0, "nothing before an image");
}

static bool TextEquals(const char *A, const char *B)
{
    while (*A && *A == *B) {
        A++;
        B++;
    }
    return *A == *B;
}

void CheckImages(const LOADER_BLOCK *Block)
{
    Check(TextEquals(Block->Images[0].Name, "ntoskrnl.exe"), "name of image 0");
    Check(TextEquals(Block->Images[1].Name, "hal.dll"), "name of image 1");
    for (uint32_t i = 0; i < 2; i++) {
        const LOADER_IMAGE *Image = &Block->Images[i];
        CheckValue(Image->Base >= LOADER_IMAGE_BASE && Image->Base % 0x10000 == 0, "image base", Image->Base);
        CheckPages(Block, Image);
    }
    const LOADER_IMAGE *Kernel = &Block->Images[0];
    uint64_t Here = (uintptr_t)CheckImages;
    CheckValue(Here > Kernel->Base && Here < Kernel->Base + Kernel->Size, "this code runs inside image 0",
               Here);
    CheckValue(Kernel->Entry > Kernel->Base && Kernel->Entry < Kernel->Base + Kernel->Size, "entry",
               Kernel->Entry);
}

void CheckBinding(const LOADER_BLOCK *Block)
{
    const LOADER_IMAGE *Hal = &Block->Images[1];
    Check(PointerToTarget == &Target && *PointerToTarget == 1234, "relocated pointer");
    for (size_t i = 0; i < sizeof(ZeroedData); i++) {
        if (!Check(((volatile uint8_t *)ZeroedData)[i] == 0, "zeroed data"))
            break;
    }
    Check(HalForwarded() == 7, "import of a forwarder");
    Check(HalAddOne() == 8, "import of a function that imports back");
    uint64_t Cookie = *(volatile uint64_t *)&__security_cookie;
    CheckValue(Cookie != DEFAULT_COOKIE && Cookie != 0 && Cookie >> 48 == 0, "security cookie", Cookie);
    uint64_t Add = (uintptr_t)HalAddOne;
    CheckValue(Add > Hal->Base && Add < Hal->Base + Hal->Size, "hal's function lies in hal.dll", Add);
    Tell("cookie", Cookie);
}

void CheckArchive(const LOADER_BLOCK *Block)
{
    const void *Archive = (const void *)(uintptr_t)Block->Archive;
    CPIO_ENTRY Entry;
    CPIO_ERROR Error;
    CPIO_STATUS Status =
        CpioFind(Archive, Block->ArchiveLength, "Windows/System32/ntoskrnl.exe", false, &Entry, &Error);
    if (Check(Status == CpioFound, "the archive has the kernel"))
        Check(Entry.Data[0] == 'M' && Entry.Data[1] == 'Z', "the kernel's file is a PE");
    Status = CpioFind(Archive, Block->ArchiveLength, "pattern.bin", false, &Entry, &Error);
    if (!Check(Status == CpioFound, "the archive has pattern.bin"))
        return;
    for (uint32_t i = 0; i < Entry.Size; i++) {
        if (!CheckValue(Entry.Data[i] == (uint8_t)(i * 7 + (i >> 8)), "pattern.bin is intact", i))
            break;
    }
}
