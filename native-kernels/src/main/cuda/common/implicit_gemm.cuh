// Sparse convolution as an output-stationary implicit GEMM: y[o] = act(sum over k of x[neighbour(o, k)] · weight[k]).
//
// A block owns TM outputs and TN output channels. It lists its outputs' neighbours once in shared memory, then runs the
// offsets that any of them has, KC input channels at a time: the neighbours' rows of x [TM, KC] are gathered by 16-byte
// asynchronous copies (zeros where there is none) and weight[k] [KC, TN] beside them, STAGES tiles deep, one barrier a
// tile. A thread accumulates MR x NR outputs in fp32 and a warp skips an offset that none of its outputs has.
// An x tile lies as it comes, row after row; a row's 16-byte quads are exchanged by an XOR with the row number, so that
// eight neighbouring rows are read from 32 different banks.
//
// The same kernel is dgrad: x is then dz, y is dx, weight is turned_weights' result, and the map is the convolution's
// own (submanifold) or its transposed one.
//
// FLOPs: 2·pairs·C_in·C_out. Least bytes: 4·N·(C_in + C_out) + map (12·N + 4·pairs); from the L2, where neighbours are
// gathered again for each offset: 4·pairs·C_in.
#pragma once

#include "async_copy.cuh"
#include "rows.cuh"

namespace autosparse {

// Geometry of one implicit GEMM; VECTOR requires channel counts that are multiples of 4 and rows aligned to 16 bytes.
template <int TM_, int TN_, int KC_, int MR_, int NR_, int STAGES_, bool VECTOR_>
struct Tiling {
  static constexpr int TM = TM_;
  static constexpr int TN = TN_;
  static constexpr int KC = KC_;
  static constexpr int MR = MR_;
  static constexpr int NR = NR_;
  static constexpr int STAGES = STAGES_;
  static constexpr bool VECTOR = VECTOR_;
  static constexpr int THREADS = (TM / MR) * (TN / NR);
  static constexpr int WARP_COLUMNS = TN / NR < 8 ? TN / NR : 8;  // lanes beside each other along the channels
  static constexpr int WARP_ROWS = 32 / WARP_COLUMNS;
  static constexpr int WARPS_ACROSS = TN / (WARP_COLUMNS * NR);
  static constexpr int QUADS = KC / 4;
  static constexpr int ROWS_PER_LINE = QUADS >= 8 ? 1 : 8 / QUADS;  // rows of x in 128 bytes of shared memory
  static constexpr int STAGE_FLOATS = TM * KC + KC * TN;
  static_assert(NR % 4 == 0 && THREADS % 32 == 0, "a thread's channels are quads");
};

// Element of an x tile in shared memory.
template <typename G>
__device__ inline int swizzled(int row, int quad) {
  return row * G::KC + 4 * (quad ^ ((row / G::ROWS_PER_LINE) & (G::QUADS - 1)));
}

// The neighbours of a block's outputs: sites [TM] (-1 past the last), inputs [K, TM] (-1 where there is none).
// Returns the offsets that any of them has.
template <typename G>
__device__ inline unsigned listNeighbors(const int64* __restrict__ pointers, const int* __restrict__ masks,
                                         const int* __restrict__ inputs, const int* __restrict__ order, int64 outputs,
                                         int offsets, int* sites, int* neighbors, unsigned* warpMasks) {
  unsigned any = 0;
  for (int row = threadIdx.x; row < G::TM; row += G::THREADS) {
    const int64 place = (int64)blockIdx.x * G::TM + row;
    int site = -1;
    unsigned mask = 0;
    int64 at = 0;
    if (place < outputs) {
      site = order == nullptr ? (int)place : order[place];
      mask = masks[site];
      at = pointers[site];
    }
    sites[row] = site;
    for (int k = 0; k < offsets; k++) {
      neighbors[k * G::TM + row] = mask >> k & 1 ? inputs[at++] : -1;
    }
    any |= mask;
  }
  for (int step = 16; step > 0; step /= 2) {
    any |= __shfl_xor_sync(FULL_WARP, any, step);
  }
  if ((threadIdx.x & 31) == 0) {
    warpMasks[threadIdx.x / 32] = any;
  }
  __syncthreads();
  any = 0;
  for (int warp = 0; warp < G::THREADS / 32; warp++) {
    any |= warpMasks[warp];
  }
  return any;
}

// Gathers one tile of x and one of weights.
template <typename G>
__device__ inline void loadTile(const float* __restrict__ x, const float* __restrict__ weight, const int* neighbors,
                                int k, int channel, int fanIn, int fanOut, float* tileX, float* tileW) {
  const int* rows = neighbors + k * G::TM;
  for (int i = threadIdx.x; i < G::TM * G::QUADS; i += G::THREADS) {
    const int row = i / G::QUADS;
    const int quad = i % G::QUADS;
    const int c = channel + 4 * quad;
    const int input = rows[row];
    float* target = tileX + swizzled<G>(row, quad);
    const float* source = x + (int64)(input < 0 ? 0 : input) * fanIn + c;
    if (G::VECTOR) {
      copy16(target, input >= 0 && c < fanIn ? source : x, input >= 0 && c < fanIn);
    } else {
      for (int j = 0; j < 4; j++) {
        target[j] = input >= 0 && c + j < fanIn ? source[j] : 0.0f;
      }
    }
  }
  const float* block = weight + (int64)k * fanIn * fanOut;
  for (int i = threadIdx.x; i < G::KC * G::TN / 4; i += G::THREADS) {
    const int c = channel + i / (G::TN / 4);
    const int column = blockIdx.y * G::TN + i % (G::TN / 4) * 4;
    float* target = tileW + 4 * i;
    const float* source = block + (int64)c * fanOut + column;
    if (G::VECTOR) {
      copy16(target, c < fanIn && column < fanOut ? source : weight, c < fanIn && column < fanOut);
    } else {
      for (int j = 0; j < 4; j++) {
        target[j] = c < fanIn && column + j < fanOut ? source[j] : 0.0f;
      }
    }
  }
}

template <typename G>
__device__ inline void multiplyTile(const float* tileX, const float* tileW, int row, int column,
                                    float (&sum)[G::MR][G::NR]) {
#pragma unroll
  for (int quad = 0; quad < G::QUADS; quad++) {
    float a[G::MR][4];
#pragma unroll
    for (int i = 0; i < G::MR; i++) {
      *reinterpret_cast<float4*>(a[i]) =
          *reinterpret_cast<const float4*>(tileX + swizzled<G>(row + i * G::WARP_ROWS, quad));
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
      float b[G::NR];
#pragma unroll
      for (int q = 0; q < G::NR / 4; q++) {
        *reinterpret_cast<float4*>(b + 4 * q) = *reinterpret_cast<const float4*>(
            tileW + (4 * quad + j) * G::TN + column + q * 4 * G::WARP_COLUMNS);
      }
#pragma unroll
      for (int i = 0; i < G::MR; i++) {
#pragma unroll
        for (int n = 0; n < G::NR; n++) {
          sum[i][n] = fmaf(a[i][j], b[n], sum[i][n]);
        }
      }
    }
  }
}

// Shared memory: STAGES·STAGE_FLOATS floats, then (K + 1)·TM ints; dynamic. Launch: ceil(outputs / TM) by
// ceil(fanOut / TN) blocks of THREADS.
template <typename G>
__device__ inline void implicitGemm(const float* __restrict__ x, const float* __restrict__ weight,
                                    const int64* __restrict__ pointers, const int* __restrict__ masks,
                                    const int* __restrict__ inputs, const int* __restrict__ order, int64 outputs,
                                    int offsets, int fanIn, int fanOut, bool relu, float* __restrict__ y) {
  extern __shared__ float4 memory[];
  __shared__ unsigned warpMasks[G::THREADS / 32];
  float* tiles = reinterpret_cast<float*>(memory);
  int* sites = reinterpret_cast<int*>(tiles + G::STAGES * G::STAGE_FLOATS);
  int* neighbors = sites + G::TM;
  const unsigned any =
      listNeighbors<G>(pointers, masks, inputs, order, outputs, offsets, sites, neighbors, warpMasks);

  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
  const int row = warp / G::WARPS_ACROSS * (G::WARP_ROWS * G::MR) + lane / G::WARP_COLUMNS;
  const int column = warp % G::WARPS_ACROSS * (G::WARP_COLUMNS * G::NR) + lane % G::WARP_COLUMNS * 4;

  // The offsets that this warp's own rows have.
  unsigned own = 0;
  for (unsigned rest = any; rest != 0; rest &= rest - 1) {
    const int k = __ffs(rest) - 1;
    bool found = false;
#pragma unroll
    for (int i = 0; i < G::MR; i++) {
      found |= neighbors[k * G::TM + row + i * G::WARP_ROWS] >= 0;
    }
    own |= __any_sync(FULL_WARP, found) ? 1u << k : 0;
  }

  float sum[G::MR][G::NR];
#pragma unroll
  for (int i = 0; i < G::MR; i++) {
#pragma unroll
    for (int n = 0; n < G::NR; n++) {
      sum[i][n] = 0;
    }
  }

  // Steps are (offset, channels) pairs; the loads run STAGES - 1 steps ahead of the multiplications.
  const int chunks = (fanIn + G::KC - 1) / G::KC;
  const int steps = __popc(any) * chunks;
  unsigned toLoad = any;
  int loadChunk = 0;
  unsigned toMultiply = any;
  int multiplyChunk = 0;
  int loadStage = 0;
  int multiplyStage = 0;
  auto loadNext = [&]() {
    if (toLoad != 0 && chunks > 0) {
      float* tile = tiles + loadStage * G::STAGE_FLOATS;
      loadTile<G>(x, weight, neighbors, __ffs(toLoad) - 1, loadChunk * G::KC, fanIn, fanOut, tile,
                  tile + G::TM * G::KC);
      loadStage = loadStage + 1 == G::STAGES ? 0 : loadStage + 1;
      if (++loadChunk == chunks) {
        loadChunk = 0;
        toLoad &= toLoad - 1;
      }
    }
    commitCopies();
  };
#pragma unroll
  for (int stage = 0; stage < G::STAGES - 1; stage++) {
    loadNext();
  }
  for (int step = 0; step < steps; step++) {
    waitForCopies<G::STAGES - 2>();
    __syncthreads();
    loadNext();
    if (own & toMultiply & -toMultiply) {
      const float* tile = tiles + multiplyStage * G::STAGE_FLOATS;
      multiplyTile<G>(tile, tile + G::TM * G::KC, row, column, sum);
    }
    multiplyStage = multiplyStage + 1 == G::STAGES ? 0 : multiplyStage + 1;
    if (++multiplyChunk == chunks) {
      multiplyChunk = 0;
      toMultiply &= toMultiply - 1;
    }
  }

#pragma unroll
  for (int i = 0; i < G::MR; i++) {
    const int site = sites[row + i * G::WARP_ROWS];
    if (site < 0) {
      continue;
    }
#pragma unroll
    for (int q = 0; q < G::NR / 4; q++) {
      const int c = blockIdx.y * G::TN + column + q * 4 * G::WARP_COLUMNS;
      float* target = y + (int64)site * fanOut + c;
      float values[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float value = sum[i][4 * q + j];
        values[j] = relu && value < 0.0f ? 0.0f : value;  // NaN stays NaN
      }
      if (G::VECTOR) {
        if (c < fanOut) {
          *reinterpret_cast<float4*>(target) = *reinterpret_cast<float4*>(values);
        }
      } else {
        for (int j = 0; j < 4; j++) {
          if (c + j < fanOut) {
            target[j] = values[j];
          }
        }
      }
    }
  }
}

}  // namespace autosparse
