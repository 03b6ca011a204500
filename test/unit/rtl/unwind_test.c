/* SPDX-License-Identifier: MIT
 * The unwinder with crafted unwind data: every operation, version 2 epilogs, chains, machine frames, and
 * damage of every kind, which must end in a status. Images and stacks are heap blocks of exact size, so that
 * AddressSanitizer sees any read outside. test/unit/rtl/step_test.c does the same with compiled code. */
#include "rtl_test.h"
#include "rtl/unwind.h"

#define IMAGE_SIZE 0x400
#define XDATA 0x200
#define CHAINED 0x240
#define STACK_SLOTS 64
#define CALLER 0x11223344

typedef struct _WORLD {
    UCHAR *Image;
    RUNTIME_FUNCTION Function; /* [0x10, 0x90), unwind info at XDATA */
    ULONG64 *Stack;
    CONTEXT *Context;
    RTLP_UNWIND Unwind;
    RTLP_FRAME Frame;
    KNONVOLATILE_CONTEXT_POINTERS Pointers;
} WORLD;

static BOOLEAN FindNone(ULONG64 Address, RTL_IMAGE_VIEW *Image)
{
    (void)Address;
    (void)Image;
    return FALSE;
}

static ULONG64 Unreadable; /* an address that IsReadable refuses */

static BOOLEAN IsReadable(ULONG64 Address, ULONG Length)
{
    assert_int_not_equal(Length, 0);
    return Unreadable - Address >= Length;
}

static int setup(void **state)
{
    WORLD *w = calloc(1, sizeof(*w));
    w->Image = malloc(IMAGE_SIZE);
    memset(w->Image, 0x90, IMAGE_SIZE);
    w->Stack = malloc(STACK_SLOTS * 8);
    w->Context = aligned_alloc(16, sizeof(CONTEXT));
    memset(w->Context, 0, sizeof(CONTEXT));
    for (int i = 0; i < STACK_SLOTS; i++)
        w->Stack[i] = 0xABC000 + (ULONG64)i;
    w->Function = (RUNTIME_FUNCTION){.BeginAddress = 0x10, .EndAddress = 0x90, .UnwindData = XDATA};
    w->Unwind.Image = (RTL_IMAGE_VIEW){(ULONG64)(uintptr_t)w->Image, IMAGE_SIZE, &w->Function, 1};
    w->Unwind.Stack.Low = (ULONG64)(uintptr_t)w->Stack;
    w->Unwind.Stack.High = (ULONG64)(uintptr_t)(w->Stack + STACK_SLOTS);
    w->Unwind.Context = w->Context;
    w->Unwind.Pointers = &w->Pointers;
    w->Context->Rsp = w->Unwind.Stack.Low;
    Unreadable = 0;
    RtlSetUpcalls(&(RTL_UPCALLS){.FindImage = FindNone, .IsReadable = IsReadable});
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    WORLD *w = *state;
    free(w->Image);
    free(w->Stack);
    free(w->Context);
    free(w);
    return 0;
}

/* UNWIND_INFO: version, flags, prolog size, frame register, frame offset / 16, then the slots. */
static void put_info(WORLD *w, ULONG Rva, UCHAR Version, UCHAR Flags, UCHAR Prolog, UCHAR Register,
                     UCHAR Offset, const UCHAR *Slots, ULONG Count)
{
    UCHAR *p = w->Image + Rva;
    p[0] = (UCHAR)(Version | Flags << 3);
    p[1] = Prolog;
    p[2] = (UCHAR)Count;
    p[3] = (UCHAR)(Register | Offset << 4);
    memcpy(p + 4, Slots, Count * 2);
}

#define PUT(w, Version, Flags, Prolog, Register, Offset, ...)                                                \
    put_info((w), XDATA, (Version), (Flags), (Prolog), (Register), (Offset), (const UCHAR[]){__VA_ARGS__},   \
             sizeof((const UCHAR[]){__VA_ARGS__}) / 2)

/* One slot. */
#define OP(At, Operation, Info) (At), (UCHAR)((Operation) | (Info) << 4)
#define WORD(Value) (UCHAR)((Value) & 0xFF), (UCHAR)((Value) >> 8)

static NTSTATUS unwind_at(WORLD *w, ULONG Rva, ULONG HandlerType)
{
    ULONG64 Pc = w->Unwind.Image.Base + Rva;
    w->Context->Rip = Pc;
    return RtlpVirtualUnwind(&w->Unwind, HandlerType, Pc, &w->Function, &w->Frame);
}

static ULONG64 slot(const WORLD *w, int Index)
{
    return (ULONG64)(uintptr_t)&w->Stack[Index];
}

static void test_leaf(void **state)
{
    WORLD *w = *state;
    w->Stack[0] = CALLER;
    assert_int_equal(RtlpVirtualUnwind(&w->Unwind, 0, 0x5555, NULL, &w->Frame), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rip, CALLER);
    assert_int_equal(w->Context->Rsp, slot(w, 1));
    assert_int_equal(w->Frame.Establisher, slot(w, 0));
}

/* push rbp; push rbx; sub rsp, 0x20: in the body, and after each instruction of the prolog. */
static void test_push_and_alloc(void **state)
{
    static const struct {
        ULONG Pc, Depth; /* slots between RSP and the return address */
    } at[] = {{0x50, 6}, {0x16, 6}, {0x15, 2}, {0x12, 2}, {0x11, 1}, {0x10, 0}};
    WORLD *w = *state;
    PUT(w, 1, 0, 6, 0, 0, OP(6, 2, 3), OP(2, 0, 3), OP(1, 0, 5));
    for (unsigned i = 0; i < RTL_NUMBER_OF(at); i++) {
        ULONG Depth = at[i].Depth;
        w->Context->Rsp = slot(w, 0);
        w->Context->Rbx = w->Context->Rbp = 1;
        w->Stack[Depth] = CALLER;
        assert_int_equal(unwind_at(w, at[i].Pc, 0), STATUS_SUCCESS);
        assert_int_equal(w->Context->Rip, CALLER);
        assert_int_equal(w->Context->Rsp, slot(w, (int)Depth + 1));
        assert_int_equal(w->Context->Rbp, Depth >= 1 ? w->Stack[Depth - 1] : 1);
        assert_int_equal(w->Context->Rbx, Depth >= 2 ? w->Stack[Depth - 2] : 1);
        assert_int_equal(w->Frame.Establisher, slot(w, 0));
    }
    assert_ptr_equal(w->Pointers.IntegerContext[5], &w->Stack[0]); /* the last that wrote it: Depth 1 */
}

static void test_large_allocations(void **state)
{
    WORLD *w = *state;
    PUT(w, 1, 0, 7, 0, 0, OP(7, 1, 0), WORD(0x10)); /* 0x10 * 8 bytes */
    w->Stack[16] = CALLER;
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rsp, slot(w, 17));
    PUT(w, 1, 0, 7, 0, 0, OP(7, 1, 1), WORD(0x80), WORD(0));
    w->Context->Rsp = slot(w, 0);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rip, CALLER);
    PUT(w, 1, 0, 7, 0, 0, OP(7, 1, 1), WORD(0), WORD(0x4000)); /* 1 GB: beyond the stack */
    w->Context->Rsp = slot(w, 0);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_STACK);
}

/* Saves by mov: offsets count from the fixed allocation, near and far, integer and XMM. */
static void test_saves(void **state)
{
    WORLD *w = *state;
    PUT(w, 1, 0, 20, 0, 0, OP(20, 9, 7), WORD(0x50), WORD(0), OP(16, 8, 6), WORD(2), OP(12, 5, 14),
        WORD(0x40), WORD(0), OP(8, 4, 3), WORD(7), OP(4, 1, 0), WORD(20));
    w->Stack[20] = CALLER;
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rip, CALLER);
    assert_int_equal(w->Context->Rbx, 0xABC007);
    assert_int_equal(w->Context->R14, 0xABC008);
    assert_int_equal(RtlpXmmRegister(w->Context, 6)->Low, 0xABC004);
    assert_int_equal(RtlpXmmRegister(w->Context, 6)->High, 0xABC005);
    assert_int_equal(RtlpXmmRegister(w->Context, 7)->Low, 0xABC00A);
    assert_ptr_equal(w->Pointers.FloatingContext[6], (PM128A)&w->Stack[4]);
    assert_ptr_equal(w->Pointers.IntegerContext[14], &w->Stack[8]);
}

/* push rbp; sub rsp, 0x40; lea rbp, [rsp + 0x20]: RSP may be anywhere once rbp is set. */
static void test_frame_register(void **state)
{
    WORLD *w = *state;
    PUT(w, 1, 0, 10, 5, 2, OP(10, 3, 0), OP(5, 2, 7), OP(1, 0, 5));
    w->Context->Rbp = slot(w, 20 + 4);
    w->Stack[29] = CALLER;
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
    assert_int_equal(w->Frame.Establisher, slot(w, 20));
    assert_int_equal(w->Context->Rbp, 0xABC000 + 28);
    assert_int_equal(w->Context->Rsp, slot(w, 30));
    w->Context->Rsp = slot(w, 0); /* in the prolog, before the lea: rbp is still the caller's */
    w->Context->Rbp = 77;
    w->Stack[9] = CALLER;
    assert_int_equal(unwind_at(w, 0x15, 0), STATUS_SUCCESS);
    assert_int_equal(w->Frame.Establisher, slot(w, 0));
    assert_int_equal(w->Context->Rsp, slot(w, 10));
}

static void test_machine_frame(void **state)
{
    WORLD *w = *state;
    for (UCHAR Error = 0; Error < 2; Error++) {
        PUT(w, 1, 0, 1, 0, 0, OP(1, 0, 0), OP(0, 10, Error));
        w->Context->Rsp = slot(w, 10);
        w->Stack[11 + Error] = CALLER;
        w->Stack[14 + Error] = slot(w, 3); /* lower than the trap's own frame: another stack */
        assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
        assert_true(w->Unwind.MachineFrame);
        assert_int_equal(w->Context->Rip, CALLER);
        assert_int_equal(w->Context->Rsp, slot(w, 3));
        assert_int_equal(w->Context->Rax, 0xABC000 + 10);
    }
}

static void put_chain(WORLD *w, ULONG Rva, RUNTIME_FUNCTION Parent)
{
    memcpy(w->Image + Rva, &Parent, sizeof(Parent));
}

/* A part that saves rsi, chained to the primary one: push rbx; sub rsp, 0x30, with a handler. */
static void test_chain(void **state)
{
    static const UCHAR Primary[] = {OP(5, 2, 5), OP(1, 0, 3)};
    WORLD *w = *state;
    ULONG HandlerRva = 0x77;
    PUT(w, 1, UNW_FLAG_CHAININFO, 5, 0, 0, OP(5, 4, 6), WORD(2));
    put_chain(w, XDATA + 8, (RUNTIME_FUNCTION){.BeginAddress = 0, .EndAddress = 0x10, .UnwindData = CHAINED});
    put_info(w, CHAINED, 1, UNW_FLAG_EHANDLER, 5, 0, 0, Primary, 2);
    memcpy(w->Image + CHAINED + 8, &HandlerRva, 4);
    w->Stack[7] = CALLER;
    assert_int_equal(unwind_at(w, 0x40, UNW_FLAG_EHANDLER), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rsi, 0xABC002);
    assert_int_equal(w->Context->Rbx, 0xABC006);
    assert_int_equal(w->Context->Rip, CALLER);
    assert_ptr_equal(w->Frame.Handler, w->Image + HandlerRva);
    assert_ptr_equal(w->Frame.HandlerData, w->Image + CHAINED + 12);
    w->Context->Rsp = slot(w, 0);
    assert_int_equal(unwind_at(w, 0x40, UNW_FLAG_UHANDLER), STATUS_SUCCESS);
    assert_null(w->Frame.Handler);
    w->Context->Rsp = slot(w, 0);
    w->Context->Rsi = 5;
    assert_int_equal(unwind_at(w, 0x12, UNW_FLAG_EHANDLER), STATUS_SUCCESS); /* prolog of the part */
    assert_int_equal(w->Context->Rsi, 5);
    assert_int_equal(w->Context->Rip, CALLER);
    assert_null(w->Frame.Handler);
}

static void test_handler(void **state)
{
    WORLD *w = *state;
    ULONG Rva = 0x123;
    PUT(w, 1, UNW_FLAG_UHANDLER, 4, 0, 0, OP(4, 2, 0)); /* one slot: the trailer follows a padding slot */
    memcpy(w->Image + XDATA + 8, &Rva, 4);
    w->Stack[1] = CALLER;
    assert_int_equal(unwind_at(w, 0x40, UNW_FLAG_UHANDLER), STATUS_SUCCESS);
    assert_ptr_equal(w->Frame.Handler, w->Image + Rva);
    w->Context->Rsp = slot(w, 0);
    w->Image[0x40] = 0x48, w->Image[0x41] = 0x83, w->Image[0x42] = 0xC4, w->Image[0x43] = 8,
    w->Image[0x44] = 0xC3;
    assert_int_equal(unwind_at(w, 0x40, UNW_FLAG_UHANDLER), STATUS_SUCCESS); /* in an epilog: no handler */
    assert_null(w->Frame.Handler);
    assert_int_equal(w->Context->Rip, CALLER);
    w->Context->Rsp = slot(w, 0);
    Rva = IMAGE_SIZE;
    memcpy(w->Image + XDATA + 8, &Rva, 4);
    assert_int_equal(unwind_at(w, 0x50, UNW_FLAG_UHANDLER), STATUS_BAD_FUNCTION_TABLE);
}

/* Epilog bytes at 0x40 of a function: push rbx; push r12; sub rsp, 0x10 with rbp as frame register or none.
 */
typedef struct _EPILOG_CASE {
    const char *Bytes;
    ULONG Length, Slots; /* Slots: RSP moves by that, return address included; 0: not an epilog */
    ULONG64 Rbx, R12;
} EPILOG_CASE;

static void check_epilog(WORLD *w, UCHAR FrameRegister, const EPILOG_CASE *c)
{
    PUT(w, 1, 0, 8, FrameRegister, 0, OP(7, 2, 1), OP(3, 0, 12), OP(1, 0, 3));
    memset(w->Image + 0x40, 0x90, 0x50);
    memcpy(w->Image + 0x40, c->Bytes, c->Length);
    for (int i = 0; i < STACK_SLOTS; i++)
        w->Stack[i] = 0xABC000 + (ULONG64)i;
    memset(&w->Context->Rax, 0, 16 * 8);
    w->Context->Rsp = w->Context->Rbp = w->Context->R13 = slot(w, 0);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
    ULONG Slots = c->Slots != 0 ? c->Slots : 5;
    assert_int_equal(w->Context->Rsp, slot(w, (int)Slots));
    assert_int_equal(w->Context->Rbx, c->Slots != 0 ? c->Rbx : 0xABC003);
    assert_int_equal(w->Context->R12, c->Slots != 0 ? c->R12 : 0xABC002);
}

#define CASE(Bytes, ...) {Bytes, sizeof(Bytes) - 1, __VA_ARGS__}

static void test_epilog_bytes(void **state)
{
    static const EPILOG_CASE cases[] = {
        CASE("\x48\x83\xC4\x10\x41\x5C\x5B\xC3", 5, 0xABC003,
             0xABC002), /* add rsp, 10h; pop r12; pop rbx; ret */
        CASE("\x48\x81\xC4\x10\x00\x00\x00\x41\x5C\x5B\xC3", 5, 0xABC003, 0xABC002),
        CASE("\x41\x5C\x5B\xC3", 3, 0xABC001, 0xABC000),
        CASE("\x5B\xC3", 2, 0xABC000, 0),
        CASE("\x40\x5B\xC3", 2, 0xABC000, 0), /* REX without bits */
        CASE("\xC3", 1, 0, 0),
        CASE("\xC2\x08\x00", 2, 0, 0), /* ret 8 */
        CASE("\xF3\xC3", 1, 0, 0),
        CASE("\xEB\x70", 1, 0, 0),             /* jmp behind the function */
        CASE("\xE9\x00\x01\x00\x00", 1, 0, 0), /* same, rel32 */
        CASE("\xEB\xCE", 1, 0, 0),             /* jmp to the function's start: recursion as a tail call */
        CASE("\x5B\xFF\x25\x00\x00\x00\x00", 2, 0xABC000, 0),
        CASE("\x48\xFF\xE0", 1, 0, 0),     /* rex.w jmp rax */
        CASE("\xFF\x20", 1, 0, 0),         /* jmp [rax] */
        CASE("\xEB\x10", 0, 0, 0),         /* jmp within the function */
        CASE("\xFF\xE0", 0, 0, 0),         /* jmp rax: a switch */
        CASE("\xFF\x24\xC5\x00", 0, 0, 0), /* jmp [table + rax * 8] */
        CASE("\x90\xC3", 0, 0, 0),
        CASE("\x5B\x90\xC3", 0, 0, 0),
        CASE("\x48\x83\xC4\x10\x48\x83\xC4\x10\xC3", 0, 0, 0), /* two adds */
        CASE("\x48\x8D\x65\x10\xC3", 0, 0, 0), /* lea rsp, [rbp + 10h], but no frame register */
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++)
        check_epilog(*state, 0, &cases[i]);
}

static void test_epilog_lea(void **state)
{
    static const EPILOG_CASE rbp[] = {
        CASE("\x48\x8D\x65\x10\x41\x5C\x5B\xC3", 5, 0xABC003, 0xABC002),
        CASE("\x48\x8D\xA5\x10\x00\x00\x00\x41\x5C\x5B\xC3", 5, 0xABC003, 0xABC002),
    };
    static const EPILOG_CASE r13[] = {
        CASE("\x49\x8D\x65\x08\x41\x5C\x5B\xC3", 4, 0xABC002, 0xABC001),
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(rbp); i++)
        check_epilog(*state, 5, &rbp[i]);
    check_epilog(*state, 13, &r13[0]);
}

/* Version 2: the list says where epilogs are; the same bytes elsewhere are body. Epilogs of 3 bytes at the
 * end and at 0x30. */
static void test_version_2(void **state)
{
    WORLD *w = *state;
    PUT(w, 2, 0, 5, 0, 0, OP(3, 6, 1), OP(0x60, 6, 0), OP(0, 6, 0), OP(5, 2, 1), OP(1, 0, 3));
    static const struct {
        ULONG Pc, Slots;
    } at[] = {
        {0x8D, 2}, {0x8E, 1}, {0x30, 2}, {0x31, 1}, {0x50, 4}, {0x2F, 4}, {0x33, 4},
    };
    memcpy(w->Image + 0x8D, "\x5B\xC3\xCC", 3);
    memcpy(w->Image + 0x30, "\x5B\xC3\xCC", 3);
    memcpy(w->Image + 0x50, "\x5B\xC3\xCC", 3); /* looks like one, is none */
    for (unsigned i = 0; i < RTL_NUMBER_OF(at); i++) {
        w->Context->Rsp = slot(w, 0);
        assert_int_equal(unwind_at(w, at[i].Pc, 0), STATUS_SUCCESS);
        assert_int_equal(w->Context->Rsp, slot(w, (int)at[i].Slots));
    }
    PUT(w, 2, 0, 5, 0, 0, OP(3, 6, 0), OP(0, 6, 0), OP(5, 2, 1), OP(1, 0, 3)); /* no epilog at the end */
    w->Context->Rsp = slot(w, 0);
    assert_int_equal(unwind_at(w, 0x8D, 0), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rsp, slot(w, 4));
}

static void test_damage(void **state)
{
    WORLD *w = *state;
    static const UCHAR version3[] = {3, 0, 0, 0}, both[] = {1 | 5 << 3, 0, 0, 0};
    PUT(w, 1, 0, 5, 0, 0, OP(5, 1, 0)); /* its second slot is missing */
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    PUT(w, 1, 0, 5, 0, 0, OP(5, 1, 2), WORD(0), WORD(0)); /* no such form */
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    for (UCHAR Operation = 11; Operation < 16; Operation++) {
        PUT(w, 1, 0, 5, 0, 0, OP(5, Operation, 0));
        assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    }
    PUT(w, 1, 0, 5, 0, 0, OP(5, 6, 0)); /* epilog codes are version 2 */
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    PUT(w, 2, 0, 5, 0, 0, OP(5, 7, 0), WORD(0), WORD(0));
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    memcpy(w->Image + XDATA, version3, 4);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    memcpy(w->Image + XDATA, both, 4); /* a handler and a chain */
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    static const ULONG places[] = {IMAGE_SIZE - 2, IMAGE_SIZE, 0xFFFFFFFC, XDATA + 2};
    for (unsigned i = 0; i < RTL_NUMBER_OF(places); i++) {
        w->Function.UnwindData = places[i];
        assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    }
    w->Function.UnwindData = IMAGE_SIZE - 4;
    memcpy(w->Image + IMAGE_SIZE - 4, "\x01\x00\xFF\x00", 4); /* codes beyond the image */
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    w->Function.UnwindData = XDATA;
    assert_int_equal(unwind_at(w, 0x0F, 0), STATUS_BAD_FUNCTION_TABLE); /* not in the entry's range */
    assert_int_equal(unwind_at(w, 0x90, 0), STATUS_BAD_FUNCTION_TABLE);
}

/* A section that has been discarded: nothing in it is touched. */
static void test_unreadable(void **state)
{
    WORLD *w = *state;
    static const ULONG at[] = {XDATA, XDATA + 4, XDATA + 7, XDATA + 8};
    PUT(w, 1, UNW_FLAG_EHANDLER, 5, 0, 0, OP(5, 2, 1), OP(1, 0, 3));
    for (unsigned i = 0; i < RTL_NUMBER_OF(at); i++) {
        Unreadable = w->Unwind.Image.Base + at[i];
        w->Context->Rsp = slot(w, 0);
        assert_int_equal(unwind_at(w, 0x50, UNW_FLAG_EHANDLER), STATUS_BAD_FUNCTION_TABLE);
    }
    Unreadable = w->Unwind.Image.Base + 0x50; /* code that cannot be read is no epilog */
    memcpy(w->Image + XDATA + 8, &(ULONG){0x123}, 4);
    w->Image[0x50] = 0xC3;
    w->Context->Rsp = slot(w, 0);
    assert_int_equal(unwind_at(w, 0x50, UNW_FLAG_EHANDLER), STATUS_SUCCESS);
    assert_int_equal(w->Context->Rsp, slot(w, 4));
}

static void test_damaged_chain(void **state)
{
    WORLD *w = *state;
    PUT(w, 1, UNW_FLAG_CHAININFO, 0, 0, 0, OP(0, 3, 0)); /* chained to itself */
    put_chain(w, XDATA + 8, w->Function);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
    w->Function.UnwindData = IMAGE_SIZE - 8; /* the chained entry is cut */
    memcpy(w->Image + IMAGE_SIZE - 8, "\x21\x00\x00\x00", 4);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_FUNCTION_TABLE);
}

static void test_bad_stack(void **state)
{
    WORLD *w = *state;
    PUT(w, 1, 0, 5, 0, 0, OP(5, 2, 1), OP(1, 0, 3));
    const ULONG64 bad[] = {w->Unwind.Stack.Low - 8,  w->Unwind.Stack.Low + 4, w->Unwind.Stack.High,
                           w->Unwind.Stack.High - 8, 0xFFFFFFFFFFFFFFF8ull,   0};
    for (unsigned i = 0; i < RTL_NUMBER_OF(bad); i++) {
        w->Context->Rsp = bad[i] - 16;
        assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_STACK);
        w->Context->Rsp = bad[i];
        if (i != 3)
            assert_int_equal(RtlpVirtualUnwind(&w->Unwind, 0, 0x5555, NULL, &w->Frame), STATUS_BAD_STACK);
    }
    PUT(w, 1, 0, 5, 5, 0, OP(5, 3, 0)); /* the frame register points below: no progress is possible */
    w->Context->Rsp = slot(w, 10);
    w->Context->Rbp = slot(w, 2);
    assert_int_equal(unwind_at(w, 0x40, 0), STATUS_BAD_STACK);
}

static void test_lookup(void **state)
{
    WORLD *w = *state;
    RUNTIME_FUNCTION Table[5] = {{0x10, 0x20, {0x100}},
                                 {0x20, 0x30, {0x100}},
                                 {0x40, 0x41, {0x100}},
                                 {0x50, 0x60, {0x301}},
                                 {0x60, 0x70, {0xFFFFFFFD}}};
    RTL_IMAGE_VIEW View = w->Unwind.Image;
    View.FunctionTable = Table;
    View.FunctionCount = 5;
    put_chain(w, 0x300, Table[0]);
    assert_ptr_equal(RtlpFindFunction(&View, 0x10), &Table[0]);
    assert_ptr_equal(RtlpFindFunction(&View, 0x2F), &Table[1]);
    assert_ptr_equal(RtlpFindFunction(&View, 0x40), &Table[2]);
    assert_null(RtlpFindFunction(&View, 0x0F));
    assert_null(RtlpFindFunction(&View, 0x30));
    assert_null(RtlpFindFunction(&View, 0x41));
    assert_null(RtlpFindFunction(&View, 0x70));
    assert_ptr_equal(RtlpFindFunction(&View, 0x55), w->Image + 0x300); /* indirect entry */
    assert_null(RtlpFindFunction(&View, 0x65));                        /* indirect and outside */
    View.FunctionCount = 0;
    assert_null(RtlpFindFunction(&View, 0x10));
}

/* A direct jump is a tail call only to where a function can be called: not into its middle, not to a chained part, and not to
 * cold code that begins with the frame made (no prolog, but codes). */
static void test_jump_targets(void **state)
{
    static const UCHAR Slots[] = {OP(0, 2, 1)}, None[1];
    RUNTIME_FUNCTION Table[2];
    WORLD *w = *state;
    PUT(w, 1, 0, 8, 0, 0, OP(7, 2, 1), OP(3, 0, 12), OP(1, 0, 3));
    Table[0] = w->Function;
    Table[1] = (RUNTIME_FUNCTION){.BeginAddress = 0x100, .EndAddress = 0x140, .UnwindData = CHAINED};
    w->Unwind.Image.FunctionTable = Table;
    w->Unwind.Image.FunctionCount = 2;
    static const struct {
        UCHAR Target, Prolog, Flags, Count;
        ULONG Slots;
    } at[] = {
        {0x00, 4, 0, 1, 1}, {0x00, 0, 0, 0, 1}, {0x10, 4, 0, 1, 5},
        {0x00, 0, 0, 1, 5}, {0x50, 0, 0, 0, 1}, {0x00, 4, UNW_FLAG_CHAININFO, 1, 5},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(at); i++) {
        put_info(w, CHAINED, 1, at[i].Flags, at[i].Prolog, 0, 0, at[i].Count != 0 ? Slots : None,
                 at[i].Count);
        w->Image[0x40] = 0xE9;
        memcpy(w->Image + 0x41, &(ULONG){0x100 + at[i].Target - 0x45}, 4);
        for (int k = 0; k < STACK_SLOTS; k++)
            w->Stack[k] = CALLER;
        w->Context->Rsp = slot(w, 0);
        assert_int_equal(unwind_at(w, 0x40, 0), STATUS_SUCCESS);
        assert_int_equal(w->Context->Rsp, slot(w, (int)at[i].Slots));
    }
}

int main(void)
{
#define T(Name) cmocka_unit_test_setup_teardown(Name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_leaf),          T(test_push_and_alloc), T(test_large_allocations),
        T(test_saves),         T(test_frame_register), T(test_chain),
        T(test_machine_frame), T(test_epilog_bytes),   T(test_epilog_lea),
        T(test_version_2),     T(test_damage),         T(test_damaged_chain),
        T(test_bad_stack),     T(test_lookup),         T(test_unreadable),
        T(test_handler),       T(test_jump_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
