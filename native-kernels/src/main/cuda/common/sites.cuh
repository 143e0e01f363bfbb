// Where a site stands in a sorted CSR pattern, and prefix sums over a block. A pattern's own row
// pointers are the only index there is: no hash table, hence no order that depends on timing. A
// batch holds fewer than 2^31 sites, so sites are int; rows and bytes are 64 bits.
#pragma once

#include "segments.cuh"
#include "types.cuh"

namespace autosparse {

constexpr unsigned kFullWarp = 0xFFFFFFFFu;

// Sites that one block of the pattern kernels owns, one a thread.
constexpr int kBlockSites = 256;

// Blocks that own so many sites; a grid has one at least.
__device__ __forceinline__ int blocks_of(int64 sites) {
  return static_cast<int>((sites + kBlockSites - 1) / kBlockSites);
}

// This thread's site; past the last one for the last block's spare threads.
__device__ __forceinline__ int64 site_of_thread() {
  return static_cast<int64>(blockIdx.x) * kBlockSites + threadIdx.x;
}

// The largest r of [0, rows) with pointers[r] <= site, found by a whole warp: 32 probes a step, so
// 4 dependent loads for a million rows. Requires pointers[0] <= site < pointers[rows].
__device__ __forceinline__ int64 warp_row_of(const int64* __restrict__ pointers, int64 rows,
                                             int64 site) {
  int64 low = 0;
  int64 high = rows;
  const int lane = threadIdx.x & 31;
  while (high - low > 1) {
    const int64 stride = (high - low + 32) / 33;
    const int64 probe = low + (lane + 1) * stride;
    const bool below = probe < high && pointers[probe] <= site;
    const int passed = __popc(__ballot_sync(kFullWarp, below));
    const int64 end = low + (passed + 1) * stride;
    low += passed * stride;
    high = end < high ? end : high;
  }
  return low;
}

// The lattice row of this thread's site, 0 for a spare thread; the whole block calls it. Two warps
// search all rows for the block's first and last site, then each thread searches between them.
__device__ __forceinline__ int64 row_of_site(const int64* __restrict__ pointers, int64 rows,
                                             int64 sites) {
  __shared__ int64 bounds[2];
  const int64 first = static_cast<int64>(blockIdx.x) * kBlockSites;
  const int warp = threadIdx.x / 32;
  if (warp < 2) {
    const int64 last = first + kBlockSites <= sites ? first + kBlockSites - 1 : sites - 1;
    const int64 row = warp_row_of(pointers, rows, warp == 0 ? first : last);
    if ((threadIdx.x & 31) == 0) {
      bounds[warp] = row;
    }
  }
  __syncthreads();
  const int64 site = first + threadIdx.x;
  return site < sites ? segment_of(pointers, bounds[0], bounds[1], site) : 0;
}

// The first i of [low, high) with columns[i] >= least, or high.
__device__ __forceinline__ int first_at_least(const int* __restrict__ columns, int low, int high,
                                              int64 least) {
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (columns[middle] < least) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Sum of T over the threads before this one; `total` receives that of all kWarps warps.
template <int kWarps, typename T>
__device__ __forceinline__ T block_exclusive_sum(T value, T& total) {
  __shared__ T warp_sums[kWarps];
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  T inclusive = value;
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    const T other = __shfl_up_sync(kFullWarp, inclusive, step);
    inclusive += lane >= step ? other : T(0);
  }
  __syncthreads();  // an earlier call's sums have been read
  if (lane == 31) {
    warp_sums[warp] = inclusive;
  }
  __syncthreads();
  T before = 0;
  total = 0;
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    before += w < warp ? warp_sums[w] : T(0);
    total += warp_sums[w];
  }
  return before + inclusive - value;
}

}  // namespace autosparse
