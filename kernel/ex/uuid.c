/* SPDX-License-Identifier: MIT
 * ExUuidCreate [WDK]: version 1 [RFC 4122 4.1, 4.2] without a network address: the node is a number of this boot's with the
 * multicast bit, so the identifier is unique on this computer only, and the status says so. */
#include "ex.h"
#include "ke.h"

#define RPC_NT_UUID_LOCAL_ONLY ((NTSTATUS)0x40020056)
#define TICKS_1582_TO_1601 0x00146BF33E42C000ll

static volatile LONG64 ExpLastUuidTime;

/* System time since 1582, larger with each call. */
static ULONG64 ExpNextUuidTime(VOID)
{
    LARGE_INTEGER Now;
    LONG64 Last = __atomic_load_n(&ExpLastUuidTime, __ATOMIC_RELAXED), Next;

    KeQuerySystemTimePrecise(&Now);
    do
        Next = Now.QuadPart + TICKS_1582_TO_1601 > Last ? Now.QuadPart + TICKS_1582_TO_1601 : Last + 1;
    while (!__atomic_compare_exchange_n(&ExpLastUuidTime, &Last, Next, FALSE, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    return (ULONG64)Next;
}

/* The time of the first call tells machines and boots apart, as far as that goes. Odd, so that it is never 0 when it is known. */
static ULONG64 ExpUuidNode(VOID)
{
    static volatile LONG64 Node;
    LARGE_INTEGER Now;
    KeQuerySystemTimePrecise(&Now);
    LONG64 New = (LONG64)((ULONG64)Now.QuadPart * 0x9E3779B97F4A7C15ull | 1);
    LONG64 Known = InterlockedCompareExchange64(&Node, New, 0);
    return (ULONG64)(Known != 0 ? Known : New);
}

/* IRQL <= APC_LEVEL. */
NTSTATUS NTAPI ExUuidCreate(UUID *Uuid)
{
    ULONG64 Time = ExpNextUuidTime(), Node = ExpUuidNode();

    Uuid->Data1 = (ULONG)Time;
    Uuid->Data2 = (USHORT)(Time >> 32);
    Uuid->Data3 = (USHORT)((Time >> 48 & 0x0FFF) | 0x1000); /* version 1 */
    Uuid->Data4[0] = 0x80;                                  /* variant; the clock sequence is 0 */
    Uuid->Data4[1] = 0;
    for (ULONG i = 2; i < 8; i++)
        Uuid->Data4[i] = (UCHAR)(Node >> 8 * i);
    Uuid->Data4[2] |= 1;
    return RPC_NT_UUID_LOCAL_ONLY;
}
