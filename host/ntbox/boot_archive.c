/* SPDX-License-Identifier: MIT
 * boot.cpio by libarchive's newc writer. Times, owners and inode numbers are fixed: the same input gives the
 * same bytes, so that a run can be repeated exactly. */
#include "boot_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "usage.h"

struct BootArchive {
    struct archive *Writer;
    GByteArray *Bytes;
    GHashTable *Folders; /* paths already added */
    gint64 NextInode;
};

static la_ssize_t append_bytes(struct archive *writer, void *context, const void *data, size_t length)
{
    BootArchive *archive = context;
    g_byte_array_append(archive->Bytes, data, (guint)length);
    return (la_ssize_t)length;
}

BootArchive *boot_archive_new(void)
{
    BootArchive *archive = g_new0(BootArchive, 1);
    archive->Writer = archive_write_new();
    archive->Bytes = g_byte_array_new();
    archive->Folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    archive->NextInode = 1;
    archive_write_set_format_cpio_newc(archive->Writer);
    archive_write_set_bytes_in_last_block(archive->Writer, 1);
    archive_write_open(archive->Writer, archive, NULL, append_bytes, NULL);
    return archive;
}

static bool writer_error(BootArchive *archive, const char *path, GError **error)
{
    return usage_error(error, "boot.cpio: cannot add %s: %s", path, archive_error_string(archive->Writer));
}

static bool add_entry(BootArchive *archive, const char *path, mode_t type, const void *data, size_t length,
                      GError **error)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, type == AE_IFDIR ? 0755 : 0644);
    archive_entry_set_nlink(entry, type == AE_IFDIR ? 2 : 1);
    archive_entry_set_ino64(entry, archive->NextInode++);
    archive_entry_set_size(entry, (la_int64_t)length);
    bool good = archive_write_header(archive->Writer, entry) == ARCHIVE_OK &&
                (length == 0 || archive_write_data(archive->Writer, data, length) == (la_ssize_t)length);
    archive_entry_free(entry);
    return good || writer_error(archive, path, error);
}

/* Adds "a", "a/b" for "a/b/c" unless they are there. */
static bool add_folders(BootArchive *archive, const char *path, GError **error)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        char *folder = g_strndup(path, (gsize)(slash - path));
        if (!g_hash_table_add(archive->Folders, folder))
            continue;
        if (!add_entry(archive, folder, AE_IFDIR, NULL, 0, error))
            return false;
    }
    return true;
}

bool boot_archive_add(BootArchive *archive, const char *path, const void *data, size_t length, GError **error)
{
    /* GByteArray counts in 32 bits; a boot archive near 2 GB could not be loaded anyway. */
    if (length > G_MAXINT32 || archive->Bytes->len > G_MAXINT32 - length)
        return usage_error(error, "boot.cpio: %s does not fit: the archive may have 2 GiB", path);
    return add_folders(archive, path, error) && add_entry(archive, path, AE_IFREG, data, length, error);
}

bool boot_archive_add_file(BootArchive *archive, const char *path, const char *host_path, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (g_file_test(host_path, G_FILE_TEST_EXISTS) && !g_file_test(host_path, G_FILE_TEST_IS_REGULAR))
        return usage_error(error, "cannot read %s: it is no regular file", host_path);
    g_autoptr(GMappedFile) file = g_mapped_file_new(host_path, FALSE, &reason);
    if (!file)
        return usage_error(error, "cannot read %s: %s", host_path, reason->message);
    return boot_archive_add(archive, path, g_mapped_file_get_contents(file), g_mapped_file_get_length(file),
                            error);
}

GBytes *boot_archive_finish(BootArchive *archive, GError **error)
{
    GBytes *bytes = NULL;
    if (archive_write_close(archive->Writer) == ARCHIVE_OK)
        bytes = g_byte_array_free_to_bytes(g_steal_pointer(&archive->Bytes));
    else
        writer_error(archive, "the trailer", error);
    boot_archive_free(archive);
    return bytes;
}

void boot_archive_free(BootArchive *archive)
{
    archive_write_free(archive->Writer);
    g_clear_pointer(&archive->Bytes, g_byte_array_unref);
    g_hash_table_unref(archive->Folders);
    g_free(archive);
}
