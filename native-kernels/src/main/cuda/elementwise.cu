// Operators on single elements. Contract: autosparse.engine.operators.ElementwiseOperators.
//
// Launch:  256 threads, blocks by elements, threads stride over the grid; scale_groups: 256 threads,
//          one block a tile of 1024 elements; copy_columns, add_bias: 32 x 8 threads.
// Shared:  scale_groups 16 bytes, else none.
// Bytes:   in float 4 per element read and 4 per element written: copy, scale, activation, dropout 8;
//          add, axpy, activation_backward 12; fill 4; add_bias 8; in bfloat16 half of it; cast 6.
// FLOPs:   0 to 2 per element; GELU about 30, its slope about 50, dropout about 12 integer.
// Bound:   device memory, always. Accesses are 16 bytes wide where every pointer permits.
// Outputs may be their own inputs: no pointer is __restrict__.
//
// Measured: H100 80GB HBM3, 2026-11-24, 2^28 elements, bytes as above: fill 3065 GB/s, copy 2794, add
// 2873, relu 2786, gelu 2658, gelu_backward 2851, dropout 2729; copy_columns (32 of 64) 2288;
// scale_groups (rows of 32, groups of 12) 1151, bound by the search for the group and 64-bit
// division. H200, after a product of 9216 x 1024 that left it in the L2: add_bias 7.9 us in bfloat16
// (4780 GB/s; floor 9.3 from device memory at 4.05 TB/s), 16.4 in float; 9216 x 256 in bfloat16 2.9.

#include "common/bfloat16.cuh"
#include "common/columns.cuh"
#include "common/segments.cuh"
#include "common/types.cuh"

namespace autosparse {

// y[i] = function(x[i], i)
template <typename T, typename Function>
__device__ __forceinline__ void map(const T* x, T* y, int64 elements, Function function) {
  constexpr int kSize = Pack<T>::kSize;
  int64 first = 0;
  if (is_packed(x) && is_packed(y)) {
    const int64 packs = elements / kSize;
    for (int64 p = grid_thread(); p < packs; p += grid_threads()) {
      Pack<T> pack = load_pack(x + p * kSize);
#pragma unroll
      for (int e = 0; e < kSize; e++) {
        pack.element[e] = from_float<T>(function(to_float(pack.element[e]), p * kSize + e));
      }
      store_pack(y + p * kSize, pack);
    }
    first = packs * kSize;
  }
  for (int64 i = first + grid_thread(); i < elements; i += grid_threads()) {
    y[i] = from_float<T>(function(to_float(x[i]), i));
  }
}

// y[i] = function(a[i], b[i])
template <typename T, typename Function>
__device__ __forceinline__ void zip(const T* a, const T* b, T* y, int64 elements,
                                    Function function) {
  constexpr int kSize = Pack<T>::kSize;
  int64 first = 0;
  if (is_packed(a) && is_packed(b) && is_packed(y)) {
    const int64 packs = elements / kSize;
    for (int64 p = grid_thread(); p < packs; p += grid_threads()) {
      Pack<T> pack = load_pack(a + p * kSize);
      const Pack<T> other = load_pack(b + p * kSize);
#pragma unroll
      for (int e = 0; e < kSize; e++) {
        pack.element[e] =
            from_float<T>(function(to_float(pack.element[e]), to_float(other.element[e])));
      }
      store_pack(y + p * kSize, pack);
    }
    first = packs * kSize;
  }
  for (int64 i = first + grid_thread(); i < elements; i += grid_threads()) {
    y[i] = from_float<T>(function(to_float(a[i]), to_float(b[i])));
  }
}

// NaN passes through: a comparison that fails keeps x.
__device__ __forceinline__ float relu(float x) { return x <= 0.0f ? 0.0f : x; }

__device__ __forceinline__ float gelu(float x) { return x * normcdff(x); }

// d/dx x·Φ(x) = Φ(x) + x·φ(x)
__device__ __forceinline__ float gelu_slope(float x) {
  constexpr float kInverseRootTwoPi = 0.3989422804f;
  return fmaf(x * kInverseRootTwoPi, expf(-0.5f * x * x), normcdff(x));
}

// Output number `element` of SplitMix64 (Steele, Lea, Flood, 2014) from the state `seed`; the same
// as autosparse.engine.operators.DropoutMask.
__device__ __forceinline__ uint64 splitmix64(uint64 seed, uint64 element) {
  uint64 z = seed + (element + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// y[i] = x[i], four at a time: 16 bytes of the one type, 8 of the other.
template <typename X, typename Y>
__device__ __forceinline__ void cast(const X* x, Y* y, int64 elements) {
  constexpr int kSize = 4;
  struct alignas(kSize * sizeof(X)) From {
    X element[kSize];
  };
  struct alignas(kSize * sizeof(Y)) To {
    Y element[kSize];
  };
  int64 first = 0;
  if (reinterpret_cast<uint64>(x) % sizeof(From) == 0 &&
      reinterpret_cast<uint64>(y) % sizeof(To) == 0) {
    const int64 packs = elements / kSize;
    for (int64 p = grid_thread(); p < packs; p += grid_threads()) {
      const From from = *reinterpret_cast<const From*>(x + p * kSize);
      To to;
#pragma unroll
      for (int e = 0; e < kSize; e++) {
        to.element[e] = from_float<Y>(to_float(from.element[e]));
      }
      *reinterpret_cast<To*>(y + p * kSize) = to;
    }
    first = packs * kSize;
  }
  for (int64 i = first + grid_thread(); i < elements; i += grid_threads()) {
    y[i] = from_float<Y>(to_float(x[i]));
  }
}

template <typename T>
__device__ __forceinline__ void scale_groups(const T* x, const float* factor, const int64* offsets,
                                             int64 groups, int64 rows, int64 columns, T* y) {
  constexpr int kTile = 1024;
  __shared__ int64 range[2];  // groups of the tile's first and last row
  const int64 elements = rows * columns;
  const int64 start = static_cast<int64>(blockIdx.x) * kTile;
  const int64 end = start + kTile < elements ? start + kTile : elements;
  if (threadIdx.x < 2) {
    const int64 row = (threadIdx.x == 0 ? start : end - 1) / columns;
    range[threadIdx.x] = segment_of(offsets, 0, groups - 1, row);
  }
  __syncthreads();
  for (int64 i = start + threadIdx.x; i < end; i += blockDim.x) {
    const int64 group = segment_of(offsets, range[0], range[1], i / columns);
    y[i] = from_float<T>(to_float(x[i]) * factor[group]);
  }
}

template <typename T>
__device__ __forceinline__ void copy_columns(const T* x, int64 x_width, T* y, int64 y_width,
                                             int64 rows, int64 columns, int accumulate) {
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.y;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.y + threadIdx.y; n < rows; n += step) {
    for (int64 c = threadIdx.x; c < columns; c += blockDim.x) {
      const float value = to_float(x[n * x_width + c]);
      T* target = y + n * y_width + c;
      *target = from_float<T>(accumulate ? to_float(*target) + value : value);
    }
  }
}

// y[n, c] += bias[c], rectified when relu; kColumns neighbouring columns a thread, whose bias it
// keeps while it goes down the rows.
template <typename T, int kColumns>
__device__ __forceinline__ void add_bias(T* y, const float* bias, int64 rows, int64 columns,
                                         bool rectify) {
  constexpr int kAtOnce = 4;
  using Of = Columns<T, kColumns>;
  const int64 column = (static_cast<int64>(blockIdx.y) * blockDim.x + threadIdx.x) * kColumns;
  if (column >= columns) return;
  float added[kColumns];
#pragma unroll
  for (int e = 0; e < kColumns; e++) added[e] = bias[column + e];
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.y;
  for (int64 row = static_cast<int64>(blockIdx.x) * blockDim.y + threadIdx.y; row < rows;
       row += kAtOnce * step) {
    T* first = y + row * columns + column;
    Of values[kAtOnce];
#pragma unroll
    for (int u = 0; u < kAtOnce; u++) {
      if (row + u * step < rows) {
        values[u] = *reinterpret_cast<const Of*>(first + u * step * columns);
      }
    }
#pragma unroll
    for (int u = 0; u < kAtOnce; u++) {
      if (row + u * step < rows) {
#pragma unroll
        for (int e = 0; e < kColumns; e++) {
          const float sum = to_float(values[u].element[e]) + added[e];
          values[u].element[e] = from_float<T>(rectify ? relu(sum) : sum);
        }
        *reinterpret_cast<Of*>(first + u * step * columns) = values[u];
      }
    }
  }
}

}  // namespace autosparse

using namespace autosparse;

// One set of entries for each storage type.
#define ELEMENTWISE_KERNELS(T, SUFFIX)                                                            \
  extern "C" __global__ void __launch_bounds__(256) fill_##SUFFIX(T* y, int64 n, float value) {   \
    map(y, y, n, [=](float, int64) { return value; });                                            \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256) copy_##SUFFIX(const T* x, T* y, int64 n) {    \
    map(x, y, n, [](float v, int64) { return v; });                                               \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      add_##SUFFIX(const T* a, const T* b, T* y, int64 n) {                                       \
    zip(a, b, y, n, [](float p, float q) { return p + q; });                                      \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      axpy_##SUFFIX(float alpha, const T* x, T* y, int64 n) {                                     \
    zip(x, y, y, n, [=](float p, float q) { return fmaf(alpha, p, q); });                         \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      scale_##SUFFIX(float alpha, const T* x, T* y, int64 n) {                                    \
    map(x, y, n, [=](float v, int64) { return alpha * v; });                                      \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      scale_groups_##SUFFIX(const T* x, const float* factor, const int64* offsets, int64 groups,  \
                            int64 rows, int64 columns, T* y) {                                    \
    scale_groups(x, factor, offsets, groups, rows, columns, y);                                   \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      relu_##SUFFIX(const T* x, T* y, int64 n) {                                                  \
    map(x, y, n, [](float v, int64) { return relu(v); });                                         \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      gelu_##SUFFIX(const T* x, T* y, int64 n) {                                                  \
    map(x, y, n, [](float v, int64) { return gelu(v); });                                         \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      relu_backward_##SUFFIX(const T* x, const T* dy, T* dx, int64 n) {                           \
    zip(x, dy, dx, n, [](float v, float d) { return v <= 0.0f ? 0.0f : d; });                     \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      gelu_backward_##SUFFIX(const T* x, const T* dy, T* dx, int64 n) {                           \
    zip(x, dy, dx, n, [](float v, float d) { return d * gelu_slope(v); });                        \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      dropout_##SUFFIX(const T* x, T* y, int64 n, int64 seed, int threshold, float factor) {      \
    map(x, y, n, [=](float v, int64 i) {                                                          \
      return (splitmix64(seed, i) >> 40) < threshold ? v * factor : 0.0f;                         \
    });                                                                                           \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                               \
      copy_columns_##SUFFIX(const T* x, int64 x_width, T* y, int64 y_width, int64 rows,           \
                            int64 columns, int accumulate) {                                      \
    copy_columns(x, x_width, y, y_width, rows, columns, accumulate);                              \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256) add_bias_##SUFFIX(                            \
      T* y, const float* bias, int64 rows, int64 columns, int relu) {                             \
    add_bias<T, 1>(y, bias, rows, columns, relu != 0);                                            \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(256) add_bias_packs_##SUFFIX(                      \
      T* y, const float* bias, int64 rows, int64 columns, int relu) {                             \
    add_bias<T, Pack<T>::kSize>(y, bias, rows, columns, relu != 0);                               \
  }

ELEMENTWISE_KERNELS(float, f32)
ELEMENTWISE_KERNELS(bf16, bf16)

extern "C" __global__ void __launch_bounds__(256) cast_f32_bf16(const float* x, bf16* y, int64 n) {
  cast(x, y, n);
}

extern "C" __global__ void __launch_bounds__(256) cast_bf16_f32(const bf16* x, float* y, int64 n) {
  cast(x, y, n);
}
