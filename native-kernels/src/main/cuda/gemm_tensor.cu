// Architectures: compute_80
// Dense products C = alpha*op(A)*op(B) + beta*C and linear layers y = relu(x*W^T + bias) on tensor
// cores: A and B both bf16, or both fp32 rounded to tf32; C bf16 or fp32; sums fp32.
// Contract: autosparse.engine.operators.GemmOperators. Used where cuBLAS is not there, and for
// linear layers so small that a pass for their bias and ReLU would cost more than cuBLAS saves.
//
// Launch:  256 threads, one block a tile of C (grid x, columns fastest) and slice of K (z).
//          Tiles: large 128x64 (a warp 32x32), medium 64x64 (32x16), narrow 128x32 (16x32).
// Shared:  45, 30 and 38 KiB: three stages, filled by asynchronous 16-byte copies.
// Bytes:   s*(M*K*ceil(N/tile) + K*N*ceil(M/tile)) + t*M*N, s and t the bytes of a factor and of C;
//          neighbouring blocks share A's rows in L2. FLOPs: 2*M*N*K.
// Bound:   device memory for narrow layers, the tensor cores by mma.sync for large products.
// Rounding: a sum runs over K in order. Where C has few tiles and K is long, K is cut in slices by
//          the shapes alone; gemm_tensor_slices adds them in order.
//
// Measured on an H200, L2 flushed, median of 20, one launch between events, us, beside cuBLAS 13 in
// the same run (M x N x K):
//                               bf16, C bf16 (cuBLAS; floor)      tf32 (cuBLAS)
//   9216 x 384 x 128 NT          16.8    (8.9;   2.3)               27.4   (13.4)
//   9216 x 128 x 384 NN          16.0    (8.4;   2.3)               30.1   (14.9)
//   384 x 128 x 9216 TN          18.3   (11.0;   2.3)               26.8   (18.3)
//   110592 x 128 x 128 NT        52.8   (20.9;  13.5)               87.6   (37.1)
//   110592 x 32 x 32 NT          16.3    (9.4;   3.4)               20.5   (21.9)
//   32 x 288 x 1000000 TN       322    (219;   152)                694    (326)
//   4096 x 4096 x 4096 NN       708    (174;    24)               1904    (343)
// A bias and a ReLU take 0.2 to 2.3 us more. With both, 20 in a graph, not flushed, beside cuBLAS and a
// pass for them (elementwise.cu), bf16 and tf32:
//   9216 x 1024 x 256 NT    46.5 (21.3)   95.7 (39.3)      2048 x 256 x 1024 NT    13.0 (5.9)
//   9216 x 256 x 1024 NT    43.1 (12.4)  117.2 (28.9)      2048 x 1024 x 192 NT     9.9 (6.7)
//   9216 x 768 x 256 NT     36.8 (16.3)   76.1 (31.2)      4096 x 512 x 128 NT      8.4 (6.4)
//   9216 x 256 x 256 NT     17.4  (7.8)   36.3 (16.3)      110592 x 128 x 128 NT   50.2 (29.4)
//   9216 x 128 x 256 NT     10.7  (5.7)   21.1 (12.6)
// Tried: 128x128 tiles (a warp 64x32, four stages): 43.6, 39.9 and 32.2 for the first three.
#include "common/async_copy.cuh"
#include "common/bfloat16.cuh"
#include "common/types.cuh"

namespace autosparse {
namespace {

constexpr int kThreads = 256;
constexpr int kStages = 3;
constexpr int kLine = 16;       // words of a stage's depth: 32 bf16 or 16 floats
constexpr int kPitch = kLine + 4;

// Where an element of op(A) [outer, K] lies, outer being a row of C (or a column, for op(B)^T).
template <typename T>
struct Operand {
  const T* data;
  int64 outer;      // rows of op(A)
  int64 inner;      // K
  bool k_adjacent;  // whether elements along K lie side by side ([outer, K]) or along outer
  bool packed;      // whether 16-byte loads are aligned and never straddle the end of a row

  __device__ Operand(const T* from, int64 rows, int64 depth, bool adjacent)
      : data(from),
        outer(rows),
        inner(depth),
        k_adjacent(adjacent),
        packed(is_packed(from) && (adjacent ? depth : rows) % Pack<T>::kSize == 0) {}
};

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// One operand's tile of kOuter rows, as deep as kLine words, as it is in memory: [outer, K]
// with lines of kPitch words, or [K, outer] with lines that are 16 (tf32: 32) bytes longer than
// kOuter. Either way eight lines' equal packs lie in 32 different banks.
template <typename T, int kOuter>
struct Tile {
  static constexpr int kSize = Pack<T>::kSize;
  static constexpr int kDepth = kLine * 4 / static_cast<int>(sizeof(T));
  static constexpr int kWords = kOuter * kPitch;
  static constexpr int kAcross = sizeof(T) == 2 ? kOuter / 2 + 4 : kOuter + 8;
  static constexpr int kPacks = kOuter * kLine / 4;
  static constexpr int kLoads = (kPacks + kThreads - 1) / kThreads;
  static_assert(kDepth * kAcross <= kWords, "both layouts fit");
};

// Copies one operand's tiles, one after the other along K: a thread keeps to its packs of a tile.
template <typename T, int kOuter>
struct TileLoader {
  using Of = Tile<T, kOuter>;
  const Operand<T>& operand;
  const T* source[Of::kLoads];
  int target[Of::kLoads];  // word of the tile
  int depth[Of::kLoads];   // first element along K of the tile
  int along[Of::kLoads];   // elements of a pack that lie inside, along outer
  int64 step;              // from one tile to the next

  __device__ __forceinline__ TileLoader(const Operand<T>& from, int64 first, int64 k)
      : operand(from), step(from.k_adjacent ? Of::kDepth : Of::kDepth * from.outer) {
#pragma unroll
    for (int l = 0; l < Of::kLoads; l++) {
      const int at = l * kThreads + threadIdx.x;
      int64 outer;
      if (from.k_adjacent) {
        outer = first + at / (kLine / 4);
        depth[l] = at % (kLine / 4) * Of::kSize;
        target[l] = at / (kLine / 4) * kPitch + at % (kLine / 4) * 4;
        source[l] = from.data + outer * from.inner + k + depth[l];
      } else {
        outer = first + at % (kOuter / Of::kSize) * Of::kSize;
        depth[l] = at / (kOuter / Of::kSize);
        target[l] = at / (kOuter / Of::kSize) * Of::kAcross + at % (kOuter / Of::kSize) * 4;
        source[l] = from.data + (k + depth[l]) * from.outer + outer;
      }
      const int64 left = from.outer - outer;
      along[l] = left <= 0 ? 0 : left < Of::kSize ? static_cast<int>(left) : Of::kSize;
    }
  }

  // The next tile; `left` elements along K are there.
  __device__ __forceinline__ void load(int64 left, unsigned* tile) {
#pragma unroll
    for (int l = 0; l < Of::kLoads; l++) {
      if (Of::kPacks % kThreads != 0 && l * kThreads + threadIdx.x >= Of::kPacks) break;
      const bool there = along[l] > 0 && depth[l] < left;
      T* to = reinterpret_cast<T*>(tile + target[l]);
      if (operand.packed) {
        copy_pack(to, there ? source[l] : operand.data, there);
      } else {
        const int64 inside = !there ? 0 : operand.k_adjacent ? left - depth[l] : along[l];
        Pack<T> pack;
#pragma unroll
        for (int e = 0; e < Of::kSize; e++) {
          pack.element[e] = e < inside ? source[l][e] : from_float<T>(0.0f);
        }
        *reinterpret_cast<Pack<T>*>(to) = pack;
      }
      source[l] += step;
    }
  }
};

__device__ __forceinline__ void load_blocks(const unsigned* line, unsigned (&to)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(line))
               : "memory");
}

__device__ __forceinline__ void load_turned_blocks(const unsigned* line, unsigned (&to)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(line))
               : "memory");
}

// Reads four 8-row blocks of a tile, 16 rows at one step of 8 words along K, as m16n8k16 (tf32:
// m16n8k8) takes them. kRowsFirst: rows 0-7 and 8-15 of the first half of the step, then of the
// second (operand A); else both halves of rows 0-7, then of rows 8-15 (two operands B).
template <typename T, int kOuter, bool kRowsFirst>
struct OperandReader {
  using Of = Tile<T, kOuter>;
  bool k_adjacent;
  int first;     // this lane's word
  int per_step;  // words from one step to the next
  int per_rows;  // words from 16 rows to the next

  __device__ __forceinline__ OperandReader(bool adjacent, int row) : k_adjacent(adjacent) {
    const int lane = threadIdx.x % 32;
    const int up = 8 * (kRowsFirst ? lane / 8 % 2 : lane / 16);
    const int half = kRowsFirst ? lane / 16 : lane / 8 % 2;
    if (k_adjacent) {
      first = (row + up + lane % 8) * kPitch + 4 * half;
      per_step = 8;
      per_rows = 16 * kPitch;
    } else if (sizeof(T) == 2) {
      first = (8 * half + lane % 8) * Of::kAcross + (row + up) / 2;
      per_step = 16 * Of::kAcross;
      per_rows = 8;
    } else {
      first = lane % 4 * Of::kAcross + row + lane / 4;
      per_step = 8 * Of::kAcross;
      per_rows = 16;
    }
  }

  __device__ __forceinline__ void read(const unsigned* tile, int rows, int step,
                                       unsigned (&to)[4]) const {
    const unsigned* from = tile + first + rows * per_rows + step * per_step;
    if (k_adjacent) {
      load_blocks(from, to);
    } else if (sizeof(T) == 2) {
      load_turned_blocks(from, to);
    } else {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int up = kRowsFirst ? i % 2 : i / 2;
        const int half = kRowsFirst ? i / 2 : i % 2;
        to[i] = from[4 * half * Of::kAcross + 8 * up];
      }
    }
    if (sizeof(T) == 4) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(to[i]) : "f"(__uint_as_float(to[i])));
      }
    }
  }
};

template <typename T>
__device__ __forceinline__ void add_product(float (&c)[4], const unsigned (&a)[4], unsigned b0,
                                            unsigned b1) {
  if (sizeof(T) == 2) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

struct Epilogue {
  float alpha;
  float beta;
  const float* bias;  // [N], or null
  int relu;

  template <typename C>
  __device__ __forceinline__ float operator()(float sum, const C* old, int64 column) const {
    float value = alpha * sum;
    if (beta != 0.0f) value = fmaf(beta, to_float(*old), value);
    if (bias != nullptr) value += bias[column];
    return relu && value <= 0.0f ? 0.0f : value;
  }

  // Elements (row, column) and (row, column + 1) of C [M, N].
  __device__ __forceinline__ void store(float* c, int64 n, int64 column, float x, float y) const {
    const float first = (*this)(x, c, column);
    if (column + 1 >= n) {
      *c = first;
    } else if (n % 2 == 0) {
      *reinterpret_cast<float2*>(c) = make_float2(first, (*this)(y, c + 1, column + 1));
    } else {
      *c = first;
      c[1] = (*this)(y, c + 1, column + 1);
    }
  }

  __device__ __forceinline__ void store(bf16* c, int64 n, int64 column, float x, float y) const {
    const float first = (*this)(x, c, column);
    if (column + 1 >= n) {
      *c = from_float<bf16>(first);
    } else if (n % 2 == 0) {
      *reinterpret_cast<__nv_bfloat162*>(c) =
          __floats2bfloat162_rn(first, (*this)(y, c + 1, column + 1));
    } else {
      *c = from_float<bf16>(first);
      c[1] = from_float<bf16>((*this)(y, c + 1, column + 1));
    }
  }
};

// kWarpsDown warps share the rows; a warp has kRows/kWarpsDown rows and the same share of columns.
template <typename T, int kRows, int kColumns, int kWarpsDown>
__device__ __forceinline__ void gemm_tile(const Operand<T>& a, const Operand<T>& b,
                                          int64 slice_depth, const Epilogue& epilogue, void* c,
                                          bool bf16_out) {
  using TileA = Tile<T, kRows>;
  using TileB = Tile<T, kColumns>;
  constexpr int kWarpsAcross = kThreads / 32 / kWarpsDown;
  constexpr int kTilesDown = kRows / kWarpsDown / 16;
  constexpr int kTilesAcross = kColumns / kWarpsAcross / 8;
  static_assert(kTilesDown > 0 && kTilesAcross % 2 == 0, "whole operands");
  __shared__ __align__(16) unsigned tile_a[kStages][TileA::kWords];
  __shared__ __align__(16) unsigned tile_b[kStages][TileB::kWords];

  const int64 across = (b.outer + kColumns - 1) / kColumns;
  const int64 row = blockIdx.x / across * kRows;
  const int64 column = blockIdx.x % across * kColumns;
  const int64 from = blockIdx.z * slice_depth;
  const int64 to = from + slice_depth < a.inner ? from + slice_depth : a.inner;
  const int warp = threadIdx.x / 32;
  const int my_row = warp / kWarpsAcross * (16 * kTilesDown);
  const int my_column = warp % kWarpsAcross * (8 * kTilesAcross);

  const OperandReader<T, kRows, true> read_a(a.k_adjacent, my_row);
  const OperandReader<T, kColumns, false> read_b(b.k_adjacent, my_column);
  TileLoader<T, kRows> load_a(a, row, from);
  TileLoader<T, kColumns> load_b(b, column, from);

  float sum[kTilesDown][kTilesAcross][4] = {};
#pragma unroll
  for (int s = 0; s < kStages - 1; s++) {
    load_a.load(to - from - s * TileA::kDepth, tile_a[s]);
    load_b.load(to - from - s * TileA::kDepth, tile_b[s]);
    commit_copies();
  }
  int stage = 0;
  for (int64 k = from; k < to; k += TileA::kDepth) {
    wait_for_copies<kStages - 2>();
    __syncthreads();
    const int next = stage == 0 ? kStages - 1 : stage - 1;
    const int64 left = to - k - (kStages - 1) * TileA::kDepth;
    if (left > 0) {
      load_a.load(left, tile_a[next]);
      load_b.load(left, tile_b[next]);
    }
    commit_copies();
#pragma unroll
    for (int step = 0; step < kLine / 8; step++) {
      unsigned of_a[kTilesDown][4];
      unsigned of_b[kTilesAcross / 2][4];
#pragma unroll
      for (int i = 0; i < kTilesDown; i++) {
        read_a.read(tile_a[stage], i, step, of_a[i]);
      }
#pragma unroll
      for (int j = 0; j < kTilesAcross / 2; j++) {
        read_b.read(tile_b[stage], j, step, of_b[j]);
      }
#pragma unroll
      for (int i = 0; i < kTilesDown; i++) {
#pragma unroll
        for (int j = 0; j < kTilesAcross; j++) {
          add_product<T>(sum[i][j], of_a[i], of_b[j / 2][j % 2 * 2], of_b[j / 2][j % 2 * 2 + 1]);
        }
      }
    }
    stage = stage == kStages - 1 ? 0 : stage + 1;
  }

  const int lane = threadIdx.x % 32;
  const int64 m = a.outer;
  const int64 n = b.outer;
#pragma unroll
  for (int i = 0; i < kTilesDown; i++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int64 r = row + my_row + 16 * i + 8 * h + lane / 4;
      if (r >= m) continue;
#pragma unroll
      for (int j = 0; j < kTilesAcross; j++) {
        const int64 at = column + my_column + 8 * j + 2 * (lane % 4);
        if (at >= n) continue;
        const int64 element = (blockIdx.z * m + r) * n + at;
        const float x = sum[i][j][2 * h];
        const float y = sum[i][j][2 * h + 1];
        if (bf16_out) {
          epilogue.store(static_cast<bf16*>(c) + element, n, at, x, y);
        } else {
          epilogue.store(static_cast<float*>(c) + element, n, at, x, y);
        }
      }
    }
  }
}

template <typename C>
__device__ __forceinline__ void add_slices(const float* partial, int64 slices, int64 elements,
                                           int64 n, const Epilogue& epilogue, C* c) {
  for (int64 i = grid_thread(); i < elements; i += grid_threads()) {
    float sum = 0.0f;
    for (int64 slice = 0; slice < slices; slice++) sum += partial[slice * elements + i];
    c[i] = from_float<C>(epilogue(sum, c + i, epilogue.bias != nullptr ? i % n : 0));
  }
}

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// slice_depth is a multiple of 32; with more than one slice c is fp32 [slices, M, N] and the
// epilogue is (1, 0, null, 0). c is aligned to two elements.
#define GEMM_KERNEL(NAME, T, SUFFIX, ROWS, COLUMNS, WARPS_DOWN)                                   \
  extern "C" __global__ void __launch_bounds__(kThreads, 2)                                       \
      gemm_tensor_##NAME##_##SUFFIX(const T* a, int transpose_a, const T* b, int transpose_b,     \
                                    int64 m, int64 n, int64 k, int64 slice_depth, float alpha,    \
                                    float beta, const float* bias, int relu, void* c,             \
                                    int bf16_out) {                                               \
    gemm_tile<T, ROWS, COLUMNS, WARPS_DOWN>(Operand<T>(a, m, k, !transpose_a),                    \
                                            Operand<T>(b, n, k, transpose_b), slice_depth,        \
                                            {alpha, beta, bias, relu}, c, bf16_out);              \
  }

GEMM_KERNEL(large, bf16, bf16, 128, 64, 4)
GEMM_KERNEL(medium, bf16, bf16, 64, 64, 2)
GEMM_KERNEL(narrow, bf16, bf16, 128, 32, 8)
GEMM_KERNEL(large, float, tf32, 128, 64, 4)
GEMM_KERNEL(medium, float, tf32, 64, 64, 2)
GEMM_KERNEL(narrow, float, tf32, 128, 32, 8)

// c = epilogue(sum over slices of partial [slices, M, N], in order)
extern "C" __global__ void __launch_bounds__(kThreads)
    gemm_tensor_slices(const float* partial, int64 slices, int64 elements, int64 n, float alpha,
                       float beta, const float* bias, int relu, void* c, int bf16_out) {
  const Epilogue epilogue = {alpha, beta, bias, relu};
  if (bf16_out) {
    add_slices(partial, slices, elements, n, epilogue, static_cast<bf16*>(c));
  } else {
    add_slices(partial, slices, elements, n, epilogue, static_cast<float*>(c));
  }
}
