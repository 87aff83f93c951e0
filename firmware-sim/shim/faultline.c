/*
 * Faults of disk, network and clock for one real process: preloaded (LD_PRELOAD), steered through a shared file.
 *
 *   process ─▶ fdatasync · pwrite64 · sendmsg … ─▶ [count; is this one meant?] ─▶ the C library
 *                                    gettimeofday ─▶ [add the offset] ◀─┘
 *
 * The file, 64-bit numbers of this machine's byte order:
 *
 *    0 fsyncs so far   1 writes so far   2 sends so far        counted here
 *    3 action          4 operation       5 first   6 last      which calls are meant: first ≤ number ≤ last
 *    7 value           8 wall clock offset, ms
 *    9 1: the disk is as large as its files and what word 10 says is free on it, in bytes; 0: as large as it is
 *   10 free bytes: files that grow take of it, files that shrink or go give back, statfs tells
 *
 *   action   1 kill the process · 2 fail with errno `value` · 3 wait `value` ms first
 *   operation 0 fsync · 1 write · 2 send
 *
 * Only files whose path contains FAULTLINE_PATH count as disk. A write that kills leaves half of its bytes, as a kernel
 * that was interrupted may; a send that kills sends nothing. A test tool: nothing of the product is built from it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FSYNC, WRITE, SEND, OPERATIONS };
enum { NONE, KILL, FAIL, WAIT };
enum { ACTION = 3, OPERATION, FIRST, LAST, VALUE, OFFSET_MS, LIMITED, FREE, WORDS };

#define PATH_BYTES_MAX 512

static volatile int64_t *steering;
static const char *disk_path;

__attribute__((constructor)) static void faultline_open(void) {
  const char *file = getenv("FAULTLINE_FILE");
  disk_path = getenv("FAULTLINE_PATH");
  int fd = file == NULL ? -1 : open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, WORDS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) steering = mapped;
}

/* The C library's own function behind ours. */
#define NEXT(name)                                     \
  static __typeof__(&name) next;                       \
  if (next == NULL) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int is_disk(int fd) {
  if (steering == NULL || disk_path == NULL) return 0;
  char link[32], path[PATH_BYTES_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strstr(path, disk_path) != NULL;
}

static int is_network(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (steering == NULL || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return 0;
  return domain == AF_INET || domain == AF_INET6;
}

/* Counts the call. Returns what to do about it: NONE, KILL or FAIL; waits by itself. */
static int next_call(int operation) {
  int64_t number = __atomic_add_fetch(&steering[operation], 1, __ATOMIC_SEQ_CST);
  if (steering[ACTION] == NONE || steering[OPERATION] != operation) return NONE;
  if (number < steering[FIRST] || number > steering[LAST]) return NONE;
  if (steering[ACTION] != WAIT) return (int)steering[ACTION];
  struct timespec pause = {steering[VALUE] / 1000, (steering[VALUE] % 1000) * 1000000};
  nanosleep(&pause, NULL);
  return NONE;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int fail(void) {
  errno = (int)steering[VALUE];
  return -1;
}

/* Room for a file that is to end at `end`? Takes it, when there is. */
static int takes_room(int fd, int64_t end) {
  struct stat facts;
  if (steering[LIMITED] == 0 || fstat(fd, &facts) != 0 || end <= facts.st_size) return 1;
  int64_t more = end - facts.st_size;
  if (__atomic_sub_fetch(&steering[FREE], more, __ATOMIC_SEQ_CST) >= 0) return 1;
  __atomic_add_fetch(&steering[FREE], more, __ATOMIC_SEQ_CST);
  return 0;
}

static void gives_room(int64_t bytes) {
  if (steering[LIMITED] != 0 && bytes > 0) __atomic_add_fetch(&steering[FREE], bytes, __ATOMIC_SEQ_CST);
}

static int is_disk_path(const char *path) {
  return steering != NULL && disk_path != NULL && strstr(path, disk_path) != NULL;
}

static ssize_t no_room(void) {
  errno = ENOSPC;
  return -1;
}

#define SYNC(name)                       \
  int name(int fd) {                     \
    NEXT(name);                          \
    if (is_disk(fd)) {                   \
      int action = next_call(FSYNC);     \
      if (action == KILL) die();         \
      if (action == FAIL) return fail(); \
    }                                    \
    return next(fd);                     \
  }
SYNC(fsync)
SYNC(fdatasync)

#define DISK_WRITE(name, offset_type)                                        \
  ssize_t name(int fd, const void *bytes, size_t count, offset_type at) {    \
    NEXT(name);                                                              \
    if (is_disk(fd)) {                                                       \
      int action = next_call(WRITE);                                         \
      if (action == KILL) {                                                  \
        (void)!next(fd, bytes, count / 2, at);                               \
        die();                                                               \
      }                                                                      \
      if (action == FAIL) return fail();                                     \
      if (!takes_room(fd, (int64_t)at + (int64_t)count)) return no_room();   \
    }                                                                        \
    return next(fd, bytes, count, at);                                       \
  }
DISK_WRITE(pwrite, off_t)
DISK_WRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
  NEXT(write);
  int operation = is_disk(fd) ? WRITE : is_network(fd) ? SEND : OPERATIONS;
  if (operation != OPERATIONS) {
    int action = next_call(operation);
    if (action == KILL) {
      if (operation == WRITE) (void)!next(fd, bytes, count / 2);
      die();
    }
    if (action == FAIL) return fail();
    if (operation == WRITE) {
      int64_t at = lseek(fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
      if (!takes_room(fd, at + (int64_t)count)) return no_room();
    }
  }
  return next(fd, bytes, count);
}

#define TRUNCATE(name, offset_type)                                                \
  int name(int fd, offset_type length) {                                           \
    NEXT(name);                                                                    \
    struct stat facts;                                                             \
    int is_meant = is_disk(fd) && fstat(fd, &facts) == 0;                          \
    int answer = next(fd, length);                                                 \
    if (is_meant && answer == 0) gives_room((int64_t)facts.st_size - (int64_t)length); \
    return answer;                                                                 \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int unlink(const char *path) {
  NEXT(unlink);
  struct stat facts;
  int is_meant = is_disk_path(path) && stat(path, &facts) == 0;
  int answer = next(path);
  if (is_meant && answer == 0) gives_room((int64_t)facts.st_size);
  return answer;
}

#define STATFS(name)                                                               \
  int name(const char *path, struct name *disk) {                                  \
    NEXT(name);                                                                    \
    int answer = next(path, disk);                                                 \
    if (answer == 0 && is_disk_path(path) && steering[LIMITED] != 0) {             \
      disk->f_bavail = disk->f_bfree = (uint64_t)steering[FREE] / (uint64_t)disk->f_bsize; \
    }                                                                              \
    return answer;                                                                 \
  }
STATFS(statfs)
STATFS(statfs64)

/* Sends of the event loop's library go through the first two, those of the C edition through the third. */
#define NETWORK_SEND(name, ...)                     \
  {                                                            \
    NEXT(name);                                                \
    if (is_network(fd)) {                                      \
      int action = next_call(SEND);                            \
      if (action == KILL) die();                               \
      if (action == FAIL) return fail();                       \
    }                                                          \
    return next(fd, __VA_ARGS__);                              \
  }
ssize_t writev(int fd, const struct iovec *parts, int count) NETWORK_SEND(writev, parts, count)
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) NETWORK_SEND(sendmsg, message, flags)
ssize_t send(int fd, const void *bytes, size_t count, int flags) NETWORK_SEND(send, bytes, count, flags)

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  NEXT(gettimeofday);
  int answer = next(now, zone);
  if (steering != NULL) {
    int64_t us = (int64_t)now->tv_sec * 1000000 + now->tv_usec + steering[OFFSET_MS] * 1000;
    now->tv_sec = us / 1000000;
    now->tv_usec = us % 1000000;
  }
  return answer;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  NEXT(clock_gettime);
  int answer = next(clock, now);
  if (steering != NULL && clock == CLOCK_REALTIME) now->tv_sec += steering[OFFSET_MS] / 1000;
  return answer;
}
