/* SPDX-License-Identifier: MIT
 * Words of the command line, separated by blanks: key=number. Unknown words are the kernel's business. */
#include "osloader/osl.h"

static const char *AfterKey(const char *Word, const char *Key)
{
    while (*Key && *Word == *Key) {
        Word++;
        Key++;
    }
    return *Key == 0 && *Word == '=' ? Word + 1 : NULL;
}

static uint32_t DigitOf(char Character)
{
    if (Character >= '0' && Character <= '9')
        return (uint32_t)(Character - '0');
    if (Character >= 'a' && Character <= 'f')
        return (uint32_t)(Character - 'a' + 10);
    if (Character >= 'A' && Character <= 'F')
        return (uint32_t)(Character - 'A' + 10);
    return 16;
}

static bool ParseNumber(const char *Text, uint64_t *Value)
{
    uint64_t Base = 10, Result = 0;
    if (Text[0] == '0' && (Text[1] == 'x' || Text[1] == 'X')) {
        Base = 16;
        Text += 2;
    }
    const char *First = Text;
    for (; *Text && *Text != ' '; Text++) {
        uint32_t Digit = DigitOf(*Text);
        if (Digit >= Base || Result > (UINT64_MAX - Digit) / Base)
            return false;
        Result = Result * Base + Digit;
    }
    *Value = Result;
    return Text != First;
}

bool OslCommandLineNumber(const char *CommandLine, const char *Key, uint64_t *Value)
{
    const char *Word = CommandLine;
    while (*Word) {
        const char *Number = AfterKey(Word, Key);
        if (Number)
            return ParseNumber(Number, Value);
        while (*Word && *Word != ' ')
            Word++;
        while (*Word == ' ')
            Word++;
    }
    return false;
}
