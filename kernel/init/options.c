/* SPDX-License-Identifier: MIT
 * The kernel's command line: words separated by blanks, `name` or `name=value`. */
#include "initp.h"
#include "ke.h"
#include "rtl.h"

/* The value behind `Name=`, or an empty string for a bare `Name`; NULL when the word is not there. */
static PCSTR InitFindOption(PCSTR CommandLine, PCSTR Name)
{
    SIZE_T Length = strlen(Name);

    for (PCSTR Word = CommandLine; *Word != 0;) {
        if (strncmp(Word, Name, Length) == 0 &&
            (Word[Length] == '=' || Word[Length] == ' ' || Word[Length] == 0))
            return Word + Length + (Word[Length] == '=');
        while (*Word != 0 && *Word != ' ')
            Word++;
        while (*Word == ' ')
            Word++;
    }
    return NULL;
}

/* Decimal, or hexadecimal with 0x; ends at the first character that does not belong. */
static ULONG64 InitNumber(PCSTR Text)
{
    ULONG Base = (Text[0] == '0' && (Text[1] | 0x20) == 'x') ? 16 : 10;
    ULONG64 Value = 0;

    for (Text += (Base == 16) ? 2 : 0;; Text++) {
        CHAR Digit = *Text | 0x20;
        ULONG Number = (Digit >= 'a') ? (ULONG)(Digit - 'a' + 10) : (ULONG)(*Text - '0');
        if (Number >= Base)
            return Value;
        Value = Value * Base + Number;
    }
}

/* 0 when the word is not there. */
static ULONG InitValue(PCSTR CommandLine, PCSTR Name)
{
    PCSTR Value = InitFindOption(CommandLine, Name);

    return Value != NULL ? (ULONG)InitNumber(Value) : 0;
}

VOID InitParseOptions(PCSTR CommandLine, INIT_OPTIONS *Options)
{
    PCSTR Port = InitFindOption(CommandLine, "exitport");
    PCSTR Bind = InitFindOption(CommandLine, "bind");
    PCSTR Seed = InitFindOption(CommandLine, "seed");
    PCSTR SpinLimit = InitFindOption(CommandLine, "spin-limit");
    PCSTR Nmi = InitFindOption(CommandLine, "nmi");
    PCSTR Checks = InitFindOption(CommandLine, "checks");
    PCSTR PagedCheck = InitFindOption(CommandLine, "paged-check");

    Options->ExitPort = Port != NULL ? (USHORT)InitNumber(Port) : 0;
    Options->Image.CountCalls = Bind != NULL && strncmp(Bind, "count", 5) == 0;
    Options->Image.StrictWx = InitFindOption(CommandLine, "strict-wx") != NULL;
    Options->Image.AllowMissing = InitFindOption(CommandLine, "allow-missing") != NULL;
    Options->StressTime = InitValue(CommandLine, "stress") * 1000 + InitValue(CommandLine, "stress-ms");
    Options->StressOnly = InitFindOption(CommandLine, "stress-only");
    Options->StressSeed = Seed != NULL ? InitNumber(Seed) : 0;
    Options->NmiAsks = Nmi != NULL && strncmp(Nmi, "where", 5) == 0;
    Options->ChecksOff = Checks != NULL && strncmp(Checks, "off", 3) == 0;
    Options->SpinLimit = SpinLimit != NULL ? (ULONG)InitNumber(SpinLimit) : KE_SPIN_LIMIT;
    Options->SpecialPool = InitFindOption(CommandLine, "special-pool");
    Options->TraceReferences = InitFindOption(CommandLine, "trace-references") != NULL;
    Options->SaveHive = InitFindOption(CommandLine, "save-hive") != NULL;
    Options->Trace = InitFindOption(CommandLine, "etw");
    Options->PoolReport = InitFindOption(CommandLine, "pool-report") != NULL;
    Options->PagedUnchecked = PagedCheck != NULL && strncmp(PagedCheck, "off", 3) == 0;
    Options->RunTests = InitFindOption(CommandLine, "kt") != NULL;
    Options->Watchdog = (KE_WATCHDOG_LIMITS){.Dpc = InitValue(CommandLine, "dpc-limit"),
                                             .Raised = InitValue(CommandLine, "dispatch-limit"),
                                             .Clock = InitValue(CommandLine, "clock-limit")};
    Options->PowerLimit = InitValue(CommandLine, "power-limit");
    Options->FailBoot = InitValue(CommandLine, "fail-boot");
    Options->Image.MeasureLoads = InitFindOption(CommandLine, "bench") != NULL;
}
