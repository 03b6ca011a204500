/* SPDX-License-Identifier: MIT
 * The `ntbox` command: one verb each. */
#include <errno.h>
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "exit_code.h"
#include "exports.h"
#include "options.h"
#include "run.h"

typedef struct Verb {
    const char *Name;
    const char *What;
    ExitCode (*Main)(int argc, char **argv);
} Verb;

static const Verb verbs[] = {
    {"check", "Say of each image whether it can be loaded, and what it imports", check_main},
    {"run", "Load drivers in a virtual machine, send requests, report", run_main},
    {"exports", "List what the kernel exports to drivers", exports_main},
};

static const Verb *find_verb(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verbs[i].Name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: ntbox VERB [OPTION...] [FILE...]\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(out, "  %-10s %s\n", verbs[i].Name, verbs[i].What);
    fprintf(out, "  %-10s %s\n", "help", "Show this, or with a verb that verb's options");
    fprintf(out, "\n  --version  Print the version\n  --help     Show this\n");
}

/* A report that could not be written is not the report. At the exit, because GOption's --help exits by itself. */
static void flush_at_exit(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    fprintf(stderr, "ntbox: cannot write to the standard output: %s\n", g_strerror(errno ? errno : EIO));
    _exit(ExitUsage);
}

/* GOption takes the usage line's first words from here. */
static ExitCode call(const Verb *verb, int argc, char **argv)
{
    g_autofree char *name = g_strconcat("ntbox ", verb->Name, NULL);
    g_set_prgname(name);
    return verb->Main(argc, argv);
}

static ExitCode help(int argc, char **argv)
{
    const Verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
    char *arguments[] = {argv[0], "--help", NULL};
    if (verb)
        return call(verb, 2, arguments);
    if (argc > 1)
        fprintf(stderr, "ntbox: unknown verb '%s'\n", argv[1]);
    print_help(argc > 1 ? stderr : stdout);
    return argc > 1 ? ExitUsage : ExitPass;
}

/* Names of files and what drivers print are UTF-8 for us, also where no locale is set, as in most containers and CI jobs. */
static void choose_locale(void)
{
    if (!setlocale(LC_ALL, "") || !g_get_charset(NULL))
        setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
    choose_locale();
    atexit(flush_at_exit);
    const char *word = argc > 1 ? argv[1] : "";
    const Verb *verb = find_verb(word);
    if (verb)
        return call(verb, argc - 1, argv + 1);
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(word, "--version") == 0) {
        printf("ntbox %s\n", NTBOX_VERSION);
        return ExitPass;
    }
    fprintf(stderr, *word ? "ntbox: unknown verb '%s'\n" : "ntbox: which verb?%s\n", word);
    print_help(stderr);
    return ExitUsage;
}
