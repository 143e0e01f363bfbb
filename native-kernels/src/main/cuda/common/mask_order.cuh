// The order in which outputs of a sparse convolution are processed. A tile of outputs has to run
// every offset that one of its sites has; sorted by mask, tiles are nearly pure. Executed over
// valid work for 3x3, tiles of 128: band 1.11 -> 1.00, R-MAT graph 6.9 -> 1.1.
//
// A stable counting sort inside windows of 65,536 sites, so that a window's features stay in the
// L2: two launches, no scan of the whole. A window is eight chunks of 8,192 sites, one a block.
#pragma once

#include "sites.cuh"

namespace autosparse {

constexpr int kSortThreads = 1024;
constexpr int kSortWarps = kSortThreads / 32;
constexpr int kSortChunk = 8192;
constexpr int kSortChunks = 8;
constexpr int kSortBins = 512;                          // masks of up to 9 offsets
constexpr int kSortRounds = kSortChunk / kSortThreads;  // a warp owns 256 consecutive sites

// counts [windows, 512, 8]: sites of each mask in each chunk of a window.
__device__ __forceinline__ void count_masks_of_chunk(const int* __restrict__ masks, int64 sites,
                                                     int* counts) {
  __shared__ int histogram[kSortBins];
  for (int bin = threadIdx.x; bin < kSortBins; bin += kSortThreads) {
    histogram[bin] = 0;
  }
  __syncthreads();
  for (int round = 0; round < kSortRounds; round++) {
    const int64 site =
        static_cast<int64>(blockIdx.x) * kSortChunk + round * kSortThreads + threadIdx.x;
    const int bin = site < sites ? masks[site] : -1;
    const unsigned peers = __match_any_sync(kFullWarp, bin);
    if (bin >= 0 && (threadIdx.x & 31) == __ffs(peers) - 1) {
      atomicAdd(&histogram[bin], __popc(peers));  // integers: any order gives the same sum
    }
  }
  __syncthreads();
  const int64 window = blockIdx.x / kSortChunks;
  const int chunk = blockIdx.x % kSortChunks;
  for (int bin = threadIdx.x; bin < kSortBins; bin += kSortThreads) {
    counts[(window * kSortBins + bin) * kSortChunks + chunk] = histogram[bin];
  }
}

// order [sites]: the sites of each window by ascending mask, then ascending site.
__device__ __forceinline__ void sort_chunk_by_mask(const int* __restrict__ masks,
                                                   const int* __restrict__ counts, int64 sites,
                                                   int* order) {
  // Sites of a bin in this chunk's earlier warps, and the place of the chunk's first one.
  __shared__ unsigned short before[kSortWarps][kSortBins];
  __shared__ int starts[kSortBins];
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int64 window = blockIdx.x / kSortChunks;
  const int chunk = blockIdx.x % kSortChunks;

  // Exclusive sum over the window's 4,096 counts, in (bin, chunk) order, four a thread. Chunks past
  // the last site wrote none and count as empty.
  const int64 chunks_here = (sites + kSortChunk - 1) / kSortChunk - window * kSortChunks;
  const int* window_counts = counts + window * kSortBins * kSortChunks;
  int four[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int of_chunk = (threadIdx.x & 1) * 4 + i;
    four[i] = of_chunk < chunks_here ? window_counts[threadIdx.x * 4 + i] : 0;
  }
  int total;
  int start = block_exclusive_sum<kSortWarps>(four[0] + four[1] + four[2] + four[3], total);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if ((threadIdx.x & 1) * 4 + i == chunk) {
      starts[threadIdx.x / 2] = start;
    }
    start += four[i];
  }
  for (int bin = lane; bin < kSortBins; bin += 32) {
    before[warp][bin] = 0;
  }
  __syncwarp();

  const int64 first =
      static_cast<int64>(blockIdx.x) * kSortChunk + warp * 32 * kSortRounds + lane;
  int bins[kSortRounds];
#pragma unroll
  for (int round = 0; round < kSortRounds; round++) {
    const int64 site = first + round * 32;
    bins[round] = site < sites ? masks[site] : -1;
    const unsigned peers = __match_any_sync(kFullWarp, bins[round]);
    if (bins[round] >= 0 && lane == __ffs(peers) - 1) {
      before[warp][bins[round]] += __popc(peers);
    }
    __syncwarp();
  }
  __syncthreads();
  for (int bin = threadIdx.x; bin < kSortBins; bin += kSortThreads) {
    int sum = 0;
    for (int w = 0; w < kSortWarps; w++) {
      const int count = before[w][bin];
      before[w][bin] = static_cast<unsigned short>(sum);
      sum += count;
    }
  }
  __syncthreads();
  int* window_order = order + window * kSortChunk * kSortChunks;
#pragma unroll
  for (int round = 0; round < kSortRounds; round++) {
    const int bin = bins[round];
    const unsigned peers = __match_any_sync(kFullWarp, bin);
    if (bin >= 0) {
      const int place = starts[bin] + before[warp][bin] + __popc(peers & ((1u << lane) - 1));
      window_order[place] = static_cast<int>(first + round * 32);
    }
    __syncwarp();
    if (bin >= 0 && lane == __ffs(peers) - 1) {
      before[warp][bin] += __popc(peers);
    }
    __syncwarp();
  }
}

}  // namespace autosparse
