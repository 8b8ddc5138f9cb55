// Runs the SQL on standard input against a database in memory, and prints rows.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite3.h"

// What SQLite asks of a system: there are no files, time stands still, and chance is always the same.
static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *file, int flags, int *out) {
  file->pMethods = NULL;
  return SQLITE_CANTOPEN;
}
static int delete_file(sqlite3_vfs *v, const char *name, int sync) { return SQLITE_IOERR_DELETE; }
static int access_file(sqlite3_vfs *v, const char *name, int flags, int *out) { return *out = 0; }
static int full_path(sqlite3_vfs *v, const char *name, int room, char *out) {
  sqlite3_snprintf(room, out, "%s", name);
  return SQLITE_OK;
}
static int randomness(sqlite3_vfs *v, int count, char *out) {
  memset(out, 42, count);
  return count;
}
static int sleep_for(sqlite3_vfs *v, int microseconds) { return microseconds; }
static int current_time(sqlite3_vfs *v, double *out) {
  *out = 2460000.5;
  return SQLITE_OK;
}

int sqlite3_os_init(void) {
  static sqlite3_vfs none = {
    .iVersion = 1, .szOsFile = sizeof(sqlite3_file), .mxPathname = 64, .zName = "none", .xOpen = open_file,
    .xDelete = delete_file, .xAccess = access_file, .xFullPathname = full_path, .xRandomness = randomness,
    .xSleep = sleep_for, .xCurrentTime = current_time,
  };
  return sqlite3_vfs_register(&none, 1);
}
int sqlite3_os_end(void) { return SQLITE_OK; }

static int row(void *unused, int count, char **values, char **names) {
  for (int i = 0; i < count; i++) printf(i ? "|%s" : "%s", values[i] ? values[i] : "NULL");
  putchar('\n');
  return 0;
}

int main(void) {
  static char text[1 << 16];
  text[fread(text, 1, sizeof text - 1, stdin)] = 0;
  sqlite3 *db;
  char *error = NULL;
  if (sqlite3_open(":memory:", &db) == SQLITE_OK && sqlite3_exec(db, text, row, NULL, &error) == SQLITE_OK) return 0;
  fprintf(stderr, "%s\n", error ? error : sqlite3_errmsg(db));
  return 1;
}
