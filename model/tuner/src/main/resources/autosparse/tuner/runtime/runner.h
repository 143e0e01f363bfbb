/* What the parts of the runner share: the matrix, its operands, what must come out, and how to answer. */
#ifndef AUTOSPARSE_RUNNER_H
#define AUTOSPARSE_RUNNER_H

#include "kernel_abi.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define GUARD 0 /* the sanitizer sees what is written around the result, and explains faults itself */
#else
#define GUARD 16 /* floats before and behind the result; one cache line, so that the result stays aligned */
#endif
#define MAX_LEVELS 16

enum { SPMV, SPMM, SDDMM };

typedef struct {
  const char *data;
  size_t bytes;
} mapping;

typedef struct {
  float *data;
  int64_t count;
} floats;

/* The matrix in compressed rows and what a kernel must make of it. */
extern struct runner_matrix {
  int loaded;
  int op;
  int64_t rows, cols, nnz, dense;
  uint64_t seed;
  mapping file;
  const int64_t *row_start; /* [rows + 1] */
  const int32_t *column;    /* [nnz] */
  const float *value;       /* [nnz] */
  double *expected;         /* [rows][dense], or [nnz] for sddmm */
  float *magnitude;         /* same shape: sum of |products| */
} matrix;

/* The packed form that kernels run on. */
extern struct runner_packed {
  int loaded;
  mapping file;
  as_level level[MAX_LEVELS];
  as_matrix a;
  int64_t positions; /* of the last level */
  int64_t padded_rows, padded_cols;
  const int64_t *leaf;    /* [nnz] position of each nonzero; sddmm only */
  unsigned char *is_leaf; /* [positions]; sddmm only */
} packed;

/* Operands padded for the packed form; the result with GUARD floats before and behind it. */
extern floats operand_b, operand_c, result;

/* Both answer; `loaded` says whether it went well. */
void load_matrix(const char *path, const char *op, int64_t dense, uint64_t seed);
void load_packed(const char *path);

/* Makes every element of the result NaN. */
void poison(void);

/* Largest error relative to the sum of |products|, or -1 after answering what is wrong; WHEN is put before that. */
double check(double tolerance, const char *when);

/* One line with the id of the current command before it; line breaks in it become blanks. */
__attribute__((format(printf, 1, 2))) void answer(const char *format, ...);

/* Monotonic clock, in nanoseconds. */
int64_t now(void);

#endif
