// Sums over rows in an order fixed by the shapes. Contract: engine.operators.ReductionOperators.
//
// Launch:  width x height threads, width the power of two that covers the columns (32 at most), 256
//          in all. column_sum: one block for 'width' columns of one slice of rows; the slices are
//          added, in order, by column_sum_slices. segment_sum: one block a segment.
//          segment_broadcast: 256 threads, one block a tile of 1024 elements.
// Shared:  1 KiB (sums), 16 bytes (broadcast).
// Bytes:   one element of x, once. FLOPs: 1 per element.
// Bound:   device memory; short segments (12 rows) by the launch of their blocks.
// Rounding: a thread adds up to 1/height of a slice's rows in float; slices are added in double.
//
// Measured: H100 80GB HBM3, 2026-11-24, 2^28 elements: column_sum 2786 GB/s (C = 1), 2610 (32), 2192
// (128); segments of 12 rows of 32: segment_sum 925, segment_broadcast 648 (64-bit division).

#include "common/bfloat16.cuh"
#include "common/segments.cuh"
#include "common/types.cuh"

namespace autosparse {

constexpr int kThreads = 256;

// Sum over threadIdx.y, in a fixed order; valid where threadIdx.y is 0. All threads take part.
__device__ __forceinline__ float sum_over_height(float value) {
  __shared__ float sums[kThreads];
  const int at = threadIdx.y * blockDim.x + threadIdx.x;
  sums[at] = value;
  __syncthreads();
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    if (threadIdx.y < half) {
      sums[at] += sums[at + half * blockDim.x];
    }
    __syncthreads();
  }
  const float sum = sums[threadIdx.x];
  __syncthreads();
  return sum;
}

// Sum of x[from .. to, column] over the rows of this thread: every blockDim.y-th, in four
// interleaved sums, whose loads do not wait for each other.
template <typename T>
__device__ __forceinline__ float sum_rows(const T* x, int64 from, int64 to, int64 columns,
                                          int64 column) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  const int64 step = blockDim.y;
  int64 row = from + threadIdx.y;
  for (; row + 3 * step < to; row += 4 * step) {
#pragma unroll
    for (int u = 0; u < 4; u++) {
      sum[u] += to_float(x[(row + u * step) * columns + column]);
    }
  }
  for (; row < to; row += step) {
    sum[0] += to_float(x[row * columns + column]);
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

template <typename T>
__device__ __forceinline__ void column_sum(const T* x, int64 rows, int64 columns, float* partial) {
  const int64 column = static_cast<int64>(blockIdx.y) * blockDim.x + threadIdx.x;
  const int64 slice = blockIdx.x;
  const int64 slices = gridDim.x;
  const int64 size = (rows + slices - 1) / slices;
  const int64 from = slice * size;
  const int64 to = from + size < rows ? from + size : rows;
  const float sum = sum_over_height(column < columns ? sum_rows(x, from, to, columns, column) : 0);
  if (threadIdx.y == 0 && column < columns) {
    partial[slice * columns + column] = sum;
  }
}

__device__ __forceinline__ void segment_sum(const float* x, const int64* offsets, int64 segment,
                                            int64 columns, float* y) {
  const int64 from = offsets[segment];
  const int64 to = offsets[segment + 1];
  for (int64 start = 0; start < columns; start += blockDim.x) {
    const int64 column = start + threadIdx.x;
    const float sum =
        sum_over_height(column < columns ? sum_rows(x, from, to, columns, column) : 0);
    if (threadIdx.y == 0 && column < columns) {
      y[segment * columns + column] = sum;
    }
  }
}

__device__ __forceinline__ void segment_broadcast(const float* y, const int64* offsets,
                                                  int64 segments, int64 rows, int64 columns,
                                                  float* x) {
  constexpr int kTile = 1024;
  __shared__ int64 range[2];  // segments of the tile's first and last row
  const int64 elements = rows * columns;
  const int64 start = static_cast<int64>(blockIdx.x) * kTile;
  const int64 end = start + kTile < elements ? start + kTile : elements;
  if (threadIdx.y == 0 && threadIdx.x < 2) {
    const int64 row = (threadIdx.x == 0 ? start : end - 1) / columns;
    range[threadIdx.x] = segment_of(offsets, 0, segments - 1, row);
  }
  __syncthreads();
  for (int64 i = start + threadIdx.x; i < end; i += blockDim.x) {
    const int64 row = i / columns;
    x[i] = y[segment_of(offsets, range[0], range[1], row) * columns + i % columns];
  }
}

}  // namespace autosparse

using namespace autosparse;

// Slices of a sum over columns, of elements of each storage type.
#define COLUMN_SUM_KERNEL(T, SUFFIX)                                                              \
  extern "C" __global__ void __launch_bounds__(kThreads)                                          \
      column_sum_##SUFFIX(const T* x, int64 rows, int64 columns, float* partial) {                \
    column_sum(x, rows, columns, partial);                                                        \
  }

COLUMN_SUM_KERNEL(float, f32)
COLUMN_SUM_KERNEL(bf16, bf16)

extern "C" __global__ void __launch_bounds__(kThreads)
    column_sum_slices_f32(const float* partial, int64 slices, int64 columns, float* y,
                          int accumulate) {
  const int64 column = grid_thread();
  if (column < columns) {
    double sum = accumulate ? y[column] : 0.0f;
    for (int64 slice = 0; slice < slices; slice++) {
      sum += partial[slice * columns + column];
    }
    y[column] = static_cast<float>(sum);
  }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    segment_sum_f32(const float* x, const int64* offsets, int64 columns, float* y) {
  segment_sum(x, offsets, blockIdx.x, columns, y);
}

extern "C" __global__ void __launch_bounds__(kThreads)
    segment_broadcast_f32(const float* y, const int64* offsets, int64 segments, int64 rows,
                          int64 columns, float* x) {
  segment_broadcast(y, offsets, segments, rows, columns, x);
}
