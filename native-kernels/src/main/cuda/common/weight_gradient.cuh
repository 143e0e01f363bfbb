// Weight gradient of a sparse convolution: for each offset k the product x[in]^T · dz[out] over the pairs (in, out) that
// have it.
//
// A block owns one offset, one of a fixed number of slices of the outputs and a TI x TJ tile of (C_in, C_out). It
// compacts the slice's outputs whose mask has the offset, 1,024 sites at a time and in their order, gathers the pairs'
// rows of x and dz, PAIRS at a time, and adds their outer products. Where the tile is too small for eight warps they
// share the pairs out among them and add up at the end, in a fixed tree. Each block writes a partial gradient;
// sum_partials adds those in the order of the slices. No atomics: slices depend on the number of sites alone.
//
// FLOPs: 2·pairs·C_in·C_out. Bytes from the L2: 4·pairs·(C_in + C_out) + 12·K·N; written: 4·slices·K·C_in·C_out.
#pragma once

#include "async_copy.cuh"
#include "rows.cuh"

namespace autosparse {

// Geometry: a warp owns 32 input by 8·NR output channels of the tile.
template <int TI_, int TJ_, int NR_, int PAIRS_, int STAGES_, bool VECTOR_>
struct GradientTiling {
  static constexpr int TI = TI_;
  static constexpr int TJ = TJ_;
  static constexpr int MR = 8;
  static constexpr int NR = NR_;
  static constexpr int PAIRS = PAIRS_;
  static constexpr int STAGES = STAGES_;
  static constexpr bool VECTOR = VECTOR_;
  static constexpr int WARPS = 8;
  static constexpr int THREADS = 32 * WARPS;
  static constexpr int WARPS_ACROSS = TJ / (8 * NR);
  static constexpr int TILE_WARPS = TI / 32 * WARPS_ACROSS;
  static constexpr int SPLIT = WARPS / TILE_WARPS;  // groups of warps that share the pairs of a tile out
  static constexpr int STAGE_FLOATS = PAIRS * (TI + TJ);
  static_assert(STAGES * STAGE_FLOATS >= SPLIT / 2 * TI * TJ, "the tree sum reuses the tiles");
  static_assert(PAIRS % SPLIT == 0, "each group of warps takes as many pairs");
};

constexpr int CHUNK_SITES = 1024;

// First site of a slice, all slices being as long as each other or one site longer.
__device__ inline int64 sliceStart(int64 sites, int slices, int slice) {
  const int64 longer = sites % slices;
  return sites / slices * slice + (slice < longer ? slice : longer);
}

// Lists the pairs of [from, end) that have offset k; returns their number. Called by the whole block.
template <typename G>
__device__ inline int listPairs(const int64* __restrict__ pointers, const int* __restrict__ masks,
                                const int* __restrict__ inputs, int64 from, int64 end, int k, int* pairInputs,
                                int* pairOutputs, int* counts) {
  constexpr int ROUNDS = CHUNK_SITES / G::THREADS;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  int input[ROUNDS];
  unsigned have[ROUNDS];
#pragma unroll
  for (int round = 0; round < ROUNDS; round++) {
    const int64 site = from + round * G::THREADS + threadIdx.x;
    const unsigned mask = site < end ? masks[site] : 0;
    const bool has = mask >> k & 1;
    input[round] = has ? inputs[pointers[site] + __popc(mask & ((1u << k) - 1))] : -1;
    have[round] = __ballot_sync(FULL_WARP, has);
    if (lane == 0) {
      counts[round * G::WARPS + warp] = __popc(have[round]);
    }
  }
  __syncthreads();
  int total = 0;
#pragma unroll
  for (int round = 0; round < ROUNDS; round++) {
    int before = total;
    for (int w = 0; w < G::WARPS; w++) {
      before += w < warp ? counts[round * G::WARPS + w] : 0;
      total += counts[round * G::WARPS + w];
    }
    if (input[round] >= 0) {
      const int at = before + __popc(have[round] & ((1u << lane) - 1));
      pairInputs[at] = input[round];
      pairOutputs[at] = (int)(from + round * G::THREADS + threadIdx.x);
    }
  }
  __syncthreads();
  return total;
}

// Rows [PAIRS, WIDTH] of a feature matrix, from the given channel on; zeros past the list's end.
template <typename G, int WIDTH>
__device__ inline void gatherRows(const float* __restrict__ features, const int* rows, int count, int channel,
                                  int channels, float* tile) {
  for (int i = threadIdx.x; i < G::PAIRS * WIDTH / 4; i += G::THREADS) {
    const int pair = i / (WIDTH / 4);
    const int c = channel + i % (WIDTH / 4) * 4;
    const float* source = features + (int64)(pair < count ? rows[pair] : 0) * channels + c;
    if (G::VECTOR) {
      const bool valid = pair < count && c < channels;
      copy16(tile + 4 * i, valid ? source : features, valid);
    } else {
      for (int j = 0; j < 4; j++) {
        tile[4 * i + j] = pair < count && c + j < channels ? source[j] : 0.0f;
      }
    }
  }
}

// partials [slices, K, C_in, C_out]. Dynamic shared memory: STAGES·STAGE_FLOATS floats. Launch: (K, slices,
// ceil(C_in / TI)·ceil(C_out / TJ)) blocks of 256.
template <typename G>
__device__ inline void weightGradient(const float* __restrict__ x, const float* __restrict__ dz,
                                      const int64* __restrict__ pointers, const int* __restrict__ masks,
                                      const int* __restrict__ inputs, int64 outputs, int fanIn, int fanOut,
                                      float* __restrict__ partials) {
  extern __shared__ float4 memory[];
  __shared__ int pairInputs[CHUNK_SITES];
  __shared__ int pairOutputs[CHUNK_SITES];
  __shared__ int counts[CHUNK_SITES / 32];
  float* tiles = reinterpret_cast<float*>(memory);
  const int k = blockIdx.x;
  const int slices = gridDim.y;
  const int across = (fanOut + G::TJ - 1) / G::TJ;
  const int channelIn = blockIdx.z / across * G::TI;
  const int channelOut = blockIdx.z % across * G::TJ;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int group = warp / G::TILE_WARPS;
  const int row = warp % G::TILE_WARPS / G::WARPS_ACROSS * 32 + lane / 8 * 4;
  const int column = warp % G::WARPS_ACROSS * (8 * G::NR) + lane % 8 * 4;

  float sum[G::MR][G::NR];
#pragma unroll
  for (int i = 0; i < G::MR; i++) {
#pragma unroll
    for (int n = 0; n < G::NR; n++) {
      sum[i][n] = 0;
    }
  }

  const int64 end = sliceStart(outputs, slices, blockIdx.y + 1);
  for (int64 from = sliceStart(outputs, slices, blockIdx.y); from < end; from += CHUNK_SITES) {
    const int64 chunkEnd = from + CHUNK_SITES < end ? from + CHUNK_SITES : end;
    const int count =
        listPairs<G>(pointers, masks, inputs, from, chunkEnd, k, pairInputs, pairOutputs, counts);
    const int batches = (count + G::PAIRS - 1) / G::PAIRS;
    auto load = [&](int batch) {
      if (batch < batches) {
        float* tile = tiles + batch % G::STAGES * G::STAGE_FLOATS;
        const int first = batch * G::PAIRS;
        gatherRows<G, G::TI>(x, pairInputs + first, count - first, channelIn, fanIn, tile);
        gatherRows<G, G::TJ>(dz, pairOutputs + first, count - first, channelOut, fanOut, tile + G::PAIRS * G::TI);
      }
      commitCopies();
    };
#pragma unroll
    for (int batch = 0; batch < G::STAGES - 1; batch++) {
      load(batch);
    }
    for (int batch = 0; batch < batches; batch++) {
      waitForCopies<G::STAGES - 2>();
      __syncthreads();
      load(batch + G::STAGES - 1);
      const float* tileX = tiles + batch % G::STAGES * G::STAGE_FLOATS + row;
      const float* tileZ = tiles + batch % G::STAGES * G::STAGE_FLOATS + G::PAIRS * G::TI + column;
#pragma unroll 8
      for (int p = 0; p < G::PAIRS / G::SPLIT; p++) {
        const int pair = p * G::SPLIT + group;
        float a[G::MR];
        float b[G::NR];
#pragma unroll
        for (int q = 0; q < G::MR / 4; q++) {
          *reinterpret_cast<float4*>(a + 4 * q) =
              *reinterpret_cast<const float4*>(tileX + pair * G::TI + 16 * q);
        }
#pragma unroll
        for (int q = 0; q < G::NR / 4; q++) {
          *reinterpret_cast<float4*>(b + 4 * q) =
              *reinterpret_cast<const float4*>(tileZ + pair * G::TJ + 32 * q);
        }
#pragma unroll
        for (int i = 0; i < G::MR; i++) {
#pragma unroll
          for (int n = 0; n < G::NR; n++) {
            sum[i][n] = fmaf(a[i], b[n], sum[i][n]);
          }
        }
      }
    }
    __syncthreads();  // the lists and tiles have been read
  }

  // The groups of warps that shared the pairs add up: the upper half hands its sums to the lower, until one is left.
  waitForCopies<0>();
#pragma unroll
  for (int half = G::SPLIT / 2; half > 0; half /= 2) {
    __syncthreads();
    float* slot = tiles + (group % half) * G::TI * G::TJ;
    if (group >= half && group < 2 * half) {
#pragma unroll
      for (int i = 0; i < G::MR; i++) {
#pragma unroll
        for (int n = 0; n < G::NR; n += 4) {
          *reinterpret_cast<float4*>(slot + (row + i / 4 * 16 + i % 4) * G::TJ + column + n / 4 * 32) =
              make_float4(sum[i][n], sum[i][n + 1], sum[i][n + 2], sum[i][n + 3]);
        }
      }
    }
    __syncthreads();
    if (group < half) {
#pragma unroll
      for (int i = 0; i < G::MR; i++) {
#pragma unroll
        for (int n = 0; n < G::NR; n++) {
          sum[i][n] += slot[(row + i / 4 * 16 + i % 4) * G::TJ + column + n / 4 * 32 + n % 4];
        }
      }
    }
  }
  if (group > 0) {
    return;
  }
  float* partial = partials + ((int64)blockIdx.y * gridDim.x + k) * fanIn * fanOut;
#pragma unroll
  for (int i = 0; i < G::MR; i++) {
    const int c = channelIn + row + i / 4 * 16 + i % 4;
#pragma unroll
    for (int n = 0; n < G::NR; n++) {
      const int o = channelOut + column + n / 4 * 32 + n % 4;
      if (c < fanIn && o < fanOut) {
        partial[(int64)c * fanOut + o] = sum[i][n];
      }
    }
  }
}

}  // namespace autosparse
