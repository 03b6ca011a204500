/* SPDX-License-Identifier: MIT
 * Reads one image with ldr/pe. Each step may stop with ldr/pe's sentence; the facts found until then stay. */
#include "image_facts.h"

#include <stdarg.h>
#include <string.h>

#include "companion.h"
#include "user_mode.h"

#define MAX_DEPTH 8u /* of images that import from one another, as in the kernel */

/* Where an image finds what it imports. */
typedef struct Surroundings {
    const KernelExports *Exports;
    char **With;
    guint Depth; /* of images that import from one another */
} Surroundings;

static ImageFacts *read_facts(const char *path, Surroundings around);

static void clear_import(gpointer import)
{
    g_free(((ImportFact *)import)->Name);
}

static void free_dll(gpointer pointer)
{
    DllFact *dll = pointer;
    g_free(dll->Name);
    g_free(dll->Path);
    g_free(dll->Sentence);
    g_array_unref(dll->Imports);
    g_free(dll);
}

/* Returns false, so that a check can end with it. */
static bool G_GNUC_PRINTF(2, 3) conclude(ImageFacts *facts, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_free(facts->Sentence);
    facts->Sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

static bool invalid(ImageFacts *facts, const PE_ERROR *error)
{
    return conclude(facts, "not a valid image: %s (offset 0x%" G_GINT64_MODIFIER "x)", error->Text,
                    error->Offset);
}

/* ---- imports ---- */

/* Who has what is imported: part of the kernel, or a file. */
typedef struct Provider {
    const KernelExports *Exports;
    const KernelModule *Module;
    CompanionImage *Companion;
} Provider;

static bool provides(const Provider *provider, const PE_IMPORT *import)
{
    if (provider->Module)
        return kernel_exports_has(provider->Exports, provider->Module, import->Name);
    return provider->Companion && companion_has(provider->Companion, import);
}

static void add_import(DllFact *dll, const PE_IMPORT *import, const Provider *provider)
{
    ImportFact fact = {
        .Name = import->Name ? g_strdup(import->Name) : g_strdup_printf("#%u", import->Ordinal),
        .Found = provides(provider, import),
    };
    dll->Missing += !fact.Found;
    g_array_append_val(dll->Imports, fact);
}

static PE_STATUS read_dll(const PE_IMAGE *image, PE_IMPORT_DLL *cursor, DllFact *dll,
                          const KernelExports *exports, PE_ERROR *error)
{
    const KernelModule *module = kernel_exports_module(exports, dll->Name);
    g_autoptr(CompanionImage) companion = dll->Path ? companion_open(dll->Path) : NULL;
    Provider provider = {exports, module, companion};
    PE_IMPORT import = {0};
    PE_STATUS status;
    dll->Known = module != NULL || dll->Path != NULL;
    while ((status = PeNextImport(image, cursor, &import, error)) == PE_OK)
        add_import(dll, &import, &provider);
    return status;
}

/* Its own imports may be missing too, or lead back here. */
static void look_around(DllFact *dll, const ImageFacts *facts, Surroundings around)
{
    const char *named = companion_named(around.With, dll->Name);
    if (dll->Delay)
        return;
    dll->Path = named ? g_strdup(named) : companion_beside(facts->Path, dll->Name);
    if (!dll->Path)
        return;
    if (around.Depth++ == MAX_DEPTH) {
        dll->Sentence = g_strdup("is imported from in a cycle, or by too long a chain");
        return;
    }
    ImageFacts *its = read_facts(dll->Path, around);
    if (!its->Loadable)
        dll->Sentence = g_strdup(its->Sentence);
    image_facts_free(its);
}

typedef PE_STATUS NextDll(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_ERROR *Error);

static bool read_imports(ImageFacts *facts, const PE_IMAGE *image, Surroundings around, bool delay)
{
    NextDll *next = delay ? PeNextDelayDll : PeNextImportDll;
    PE_IMPORT_DLL cursor = {0};
    PE_ERROR error;
    PE_STATUS status;
    while ((status = next(image, &cursor, &error)) == PE_OK) {
        DllFact *dll = g_new0(DllFact, 1);
        dll->Name = g_utf8_make_valid(cursor.Name, -1);
        dll->Delay = delay;
        dll->Imports = g_array_new(FALSE, FALSE, sizeof(ImportFact));
        g_array_set_clear_func(dll->Imports, clear_import);
        g_ptr_array_add(facts->Dlls, dll);
        look_around(dll, facts, around);
        if (read_dll(image, &cursor, dll, around.Exports, &error) != PE_END)
            return invalid(facts, &error);
        facts->ImportCount += delay ? 0 : dll->Imports->len;
        facts->MissingCount += delay ? 0 : dll->Missing;
    }
    return status == PE_END || invalid(facts, &error);
}

/* ---- the rest of the image ---- */

static bool answered(ImageFacts *facts, PE_STATUS status, const PE_ERROR *error)
{
    return status == PE_OK || status == PE_NOT_FOUND || invalid(facts, error);
}

static void warn_of_unwinding(ImageFacts *facts, const PE_IMAGE *image)
{
    if (facts->Functions == 0 && image->AddressOfEntryPoint)
        g_ptr_array_add(
            facts->Warnings,
            g_strdup("no function has unwind data: exceptions cannot pass its code, and stacks end there "
                     "(clang: -fasynchronous-unwind-tables)"));
}

static bool read_tables(ImageFacts *facts, const PE_IMAGE *image)
{
    PE_ERROR error;
    PE_LOAD_CONFIG config;
    PE_STATUS status = PeGetLoadConfig(image, &config, &error);
    facts->HasLoadConfig = status == PE_OK;
    bool read = answered(facts, status, &error) &&
                answered(facts, PeCountRelocations(image, &facts->Relocations, &error), &error) &&
                answered(facts, PeCheckExceptions(image, &facts->Functions, &error), &error);
    if (read)
        warn_of_unwinding(facts, image);
    return read;
}

static char *version_string(const PE_VERSION *version, const char *key)
{
    char text[256];
    bool found = PeGetVersionString(version, key, text, sizeof text, NULL) == PE_OK && *text;
    return found ? g_utf8_make_valid(text, -1) : NULL;
}

/* Resources, debug directory and certificate do not matter to the loader: damage in them is a warning. */
static void warn(ImageFacts *facts, const char *what, const PE_ERROR *error)
{
    g_ptr_array_add(facts->Warnings, g_strdup_printf("%s: %s", what, error->Text));
}

static void read_version(ImageFacts *facts, const PE_IMAGE *image)
{
    PE_ERROR error;
    PE_VERSION version;
    PE_STATUS status = PeGetVersion(image, &version, &error);
    if (status == PE_NOT_FOUND)
        return;
    if (status != PE_OK)
        return warn(facts, "version resource", &error);
    facts->HasVersion = true;
    memcpy(facts->Version, version.FileVersion, sizeof facts->Version);
    facts->Description = version_string(&version, "FileDescription");
    facts->Company = version_string(&version, "CompanyName");
}

static void read_debug(ImageFacts *facts, const PE_IMAGE *image)
{
    PE_ERROR error;
    PE_DEBUG_INFO info;
    PE_STATUS status = PeGetDebugInfo(image, &info, &error);
    if (status == PE_OK && info.PdbName)
        facts->PdbName = g_utf8_make_valid(info.PdbName, -1);
    else if (status != PE_OK && status != PE_NOT_FOUND)
        warn(facts, "debug directory", &error);
}

static void read_signature(ImageFacts *facts, const PE_IMAGE *image)
{
    PE_ERROR error;
    PE_STATUS status = PeGetCertificate(image, &facts->Certificate, &error);
    facts->HasCertificate = status == PE_OK;
    if (status != PE_OK && status != PE_NOT_FOUND)
        warn(facts, "certificate table", &error);
    PeComputeCheckSum(image, &facts->CheckSum, NULL);
}

static void read_warnings(ImageFacts *facts)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *text = facts->Image.Warnings & 1u << bit ? PeWarningText(1u << bit) : NULL;
        if (text)
            g_ptr_array_add(facts->Warnings, g_strdup(text));
    }
    if (facts->Image.CheckSum && facts->Image.CheckSum != facts->CheckSum)
        g_ptr_array_add(facts->Warnings,
                        g_strdup_printf("the header's checksum 0x%08x is wrong: it should be 0x%08x",
                                        facts->Image.CheckSum, facts->CheckSum));
}

/* ---- the conclusion ---- */

/* All that is imported is there; but it may be in files that the kernel has to load too. */
static void conclude_companions(ImageFacts *facts)
{
    g_autoptr(GString) needed = g_string_new(NULL);
    for (guint i = 0; i < facts->Dlls->len; i++) {
        const DllFact *dll = facts->Dlls->pdata[i];
        if (dll->Sentence) {
            conclude(facts, "cannot be loaded: it imports from %s, which %s", dll->Name, dll->Sentence);
            return;
        }
        if (dll->Path)
            g_string_append_printf(needed, "%s%s", needed->len ? ", " : "", dll->Name);
    }
    facts->Loadable = true;
    conclude(facts, needed->len ? "can be loaded, together with %s" : "can be loaded", needed->str);
}

static const DllFact *first_absent(const ImageFacts *facts)
{
    for (guint i = 0; i < facts->Dlls->len; i++) {
        const DllFact *dll = facts->Dlls->pdata[i];
        if (!dll->Known && !dll->Delay)
            return dll;
    }
    return NULL;
}

static void conclude_imports(ImageFacts *facts)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < facts->Dlls->len; i++)
        g_ptr_array_add(names, ((DllFact *)facts->Dlls->pdata[i])->Name);
    g_autofree char *user_mode = user_mode_sentence(names);
    if (user_mode) {
        conclude(facts, "%s", user_mode);
    } else if (facts->Image.Subsystem != PE_SUBSYSTEM_NATIVE) {
        conclude(facts, "not a driver: its subsystem is %u, not 1 (native)", facts->Image.Subsystem);
    } else if (facts->Image.AddressOfEntryPoint == 0) {
        conclude(facts, "not a driver: it has no entry point");
    } else if (facts->MissingCount) {
        const DllFact *absent = first_absent(facts);
        conclude(facts, "cannot be loaded: %u of %u imports %s missing%s%s%s", facts->MissingCount,
                 facts->ImportCount, facts->MissingCount == 1 ? "is" : "are", absent ? ": " : "",
                 absent ? absent->Name : "", absent ? " is neither beside it nor named by --with" : "");
    } else {
        conclude_companions(facts);
    }
}

/* The file header's machine, for files that ldr/pe refuses too. [PE Format] Machine Types. */
static const char *machine_of(const guint8 *bytes, gsize length)
{
    static const struct {
        guint16 Machine;
        const char *Name;
    } machines[] = {
        {0x8664, "x86-64"}, {0x14c, "x86"}, {0xaa64, "ARM64"}, {0x1c4, "ARM"}, {0x200, "Itanium"}};
    guint32 header = 0;
    guint16 machine;
    if (length < 64 || memcmp(bytes, "MZ", 2) != 0)
        return "none";
    memcpy(&header, bytes + 60, sizeof header);
    if (header > length || length - header < 6 || memcmp(bytes + header, "PE\0\0", 4) != 0)
        return "none";
    memcpy(&machine, bytes + header + 4, sizeof machine);
    for (size_t i = 0; i < G_N_ELEMENTS(machines); i++) {
        if (machines[i].Machine == machine)
            return machines[i].Name;
    }
    return "unknown";
}

static void read_image(ImageFacts *facts, const void *bytes, gsize length, Surroundings around)
{
    PE_IMAGE image;
    PE_ERROR error;
    facts->Machine = machine_of(bytes, length);
    if (PeParseFile(bytes, length, 0, &image, &error) != PE_OK) {
        invalid(facts, &error);
        return;
    }
    facts->Image = image;
    facts->Flavour = PeFlavourName(PeGuessFlavour(&image));
    read_version(facts, &image);
    read_debug(facts, &image);
    read_signature(facts, &image);
    read_warnings(facts);
    facts->Valid = read_tables(facts, &image) && read_imports(facts, &image, around, false) &&
                   read_imports(facts, &image, around, true);
    if (facts->Valid)
        conclude_imports(facts);
}

static ImageFacts *read_facts(const char *path, Surroundings around)
{
    ImageFacts *facts = g_new0(ImageFacts, 1);
    g_autoptr(GError) error = NULL;
    facts->Path = g_filename_display_name(path);
    facts->Flavour = "unknown";
    facts->Machine = "none";
    facts->Dlls = g_ptr_array_new_with_free_func(free_dll);
    facts->Warnings = g_ptr_array_new_with_free_func(g_free);
    bool special = g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR);
    g_autoptr(GMappedFile) file = special ? NULL : g_mapped_file_new(path, FALSE, &error);
    facts->Readable = file != NULL;
    if (file)
        read_image(facts, g_mapped_file_get_contents(file), g_mapped_file_get_length(file), around);
    else
        conclude(facts, "cannot be read: %s", special ? "it is no regular file" : error->message);
    return facts;
}

ImageFacts *image_facts_read(const char *path, const KernelExports *exports, char **with)
{
    return read_facts(path, (Surroundings){exports, with, 0});
}

void image_facts_free(ImageFacts *facts)
{
    g_free(facts->Path);
    g_free(facts->Sentence);
    g_ptr_array_unref(facts->Dlls);
    g_ptr_array_unref(facts->Warnings);
    g_free(facts->Description);
    g_free(facts->Company);
    g_free(facts->PdbName);
    g_free(facts);
}
