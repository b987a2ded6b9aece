/* Preloaded into a store: each fdatasync takes SLOW_FSYNC_MS longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  usleep(atoi(getenv("SLOW_FSYNC_MS")) * 1000);
  return real(fd);
}
