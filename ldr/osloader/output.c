/* SPDX-License-Identifier: MIT
 * What osloader says: one line on COM1 when all is well, one sentence on COM1 and the screen when it is not.
 */
#include <stdarg.h>

#include "osloader/osl.h"
#include "screen/screen.h"

#define COM1 0x3f8
#define LINE_MAX 512u

static bool SerialIsThere;
static const OSL_BOOT_INFO *FailureContext;

void OslOpenOutput(void)
{
    OslOutByte(COM1 + 7, 0x5a);
    SerialIsThere = OslInByte(COM1 + 7) == 0x5a;
    if (!SerialIsThere)
        return;
    OslOutByte(COM1 + 1, 0);    /* no interrupts */
    OslOutByte(COM1 + 3, 0x80); /* divisor latch */
    OslOutByte(COM1 + 0, 1);    /* 115200 baud */
    OslOutByte(COM1 + 1, 0);
    OslOutByte(COM1 + 3, 3); /* 8 bits, no parity, one stop bit */
    OslOutByte(COM1 + 2, 7); /* FIFOs on and empty */
    OslOutByte(COM1 + 4, 3); /* DTR, RTS */
}

void OslSetFailureContext(const OSL_BOOT_INFO *Boot)
{
    FailureContext = Boot;
}

/* A UART that never gets ready is not waited for again. */
static void SerialWrite(const char *Text, size_t Length)
{
    for (size_t i = 0; i < Length && SerialIsThere; i++) {
        uint32_t Tries = 100000;
        while (!(OslInByte(COM1 + 5) & 0x20) && --Tries > 0)
            ;
        SerialIsThere = Tries > 0;
        OslOutByte(COM1, (uint8_t)Text[i]);
    }
}

typedef struct LINE {
    char Text[LINE_MAX];
    size_t Length;
} LINE;

static void PutText(LINE *Line, const char *Text)
{
    for (; *Text && Line->Length < LINE_MAX - 2; Text++)
        Line->Text[Line->Length++] = *Text;
}

static void PutNumber(LINE *Line, uint64_t Value, uint32_t Base)
{
    char Digits[21];
    size_t At = sizeof(Digits) - 1;
    Digits[At] = 0;
    do {
        Digits[--At] = "0123456789abcdef"[Value % Base];
        Value /= Base;
    } while (Value > 0);
    PutText(Line, &Digits[At]);
}

static void Format(LINE *Line, const char *Text, va_list Arguments)
{
    char Character[2] = {0};
    for (; *Text; Text++) {
        if (*Text == '%' && Text[1] == 's') {
            PutText(Line, va_arg(Arguments, const char *));
            Text++;
        } else if (*Text == '%' && (Text[1] == 'u' || Text[1] == 'x')) {
            PutNumber(Line, va_arg(Arguments, uint64_t), Text[1] == 'u' ? 10 : 16);
            Text++;
        } else {
            Character[0] = *Text;
            PutText(Line, Character);
        }
    }
    Line->Text[Line->Length++] = '\r';
    Line->Text[Line->Length++] = '\n';
}

void OslPrint(const char *Text, ...)
{
    LINE Line;
    va_list Arguments;
    Line.Length = 0;
    va_start(Arguments, Text);
    Format(&Line, Text, Arguments);
    va_end(Arguments);
    SerialWrite(Line.Text, Line.Length);
}

/* Draws from the top of the screen: whatever the boot loader left there is of no use any more. */
static void ScreenShow(const LOADER_SCREEN *Mode, const LINE *Line)
{
    static SCREEN Screen;
    uint64_t Size = ScreenGlassSize(Mode);
    if (Size == 0 || Mode->Base + Size > OSL_REACH)
        return;
    if (ScreenInit(&Screen, Mode, (void *)(uintptr_t)Mode->Base, 0))
        ScreenWrite(&Screen, ScreenError, Line->Text, Line->Length);
}

static bool StartsWith(const char *Text, const char *Prefix)
{
    while (*Prefix && *Text == *Prefix) {
        Text++;
        Prefix++;
    }
    return *Prefix == 0;
}

_Noreturn void OslFail(const char *Text, ...)
{
    LINE Line;
    va_list Arguments;
    uint64_t Port;
    Line.Length = 0;
    if (!StartsWith(Text, "ntbox:"))
        PutText(&Line, "osloader: ");
    va_start(Arguments, Text);
    Format(&Line, Text, Arguments);
    va_end(Arguments);

    if (FailureContext)
        ScreenShow(&FailureContext->Screen, &Line);
    SerialWrite(Line.Text, Line.Length); /* last: who reads COM1 may take a picture of the screen now */
    if (FailureContext && OslCommandLineNumber(FailureContext->CommandLine, "exitport", &Port) &&
        Port <= 0xffff)
        OslOutByte((uint16_t)Port, OSL_EXIT_ENVIRONMENT);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
