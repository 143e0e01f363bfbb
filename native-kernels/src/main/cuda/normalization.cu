// Layer normalisation, forward and backward.
//
// Rows of up to 1,024 columns: one warp a row, the row in registers, so that x is read once and the
// variance is the sum of squared distances from the mean ("two passes" over registers). Longer rows,
// and rows of more than 256 columns that four does not divide: one block a row, read again for each
// pass from the cache.
// The parameters' gradients: a block owns a slice of rows, its warps take rows in turn and keep
// column sums in registers; the block adds its warps in order and stores one partial sum a slice;
// a second kernel adds the slices in order. The cut depends on the number of rows alone.
//   forward   bytes 8·C a row, FLOPs 8·C; backward  bytes 12·C a row, FLOPs 14·C
// Bound: memory.
#include "common/rows.cuh"

namespace autosparse {
namespace {

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * WARP;

// The columns of a lane: CHUNKS groups of VEC neighbours, 32·VEC apart; zero beyond the row's end.
template <typename T, int VEC, int CHUNKS>
__device__ __forceinline__ void loadRow(
    const T* row, int columns, int lane, float (&values)[CHUNKS * VEC]) {
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    int c = VEC * (lane + i * WARP);
    if (VEC == 4) {
      float4 four = c < columns ? load4(row + c) : make_float4(0, 0, 0, 0);
      values[4 * i] = four.x;
      values[4 * i + 1] = four.y;
      values[4 * i + 2] = four.z;
      values[4 * i + 3] = four.w;
    } else {
      values[i] = c < columns ? widen(row[c]) : 0.0f;
    }
  }
}

template <typename T, int VEC, int CHUNKS>
__device__ __forceinline__ void storeRow(
    T* row, int columns, int lane, const float (&values)[CHUNKS * VEC]) {
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    int c = VEC * (lane + i * WARP);
    if (c >= columns) continue;
    if (VEC == 4) {
      store4(
          row + c,
          make_float4(values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3]));
    } else {
      row[c] = narrow<T>(values[i]);
    }
  }
}

template <typename T, int VEC, int CHUNKS>
__device__ __forceinline__ void forwardRows(
    const T* x,
    const float* gamma,
    const float* beta,
    float epsilon,
    T* y,
    float* mean,
    float* inverseDeviation,
    long long rows,
    int columns) {
  int lane = threadIdx.x % WARP;
  long long row = (long long)blockIdx.x * WARPS + threadIdx.x / WARP;
  if (row >= rows) return;
  float values[CHUNKS * VEC];
  loadRow<T, VEC, CHUNKS>(x + row * columns, columns, lane, values);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < CHUNKS * VEC; i++) sum += values[i];
  float m = warpSum(sum) / columns;
  float squares = 0;
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    if (VEC * (lane + i * WARP) < columns) {
#pragma unroll
      for (int v = 0; v < VEC; v++) {
        float centered = values[i * VEC + v] - m;
        squares = fmaf(centered, centered, squares);
      }
    }
  }
  float inverse = 1 / sqrtf(warpSum(squares) / columns + epsilon);
  float g[CHUNKS * VEC];
  float b[CHUNKS * VEC];
  loadRow<float, VEC, CHUNKS>(gamma, columns, lane, g);
  loadRow<float, VEC, CHUNKS>(beta, columns, lane, b);
#pragma unroll
  for (int i = 0; i < CHUNKS * VEC; i++) {
    values[i] = fmaf(g[i], (values[i] - m) * inverse, b[i]);
  }
  storeRow<T, VEC, CHUNKS>(y + row * columns, columns, lane, values);
  if (lane == 0) {
    mean[row] = m;
    inverseDeviation[row] = inverse;
  }
}

// dx of the slice's rows, and the slice's part of both parameters' gradients:
// partials [slices, 2, columns], dGamma first.
template <typename T, int VEC, int CHUNKS>
__device__ __forceinline__ void backwardRows(
    const T* x,
    const float* gamma,
    const float* mean,
    const float* inverseDeviation,
    const T* dy,
    T* dx,
    float* partials,
    long long rows,
    long long rowsPerSlice,
    int columns) {
  constexpr int OWN = CHUNKS * VEC;
  __shared__ float sums[WARPS][OWN * WARP];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  long long first = blockIdx.x * rowsPerSlice;
  long long end = min(first + rowsPerSlice, rows);
  float dGamma[OWN] = {};
  float dBeta[OWN] = {};
  for (long long row = first + warp; row < end; row += WARPS) {
    float normalized[OWN];
    float gradient[OWN];
    float g[OWN];
    loadRow<T, VEC, CHUNKS>(x + row * columns, columns, lane, normalized);
    loadRow<T, VEC, CHUNKS>(dy + row * columns, columns, lane, gradient);
    loadRow<float, VEC, CHUNKS>(gamma, columns, lane, g);
    float m = mean[row];
    float inverse = inverseDeviation[row];
    float sum = 0;
    float product = 0;
#pragma unroll
    for (int i = 0; i < OWN; i++) {
      normalized[i] = (normalized[i] - m) * inverse;
      dGamma[i] = fmaf(gradient[i], normalized[i], dGamma[i]);
      dBeta[i] += gradient[i];
      gradient[i] *= g[i];
      sum += gradient[i];
      product = fmaf(gradient[i], normalized[i], product);
    }
    sum = warpSum(sum) / columns;
    product = warpSum(product) / columns;
#pragma unroll
    for (int i = 0; i < OWN; i++) {
      gradient[i] = inverse * (gradient[i] - sum - normalized[i] * product);
    }
    storeRow<T, VEC, CHUNKS>(dx + row * columns, columns, lane, gradient);
  }
  for (int parameter = 0; parameter < 2; parameter++) {
#pragma unroll
    for (int i = 0; i < OWN; i++) {
      int c = VEC * (lane + i / VEC * WARP) + i % VEC;
      sums[warp][c] = parameter == 0 ? dGamma[i] : dBeta[i];
    }
    __syncthreads();
    float* target = partials + (2LL * blockIdx.x + parameter) * columns;
    for (int c = threadIdx.x; c < columns; c += THREADS) {
      float sum = 0;
#pragma unroll
      for (int w = 0; w < WARPS; w++) sum += sums[w][c];
      target[c] = sum;
    }
    __syncthreads();
  }
}

template <typename T>
__device__ __forceinline__ void forwardWide(
    const T* x,
    const float* gamma,
    const float* beta,
    float epsilon,
    T* y,
    float* mean,
    float* inverseDeviation,
    int columns) {
  __shared__ float slots[WARPS];
  long long row = blockIdx.x;
  x += row * columns;
  y += row * columns;
  float sum = 0;
  for (int c = threadIdx.x; c < columns; c += THREADS) sum += widen(x[c]);
  float m = blockSum(sum, slots) / columns;
  float squares = 0;
  for (int c = threadIdx.x; c < columns; c += THREADS) {
    float centered = widen(x[c]) - m;
    squares = fmaf(centered, centered, squares);
  }
  float inverse = 1 / sqrtf(blockSum(squares, slots) / columns + epsilon);
  for (int c = threadIdx.x; c < columns; c += THREADS) {
    y[c] = narrow<T>(fmaf(gamma[c], (widen(x[c]) - m) * inverse, beta[c]));
  }
  if (threadIdx.x == 0) {
    mean[row] = m;
    inverseDeviation[row] = inverse;
  }
}

template <typename T>
__device__ __forceinline__ void backwardWide(
    const T* x,
    const float* gamma,
    const float* mean,
    const float* inverseDeviation,
    const T* dy,
    T* dx,
    int columns) {
  __shared__ float slots[WARPS];
  long long row = blockIdx.x;
  x += row * columns;
  dy += row * columns;
  dx += row * columns;
  float m = mean[row];
  float inverse = inverseDeviation[row];
  float sum = 0;
  float product = 0;
  for (int c = threadIdx.x; c < columns; c += THREADS) {
    float gradient = widen(dy[c]) * gamma[c];
    sum += gradient;
    product = fmaf(gradient, (widen(x[c]) - m) * inverse, product);
  }
  sum = blockSum(sum, slots) / columns;
  product = blockSum(product, slots) / columns;
  for (int c = threadIdx.x; c < columns; c += THREADS) {
    float normalized = (widen(x[c]) - m) * inverse;
    dx[c] = narrow<T>(inverse * (widen(dy[c]) * gamma[c] - sum - normalized * product));
  }
}

// One thread a column; blockIdx.y is the slice.
template <typename T>
__device__ __forceinline__ void wideParameters(
    const T* x,
    const float* mean,
    const float* inverseDeviation,
    const T* dy,
    float* partials,
    long long rows,
    long long rowsPerSlice,
    int columns) {
  int c = blockIdx.x * THREADS + threadIdx.x;
  if (c >= columns) return;
  long long first = blockIdx.y * rowsPerSlice;
  long long end = min(first + rowsPerSlice, rows);
  float dGamma = 0;
  float dBeta = 0;
#pragma unroll 4
  for (long long row = first; row < end; row++) {
    float gradient = widen(dy[row * columns + c]);
    float normalized = (widen(x[row * columns + c]) - mean[row]) * inverseDeviation[row];
    dGamma = fmaf(gradient, normalized, dGamma);
    dBeta += gradient;
  }
  partials[2LL * blockIdx.y * columns + c] = dGamma;
  partials[(2LL * blockIdx.y + 1) * columns + c] = dBeta;
}

}  // namespace
}  // namespace autosparse

// x, dy, y, dx [rows, columns]; 256 threads. Entries by what a row has to fit: 4 · 32 · 2 columns,
// 4 · 32 · 8 columns (both divisible by 4), 32 · 8 columns. Grid: rows / 8 forward, slices backward.
#define LAYER_NORM_ENTRIES(suffix, vec, chunks)                                               \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_forward_##suffix(              \
      const float* x,                                                                         \
      const float* gamma,                                                                     \
      const float* beta,                                                                      \
      float epsilon,                                                                          \
      float* y,                                                                               \
      float* mean,                                                                            \
      float* inverseDeviation,                                                                \
      long long rows,                                                                         \
      int columns) {                                                                          \
    autosparse::forwardRows<float, vec, chunks>(                                              \
        x, gamma, beta, epsilon, y, mean, inverseDeviation, rows, columns);                   \
  }                                                                                           \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_backward_##suffix(             \
      const float* x,                                                                         \
      const float* gamma,                                                                     \
      const float* mean,                                                                      \
      const float* inverseDeviation,                                                          \
      const float* dy,                                                                        \
      float* dx,                                                                              \
      float* partials,                                                                        \
      long long rows,                                                                         \
      long long rowsPerSlice,                                                                 \
      int columns) {                                                                          \
    autosparse::backwardRows<float, vec, chunks>(                                             \
        x, gamma, mean, inverseDeviation, dy, dx, partials, rows, rowsPerSlice, columns);     \
  }

LAYER_NORM_ENTRIES(v4_256, 4, 2)
LAYER_NORM_ENTRIES(v4_1024, 4, 8)
LAYER_NORM_ENTRIES(v1_256, 1, 8)

// Grid: rows; 256 threads.
extern "C" __global__ void __launch_bounds__(256) layer_norm_forward_wide(
    const float* x,
    const float* gamma,
    const float* beta,
    float epsilon,
    float* y,
    float* mean,
    float* inverseDeviation,
    int columns) {
  autosparse::forwardWide(x, gamma, beta, epsilon, y, mean, inverseDeviation, columns);
}

// Grid: rows; 256 threads.
extern "C" __global__ void __launch_bounds__(256) layer_norm_backward_wide(
    const float* x,
    const float* gamma,
    const float* mean,
    const float* inverseDeviation,
    const float* dy,
    float* dx,
    int columns) {
  autosparse::backwardWide(x, gamma, mean, inverseDeviation, dy, dx, columns);
}

// Grid: (columns / 256, slices); 256 threads.
extern "C" __global__ void __launch_bounds__(256) layer_norm_wide_parameters(
    const float* x,
    const float* mean,
    const float* inverseDeviation,
    const float* dy,
    float* partials,
    long long rows,
    long long rowsPerSlice,
    int columns) {
  autosparse::wideParameters(
      x, mean, inverseDeviation, dy, partials, rows, rowsPerSlice, columns);
}

// dGamma, dBeta [columns] += the sums over partials [slices, 2, columns]. A block owns 32 of the
// 2·columns sums: warp w adds slices w, w + 8, … and the first warp adds the warps, in order.
// Grid: 2·columns / 32; 256 threads.
extern "C" __global__ void __launch_bounds__(256) layer_norm_add_slices(
    const float* partials, int slices, int columns, float* dGamma, float* dBeta) {
  using namespace autosparse;
  __shared__ float sums[WARPS][WARP];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  long long sumIndex = (long long)blockIdx.x * WARP + lane;
  float sum = 0;
  if (sumIndex < 2LL * columns) {
#pragma unroll 8
    for (int s = warp; s < slices; s += WARPS) sum += partials[2LL * s * columns + sumIndex];
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || sumIndex >= 2LL * columns) return;
  float total = 0;
#pragma unroll
  for (int w = 0; w < WARPS; w++) total += sums[w][lane];
  if (sumIndex < columns) {
    dGamma[sumIndex] += total;
  } else {
    dBeta[sumIndex - columns] += total;
  }
}
