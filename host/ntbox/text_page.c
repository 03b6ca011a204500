/* SPDX-License-Identifier: MIT
 * The lines of a text report: see text_page.h. */
#include "text_page.h"

#include <inttypes.h>

#include "ntstatus.h"

void text_put(const TextPage *page, const char *label, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    fprintf(page->Out, "  %-12s %s\n", label, lines[0] ? lines[0] : "");
    for (char **line = lines[0] ? lines + 1 : lines; *line; line++)
        fprintf(page->Out, "  %-12s %s\n", "", *line);
}

void text_put_format(const TextPage *page, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    text_put(page, label, text);
}

char *text_status(const RunEvent *event)
{
    return ntstatus_text((uint32_t)run_event_value(event, ReportKeyStatus));
}

/* The host's symbol counts before the guest's. */
char *text_place(const TextPage *page, const RunEvent *event)
{
    const char *module = run_event_text(event, ReportKeyModule);
    const char *own = g_hash_table_lookup(page->Report->Symbols, event);
    const char *symbol = run_event_text(event, ReportKeySymbol);
    uint64_t offset = run_event_value(event, ReportKeyOffset);
    if (own)
        return g_strdup_printf("%s!%s", module, own);
    if (symbol && module)
        return g_strdup_printf("%s!%s (%s+0x%" PRIx64 ")", module, symbol, module, offset);
    if (module)
        return g_strdup_printf("%s+0x%" PRIx64, module, offset);
    return g_strdup_printf("0x%016" PRIx64, run_event_value(event, ReportKeyAddress));
}
