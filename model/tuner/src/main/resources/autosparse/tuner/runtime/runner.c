/*
 * Runs compiled kernels on one matrix: loads the matrix (and computes what each kernel must give), then packed forms
 * of it, then checks and times kernels from shared objects.
 *
 *   runner MEMORY_LIMIT_BYTES        0 = no limit
 *
 * One command a line on standard input, one answer a line on what was standard output; fields are separated by tabs:
 *   ID matrix FILE OP DENSE SEED     OP: spmv, spmm, sddmm           -> ID ok NS
 *   ID packed FILE                                                   -> ID ok NS
 *   ID run SHARED_OBJECT FUNCTION WARMUPS MIN_RUNS MAX_RUNS MIN_TOTAL_NS MAX_TOTAL_NS MAX_NS TOLERANCE
 *                                    -> ID ok ERROR LOAD_NS CHECK_NS RUN_NS RUNS NS_1 ... NS_RUNS
 * or ID wrong DETAIL (the result is not right), ID failed REASON DETAIL (REASON: memory, open, file; the next command
 * may come), ID died REASON DETAIL (REASON: memory, timeout; the process ends), ID refused DETAIL (no such command).
 *
 * What a kernel prints goes to standard error: answers have a descriptor of their own. The process leads a session,
 * and kills its whole group as soon as nobody holds the other end of its input, be it in the middle of a kernel.
 *
 * Nothing is flushed between runs: as in an iterative solver, whatever of the operands fits the caches is there
 * already. Operands and matrix lie on small pages unless the system's setting says otherwise, alike for all kernels.
 */
#define _GNU_SOURCE
#include "runner.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAX_FIELDS 12

/* ---- answers ---- */

static int answer_fd;
static char command_id[24] = "0";
static char death_line[128]; /* made before it is needed: a signal handler may only write it */

static void write_all(const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(answer_fd, text, length);
    if (written < 0 && errno != EINTR) {
      _exit(3); /* nobody listens any more */
    }
    if (written > 0) {
      text += written;
      length -= (size_t)written;
    }
  }
}

void answer(const char *format, ...) {
  char line[1024];
  int start = snprintf(line, sizeof line, "%s\t", command_id);
  va_list values;
  va_start(values, format);
  vsnprintf(line + start, sizeof line - (size_t)start - 1, format, values);
  va_end(values);
  for (char *c = line; *c; c++) {
    if (*c == '\n' || *c == '\r') {
      *c = ' ';
    }
  }
  size_t length = strlen(line);
  line[length] = '\n';
  write_all(line, length + 1);
}

int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- running ---- */

static void arm(int64_t ns) {
  struct itimerval timer = {{0, 0}, {ns / 1000000000, ns / 1000 % 1000000}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void out_of_time(int signal) {
  (void)signal;
  write_all(death_line, strlen(death_line));
  _exit(4);
}

/* A fault right after an allocation that failed is for want of memory; any other keeps its signal. */
static void fault(int signal_number) {
  if (errno == ENOMEM) {
    char line[64] = "";
    strcat(strcat(line, command_id), "\tdied\tmemory\tan allocation of the kernel failed\n");
    write_all(line, strlen(line));
    _exit(5);
  }
  signal(signal_number, SIG_DFL);
}

static int64_t timed_run(as_kernel *kernel, int64_t max_ns) {
  arm(max_ns);
  errno = 0;
  int64_t start = now();
  kernel(&packed.a, operand_b.data, operand_c.data, result.data);
  int64_t ns = now() - start;
  arm(0);
  return ns > 0 ? ns : 1; /* shorter than the clock can tell */
}

typedef struct {
  int64_t warmups, min_runs, max_runs, min_total, max_total, max_ns;
  double tolerance;
} limits;

static void run(const char *object, const char *function, limits limit) {
  int64_t start = now();
  void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  as_kernel *kernel = library ? (as_kernel *)dlsym(library, function) : NULL;
  if (!kernel) {
    const char *error = dlerror();
    size_t path = strlen(object);
    answer("failed\topen\t%s", strncmp(error, object, path) || error[path] != ':' ? error : error + path + 2);
    if (library) {
      dlclose(library);
    }
    return;
  }
  int64_t opened = now();
  int64_t *times = malloc((size_t)limit.max_runs * sizeof *times);
  size_t room = (size_t)limit.max_runs * 21 + 256;
  char *line = malloc(room);
  if (!times || !line) {
    answer("failed\tmemory\tno room for %lld times", (long long)limit.max_runs);
    free(times);
    free(line);
    dlclose(library);
    return;
  }
  snprintf(death_line, sizeof death_line, "%s\tdied\ttimeout\tone run took more than %.6g ms\n", command_id,
           (double)limit.max_ns / 1e6);
  poison();
  timed_run(kernel, limit.max_ns);
  double error = check(limit.tolerance, "first run");
  int64_t checked = now(), total = 0, runs = 0, deadline = opened + limit.max_total;
  if (error >= 0) {
    for (int64_t n = 0; n < limit.warmups && now() < deadline; n++) {
      timed_run(kernel, limit.max_ns);
    }
    while (runs == 0 || ((runs < limit.min_runs || total < limit.min_total) && runs < limit.max_runs &&
                         now() < deadline)) {
      times[runs] = timed_run(kernel, limit.max_ns);
      total += times[runs++];
    }
    int64_t ran = now();
    double last = check(limit.tolerance, "last timed run");
    if (last >= 0) {
      int64_t done = now();
      int length = snprintf(line, room, "%s\tok\t%.9g\t%lld\t%lld\t%lld\t%lld", command_id,
                            last > error ? last : error, (long long)(opened - start),
                            (long long)(checked - opened + done - ran), (long long)(ran - checked), (long long)runs);
      for (int64_t n = 0; n < runs; n++) {
        length += sprintf(line + length, "\t%lld", (long long)times[n]);
      }
      line[length++] = '\n';
      write_all(line, (size_t)length);
    }
  }
  free(times);
  free(line);
  dlclose(library);
}

/* ---- the process ---- */

/* Ends everything when the other end of the input is gone. */
static void *watch(void *descriptor) {
  struct pollfd input = {*(int *)descriptor, 0, 0};
  while (poll(&input, 1, -1) < 0 && errno == EINTR) {
  }
  kill(0, SIGKILL);
  return NULL;
}

static void start_watching(int *descriptor) {
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the threads that run kernels */
  if (pthread_create(&thread, NULL, watch, descriptor)) {
    perror("runner: no thread to watch the input");
    exit(3);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(signal_number, &action, NULL);
}

/* A decimal number and nothing else; INT64_MIN otherwise. */
static int64_t number(const char *text) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  return errno || end == text || *end ? INT64_MIN : value;
}

static void obey(char *line) {
  snprintf(command_id, sizeof command_id, "%.*s", (int)strcspn(line, "\t"), line);
  char *field[MAX_FIELDS];
  int count = 0;
  char *rest = line;
  while (count < MAX_FIELDS && rest) {
    field[count++] = strsep(&rest, "\t");
  }
  const char *name = count > 1 ? field[1] : "";
  if (!strcmp(name, "matrix") && count == 6 && number(field[4]) > 0) {
    load_matrix(field[2], field[3], number(field[4]), strtoull(field[5], NULL, 10));
  } else if (!strcmp(name, "packed") && count == 3 && matrix.loaded) {
    load_packed(field[2]);
  } else if (!strcmp(name, "run") && count == 11 && packed.loaded) {
    limits limit = {number(field[4]), number(field[5]), number(field[6]), number(field[7]),
                    number(field[8]), number(field[9]), strtod(field[10], NULL)};
    if (limit.warmups < 0 || limit.min_runs < 1 || limit.max_runs < limit.min_runs || limit.min_total < 0 ||
        limit.max_total < 0 || limit.max_ns < 1000 || !(limit.tolerance >= 0)) {
      answer("refused\ta number of 'run' is out of range");
    } else {
      run(field[2], field[3], limit);
    }
  } else {
    answer("refused\t'%.40s' with %d fields, matrix %s, packed form %s", name, count,
           matrix.loaded ? "loaded" : "not loaded", packed.loaded ? "loaded" : "not loaded");
  }
}

int main(int argc, char **argv) {
  int64_t memory = argc == 2 ? number(argv[1]) : -1;
  if (memory < 0) {
    fprintf(stderr, "usage: runner MEMORY_LIMIT_BYTES (0 = no limit)\n");
    return 2;
  }
  setsid(); /* fails where it leads a group already, which serves as well */
  struct rlimit none = {0, 0}, limit = {(rlim_t)memory, (rlim_t)memory};
  setrlimit(RLIMIT_CORE, &none);
  if (memory > 0 && setrlimit(RLIMIT_AS, &limit)) {
    perror("runner: memory limit");
    return 3;
  }
  /* Kernels get /dev/null to read and standard error to print on; the protocol keeps the originals. */
  static int command_fd;
  command_fd = fcntl(0, F_DUPFD_CLOEXEC, 10);
  answer_fd = fcntl(1, F_DUPFD_CLOEXEC, 10);
  int null = open("/dev/null", O_RDONLY);
  if (command_fd < 0 || answer_fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0) {
    perror("runner: descriptors");
    return 3;
  }
  close(null);
  FILE *commands = fdopen(command_fd, "r");
  setvbuf(stdout, NULL, _IOLBF, 0);
  handle(SIGALRM, out_of_time);
#if !defined(__SANITIZE_ADDRESS__)
  handle(SIGSEGV, fault);
  handle(SIGBUS, fault);
#else
  (void)fault;
#endif
  start_watching(&command_fd);
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, commands)) > 0) {
    if (line[length - 1] == '\n') {
      line[length - 1] = '\0';
    }
    obey(line);
  }
  return 0;
}
