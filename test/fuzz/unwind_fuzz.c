/* SPDX-License-Identifier: MIT
 * The unwinder over hostile unwind data, code bytes, function tables, registers and stacks. Image and stack are heap blocks of
 * exact size: AddressSanitizer sees every read outside. A step that succeeds must have moved RSP upwards within the
 * stack, unless a machine frame set it.
 *
 * Input: 8 bytes (control address 2, handler type 1, RSP slot 1, frame register slot 1, image size 1, flags 2), 4 table entries of
 * 6 bytes, 32 stack bytes, then the image. Flag bit n set: table value n is used as 32 bits with the high half set. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "rtl.h"
#include "rtl/unwind.h"

#define ENTRIES 4
#define SLOTS 32
#define HEADER (8 + ENTRIES * 6 + SLOTS)

static RTL_IMAGE_VIEW View;
static RTL_STACK_LIMITS Limits;

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    (void)PoolType;
    (void)NumberOfBytes;
    (void)Tag;
    abort(); /* the unwinder allocates nothing */
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    UNREFERENCED_PARAMETER(Owner);
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

DECLSPEC_NORETURN VOID RtlRaiseStatus(NTSTATUS Status)
{
    abort();
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    (void)P;
    (void)Tag;
    abort();
}

static BOOLEAN find_image(ULONG64 Address, RTL_IMAGE_VIEW *Image)
{
    *Image = View;
    return Address - View.Base < View.Size;
}

static BOOLEAN find_stack(ULONG64 StackPointer, RTL_STACK_LIMITS *Out)
{
    *Out = Limits;
    return StackPointer >= Limits.Low && StackPointer <= Limits.High;
}

/* What is asked lies within the image; a few addresses cannot be read. */
static BOOLEAN is_readable(ULONG64 Address, ULONG Length)
{
    if (Address - View.Base >= View.Size || View.Size - (Address - View.Base) < Length)
        abort();
    return (Address - View.Base) % 251 != 250;
}

static uint32_t u16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

/* Slot bytes become what unwinding meets: stack addresses, image addresses, odd ones, and small numbers. */
static ULONG64 stack_value(uint8_t byte)
{
    switch (byte & 3) {
    case 0:
        return Limits.Low + (byte >> 2) * 8u;
    case 1:
        return View.Base + (byte >> 2) * 13u;
    case 2:
        return Limits.High - (byte >> 2);
    default:
        return byte;
    }
}

static void fill(const uint8_t *data, RUNTIME_FUNCTION *table, ULONG64 *stack, CONTEXT *context)
{
    uint32_t flags = u16(data + 6);

    for (int i = 0; i < ENTRIES * 3; i++) {
        ULONG value = u16(data + 8 + i * 2) | (flags >> i & 1 ? 0xFFFF0000 : 0);
        memcpy((PUCHAR)table + i * 4, &value, 4);
    }
    for (int i = 0; i < SLOTS; i++)
        stack[i] = stack_value(data[8 + ENTRIES * 6 + i]);
    for (int i = 0; i < 16; i++)
        (&context->Rax)[i] = stack_value((uint8_t)(data[4] + i * 37));
    context->Rsp = Limits.Low + data[3] % (SLOTS + 2) * 8u;
    context->Rip = View.Base + u16(data);
}

static void walk(CONTEXT *context, ULONG handler_type)
{
    ULONG64 rsp = context->Rsp;
    RTLP_UNWIND unwind = {.Image = View, .Stack = Limits, .Context = context};
    RTLP_FRAME frame;
    const RUNTIME_FUNCTION *entry = RtlpFindFunction(&View, (ULONG)(context->Rip - View.Base));

    if (RtlpVirtualUnwind(&unwind, handler_type, context->Rip, entry, &frame) == STATUS_SUCCESS) {
        if (!unwind.MachineFrame && (context->Rsp <= rsp || context->Rsp > Limits.High))
            abort();
        if (frame.Handler != NULL && (ULONG64)(uintptr_t)frame.Handler - View.Base >= View.Size)
            abort();
    }
    for (int i = 0; i < 64 && RtlUnwindOneFrame(context, NULL); i++)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(16) CONTEXT context;

    if (size <= HEADER)
        return 0;
    size_t image_size = size - HEADER;
    UCHAR *image = malloc(image_size);
    RUNTIME_FUNCTION *table = malloc(ENTRIES * sizeof(*table));
    ULONG64 *stack = malloc(SLOTS * 8);

    memcpy(image, data + HEADER, image_size);
    memset(&context, 0, sizeof(context));
    View = (RTL_IMAGE_VIEW){(uintptr_t)image, (ULONG)image_size, table, ENTRIES};
    Limits = (RTL_STACK_LIMITS){(uintptr_t)stack, (uintptr_t)(stack + SLOTS)};
    RtlSetUpcalls(
        &(RTL_UPCALLS){.FindImage = find_image, .FindStack = find_stack, .IsReadable = is_readable});
    fill(data, table, stack, &context);
    walk(&context, data[2]);
    free(stack);
    free(table);
    free(image);
    return 0;
}
