/* SPDX-License-Identifier: MIT
 * `ntbox check`: options, then one ImageFacts for each file. */
#include "check.h"

#include <stdio.h>

#include "check_json.h"
#include "check_text.h"
#include "companion.h"
#include "image_facts.h"
#include "kernel_exports.h"
#include "locate.h"
#include "usage.h"

typedef struct CheckOptions {
    char **Files;
    char **With;
    char *Directory;
    gboolean Json;
} CheckOptions;

static bool parse(CheckOptions *options, char **argv, GError **error)
{
    GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->Json, "Write one JSON document", NULL},
        {"with", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->With,
         "One more image that these may import from (repeatable); what lies beside them needs no naming",
         "FILE"},
        {"dir", 0, 0, G_OPTION_ARG_FILENAME, &options->Directory, "Where the kernel lies (or $NTBOX_DIR)",
         "FOLDER"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->Files, NULL, "FILE..."},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_summary(context,
                                 "Says of each image whether it is valid, what it imports, and which of that "
                                 "the kernel does not export.");
    g_option_context_set_description(context,
                                     "Exit codes: 0 all can be loaded, 2 one cannot, 3 usage or a file that "
                                     "cannot be read.\n");
    return usage_parse_options(context, argv, error) &&
           (options->Files || usage_error(error, "which image? ntbox check wants at least one FILE"));
}

static bool check_with(char **with, GError **error)
{
    for (; with && *with; with++) {
        if (!companion_check(*with, error))
            return false;
        if (!g_file_test(*with, G_FILE_TEST_IS_REGULAR))
            return usage_error(error, "--with %s: there is no such file", *with);
    }
    return true;
}

static ExitCode worse(ExitCode code, const ImageFacts *facts)
{
    if (!facts->Readable)
        return ExitUsage;
    return !facts->Loadable && code == ExitPass ? ExitCannotLoad : code;
}

static ExitCode check_files(const CheckOptions *options, const KernelExports *exports)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)image_facts_free);
    ExitCode code = ExitPass;
    for (char **file = options->Files; *file; file++) {
        ImageFacts *facts = image_facts_read(*file, exports, options->With);
        g_ptr_array_add(all, facts);
        code = worse(code, facts);
    }
    if (options->Json) {
        g_autofree char *text = check_json_text(all, code);
        fputs(text, stdout);
        return code;
    }
    for (guint i = 0; i < all->len; i++)
        check_text_write(stdout, all->pdata[i]);
    return code;
}

ExitCode check_main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    CheckOptions options = {0};
    g_autofree char *directory = NULL;
    KernelExports *exports = NULL;
    ExitCode code = ExitUsage;
    if (parse(&options, argv, &error) && check_with(options.With, &error))
        directory = locate_directory(options.Directory, &error);
    if (directory)
        exports = kernel_exports_open(directory, &error);
    if (exports) {
        code = check_files(&options, exports);
        kernel_exports_close(exports);
    }
    if (error)
        fprintf(stderr, "ntbox: %s\n", error->message);
    g_strfreev(options.Files);
    g_strfreev(options.With);
    g_free(options.Directory);
    return code;
}
