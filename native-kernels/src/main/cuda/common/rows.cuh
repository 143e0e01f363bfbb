// Where a site stands in a sorted CSR pattern, and 64-bit prefix sums over blocks of sites.
//
// A pattern's own row pointers are the only index there is: no hash table, hence no order that depends on timing.
#pragma once

namespace autosparse {

typedef long long int64;

constexpr unsigned FULL_WARP = 0xFFFFFFFFu;

// Sites that one block of the pattern kernels owns, one a thread.
constexpr int BLOCK_SITES = 256;

// The largest r of [0, rows) with pointers[r] <= site, found by a whole warp: 32 probes a step, so 4 dependent loads
// for a million rows. Requires pointers[0] <= site < pointers[rows].
__device__ inline int64 warpRowOf(const int64* __restrict__ pointers, int64 rows, int64 site) {
  int64 low = 0;
  int64 high = rows;
  const int lane = threadIdx.x & 31;
  while (high - low > 1) {
    const int64 stride = (high - low + 32) / 33;
    const int64 probe = low + (lane + 1) * stride;
    const bool below = probe < high && pointers[probe] <= site;
    const int passed = __popc(__ballot_sync(FULL_WARP, below));
    const int64 end = low + (passed + 1) * stride;
    low += passed * stride;
    high = end < high ? end : high;
  }
  return low;
}

// The largest i of [low, high) with values[i] <= value; requires values[low] <= value < values[high].
__device__ inline int64 lastNotAbove(const int64* __restrict__ values, int64 low, int64 high, int64 value) {
  while (high - low > 1) {
    const int64 middle = (low + high) >> 1;
    if (values[middle] <= value) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// The lattice row of a thread's site; the whole block calls it for its BLOCK_SITES consecutive sites. Two warps search
// all rows for the block's first and last site, then each thread searches between them.
__device__ inline int64 rowOfSite(const int64* __restrict__ pointers, int64 rows, int64 sites) {
  __shared__ int64 bounds[2];
  const int64 first = (int64)blockIdx.x * BLOCK_SITES;
  const int warp = threadIdx.x / 32;
  if (warp < 2) {
    const int64 last = first + BLOCK_SITES <= sites ? first + BLOCK_SITES - 1 : sites - 1;
    const int64 row = warpRowOf(pointers, rows, warp == 0 ? first : last);
    if ((threadIdx.x & 31) == 0) {
      bounds[warp] = row;
    }
  }
  __syncthreads();
  const int64 site = first + threadIdx.x;
  return site < sites ? lastNotAbove(pointers, bounds[0], bounds[1] + 1, site) : 0;
}

// The first i of [low, high) with columns[i] * scale >= least, or high.
__device__ inline int64 firstAtLeast(const int* __restrict__ columns, int64 low, int64 high, int64 scale, int64 least) {
  while (low < high) {
    const int64 middle = (low + high) >> 1;
    if (columns[middle] * scale < least) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Sum over the threads before this one (exclusive), and over all of the block's WARPS warps in `total`.
template <int WARPS>
__device__ inline int64 blockExclusiveSum(int64 value, int64& total) {
  __shared__ int64 warpSums[WARPS];
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  int64 inclusive = value;
  for (int step = 1; step < 32; step *= 2) {
    const int64 other = __shfl_up_sync(FULL_WARP, inclusive, step);
    inclusive += lane >= step ? other : 0;
  }
  __syncthreads();  // an earlier call's sums have been read
  if (lane == 31) {
    warpSums[warp] = inclusive;
  }
  __syncthreads();
  int64 before = 0;
  total = 0;
  for (int w = 0; w < WARPS; w++) {
    before += w < warp ? warpSums[w] : 0;
    total += warpSums[w];
  }
  return before + inclusive - value;
}

}  // namespace autosparse
