/* SPDX-License-Identifier: MIT
 * The test kernel's entry, its output, and the checks of the block itself. */
#include "testkrnl.h"

#include "screen/screen.h"

#define COM1 0x3f8
#define EXIT_PORT 0xf4
#define EXIT_PASS 0x10 /* QEMU's status: 0x21 */
#define EXIT_FAIL 0x11

uint64_t DirectMapBase;
static uint32_t Failures;
static SCREEN Screen;

void TestStart(LOADER_BLOCK *Block);
void *memcpy(void *To, const void *From, size_t Count);
void *memset(void *To, int Value, size_t Count);
int memcmp(const void *A, const void *B, size_t Count);

void *memcpy(void *To, const void *From, size_t Count)
{
    for (size_t i = 0; i < Count; i++)
        ((volatile uint8_t *)To)[i] = ((const uint8_t *)From)[i];
    return To;
}

void *memset(void *To, int Value, size_t Count)
{
    for (size_t i = 0; i < Count; i++)
        ((volatile uint8_t *)To)[i] = (uint8_t)Value;
    return To;
}

static void OutByte(uint16_t Port, uint8_t Value)
{
    __asm__ volatile("outb %0, %1" : : "a"(Value), "Nd"(Port));
}

static void Write(const char *Text)
{
    for (; *Text; Text++)
        OutByte(COM1, (uint8_t)*Text);
}

static void WriteNumber(uint64_t Value)
{
    char Digits[17] = {0};
    for (int i = 15; i >= 0; i--, Value >>= 4)
        Digits[i] = "0123456789abcdef"[Value & 15];
    Write(Digits);
}

void TellText(const char *Key, const char *Value)
{
    Write(Key);
    Write("=");
    Write(Value);
    Write("\n");
}

void Tell(const char *Key, uint64_t Value)
{
    Write(Key);
    Write("=");
    WriteNumber(Value);
    Write("\n");
}

bool CheckValue(bool Good, const char *What, uint64_t Value)
{
    if (!Good) {
        Failures++;
        Write("FAIL ");
        Write(What);
        Write(": ");
        WriteNumber(Value);
        Write("\n");
    }
    return Good;
}

bool Check(bool Good, const char *What)
{
    return CheckValue(Good, What, 0);
}

static void TellBlock(const LOADER_BLOCK *Block)
{
    Tell("protocol", Block->BootProtocol);
    TellText("command line", (const char *)(uintptr_t)Block->CommandLine);
    Tell("seed", Block->Seed);
    Tell("kernel", Block->Images[0].Base);
    Tell("direct map", Block->DirectMapLength);
    Tell("direct map base", Block->DirectMapBase);
    Tell("recursive slot", Block->RecursiveSlot);
    Tell("rsdp", Block->Rsdp);
    Tell("efi", Block->EfiSystemTable);
    Tell("screen", Block->Screen.Type);
}

static void CheckBlock(const LOADER_BLOCK *Block)
{
    Check(Block->Magic == LOADER_BLOCK_MAGIC, "block magic");
    Check(Block->Version == LOADER_BLOCK_VERSION, "block version");
    Check(Block->Size == sizeof(*Block), "block size");
    Check(Block->ImageCount == 2, "image count");
    Check(Block->StackLength == 32 * 1024, "stack length");
    uint64_t Here = (uintptr_t)__builtin_frame_address(0);
    CheckValue(Here < Block->StackTop && Here > Block->StackTop - 4096, "on the block's stack", Here);
    CheckValue(Block->StackTop % 16 == 0, "stack alignment", Block->StackTop);
    if (Check(Block->Rsdp != 0, "ACPI root pointer found"))
        Check(memcmp(Direct(Block->Rsdp), "RSD PTR ", 8) == 0, "ACPI root pointer signature");
    bool Uefi = Block->BootProtocol == LoaderBootMultiboot2Uefi;
    CheckValue((Block->EfiSystemTable != 0) == Uefi, "EFI system table", Block->EfiSystemTable);
}

static void ShowResult(const LOADER_BLOCK *Block)
{
    uint64_t Size = ScreenGlassSize(&Block->Screen);
    if (Size == 0)
        return;
    CheckValue(Block->Screen.Base + Size <= Block->DirectMapLength, "screen is in the direct map",
               Block->Screen.Base);
    if (ScreenInit(&Screen, &Block->Screen, Direct(Block->Screen.Base), Block->Screen.CursorRow))
        ScreenWrite(&Screen, Failures ? ScreenError : ScreenBold, "test kernel: done\n", 18);
}

int memcmp(const void *A, const void *B, size_t Count)
{
    for (size_t i = 0; i < Count; i++) {
        if (((const volatile uint8_t *)A)[i] != ((const volatile uint8_t *)B)[i])
            return 1;
    }
    return 0;
}

void TestStart(LOADER_BLOCK *Block)
{
    DirectMapBase = Block->DirectMapBase;
    CheckBlock(Block);
    CheckProcessorState(Block);
    CheckMemoryMap(Block);
    CheckAddressSpace(Block);
    CheckImages(Block);
    CheckArchive(Block);
    CheckBinding(Block);
    TellBlock(Block);
    ShowResult(Block);
    Write(Failures ? "test kernel: FAILED\n" : "test kernel: passed\n");
    OutByte(EXIT_PORT, Failures ? EXIT_FAIL : EXIT_PASS);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
