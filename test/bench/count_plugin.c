/* SPDX-License-Identifier: MIT
 * A QEMU plugin: how often each instruction ran. profile.py builds it, loads it and reads what it writes (lines of address and count, to
 * the file of the argument out=FILE). The header of QEMU's plugin interface is not packaged in Debian; what is used of it, as
 * documented in docs/devel/tcg-plugins of QEMU 7.2, is declared here. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*callback)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(uint64_t id, void (*callback)(uint64_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation, void *counter,
                                                uint64_t value);

#define INLINE_ADD_U64 0
#define SLOTS (1u << 22)

int qemu_plugin_version = 1;
static struct {
    uint64_t Address, Count;
} slots[SLOTS];
static const char *out_path;

/* An instruction is translated more than once; it keeps its slot. */
static uint64_t *counter_of(uint64_t address)
{
    uint64_t at = (address * 0x9E3779B97F4A7C15u) % SLOTS;
    while (slots[at].Address != 0 && slots[at].Address != address)
        at = (at + 1) % SLOTS;
    slots[at].Address = address;
    return &slots[at].Count;
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (address != 0)
            qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, counter_of(address), 1);
    }
}

static void on_exit_of_qemu(uint64_t id, void *data)
{
    FILE *out = fopen(out_path, "w");
    for (size_t i = 0; out && i < SLOTS; i++) {
        if (slots[i].Count != 0)
            fprintf(out, "%llx %llu\n", (unsigned long long)slots[i].Address,
                    (unsigned long long)slots[i].Count);
    }
    if (out)
        fclose(out);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
        return 1;
    out_path = strdup(argv[0] + 4);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
