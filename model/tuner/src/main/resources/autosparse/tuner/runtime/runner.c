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
#include "kernel_abi.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define GUARD 0 /* the sanitizer sees what is written around the result, and explains faults itself */
#else
#define GUARD 16 /* floats before and behind the result; one cache line, so that the result stays aligned */
#endif
#define GUARD_BITS 0x7fa5c3e1u
#define ALIGNMENT 64
#define MAX_FIELDS 12
#define MAX_LEVELS 16

enum { SPMV, SPMM, SDDMM };
enum { STREAM_B = 1, STREAM_C = 2 };

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

__attribute__((format(printf, 1, 2))) static void answer(const char *format, ...) {
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

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- files ---- */

typedef struct {
  const char *data;
  size_t bytes;
} mapping;

static void unmap(mapping *file) {
  if (file->data) {
    munmap((void *)file->data, file->bytes);
  }
  *file = (mapping){0};
}

/* Maps a whole file whose header states MAGIC, version 1 and its own length. Returns 0 after answering on failure. */
static int map(const char *path, const char *magic, size_t header, mapping *file) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status)) {
    answer("failed\tfile\t%s: %s", path, strerror(errno));
    if (fd >= 0) {
      close(fd);
    }
    return 0;
  }
  size_t bytes = (size_t)status.st_size;
  void *data = bytes < header ? NULL : mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  close(fd);
  if (data == MAP_FAILED) {
    answer("failed\tmemory\t%zu bytes of %s: %s", bytes, path, strerror(errno));
    return 0;
  }
  int64_t stated[2] = {0, 0};
  if (data) {
    memcpy(stated, (const char *)data + 8, sizeof stated);
    *file = (mapping){data, bytes};
  }
  if (!data || memcmp(data, magic, 8) || stated[0] != 1 || stated[1] != status.st_size) {
    answer("failed\tfile\t%s: %zu bytes, magic, version or length (%lld) not as expected", path, bytes,
           (long long)stated[1]);
    unmap(file);
    return 0;
  }
  return 1;
}

/* COUNT items of WIDTH bytes at an aligned OFFSET; NULL where the file does not hold them. */
static const void *section(const mapping *file, int64_t offset, int64_t count, size_t width) {
  if (offset < 0 || offset % ALIGNMENT || count < 0 || (size_t)offset > file->bytes ||
      (size_t)count > (file->bytes - (size_t)offset) / width) {
    return NULL;
  }
  return file->data + offset;
}

/* ---- the matrix, its operands and what must come out ---- */

static struct {
  int op;
  int loaded;
  int64_t rows, cols, nnz, dense;
  uint64_t seed;
  mapping file;
  const int64_t *row_start; /* [rows + 1] */
  const int32_t *column;    /* [nnz] */
  const float *value;       /* [nnz] */
  double *expected;         /* [rows][dense], or [nnz] for sddmm */
  float *magnitude;         /* same shape: sum of |products| */
} matrix;

static struct {
  int loaded;
  mapping file;
  as_level level[MAX_LEVELS];
  as_matrix a;
  int64_t positions; /* of the last level */
  int64_t padded_rows, padded_cols;
  const int64_t *leaf;    /* [nnz] position of each nonzero; sddmm only */
  unsigned char *is_leaf; /* [positions]; sddmm only */
} packed;

typedef struct {
  float *data;
  int64_t count;
} floats;

static floats operand_b, operand_c, result;

static int64_t scalars(void) { return matrix.op == SDDMM ? matrix.nnz : matrix.rows * matrix.dense; }

/* Memory, or NULL after answering. */
static void *allocate(size_t bytes, const char *what) {
  void *memory = NULL;
  int error = posix_memalign(&memory, ALIGNMENT, bytes ? bytes : 1);
  if (error) {
    answer("failed\tmemory\t%zu bytes for %s: %s", bytes, what, strerror(error));
    return NULL;
  }
  return memory;
}

static void release(floats *array) {
  free(array->data ? array->data - (array == &result ? GUARD : 0) : NULL);
  *array = (floats){0};
}

/* SplitMix64 of a counter: the same value at the same place, whatever the padding. In [-1, 1). */
static float made_up(uint64_t stream, uint64_t index) {
  uint64_t z = matrix.seed * 0x9e3779b97f4a7c15u + (stream << 60) + index + 1;
  z *= 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (float)((double)(z >> 40) * 0x1p-23 - 1);
}

/* An operand of REAL made-up values and zeros behind them. Returns 0 after answering on failure. */
static int operand(floats *array, int64_t real, int64_t count, uint64_t stream) {
  if (array->data && array->count == count) {
    return 1;
  }
  release(array);
  float *data = allocate((size_t)count * sizeof(float), "a dense operand");
  if (!data) {
    return 0;
  }
  *array = (floats){data, count};
#pragma omp parallel for schedule(static)
  for (int64_t n = 0; n < count; n++) {
    data[n] = n < real ? made_up(stream, (uint64_t)n) : 0;
  }
  return 1;
}

/* Operands for padded extents; c has padding behind its last row only. */
static int operands(int64_t padded_rows, int64_t padded_cols) {
  if (matrix.op != SDDMM) {
    return operand(&operand_b, matrix.cols * matrix.dense, padded_cols * matrix.dense, STREAM_B);
  }
  int64_t c = matrix.dense * matrix.cols;
  return operand(&operand_b, matrix.rows * matrix.dense, padded_rows * matrix.dense, STREAM_B) &&
         operand(&operand_c, c, c + padded_cols - matrix.cols, STREAM_C);
}

/* The result in double precision, from compressed rows. */
static void compute_expected(void) {
  int64_t dense = matrix.dense;
  const float *b = operand_b.data, *c = operand_c.data;
#pragma omp parallel for schedule(dynamic, 64)
  for (int64_t i = 0; i < matrix.rows; i++) {
    if (matrix.op != SDDMM) {
      memset(matrix.expected + i * dense, 0, (size_t)dense * sizeof(double));
      memset(matrix.magnitude + i * dense, 0, (size_t)dense * sizeof(float));
    }
    for (int64_t p = matrix.row_start[i]; p < matrix.row_start[i + 1]; p++) {
      double a = matrix.value[p];
      int64_t j = matrix.column[p];
      if (matrix.op == SDDMM) {
        double sum = 0, magnitude = 0;
        for (int64_t k = 0; k < dense; k++) {
          double product = (double)b[i * dense + k] * c[k * matrix.cols + j];
          sum += product;
          magnitude += fabs(product);
        }
        matrix.expected[p] = a * sum;
        matrix.magnitude[p] = (float)(fabs(a) * magnitude);
      } else {
        double *expected = matrix.expected + i * dense;
        float *magnitude = matrix.magnitude + i * dense;
        for (int64_t k = 0; k < dense; k++) {
          double product = a * b[j * dense + k];
          expected[k] += product;
          magnitude[k] += (float)fabs(product);
        }
      }
    }
  }
}

static void forget_packed(void) {
  unmap(&packed.file);
  free(packed.is_leaf);
  memset(&packed, 0, sizeof packed);
  release(&result);
}

static void forget_matrix(void) {
  forget_packed();
  release(&operand_b);
  release(&operand_c);
  free(matrix.expected);
  free(matrix.magnitude);
  unmap(&matrix.file);
  memset(&matrix, 0, sizeof matrix);
}

static void load_matrix(const char *path, const char *op, int64_t dense, uint64_t seed) {
  int64_t start = now();
  forget_matrix();
  if (!map(path, "ASMATRIX", 9 * 8, &matrix.file)) {
    return;
  }
  const int64_t *header = (const int64_t *)matrix.file.data;
  matrix.rows = header[3];
  matrix.cols = header[4];
  matrix.nnz = header[5];
  matrix.dense = dense;
  matrix.seed = seed;
  matrix.op = !strcmp(op, "spmv") ? SPMV : !strcmp(op, "spmm") ? SPMM : SDDMM;
  matrix.row_start = section(&matrix.file, header[6], matrix.rows + 1, sizeof(int64_t));
  matrix.column = section(&matrix.file, header[7], matrix.nnz, sizeof(int32_t));
  matrix.value = section(&matrix.file, header[8], matrix.nnz, sizeof(float));
  if (matrix.rows < 0 || matrix.cols < 0 || !matrix.row_start || !matrix.column || !matrix.value) {
    answer("failed\tfile\t%s: a section lies outside of the file", path);
    return;
  }
  if (!operands(matrix.rows, matrix.cols) ||
      !(matrix.expected = allocate((size_t)scalars() * sizeof(double), "the reference result")) ||
      !(matrix.magnitude = allocate((size_t)scalars() * sizeof(float), "the reference result"))) {
    return;
  }
  compute_expected();
  matrix.loaded = 1;
  answer("ok\t%lld", (long long)(now() - start));
}

/* Levels and values of a packed file; 0 where a section is missing. */
static int bind_packed(void) {
  const int64_t *header = (const int64_t *)packed.file.data;
  int64_t levels = header[3];
  if (levels < 1 || levels > MAX_LEVELS || header[4] < 0 || header[4] > 1 || (size_t)(12 + 6 * levels) * 8 > packed.file.bytes) {
    return 0;
  }
  int wide = (int)header[4];
  packed.padded_rows = header[7];
  packed.padded_cols = header[8];
  for (int64_t l = 0; l < levels; l++) {
    const int64_t *stated = header + 12 + 6 * l;
    as_level *level = &packed.level[l];
    *level = (as_level){(int32_t)stated[0], stated[1], stated[2], NULL, NULL};
    if (stated[3] && !(level->pos = section(&packed.file, stated[3], stated[4], wide ? 8 : 4))) {
      return 0;
    }
    if (stated[5] && !(level->crd = section(&packed.file, stated[5], stated[2], sizeof(int32_t)))) {
      return 0;
    }
    packed.positions = stated[2];
  }
  const float *values = section(&packed.file, header[10], packed.positions, sizeof(float));
  if (matrix.op == SDDMM && header[11]) {
    packed.leaf = section(&packed.file, header[11], header[9], sizeof(int64_t));
  }
  packed.a = (as_matrix){(int32_t)levels, wide, header[5], header[6], matrix.dense, packed.level, values};
  return values && header[5] == matrix.rows && header[6] == matrix.cols && header[9] == matrix.nnz &&
         packed.padded_rows >= matrix.rows && packed.padded_cols >= matrix.cols &&
         (matrix.op != SDDMM || packed.leaf);
}

static void load_packed(const char *path) {
  int64_t start = now();
  forget_packed();
  if (!map(path, "ASPACKED", 12 * 8, &packed.file)) {
    return;
  }
  if (!bind_packed()) {
    answer("failed\tfile\t%s: not a packed form of this matrix, or a section lies outside of the file", path);
    return;
  }
  if (!operands(packed.padded_rows, packed.padded_cols)) {
    return;
  }
  int64_t count = matrix.op == SDDMM ? packed.positions : packed.padded_rows * matrix.dense;
  float *data = allocate(((size_t)count + 2 * GUARD) * sizeof(float), "the result");
  if (!data) {
    return;
  }
  result = (floats){data + GUARD, count};
  if (matrix.op == SDDMM) {
    if (!(packed.is_leaf = allocate((size_t)count, "the check of padding"))) {
      return;
    }
    memset(packed.is_leaf, 0, (size_t)count);
    for (int64_t n = 0; n < matrix.nnz; n++) {
      if (packed.leaf[n] < 0 || packed.leaf[n] >= count) {
        answer("failed\tfile\t%s: position %lld of nonzero %lld", path, (long long)packed.leaf[n], (long long)n);
        return;
      }
      packed.is_leaf[packed.leaf[n]] = 1;
    }
  }
  packed.loaded = 1;
  answer("ok\t%lld", (long long)(now() - start));
}

/* ---- checking ---- */

static void poison(void) {
  float *data = result.data;
  int64_t count = result.count;
#pragma omp parallel for schedule(static)
  for (int64_t n = 0; n < count; n++) {
    data[n] = NAN;
  }
  for (int n = 0; n < GUARD; n++) {
    ((uint32_t *)data)[-1 - n] = GUARD_BITS;
    ((uint32_t *)data)[count + n] = GUARD_BITS;
  }
}

/* Largest relative error, or -1 after answering what is wrong. */
static double check(double tolerance, const char *when) {
  int64_t count = scalars(), first_wrong = INT64_MAX, first_padding = INT64_MAX;
  double worst = 0;
  const float *out = result.data;
#pragma omp parallel for schedule(static) reduction(max : worst) reduction(min : first_wrong)
  for (int64_t n = 0; n < count; n++) {
    double got = out[packed.leaf ? packed.leaf[n] : n];
    double difference = fabs(got - matrix.expected[n]);
    double error = difference == 0 ? 0 : difference / matrix.magnitude[n];
    if (!(error <= tolerance)) { /* NaN too */
      first_wrong = n < first_wrong ? n : first_wrong;
    } else if (error > worst) {
      worst = error;
    }
  }
  int64_t padding = packed.leaf ? 0 : count;
#pragma omp parallel for schedule(static) reduction(min : first_padding)
  for (int64_t n = padding; n < result.count; n++) {
    if (!(packed.leaf && packed.is_leaf[n]) && out[n] != 0) {
      first_padding = n < first_padding ? n : first_padding;
    }
  }
  for (int n = 0; n < GUARD; n++) {
    if (((const uint32_t *)out)[-1 - n] != GUARD_BITS || ((const uint32_t *)out)[result.count + n] != GUARD_BITS) {
      answer("wrong\t%s: wrote outside of the result", when);
      return -1;
    }
  }
  if (first_wrong != INT64_MAX) {
    int64_t place = packed.leaf ? packed.leaf[first_wrong] : first_wrong;
    double got = out[place], expected = matrix.expected[first_wrong];
    if (packed.leaf) {
      answer("wrong\t%s: nonzero %lld (position %lld): %.9g, expected %.9g, |products| %.3g", when,
             (long long)first_wrong, (long long)place, got, expected, (double)matrix.magnitude[first_wrong]);
    } else {
      answer("wrong\t%s: row %lld, column %lld: %.9g, expected %.9g, |products| %.3g", when,
             (long long)(place / matrix.dense), (long long)(place % matrix.dense), got, expected,
             (double)matrix.magnitude[first_wrong]);
    }
    return -1;
  }
  if (first_padding != INT64_MAX) {
    answer("wrong\t%s: padding at %lld: %.9g, expected 0", when, (long long)first_padding, (double)out[first_padding]);
    return -1;
  }
  return worst;
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
  char *field[MAX_FIELDS] = {line};
  int count = 0;
  char *rest = line;
  while (count < MAX_FIELDS && rest) {
    field[count++] = strsep(&rest, "\t");
  }
  snprintf(command_id, sizeof command_id, "%s", field[0]);
  const char *name = count > 1 ? field[1] : "";
  if (!strcmp(name, "matrix") && count == 6 && number(field[4]) > 0) {
    load_matrix(field[2], field[3], number(field[4]), strtoull(field[5], NULL, 10));
  } else if (!strcmp(name, "packed") && count == 3 && matrix.loaded) {
    load_packed(field[2]);
  } else if (!strcmp(name, "run") && count == 11 && packed.loaded) {
    limits limit = {number(field[4]), number(field[5]), number(field[6]),          number(field[7]),
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
