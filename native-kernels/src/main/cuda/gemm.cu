// Dense products C = alpha*op(A)*op(B) + beta*C and linear layers y = relu(x*W^T + bias).
// Contract: autosparse.engine.operators.GemmOperators. Used where cuBLAS is not there, and for
// linear layers so small that a pass for their bias and ReLU would cost more than cuBLAS saves.
//
// Launch:  256 threads, one block a tile of C (grid x: rows, y: columns) and slice of K (z).
//          Tiles: large 128x128 (8x8 sums a thread), medium 64x64 (4x4), narrow 128x32 (4x4).
// Shared:  17, 17 and 43 KiB: two stages, so that the next loads run under the arithmetic.
// Bytes:   4*(M*K*ceil(N/tile) + K*N*ceil(M/tile) + M*N); FLOPs: 2*M*N*K.
// Bound:   float multiply-adds for large tiles; device memory for narrow layers (N or K up to 32).
// Rounding: a sum runs over K in order, in float. Where C has few tiles and K is long, K is cut in
//          slices by the shapes alone; gemm_slices adds them in order.
//
// Measured: H100 80GB HBM3, 2026-11-24, TFLOP/s, beside cuBLAS 13.1 in the same run (M x N x K):
//   4096 x 4096 x 4096 NN 34.7 (51.1)    110592 x 128 x 128 NT 21.4 (29.1)
//   110592 x 64 x 64 NT 16.0 (16.6)      110592 x 32 x 32 NT 6.2 (6.7)
//   65536 x 16 x 144 NN 7.0 (8.0)        128 x 128 x 110592 TN 24.6 (36.3)
//   32 x 288 x 1000000 TN 11.8 (20.1)    1024 x 128 x 128 NT 2.1 (1.9)

#include "common/types.cuh"

namespace autosparse {

constexpr int kThreads = 256;

// Where an element of op(A) [outer, K] lies, outer being a row of C (or a column, for op(B)^T).
struct Operand {
  const float* data;
  int64 outer;     // rows of op(A)
  int64 inner;     // K
  bool k_adjacent; // whether elements along K lie side by side ([outer, K]) or along outer
  bool packed;     // whether 16-byte loads are aligned and never straddle the end of a row
};

// Four elements: along K from (o, k) when k_adjacent, else along outer. Zero outside.
__device__ __forceinline__ float4 load_four(const Operand& operand, int64 o, int64 k, int64 to) {
  float4 value = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  float* element = reinterpret_cast<float*>(&value);
  if (operand.k_adjacent) {
    if (o < operand.outer) {
      const float* from = operand.data + o * operand.inner + k;
      if (operand.packed && k + 4 <= to) {
        value = *reinterpret_cast<const float4*>(from);
      } else {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          element[e] = k + e < to ? from[e] : 0.0f;
        }
      }
    }
  } else if (k < to) {
    const float* from = operand.data + k * operand.outer + o;
    if (operand.packed && o + 4 <= operand.outer) {
      value = *reinterpret_cast<const float4*>(from);
    } else {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        element[e] = o + e < operand.outer ? from[e] : 0.0f;
      }
    }
  }
  return value;
}

// One operand's tile [kDepth][kOuter], through registers into shared memory.
template <int kOuter, int kDepth>
struct TileLoader {
  static constexpr int kLoads = kOuter * kDepth / 4 / kThreads;
  static constexpr int kPitch = kOuter + 4;
  float4 value[kLoads];

  __device__ __forceinline__ void load(const Operand& operand, int64 first, int64 k, int64 to) {
#pragma unroll
    for (int l = 0; l < kLoads; l++) {
      const int at = l * kThreads + threadIdx.x;
      if (operand.k_adjacent) {
        value[l] = load_four(operand, first + at / (kDepth / 4), k + at % (kDepth / 4) * 4, to);
      } else {
        value[l] = load_four(operand, first + at % (kOuter / 4) * 4, k + at / (kOuter / 4), to);
      }
    }
  }

  __device__ __forceinline__ void store(bool k_adjacent, float* tile) const {
#pragma unroll
    for (int l = 0; l < kLoads; l++) {
      const int at = l * kThreads + threadIdx.x;
      if (k_adjacent) {
        float* target = tile + at % (kDepth / 4) * 4 * kPitch + at / (kDepth / 4);
        target[0] = value[l].x;
        target[kPitch] = value[l].y;
        target[2 * kPitch] = value[l].z;
        target[3 * kPitch] = value[l].w;
      } else {
        float* target = tile + at / (kOuter / 4) * kPitch + at % (kOuter / 4) * 4;
        *reinterpret_cast<float4*>(target) = value[l];
      }
    }
  }
};

struct Epilogue {
  float alpha;
  float beta;
  const float* bias;  // [N], or null
  int relu;

  __device__ __forceinline__ float operator()(float sum, const float* old, int64 column) const {
    float value = alpha * sum;
    if (beta != 0.0f) {
      value = fmaf(beta, *old, value);
    }
    if (bias != nullptr) {
      value += bias[column];
    }
    return relu && value <= 0.0f ? 0.0f : value;
  }
};

// A thread's sums are groups of 4x4, the groups kRows/kRowGroups apart, so that the threads of a
// warp read neighbouring 16 bytes of shared memory.
template <int kRows, int kColumns, int kDepth, int kRowGroups, int kColumnGroups>
__device__ __forceinline__ void gemm_tile(const Operand& a, const Operand& b, int64 slice_depth,
                                          const Epilogue& epilogue, float* c) {
  using LoaderA = TileLoader<kRows, kDepth>;
  using LoaderB = TileLoader<kColumns, kDepth>;
  constexpr int kSizeA = kDepth * LoaderA::kPitch;
  constexpr int kSizeB = kDepth * LoaderB::kPitch;
  constexpr int kAcross = kColumns / (4 * kColumnGroups);
  static_assert(kRows / (4 * kRowGroups) * kAcross == kThreads, "one group of sums a thread");
  __shared__ __align__(16) float tile_a[2][kSizeA];
  __shared__ __align__(16) float tile_b[2][kSizeB];

  const int64 row = static_cast<int64>(blockIdx.x) * kRows;
  const int64 column = static_cast<int64>(blockIdx.y) * kColumns;
  const int64 from = blockIdx.z * slice_depth;
  const int64 to = from + slice_depth < a.inner ? from + slice_depth : a.inner;
  const int my_row = threadIdx.x / kAcross * 4;
  const int my_column = threadIdx.x % kAcross * 4;

  float sum[4 * kRowGroups][4 * kColumnGroups] = {};
  LoaderA next_a;
  LoaderB next_b;
  next_a.load(a, row, from, to);
  next_b.load(b, column, from, to);
  next_a.store(a.k_adjacent, tile_a[0]);
  next_b.store(b.k_adjacent, tile_b[0]);
  __syncthreads();
  int stage = 0;
  for (int64 k = from; k < to; k += kDepth) {
    const bool more = k + kDepth < to;
    if (more) {
      next_a.load(a, row, k + kDepth, to);
      next_b.load(b, column, k + kDepth, to);
    }
#pragma unroll
    for (int d = 0; d < kDepth; d++) {
      float left[4 * kRowGroups];
      float right[4 * kColumnGroups];
#pragma unroll
      for (int g = 0; g < kRowGroups; g++) {
        const float* at = tile_a[stage] + d * LoaderA::kPitch + g * (kRows / kRowGroups) + my_row;
        *reinterpret_cast<float4*>(left + 4 * g) = *reinterpret_cast<const float4*>(at);
      }
#pragma unroll
      for (int g = 0; g < kColumnGroups; g++) {
        const float* at =
            tile_b[stage] + d * LoaderB::kPitch + g * (kColumns / kColumnGroups) + my_column;
        *reinterpret_cast<float4*>(right + 4 * g) = *reinterpret_cast<const float4*>(at);
      }
#pragma unroll
      for (int i = 0; i < 4 * kRowGroups; i++) {
#pragma unroll
        for (int j = 0; j < 4 * kColumnGroups; j++) {
          sum[i][j] = fmaf(left[i], right[j], sum[i][j]);
        }
      }
    }
    if (more) {
      stage ^= 1;
      next_a.store(a.k_adjacent, tile_a[stage]);
      next_b.store(b.k_adjacent, tile_b[stage]);
      __syncthreads();
    }
  }

  const int64 m = a.outer;
  const int64 n = b.outer;
  float* target = c + blockIdx.z * m * n;
#pragma unroll
  for (int i = 0; i < 4 * kRowGroups; i++) {
    const int64 r = row + i / 4 * (kRows / kRowGroups) + my_row + i % 4;
    if (r < m) {
#pragma unroll
      for (int j = 0; j < 4 * kColumnGroups; j++) {
        const int64 s = column + j / 4 * (kColumns / kColumnGroups) + my_column + j % 4;
        if (s < n) {
          float* at = target + r * n + s;
          *at = epilogue(sum[i][j], at, s);
        }
      }
    }
  }
}

__device__ __forceinline__ Operand operand(const float* data, int64 outer, int64 inner,
                                           bool k_adjacent) {
  const bool packed = is_packed(data) && (k_adjacent ? inner : outer) % 4 == 0;
  return {data, outer, inner, k_adjacent, packed};
}

}  // namespace autosparse

using namespace autosparse;

// slice_depth is a multiple of 32; with more than one slice c is [slices, M, N] and the epilogue is
// (1, 0, null, 0).
#define GEMM_KERNEL(NAME, ROWS, COLUMNS, DEPTH, ROW_GROUPS, COLUMN_GROUPS)                        \
  extern "C" __global__ void __launch_bounds__(kThreads)                                          \
      gemm_##NAME##_f32(const float* a, int transpose_a, const float* b, int transpose_b, int64 m, \
                        int64 n, int64 k, int64 slice_depth, float alpha, float beta,             \
                        const float* bias, int relu, float* c) {                                  \
    gemm_tile<ROWS, COLUMNS, DEPTH, ROW_GROUPS, COLUMN_GROUPS>(                                   \
        operand(a, m, k, !transpose_a), operand(b, n, k, transpose_b), slice_depth,               \
        {alpha, beta, bias, relu}, c);                                                            \
  }

GEMM_KERNEL(large, 128, 128, 8, 2, 2)
GEMM_KERNEL(medium, 64, 64, 16, 1, 1)
GEMM_KERNEL(narrow, 128, 32, 32, 1, 1)

// c = epilogue(sum over slices of partial [slices, M, N], in order)
extern "C" __global__ void __launch_bounds__(kThreads)
    gemm_slices_f32(const float* partial, int64 slices, int64 elements, int64 n, float alpha,
                    float beta, const float* bias, int relu, float* c) {
  const Epilogue epilogue = {alpha, beta, bias, relu};
  for (int64 i = grid_thread(); i < elements; i += grid_threads()) {
    float sum = 0.0f;
    for (int64 slice = 0; slice < slices; slice++) {
      sum += partial[slice * elements + i];
    }
    c[i] = epilogue(sum, c + i, bias != nullptr ? i % n : 0);
  }
}
