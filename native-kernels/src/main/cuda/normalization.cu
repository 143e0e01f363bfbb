// Layer normalisation, forward and backward.
//
// Rows of up to 1,024 columns: one warp a row, the row in registers, so that x is read once and the
// variance is the sum of squared distances from the mean ("two passes" over registers). Longer
// rows, and rows of more than 256 columns that four does not divide: one block a row, read again
// for each pass from the cache. The parameters' gradients: a block owns a slice of rows, its warps
// take rows in turn and keep column sums in registers; the block adds its warps in order and stores
// one partial sum a slice; a second kernel adds the slices in order. The cut depends on the number
// of rows alone.
//   forward   bytes 8·C a row, FLOPs 8·C; backward  bytes 12·C a row, FLOPs 14·C; in bfloat16 half
//   the bytes
// Bound: memory.
//
// Measured on an H100 80GB HBM3 (copy 2.95 TB/s), L2 flushed, median of 20, an empty launch 3.0 us;
// floor = bytes over the copy rate. C = 256:
//             forward us (floor)   backward us (floor)
//   9216 rows     10.9   (6.4)         21.5   (9.6)
//   409600 rows    286   (285)          456   (427)
#include "common/bfloat16.cuh"
#include "common/rows.cuh"

namespace autosparse {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;

// The columns of a lane: kChunks groups of kVec neighbours, 32·kVec apart; zero beyond the row's
// end.
template <typename T, int kVec, int kChunks>
__device__ __forceinline__ void load_row(const T* row, int columns, int lane,
                                         float (&values)[kChunks * kVec]) {
#pragma unroll
  for (int i = 0; i < kChunks; i++) {
    int c = kVec * (lane + i * kWarp);
    if (kVec == 4) {
      float4 four = c < columns ? load4(row + c) : make_float4(0, 0, 0, 0);
      values[4 * i] = four.x;
      values[4 * i + 1] = four.y;
      values[4 * i + 2] = four.z;
      values[4 * i + 3] = four.w;
    } else {
      values[i] = c < columns ? to_float(row[c]) : 0.0f;
    }
  }
}

template <typename T, int kVec, int kChunks>
__device__ __forceinline__ void store_row(T* row, int columns, int lane,
                                          const float (&values)[kChunks * kVec]) {
#pragma unroll
  for (int i = 0; i < kChunks; i++) {
    int c = kVec * (lane + i * kWarp);
    if (c >= columns) continue;
    if (kVec == 4) {
      store4(row + c,
             make_float4(values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3]));
    } else {
      row[c] = from_float<T>(values[i]);
    }
  }
}

template <typename T, int kVec, int kChunks>
__device__ __forceinline__ void forward_rows(const T* x, const float* gamma, const float* beta,
                                             float epsilon, T* y, float* mean,
                                             float* inverse_deviation, int64 rows, int columns) {
  int lane = threadIdx.x % kWarp;
  int64 row = static_cast<int64>(blockIdx.x) * kWarps + threadIdx.x / kWarp;
  if (row >= rows) return;
  float values[kChunks * kVec];
  load_row<T, kVec, kChunks>(x + row * columns, columns, lane, values);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kChunks * kVec; i++) sum += values[i];
  float m = warp_sum(sum) / columns;
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kChunks; i++) {
    if (kVec * (lane + i * kWarp) < columns) {
#pragma unroll
      for (int v = 0; v < kVec; v++) {
        float centered = values[i * kVec + v] - m;
        squares = fmaf(centered, centered, squares);
      }
    }
  }
  float inverse = 1 / sqrtf(warp_sum(squares) / columns + epsilon);
  float g[kChunks * kVec];
  float b[kChunks * kVec];
  load_row<float, kVec, kChunks>(gamma, columns, lane, g);
  load_row<float, kVec, kChunks>(beta, columns, lane, b);
#pragma unroll
  for (int i = 0; i < kChunks * kVec; i++) {
    values[i] = fmaf(g[i], (values[i] - m) * inverse, b[i]);
  }
  store_row<T, kVec, kChunks>(y + row * columns, columns, lane, values);
  if (lane == 0) {
    mean[row] = m;
    inverse_deviation[row] = inverse;
  }
}

// dx of the slice's rows, and the slice's part of both parameters' gradients:
// partials [slices, 2, columns], d_gamma first.
template <typename T, int kVec, int kChunks>
__device__ __forceinline__ void backward_rows(const T* x, const float* gamma, const float* mean,
                                              const float* inverse_deviation, const T* dy, T* dx,
                                              float* partials, int64 rows, int64 rows_per_slice,
                                              int columns) {
  constexpr int kOwn = kChunks * kVec;
  __shared__ float sums[kWarps][kOwn * kWarp];
  int lane = threadIdx.x % kWarp;
  int warp = threadIdx.x / kWarp;
  int64 first = blockIdx.x * rows_per_slice;
  int64 end = min(first + rows_per_slice, rows);
  float d_gamma[kOwn] = {};
  float d_beta[kOwn] = {};
  for (int64 row = first + warp; row < end; row += kWarps) {
    float normalized[kOwn];
    float gradient[kOwn];
    float g[kOwn];
    load_row<T, kVec, kChunks>(x + row * columns, columns, lane, normalized);
    load_row<T, kVec, kChunks>(dy + row * columns, columns, lane, gradient);
    load_row<float, kVec, kChunks>(gamma, columns, lane, g);
    float m = mean[row];
    float inverse = inverse_deviation[row];
    float sum = 0;
    float product = 0;
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      normalized[i] = (normalized[i] - m) * inverse;
      d_gamma[i] = fmaf(gradient[i], normalized[i], d_gamma[i]);
      d_beta[i] += gradient[i];
      gradient[i] *= g[i];
      sum += gradient[i];
      product = fmaf(gradient[i], normalized[i], product);
    }
    sum = warp_sum(sum) / columns;
    product = warp_sum(product) / columns;
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      gradient[i] = inverse * (gradient[i] - sum - normalized[i] * product);
    }
    store_row<T, kVec, kChunks>(dx + row * columns, columns, lane, gradient);
  }
  for (int parameter = 0; parameter < 2; parameter++) {
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      int c = kVec * (lane + i / kVec * kWarp) + i % kVec;
      sums[warp][c] = parameter == 0 ? d_gamma[i] : d_beta[i];
    }
    __syncthreads();
    float* target = partials + (2LL * blockIdx.x + parameter) * columns;
    for (int c = threadIdx.x; c < columns; c += kThreads) {
      float sum = 0;
#pragma unroll
      for (int w = 0; w < kWarps; w++) sum += sums[w][c];
      target[c] = sum;
    }
    __syncthreads();
  }
}

template <typename T>
__device__ __forceinline__ void forward_wide(const T* x, const float* gamma, const float* beta,
                                             float epsilon, T* y, float* mean,
                                             float* inverse_deviation, int columns) {
  __shared__ float slots[kWarps];
  int64 row = blockIdx.x;
  x += row * columns;
  y += row * columns;
  float sum = 0;
  for (int c = threadIdx.x; c < columns; c += kThreads) sum += to_float(x[c]);
  float m = block_sum(sum, slots) / columns;
  float squares = 0;
  for (int c = threadIdx.x; c < columns; c += kThreads) {
    float centered = to_float(x[c]) - m;
    squares = fmaf(centered, centered, squares);
  }
  float inverse = 1 / sqrtf(block_sum(squares, slots) / columns + epsilon);
  for (int c = threadIdx.x; c < columns; c += kThreads) {
    y[c] = from_float<T>(fmaf(gamma[c], (to_float(x[c]) - m) * inverse, beta[c]));
  }
  if (threadIdx.x == 0) {
    mean[row] = m;
    inverse_deviation[row] = inverse;
  }
}

template <typename T>
__device__ __forceinline__ void backward_wide(const T* x, const float* gamma, const float* mean,
                                              const float* inverse_deviation, const T* dy, T* dx,
                                              int columns) {
  __shared__ float slots[kWarps];
  int64 row = blockIdx.x;
  x += row * columns;
  dy += row * columns;
  dx += row * columns;
  float m = mean[row];
  float inverse = inverse_deviation[row];
  float sum = 0;
  float product = 0;
  for (int c = threadIdx.x; c < columns; c += kThreads) {
    float gradient = to_float(dy[c]) * gamma[c];
    sum += gradient;
    product = fmaf(gradient, (to_float(x[c]) - m) * inverse, product);
  }
  sum = block_sum(sum, slots) / columns;
  product = block_sum(product, slots) / columns;
  for (int c = threadIdx.x; c < columns; c += kThreads) {
    float normalized = (to_float(x[c]) - m) * inverse;
    dx[c] = from_float<T>(inverse * (to_float(dy[c]) * gamma[c] - sum - normalized * product));
  }
}

// One thread a column; block_idx.y is the slice.
template <typename T>
__device__ __forceinline__ void wide_parameters(const T* x, const float* mean,
                                                const float* inverse_deviation, const T* dy,
                                                float* partials, int64 rows, int64 rows_per_slice,
                                                int columns) {
  int c = blockIdx.x * kThreads + threadIdx.x;
  if (c >= columns) return;
  int64 first = blockIdx.y * rows_per_slice;
  int64 end = min(first + rows_per_slice, rows);
  float d_gamma = 0;
  float d_beta = 0;
#pragma unroll 4
  for (int64 row = first; row < end; row++) {
    float gradient = to_float(dy[row * columns + c]);
    float normalized = (to_float(x[row * columns + c]) - mean[row]) * inverse_deviation[row];
    d_gamma = fmaf(gradient, normalized, d_gamma);
    d_beta += gradient;
  }
  partials[2LL * blockIdx.y * columns + c] = d_gamma;
  partials[(2LL * blockIdx.y + 1) * columns + c] = d_beta;
}

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// x, dy, y, dx [rows, columns]; 256 threads. Entries by what a row has to fit: 4·32·2 columns,
// 4·32·8 columns (both divisible by 4), 32·8 columns. Grid: rows / 8 forward, slices backward.
#define LAYER_NORM_KERNELS(T, SUFFIX, NAME, VEC, CHUNKS)                                         \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_forward_##NAME##_##SUFFIX(        \
      const T* x, const float* gamma, const float* beta, float epsilon, T* y, float* mean,       \
      float* inverse_deviation, int64 rows, int columns) {                                       \
    forward_rows<T, VEC, CHUNKS>(x, gamma, beta, epsilon, y, mean, inverse_deviation, rows,      \
                                 columns);                                                       \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_backward_##NAME##_##SUFFIX(       \
      const T* x, const float* gamma, const float* mean, const float* inverse_deviation,         \
      const T* dy, T* dx, float* partials, int64 rows, int64 rows_per_slice, int columns) {      \
    backward_rows<T, VEC, CHUNKS>(x, gamma, mean, inverse_deviation, dy, dx, partials, rows,     \
                                  rows_per_slice, columns);                                      \
  }

LAYER_NORM_KERNELS(float, f32, v4_256, 4, 2)
LAYER_NORM_KERNELS(float, f32, v4_1024, 4, 8)
LAYER_NORM_KERNELS(float, f32, v1_256, 1, 8)
LAYER_NORM_KERNELS(bf16, bf16, v4_256, 4, 2)
LAYER_NORM_KERNELS(bf16, bf16, v4_1024, 4, 8)
LAYER_NORM_KERNELS(bf16, bf16, v1_256, 1, 8)

// Rows of any length. Grid: rows, for the parameters (columns / 256, slices); 256 threads.
#define LAYER_NORM_WIDE_KERNELS(T, SUFFIX)                                                       \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_forward_wide_##SUFFIX(            \
      const T* x, const float* gamma, const float* beta, float epsilon, T* y, float* mean,       \
      float* inverse_deviation, int columns) {                                                   \
    forward_wide(x, gamma, beta, epsilon, y, mean, inverse_deviation, columns);                  \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_backward_wide_##SUFFIX(           \
      const T* x, const float* gamma, const float* mean, const float* inverse_deviation,         \
      const T* dy, T* dx, int columns) {                                                         \
    backward_wide(x, gamma, mean, inverse_deviation, dy, dx, columns);                           \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_wide_parameters_##SUFFIX(         \
      const T* x, const float* mean, const float* inverse_deviation, const T* dy,                \
      float* partials, int64 rows, int64 rows_per_slice, int columns) {                          \
    wide_parameters(x, mean, inverse_deviation, dy, partials, rows, rows_per_slice, columns);    \
  }

LAYER_NORM_WIDE_KERNELS(float, f32)
LAYER_NORM_WIDE_KERNELS(bf16, bf16)

// d_gamma, d_beta [columns] += the sums over partials [slices, 2, columns]. A block owns 32 of the
// 2·columns sums: warp w adds slices w, w + 8, … and the first warp adds the warps, in order.
// Grid: 2·columns / 32; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    layer_norm_add_slices_f32(const float* partials, int slices, int columns, float* d_gamma,
                          float* d_beta) {
  __shared__ float sums[kWarps][kWarp];
  int lane = threadIdx.x % kWarp;
  int warp = threadIdx.x / kWarp;
  int64 sum_index = static_cast<int64>(blockIdx.x) * kWarp + lane;
  float sum = 0;
  if (sum_index < 2LL * columns) {
#pragma unroll 8
    for (int s = warp; s < slices; s += kWarps) sum += partials[2LL * s * columns + sum_index];
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || sum_index >= 2LL * columns) return;
  float total = 0;
#pragma unroll
  for (int w = 0; w < kWarps; w++) total += sums[w][lane];
  if (sum_index < columns) {
    d_gamma[sum_index] += total;
  } else {
    d_beta[sum_index - columns] += total;
  }
}
