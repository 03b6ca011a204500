/* SPDX-License-Identifier: MIT
 * Writes the facts of one image: the sentence first, then one labelled line per fact. */
#include "check_text.h"

#include "printable.h"

static void G_GNUC_PRINTF(3, 4) put(FILE *out, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *shown = printable_text(text);
    fprintf(out, "  %-10s %s\n", label, shown);
}

static void put_headers(FILE *out, const ImageFacts *facts)
{
    const PE_IMAGE *image = &facts->Image;
    put(out, "machine", "%s", facts->Machine);
    put(out, "flavour", "%s, linker %u.%u, system %u.%u, subsystem %u.%u", facts->Flavour,
        image->MajorLinkerVersion, image->MinorLinkerVersion, image->MajorOperatingSystemVersion,
        image->MinorOperatingSystemVersion, image->MajorSubsystemVersion, image->MinorSubsystemVersion);
    put(out, "image", "%u bytes, %u sections, %u relocations, %u functions with unwind data",
        image->SizeOfImage, image->NumberOfSections, facts->Relocations, facts->Functions);
}

static void put_identity(FILE *out, const ImageFacts *facts)
{
    if (facts->HasVersion)
        put(out, "version", "%u.%u.%u.%u%s%s%s%s", facts->Version[0], facts->Version[1], facts->Version[2],
            facts->Version[3], facts->Description ? ", " : "", facts->Description ? facts->Description : "",
            facts->Company ? ", " : "", facts->Company ? facts->Company : "");
    if (facts->PdbName)
        put(out, "pdb", "%s", facts->PdbName);
    if (facts->HasCertificate)
        put(out, "signature", "present: %u bytes (not verified)", facts->Certificate.Size);
    else
        put(out, "signature", "none");
}

static void put_dll(FILE *out, const DllFact *dll)
{
    put(out, "imports", "%s%s: %u name%s%s", dll->Name, dll->Delay ? " (delay-load)" : "", dll->Imports->len,
        dll->Imports->len == 1 ? "" : "s", dll->Known ? "" : ", no such module");
    if (dll->Path)
        put(out, "needs", "%s: %s", dll->Path, dll->Sentence ? dll->Sentence : "can be loaded");
    for (guint i = 0; i < dll->Imports->len; i++) {
        const ImportFact *import = &g_array_index(dll->Imports, ImportFact, i);
        g_autofree char *name = printable_text(import->Name);
        fprintf(out, "    %-8s %s\n", import->Found ? "ok" : "missing", name);
    }
}

void check_text_write(FILE *out, const ImageFacts *facts)
{
    g_autofree char *path = printable_text(facts->Path);
    g_autofree char *sentence = printable_text(facts->Sentence);
    fprintf(out, "%s: %s\n", path, sentence);
    if (facts->Image.SizeOfImage)
        put_headers(out, facts);
    else if (facts->Readable)
        put(out, "machine", "%s", facts->Machine);
    if (facts->Image.SizeOfImage)
        put_identity(out, facts);
    for (guint i = 0; i < facts->Dlls->len; i++)
        put_dll(out, facts->Dlls->pdata[i]);
    for (guint i = 0; i < facts->Warnings->len; i++)
        put(out, "warning", "%s", (const char *)facts->Warnings->pdata[i]);
}
