/* SPDX-License-Identifier: MIT
 * Epilogs. A version 2 UNWIND_INFO lists them; for version 1 the code bytes tell. In both cases what is left
 * of the epilog is decoded and its effect applied: an epilog has only these instructions [MS x64 exception
 * handling, epilog code]:
 *
 *   add rsp, imm | lea rsp, [frame register + disp]    at most one, first
 *   pop r64                                            any number
 *   ret | ret imm16 | rep ret | jmp to a function */
#include "unwind.h"

#define REX_W 8
#define REX_B 1
#define RSP_NUMBER 4
#define MAX_POPS 16
#define MAX_BYTES 64

typedef struct _RTLP_EPILOG {
    const UCHAR *Next, *End; /* code bytes not decoded yet */
    ULONG Rva;               /* of Next */
    BOOLEAN Listed;          /* version 2 says that this is an epilog: a jump is its end, wherever it goes */
    ULONG64 Rsp;             /* after the first instruction */
    UCHAR Pops[MAX_POPS];
    ULONG PopCount, ReturnPop;
} RTLP_EPILOG;

static ULONG RtlpLeft(const RTLP_EPILOG *E)
{
    return (ULONG)(E->End - E->Next);
}

static VOID RtlpSkipBytes(RTLP_EPILOG *E, ULONG Count)
{
    E->Next += Count;
    E->Rva += Count;
}

static LONG RtlpSigned32(const UCHAR *p)
{
    return (LONG)((ULONG)p[0] | (ULONG)p[1] << 8 | (ULONG)p[2] << 16 | (ULONG)p[3] << 24);
}

/* add rsp, imm8 (48 83 C4 ib) or imm32 (48 81 C4 id) */
static VOID RtlpDecodeAdd(RTLP_EPILOG *E)
{
    const UCHAR *p = E->Next;

    if (RtlpLeft(E) >= 4 && p[0] == 0x48 && p[1] == 0x83 && p[2] == 0xC4) {
        E->Rsp += (ULONG64)(LONG64)(signed char)p[3];
        RtlpSkipBytes(E, 4);
    } else if (RtlpLeft(E) >= 7 && p[0] == 0x48 && p[1] == 0x81 && p[2] == 0xC4) {
        E->Rsp += (ULONG64)(LONG64)RtlpSigned32(p + 3);
        RtlpSkipBytes(E, 7);
    }
}

/* lea rsp, [register + disp] (REX.W 8D /4, mod 0 to 2; r12 as base needs a SIB byte) */
static VOID RtlpDecodeLea(RTLP_EPILOG *E, PCONTEXT Context, ULONG FrameRegister)
{
    const UCHAR *p = E->Next;

    if (FrameRegister == 0 || RtlpLeft(E) < 4 || (p[0] & ~REX_B) != 0x48 || p[1] != 0x8D ||
        (p[2] & 0x38) != 0x20)
        return;
    ULONG Mode = p[2] >> 6, Base = (p[2] & 7u) | (p[0] & REX_B ? 8 : 0), Length = 3;
    if ((Base & 7) == RSP_NUMBER && p[Length++] != 0x24)
        return;
    ULONG DisplacementSize = Mode == 1 ? 1 : Mode == 2 ? 4 : 0;
    if (Base != FrameRegister || Mode == 3 || (Mode == 0 && (Base & 7) == 5) ||
        RtlpLeft(E) < Length + DisplacementSize)
        return;
    LONG64 Displacement = Mode == 1 ? (signed char)p[Length] : Mode == 2 ? RtlpSigned32(p + Length) : 0;
    E->Rsp = *RtlpIntegerRegister(Context, Base) + (ULONG64)Displacement;
    RtlpSkipBytes(E, Length + DisplacementSize);
}

/* pop r64 (58+r, 41 58+r). FALSE: more pops than registers. */
static BOOLEAN RtlpDecodePops(RTLP_EPILOG *E)
{
    for (;;) {
        const UCHAR *p = E->Next;
        ULONG Prefix = RtlpLeft(E) >= 2 && (p[0] & 0xF0) == 0x40 ? 1 : 0;
        if (RtlpLeft(E) <= Prefix || (p[Prefix] & 0xF8) != 0x58)
            return TRUE;
        if (E->PopCount == MAX_POPS)
            return FALSE;
        E->Pops[E->PopCount++] = (p[Prefix] & 7) | (Prefix != 0 && (p[0] & REX_B) ? 8 : 0);
        RtlpSkipBytes(E, Prefix + 1);
    }
}

/* C3, C2 iw, F3 C3 (rep ret), F2 C3 (bnd ret) */
static BOOLEAN RtlpDecodeReturn(RTLP_EPILOG *E)
{
    const UCHAR *p = E->Next;
    ULONG Left = RtlpLeft(E);

    if (Left >= 3 && p[0] == 0xC2)
        E->ReturnPop = p[1] | (ULONG)p[2] << 8;
    else if (!(Left >= 1 && p[0] == 0xC3) && !(Left >= 2 && (p[0] == 0xF3 || p[0] == 0xF2) && p[1] == 0xC3))
        return FALSE;
    return TRUE;
}

/* jmp rel8 or rel32 to the start of a function; an indirect jump counts when it goes
 * through memory without an index (FF 25, FF /4 mod 0) or bears the REX.W mark that compilers put on tail
 * calls. */
static BOOLEAN RtlpDecodeTailJump(const RTLP_EPILOG *E, const RTL_IMAGE_VIEW *Image)
{
    const UCHAR *p = E->Next;
    ULONG Left = RtlpLeft(E), Target;

    if (Left >= 2 && p[0] == 0xEB) {
        Target = E->Rva + 2 + (ULONG)(LONG)(signed char)p[1];
    } else if (Left >= 5 && p[0] == 0xE9) {
        Target = E->Rva + 5 + (ULONG)RtlpSigned32(p + 1);
    } else {
        ULONG Prefix = Left >= 3 && (p[0] & 0xF0) == 0x40 ? 1 : 0;
        if (Left < Prefix + 2 || p[Prefix] != 0xFF || (p[Prefix + 1] & 0x38) != 0x20)
            return FALSE;
        return (Prefix != 0 && (p[0] & REX_W)) ||
               (p[Prefix + 1] >> 6 == 0 && (p[Prefix + 1] & 7) != RSP_NUMBER);
    }
    return E->Listed || RtlpIsCallable(Image, Target);
}

/* [unwind version 2] The first epilog code holds the size of all epilogs and, in bit 0, whether one ends the
 * function; each other one the distance of an epilog from the end, 12 bits; distance 0 is padding. */
static BOOLEAN RtlpIsInListedEpilog(const RTLP_UNWIND_INFO *Info, const RUNTIME_FUNCTION *Entry, ULONG Rva)
{
    RTLP_UNWIND_CODE Code;
    ULONG Size = 0, FromEnd = Entry->EndAddress - Rva;

    for (ULONG i = 0; i < Info->Count && RtlpReadUnwindCode(Info, i, &Code) && Code.Operation == UnwindEpilog;
         i++) {
        ULONG Distance = Code.PrologOffset | (ULONG)Code.Info << 8;
        if (i == 0) {
            Size = Code.PrologOffset;
            Distance = Code.Info & 1 ? Size : 0;
        }
        if (Distance != 0 && FromEnd <= Distance && Distance - FromEnd < Size)
            return TRUE;
    }
    return FALSE;
}

static NTSTATUS RtlpApplyEpilog(RTLP_UNWIND *Unwind, const RTLP_EPILOG *E)
{
    NTSTATUS Status = STATUS_SUCCESS;

    Unwind->Context->Rsp = E->Rsp;
    for (ULONG i = 0; i < E->PopCount && Status == STATUS_SUCCESS; i++)
        Status = RtlpPopRegister(Unwind, E->Pops[i]);
    if (Status == STATUS_SUCCESS)
        Status = RtlpPopReturnAddress(Unwind);
    Unwind->Context->Rsp += E->ReturnPop;
    return Status;
}

BOOLEAN RtlpFinishEpilog(RTLP_UNWIND *Unwind, ULONG64 ControlPc, const RUNTIME_FUNCTION *Entry,
                         const RTLP_UNWIND_INFO *Info, NTSTATUS *Status)
{
    ULONG Rva = (ULONG)(ControlPc - Unwind->Image.Base), Length = Entry->EndAddress - Rva;
    RTLP_EPILOG E = {.Rva = Rva, .Rsp = Unwind->Context->Rsp};

    if (Info->Version == 2) {
        E.Listed = RtlpIsInListedEpilog(Info, Entry, Rva);
        if (!E.Listed)
            return FALSE;
    }
    if (Length > MAX_BYTES)
        Length = MAX_BYTES;
    E.Next = RtlpImageBytes(&Unwind->Image, Rva, Length);
    if (E.Next == NULL)
        return FALSE;
    E.End = E.Next + Length;

    RtlpDecodeAdd(&E);
    if (E.Rva == Rva)
        RtlpDecodeLea(&E, Unwind->Context, Info->FrameRegister);
    if (!RtlpDecodePops(&E) || (!RtlpDecodeReturn(&E) && !RtlpDecodeTailJump(&E, &Unwind->Image)))
        return FALSE;
    *Status = RtlpApplyEpilog(Unwind, &E);
    return TRUE;
}
