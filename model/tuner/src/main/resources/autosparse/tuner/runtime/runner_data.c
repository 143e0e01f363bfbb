/*
 * The runner's data: files mapped from Java, operands made up by seed, the result in double precision from compressed
 * rows, and the comparison with what a kernel made.
 */
#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 64
#define GUARD_BITS 0x7fa5c3e1u

enum { STREAM_B = 1, STREAM_C = 2 };

/* ---- files ---- */

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

struct runner_matrix matrix;
struct runner_packed packed;
floats operand_b, operand_c, result;

/* Elements of the result that mean something: padding is none. */
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

void load_matrix(const char *path, const char *op, int64_t dense, uint64_t seed) {
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
  if (levels < 1 || levels > MAX_LEVELS || header[4] < 0 || header[4] > 1 ||
      (size_t)(12 + 6 * levels) * 8 > packed.file.bytes) {
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

void load_packed(const char *path) {
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

void poison(void) {
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

double check(double tolerance, const char *when) {
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
