// Sums over rows in an order fixed by the shapes. Contract: engine.operators.ReductionOperators.
//
// Launch:  width x height threads, width the power of two that covers the columns (32 at most), 256
//          in all; column_sum_slices 8 x 32 at most. column_sum: one block for 'width' columns (packs of 16 bytes where their number
//          permits) of one slice of rows, 64 at least; the slices are added by column_sum_slices.
//          With a ReLU's output it masks the gradient that it sums: the backward step of a linear
//          layer's bias and ReLU in one pass. segment_sum: one block a segment.
//          segment_broadcast: 256 threads, one block a tile of 1024 elements.
// Shared:  1 to 8 KiB (sums), 16 bytes (broadcast).
// Bytes:   one element of x, once; masked: three. FLOPs: 1 per element.
// Bound:   device memory; short segments (12 rows) by the launch of their blocks.
// Rounding: a thread adds up to 1/height of a slice's rows in float; slices are added in double.
//
// Measured: H100 80GB HBM3, 2026-11-24, 2^28 elements: column_sum 2786 GB/s (C = 1), 2610 (32), 2192
// (128), from before column sums read packs; segments of 12 rows of 32: segment_sum 925,
// segment_broadcast 648 (64-bit division). H200, us of both launches, 20 in a graph, not flushed, bf16,
// masked by a ReLU's output (floor at 4.05 TB/s) and not:
//   9216 x 1024  14.8 (14.0)   8.8       9216 x 128     6.2 (1.7)   5.3
//   9216 x 768   11.8 (10.5)   8.1       768 x 1024     5.4 (1.2)   4.4
//   9216 x 256    7.5  (3.5)   5.7       110592 x 128  34.0 (21)   16.9
// Tried: rows as floats from the load on (99 registers), slices added by 32 x 8 threads: 21.0 and
// 13.7, 10.2 and 8.3, 65.0 and 37.8 for 9216 x 1024, 9216 x 256, 110592 x 128.

#include "common/bfloat16.cuh"
#include "common/columns.cuh"
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
__device__ __forceinline__ float sum_rows(const float* x, int64 from, int64 to, int64 columns,
                                          int64 column) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  const int64 step = blockDim.y;
  int64 row = from + threadIdx.y;
  for (; row + 3 * step < to; row += 4 * step) {
#pragma unroll
    for (int u = 0; u < 4; u++) {
      sum[u] += x[(row + u * step) * columns + column];
    }
  }
  for (; row < to; row += step) {
    sum[0] += x[row * columns + column];
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// A slice's sums over rows of x, of kColumns neighbouring columns a thread: a pack where the number
// of columns and the addresses permit, else one. With y, the output of a ReLU, x is its gradient: it
// is zeroed where y is, in place, and what is left is summed.
template <typename T, int kColumns>
__device__ __forceinline__ void column_sum(const T* y, T* x, int64 rows, int64 columns,
                                           float* partial) {
  constexpr int kAtOnce = 4;
  __shared__ float sums[kColumns][kThreads];
  const int64 column = (static_cast<int64>(blockIdx.y) * blockDim.x + threadIdx.x) * kColumns;
  const int64 size = (rows + gridDim.x - 1) / gridDim.x;
  const int64 from = blockIdx.x * size;
  const int64 to = from + size < rows ? from + size : rows;
  const int64 step = blockDim.y;
  using Of = Columns<T, kColumns>;
  float sum[kColumns] = {};
  if (column < columns) {
    for (int64 row = from + threadIdx.y; row < to; row += kAtOnce * step) {
      T* first = x + row * columns + column;
      Of values[kAtOnce];
      Of outputs[kAtOnce];
#pragma unroll
      for (int u = 0; u < kAtOnce; u++) {
        if (row + u * step < to) {
          const int64 down = u * step * columns;
          values[u] = *reinterpret_cast<const Of*>(first + down);
          if (y != nullptr) {
            outputs[u] = *reinterpret_cast<const Of*>(y + row * columns + column + down);
          }
        }
      }
#pragma unroll
      for (int u = 0; u < kAtOnce; u++) {
        if (row + u * step < to) {
          if (y != nullptr) {
#pragma unroll
            for (int e = 0; e < kColumns; e++) {
              if (to_float(outputs[u].element[e]) <= 0.0f) {
                values[u].element[e] = from_float<T>(0.0f);
              }
            }
            *reinterpret_cast<Of*>(first + u * step * columns) = values[u];
          }
#pragma unroll
          for (int e = 0; e < kColumns; e++) sum[e] += to_float(values[u].element[e]);
        }
      }
    }
  }
  const int at = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
  for (int e = 0; e < kColumns; e++) sums[e][at] = sum[e];
  __syncthreads();
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    if (threadIdx.y < half) {
#pragma unroll
      for (int e = 0; e < kColumns; e++) sums[e][at] += sums[e][at + half * blockDim.x];
    }
    __syncthreads();
  }
  if (threadIdx.y == 0 && column < columns) {
#pragma unroll
    for (int e = 0; e < kColumns; e++) {
      partial[blockIdx.x * columns + column + e] = sums[e][threadIdx.x];
    }
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

// Slices of a sum over columns, of elements of each storage type; y is null or a ReLU's output.
// packs: for numbers of columns that are a multiple of a pack's elements, x and y aligned to packs.
#define COLUMN_SUM_KERNELS(T, SUFFIX)                                                             \
  extern "C" __global__ void __launch_bounds__(kThreads)                                          \
      column_sum_##SUFFIX(const T* y, T* x, int64 rows, int64 columns, float* partial) {          \
    column_sum<T, 1>(y, x, rows, columns, partial);                                               \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(kThreads)                                          \
      column_sum_packs_##SUFFIX(const T* y, T* x, int64 rows, int64 columns, float* partial) {    \
    column_sum<T, Pack<T>::kSize>(y, x, rows, columns, partial);                                  \
  }

COLUMN_SUM_KERNELS(float, f32)
COLUMN_SUM_KERNELS(bf16, bf16)

// y[c] = the slices' sums, or += : every blockDim.y-th slice in order, then these by a fixed tree.
extern "C" __global__ void __launch_bounds__(kThreads)
    column_sum_slices_f32(const float* partial, int64 slices, int64 columns, float* y,
                          int accumulate) {
  __shared__ double sums[kThreads];
  const int64 column = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
  double sum = 0.0;
  if (column < columns) {
#pragma unroll 4
    for (int64 slice = threadIdx.y; slice < slices; slice += blockDim.y) {
      sum += partial[slice * columns + column];
    }
  }
  const int at = threadIdx.y * blockDim.x + threadIdx.x;
  sums[at] = sum;
  __syncthreads();
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    if (threadIdx.y < half) sums[at] += sums[at + half * blockDim.x];
    __syncthreads();
  }
  if (threadIdx.y == 0 && column < columns) {
    y[column] = static_cast<float>((accumulate ? y[column] : 0.0f) + sums[at]);
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
