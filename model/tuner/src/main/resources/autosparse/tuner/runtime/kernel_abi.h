/* What a generated kernel and the program that calls it agree on. */
#ifndef AUTOSPARSE_KERNEL_ABI_H
#define AUTOSPARSE_KERNEL_ABI_H

#include <stdint.h>

/* One level of a packed sparse matrix (TACO's level formats). */
typedef struct {
  int32_t mode;       /* 0 dense, 1 compressed, 2 compressed non-unique, 3 singleton, 4 singleton non-unique */
  int64_t extent;     /* coordinates of this level: 0 to extent - 1 */
  int64_t positions;  /* entries of this level */
  const void *pos;    /* compressed: [positions of the level above + 1], int32_t, or int64_t where wide; else NULL */
  const int32_t *crd; /* [positions], coordinates; NULL for a dense level */
} as_level;

/* A packed sparse matrix. */
typedef struct {
  int32_t levels;
  int32_t wide; /* whether pos arrays are 64 bit */
  int64_t rows; /* extents of the matrix, unpadded */
  int64_t cols;
  int64_t dense; /* extent of the dense axis, 1 where there is none */
  const as_level *level;
  const float *vals; /* [positions of the last level] */
} as_matrix;

/*
 * A kernel overwrites `out`. Row-major operands; rows and columns padded with zeros up to the extent that the packed
 * levels cover (outer extent times inner extent of a split axis):
 *   spmv   b[cols]         c unused        out[rows]
 *   spmm   b[cols][dense]  c unused        out[rows][dense]
 *   sddmm  b[rows][dense]  c[dense][cols]  out[positions of A's last level]: D's values, in A's format;
 *                                          c has `cols` unpadded columns, and padding behind its last row only
 */
typedef void as_kernel(const as_matrix *a, const float *b, const float *c, float *out);

#endif
