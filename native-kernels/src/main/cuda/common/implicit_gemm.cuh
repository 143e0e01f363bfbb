// Sparse convolution as an output-stationary implicit GEMM:
// y[o] = act(sum over k of x[neighbour(o, k)]·weight[k]).
//
// A block owns kRows outputs and kColumns output channels. It lists its outputs' neighbours once in
// shared memory and then runs the offsets that any of them has, kDepth input channels at a time: the
// neighbours' rows of x are gathered by 16-byte asynchronous copies (zeros where there is none) and
// the rows of weight[k] beside them, kStages tiles deep, one barrier a tile. A thread accumulates
// kThreadRows x kThreadColumns outputs in fp32; a warp skips an offset that none of its outputs has.
// An x tile lies row after row; the 16-byte packs of a row are exchanged by an XOR with the row's
// number, so that eight neighbouring rows are read from 32 different banks.
//
// The same kernel is dgrad: x is then dz, y is dx, weight is turn_weights' result, and the map is
// the convolution's own (submanifold) or its transposed one.
#pragma once

#include "async_copy.cuh"
#include "quads.cuh"
#include "sites.cuh"
#include "types.cuh"

namespace autosparse {

// Geometry of an implicit GEMM. kAligned requires channel counts that fill packs and features and
// weights aligned to 16 bytes; otherwise elements are copied one by one, and the features may be
// stored in another type than that of the tiles and the weights.
template <typename T_, int kRows_, int kColumns_, int kDepth_, int kThreadRows_,
          int kThreadColumns_, int kStages_, bool kAligned_, typename Stored_ = T_>
struct GemmTiling {
  using T = T_;
  using Stored = Stored_;
  static constexpr int kRows = kRows_;
  static constexpr int kColumns = kColumns_;
  static constexpr int kDepth = kDepth_;
  static constexpr int kThreadRows = kThreadRows_;
  static constexpr int kThreadColumns = kThreadColumns_;
  static constexpr int kStages = kStages_;
  static constexpr bool kAligned = kAligned_;
  static constexpr int kThreads = (kRows / kThreadRows) * (kColumns / kThreadColumns);
  // Lanes of a warp beside each other along the channels, and along the outputs.
  static constexpr int kLanesAcross = kColumns / kThreadColumns < 8 ? kColumns / kThreadColumns : 8;
  static constexpr int kLanesDown = 32 / kLanesAcross;
  static constexpr int kWarpsAcross = kColumns / (kLanesAcross * kThreadColumns);
  static constexpr int kPack = Pack<T>::kSize;
  static constexpr int kPacks = kDepth / kPack;  // of one row of an x tile
  static constexpr int kRowsPerLine = kPacks >= 8 ? 1 : 8 / kPacks;  // rows of x in 128 bytes
  static constexpr int kStageElements = kRows * kDepth + kDepth * kColumns;
  static_assert(kThreadColumns % 4 == 0 && kThreads % 32 == 0, "a thread's channels are quads");
  static_assert((kPacks & (kPacks - 1)) == 0, "packs are exchanged by XOR");
};

// Index of a pack in an x tile.
template <typename G>
__device__ __forceinline__ int swizzled(int row, int pack) {
  return row * G::kDepth + G::kPack * (pack ^ ((row / G::kRowsPerLine) & (G::kPacks - 1)));
}

// The neighbours of a block's outputs: sites [kRows] (-1 past the last), neighbors [K, kRows] (-1
// where there is none). Returns the offsets that any of them has.
template <typename G>
__device__ __forceinline__ unsigned list_neighbors(
    const int64* __restrict__ pointers, const int* __restrict__ masks,
    const int* __restrict__ inputs, const int* __restrict__ order, int64 outputs, int offsets,
    int* sites, int* neighbors) {
  __shared__ unsigned warp_masks[G::kThreads / 32];
  unsigned any = 0;
  for (int row = threadIdx.x; row < G::kRows; row += G::kThreads) {
    const int64 place = static_cast<int64>(blockIdx.x) * G::kRows + row;
    int site = -1;
    unsigned mask = 0;
    int64 at = 0;
    if (place < outputs) {
      site = order == nullptr ? static_cast<int>(place) : order[place];
      mask = masks[site];
      at = pointers[site];
    }
    sites[row] = site;
    for (int k = 0; k < offsets; k++) {
      neighbors[k * G::kRows + row] = mask >> k & 1 ? inputs[at++] : -1;
    }
    any |= mask;
  }
  for (int step = 16; step > 0; step /= 2) {
    any |= __shfl_xor_sync(kFullWarp, any, step);
  }
  if ((threadIdx.x & 31) == 0) {
    warp_masks[threadIdx.x / 32] = any;
  }
  __syncthreads();
  any = 0;
#pragma unroll
  for (int warp = 0; warp < G::kThreads / 32; warp++) {
    any |= warp_masks[warp];
  }
  return any;
}

// Starts to copy one pack, or copies its elements one by one; elements from `left` on are zero.
template <typename G, typename S>
__device__ __forceinline__ void load_pack_of(typename G::T* target, const S* source, int left,
                                             const S* anywhere) {
  if constexpr (G::kAligned) {
    copy_pack(target, left > 0 ? source : anywhere, left > 0);
  } else {
#pragma unroll
    for (int j = 0; j < G::kPack; j++) {
      target[j] = from_float<typename G::T>(j < left ? to_float(source[j]) : 0.0f);
    }
  }
}

// Gathers one tile of x and one of weights.
template <typename G>
__device__ __forceinline__ void load_tile(const typename G::Stored* __restrict__ x,
                                          const typename G::T* __restrict__ weight,
                                          const int* neighbors, int k, int channel, int fan_in,
                                          int fan_out, typename G::T* tile_x,
                                          typename G::T* tile_w) {
  const int* rows = neighbors + k * G::kRows;
  for (int i = threadIdx.x; i < G::kRows * G::kPacks; i += G::kThreads) {
    const int row = i / G::kPacks;
    const int pack = i % G::kPacks;
    const int c = channel + G::kPack * pack;
    const int input = rows[row];
    load_pack_of<G>(tile_x + swizzled<G>(row, pack), x + static_cast<int64>(input) * fan_in + c,
                    input < 0 ? 0 : fan_in - c, x);
  }
  const typename G::T* block = weight + static_cast<int64>(k) * fan_in * fan_out;
  constexpr int kPacksAcross = G::kColumns / G::kPack;
#pragma unroll 2  // addresses held for more copies would spill
  for (int i = threadIdx.x; i < G::kDepth * kPacksAcross; i += G::kThreads) {
    const int c = channel + i / kPacksAcross;
    const int column = blockIdx.y * G::kColumns + i % kPacksAcross * G::kPack;
    load_pack_of<G>(tile_w + G::kPack * i, block + static_cast<int64>(c) * fan_out + column,
                    c < fan_in ? fan_out - column : 0, weight);
  }
}

// sum += x tile · weight tile, in fp32 multiply-adds.
template <typename G>
__device__ __forceinline__ void multiply_tile(
    const float* tile_x, const float* tile_w, int row, int column,
    float (&sum)[G::kThreadRows][G::kThreadColumns]) {
#pragma unroll
  for (int pack = 0; pack < G::kPacks; pack++) {
    float a[G::kThreadRows][4];
#pragma unroll
    for (int i = 0; i < G::kThreadRows; i++) {
      *reinterpret_cast<float4*>(a[i]) = *reinterpret_cast<const float4*>(
          tile_x + swizzled<G>(row + i * G::kLanesDown, pack));
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
      float b[G::kThreadColumns];
#pragma unroll
      for (int q = 0; q < G::kThreadColumns / 4; q++) {
        *reinterpret_cast<float4*>(b + 4 * q) = *reinterpret_cast<const float4*>(
            tile_w + (4 * pack + j) * G::kColumns + column + q * 4 * G::kLanesAcross);
      }
#pragma unroll
      for (int i = 0; i < G::kThreadRows; i++) {
#pragma unroll
        for (int n = 0; n < G::kThreadColumns; n++) {
          sum[i][n] = fmaf(a[i][j], b[n], sum[i][n]);
        }
      }
    }
  }
}

// The whole of a block.
template <typename G>
__device__ __forceinline__ void implicit_gemm(
    const typename G::Stored* __restrict__ x, const typename G::T* __restrict__ weight,
    const int64* __restrict__ pointers, const int* __restrict__ masks,
    const int* __restrict__ inputs, const int* __restrict__ order, int64 outputs, int offsets,
    int fan_in, int fan_out, bool relu, typename G::Stored* __restrict__ y) {
  using T = typename G::T;
  extern __shared__ float4 memory[];
  T* tiles = reinterpret_cast<T*>(memory);
  int* sites = reinterpret_cast<int*>(tiles + G::kStages * G::kStageElements);
  int* neighbors = sites + G::kRows;
  const unsigned any =
      list_neighbors<G>(pointers, masks, inputs, order, outputs, offsets, sites, neighbors);

  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
  const int row =
      warp / G::kWarpsAcross * (G::kLanesDown * G::kThreadRows) + lane / G::kLanesAcross;
  const int column = warp % G::kWarpsAcross * (G::kLanesAcross * G::kThreadColumns) +
                     lane % G::kLanesAcross * 4;

  // The offsets that this warp's own outputs have.
  unsigned own = 0;
  for (unsigned rest = any; rest != 0; rest &= rest - 1) {
    const int k = __ffs(rest) - 1;
    bool found = false;
#pragma unroll
    for (int i = 0; i < G::kThreadRows; i++) {
      found |= neighbors[k * G::kRows + row + i * G::kLanesDown] >= 0;
    }
    own |= __any_sync(kFullWarp, found) ? 1u << k : 0;
  }

  float sum[G::kThreadRows][G::kThreadColumns];
#pragma unroll
  for (int i = 0; i < G::kThreadRows; i++) {
#pragma unroll
    for (int n = 0; n < G::kThreadColumns; n++) {
      sum[i][n] = 0;
    }
  }

  // A step is an offset and kDepth channels; copies run kStages - 1 steps ahead of the arithmetic.
  const int chunks = (fan_in + G::kDepth - 1) / G::kDepth;
  const int steps = __popc(any) * chunks;
  unsigned to_load = chunks > 0 ? any : 0;
  int load_chunk = 0;
  int load_stage = 0;
  auto load_next = [&]() {
    if (to_load != 0) {
      T* tile = tiles + load_stage * G::kStageElements;
      load_tile<G>(x, weight, neighbors, __ffs(to_load) - 1, load_chunk * G::kDepth, fan_in,
                   fan_out, tile, tile + G::kRows * G::kDepth);
      load_stage = load_stage + 1 == G::kStages ? 0 : load_stage + 1;
      if (++load_chunk == chunks) {
        load_chunk = 0;
        to_load &= to_load - 1;
      }
    }
    commit_copies();
  };
#pragma unroll
  for (int stage = 0; stage < G::kStages - 1; stage++) {
    load_next();
  }
  unsigned to_multiply = any;
  int multiply_chunk = 0;
  int multiply_stage = 0;
  for (int step = 0; step < steps; step++) {
    wait_for_copies<G::kStages - 2>();
    __syncthreads();
    load_next();
    if ((own & to_multiply & -to_multiply) != 0) {
      const T* tile = tiles + multiply_stage * G::kStageElements;
      multiply_tile<G>(tile, tile + G::kRows * G::kDepth, row, column, sum);
    }
    multiply_stage = multiply_stage + 1 == G::kStages ? 0 : multiply_stage + 1;
    if (++multiply_chunk == chunks) {
      multiply_chunk = 0;
      to_multiply &= to_multiply - 1;
    }
  }

#pragma unroll
  for (int i = 0; i < G::kThreadRows; i++) {
    const int site = sites[row + i * G::kLanesDown];
    if (site < 0) {
      continue;
    }
#pragma unroll
    for (int q = 0; q < G::kThreadColumns / 4; q++) {
      const int c = blockIdx.y * G::kColumns + column + q * 4 * G::kLanesAcross;
      typename G::Stored* target = y + static_cast<int64>(site) * fan_out + c;
      const float* four = sum[i] + 4 * q;
      float4 value = make_float4(four[0], four[1], four[2], four[3]);
      if (relu) {  // NaN stays NaN
        value = make_float4(value.x < 0 ? 0 : value.x, value.y < 0 ? 0 : value.y,
                            value.z < 0 ? 0 : value.z, value.w < 0 ? 0 : value.w);
      }
      store_quad<G::kAligned>(target, value, fan_out - c);
    }
  }
}

}  // namespace autosparse
