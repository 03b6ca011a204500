/* SPDX-License-Identifier: MIT
 * `ntbox check`: options, then one ImageFacts or PackageFacts for each file. */
#include "check.h"

#include <stdio.h>

#include "check_json.h"
#include "check_text.h"
#include "companion.h"
#include "image_facts.h"
#include "kernel_exports.h"
#include "locate.h"
#include "package_facts.h"
#include "package_text.h"
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
    g_option_context_set_summary(
        context, "Says of each image whether it is valid, what it imports, and which of that "
                 "the kernel does not export; of each driver package (FILE.inf) what it would "
                 "install.");
    g_option_context_set_description(context,
                                     "Exit codes: 0 all can be loaded, 2 one cannot, 3 usage or a file that "
                                     "cannot be read.\n");
    return usage_parse_options(context, argv, error) &&
           (options->Files ||
            usage_error(error, "which image or package? ntbox check wants at least one FILE"));
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

/* What is found out: the packages named, then the images named, and those that the packages bring. */
typedef struct CheckResult {
    GPtrArray *Packages; /* of PackageFacts */
    GPtrArray *Images;   /* of ImageFacts */
    ExitCode Code;
    char *Samples;
} CheckResult;

/* A file that cannot be read counts more than one that cannot be loaded. */
static void judge(CheckResult *result, bool readable, bool loadable)
{
    if (!readable)
        result->Code = ExitUsage;
    else if (!loadable && result->Code == ExitPass)
        result->Code = ExitCannotLoad;
}

static void check_image(CheckResult *result, const char *path, const KernelExports *exports, char **with)
{
    ImageFacts *facts = image_facts_read(path, exports, with);
    g_ptr_array_add(result->Images, facts);
    judge(result, facts->Readable, facts->Loadable);
}

/* Its images may import from one another. */
static void check_package(CheckResult *result, const char *path, const KernelExports *exports, char **with)
{
    PackageFacts *facts = package_facts_read(path, result->Samples);
    g_autoptr(GPtrArray) images = package_facts_images(facts), all = g_ptr_array_new();
    g_ptr_array_add(result->Packages, facts);
    judge(result, facts->Readable, facts->Package != NULL);
    for (; with && *with; with++)
        g_ptr_array_add(all, *with);
    for (guint i = 0; i < images->len; i++)
        g_ptr_array_add(all, images->pdata[i]);
    g_ptr_array_add(all, NULL);
    for (guint i = 0; i < images->len; i++)
        check_image(result, images->pdata[i], exports, (char **)all->pdata);
}

static void write_text(const CheckResult *result)
{
    for (guint i = 0; i < result->Packages->len; i++)
        package_text_write(stdout, result->Packages->pdata[i]);
    for (guint i = 0; i < result->Images->len; i++)
        check_text_write(stdout, result->Images->pdata[i]);
}

static ExitCode check_files(const CheckOptions *options, const char *directory, const KernelExports *exports)
{
    CheckResult result = {g_ptr_array_new_with_free_func((GDestroyNotify)package_facts_free),
                          g_ptr_array_new_with_free_func((GDestroyNotify)image_facts_free), ExitPass,
                          driver_package_samples(directory)};
    for (char **file = options->Files; *file; file++) {
        if (driver_package_is_inf(*file))
            check_package(&result, *file, exports, options->With);
        else
            check_image(&result, *file, exports, options->With);
    }
    if (options->Json) {
        g_autofree char *text = check_json_text(result.Packages, result.Images, result.Code);
        fputs(text, stdout);
    } else {
        write_text(&result);
    }
    g_ptr_array_unref(result.Packages);
    g_ptr_array_unref(result.Images);
    g_free(result.Samples);
    return result.Code;
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
        code = check_files(&options, directory, exports);
        kernel_exports_close(exports);
    }
    if (error)
        fprintf(stderr, "ntbox: %s\n", error->message);
    g_strfreev(options.Files);
    g_strfreev(options.With);
    g_free(options.Directory);
    return code;
}
