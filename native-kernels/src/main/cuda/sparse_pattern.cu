// Sites of coarser levels, neighbour maps and neighbourhood masks, on the device from sorted CSR.
//
// One thread a site throughout. Everything is a count, a prefix sum over blocks of 256 sites and a fill; results are
// integers, so their bits depend on the pattern alone. A block's row is found by 32-way search over the row pointers, a
// neighbour by binary search in one row per kernel row and a walk over its few columns.
//
// Neighbour map of N sites, K offsets, P pairs: reads 2·(4N + 8·rows), writes 12N + 4P + 8N/256 bytes (band 1M, 3x3:
// 57 MB); bound by the latency of dependent loads, not by bytes. Sort by mask: reads 8N, writes 4N bytes.
#include "common/rows.cuh"

using namespace autosparse;

namespace {

// Two levels and the kernel between them. Forward, output (r, c) reads inputs at r·s + dr·d and c·s + dc·d. Transposed,
// input (r, c) is read by the outputs (r', c') with r'·s = r − dr·d and c'·s = c − dc·d, and is searched the same way.
struct Search {
  const int64* inputRows;    // [input rows + 1], of the sites searched among
  const int* inputColumns;
  const int64* outputRows;   // [output rows + 1], of the sites whose neighbours are found
  const int* outputColumns;
  const int64* firstRows;    // [2, B+1]: of the inputs, then of the outputs
  int64 rows;                // output rows
  int64 sites;               // output sites
  int batch;
  int size;
  int dilation;
  int stride;
  int transposed;
};

// Calls found(k, input) for each neighbour of this thread's site. All threads of the block call it.
template <typename Found>
__device__ inline void forEachNeighbor(const Search& s, Found found) {
  const int64 row = rowOfSite(s.outputRows, s.rows, s.sites);
  const int64 site = (int64)blockIdx.x * BLOCK_SITES + threadIdx.x;
  if (site >= s.sites) {
    return;
  }
  const int64* firstInputRows = s.firstRows;
  const int64* firstOutputRows = s.firstRows + s.batch + 1;
  const int64 matrix = lastNotAbove(firstOutputRows, 0, s.batch, row);
  const int64 inputBase = firstInputRows[matrix];
  const int64 inputCount = firstInputRows[matrix + 1] - inputBase;
  const int64 outputScale = s.transposed ? 1 : s.stride;
  const int64 inputScale = s.transposed ? s.stride : 1;
  const int64 localRow = (row - firstOutputRows[matrix]) * outputScale;
  const int half = s.size / 2;
  const int64 least = outputScale * s.outputColumns[site] - (int64)half * s.dilation;
  for (int r = 0; r < s.size; r++) {
    const int64 offset = (int64)(r - half) * s.dilation;
    const int64 scaled = s.transposed ? localRow - offset : localRow + offset;
    const int64 inputRow = inputScale == 1 || scaled < 0 ? scaled : scaled / inputScale;
    if (scaled < 0 || inputRow * inputScale != scaled || inputRow >= inputCount) {
      continue;
    }
    const int64 end = s.inputRows[inputBase + inputRow + 1];
    int64 at = firstAtLeast(s.inputColumns, s.inputRows[inputBase + inputRow], end, inputScale, least);
    int64 target = least;
    for (int tap = 0; at < end && tap < s.size;) {
      const int64 value = s.inputColumns[at] * inputScale;
      if (value == target) {
        found(r + s.size * (s.transposed ? s.size - 1 - tap : tap), at);
      }
      at += value <= target ? 1 : 0;
      if (value >= target) {
        tap++;
        target += s.dilation;
      }
    }
  }
}

// masks[site]; the block's number of neighbours into blockPairs[block] unless null.
__device__ inline void countNeighbors(const Search& s, int* masks, int64* blockPairs) {
  int mask = 0;
  forEachNeighbor(s, [&](int k, int64 at) { mask |= 1 << k; });
  const int64 site = (int64)blockIdx.x * BLOCK_SITES + threadIdx.x;
  if (site < s.sites) {
    masks[site] = mask;
  }
  if (blockPairs != nullptr) {
    int64 total;
    blockExclusiveSum<BLOCK_SITES / 32>(__popc(mask), total);
    if (threadIdx.x == 0) {
      blockPairs[blockIdx.x] = total;
    }
  }
}

}  // namespace

// Launch: ceil(sites / 256) blocks of 256. masks [sites]; blockPairs [blocks] or null.
extern "C" __global__ void __launch_bounds__(BLOCK_SITES) count_neighbors(
    const int64* inputRows, const int* inputColumns, const int64* outputRows, const int* outputColumns,
    const int64* firstRows, int64 rows, int64 sites, int batch, int size, int dilation, int stride, int transposed,
    int* masks, int64* blockPairs) {
  const Search s = {inputRows, inputColumns, outputRows, outputColumns, firstRows, rows,      sites,
                    batch,     size,         dilation,   stride,        transposed};
  countNeighbors(s, masks, blockPairs);
}

// Launch: ceil(sites / 256) blocks of 256, 1024·K bytes of dynamic shared memory. firstPairs [blocks + 1] is
// blockPairs after exclusive_sum. Writes pointers [sites + 1] and inputs [firstPairs[blocks]]; a block's pairs are
// adjacent, so they leave through shared memory in one coalesced run.
extern "C" __global__ void __launch_bounds__(BLOCK_SITES) fill_neighbors(
    const int64* inputRows, const int* inputColumns, const int64* outputRows, const int* outputColumns,
    const int64* firstRows, int64 rows, int64 sites, int batch, int size, int dilation, int stride, int transposed,
    const int* masks, const int64* firstPairs, int64* pointers, int* inputs) {
  extern __shared__ int staged[];  // [256·K]
  const Search s = {inputRows, inputColumns, outputRows, outputColumns, firstRows, rows,      sites,
                    batch,     size,         dilation,   stride,        transposed};
  const int64 site = (int64)blockIdx.x * BLOCK_SITES + threadIdx.x;
  const int mask = site < sites ? masks[site] : 0;
  int64 total;
  const int64 before = blockExclusiveSum<BLOCK_SITES / 32>(__popc(mask), total);
  const int64 base = firstPairs[blockIdx.x];
  if (site < sites) {
    pointers[site] = base + before;
    if (site == sites - 1) {
      pointers[sites] = base + total;
    }
  }
  forEachNeighbor(s, [&](int k, int64 at) {
    staged[before + __popc(mask & ((1 << k) - 1))] = (int)at;
  });
  __syncthreads();
  for (int i = threadIdx.x; i < total; i += BLOCK_SITES) {
    inputs[base + i] = staged[i];
  }
}

// In place: values[i] becomes the sum of the values before i, values[count] the sum of all. Launch: one block of 1024.
// A count per 256 sites: 4,096 of them (a million sites) a round.
extern "C" __global__ void __launch_bounds__(1024) exclusive_sum(int64* values, int64 count) {
  constexpr int ITEMS = 4;
  int64 carried = 0;
  for (int64 from = 0; from < count; from += 1024 * ITEMS) {
    const int64 at = from + threadIdx.x * ITEMS;
    int64 items[ITEMS];
    int64 sum = 0;
    for (int i = 0; i < ITEMS; i++) {
      items[i] = at + i < count ? values[at + i] : 0;
      sum += items[i];
    }
    int64 total;
    int64 before = carried + blockExclusiveSum<32>(sum, total);
    for (int i = 0; i < ITEMS; i++) {
      if (at + i < count) {
        values[at + i] = before;
      }
      before += items[i];
    }
    carried += total;
  }
  if (threadIdx.x == 0) {
    values[count] = carried;
  }
}

// --- Downsampling -----------------------------------------------------------------------------------------------
// A coarse site exists for each distinct floor(coordinate / stride). The fine site that stands for it is the first in
// its lowest fine row; a flag marks these, and a coarse site's number is the number of flagged sites that precede it:
// those of its group of rows with a smaller coarse column, and all of the groups before. With the flags' prefix sums
// each of these is a rank query at a binary search's result, so long rows are as parallel as short ones.

namespace {

// Number of flagged sites before `site`: firstFlagged per 256 sites and the flags' words between.
__device__ inline int64 rankOf(const unsigned* __restrict__ flags, const int64* __restrict__ firstFlagged, int64 site) {
  int64 rank = firstFlagged[site / BLOCK_SITES];
  const int64 word = site / 32;
  for (int64 w = site / BLOCK_SITES * (BLOCK_SITES / 32); w < word; w++) {
    rank += __popc(flags[w]);
  }
  const int bits = (int)(site & 31);
  return bits == 0 ? rank : rank + __popc(flags[word] & ((1u << bits) - 1));
}

// Fine rows of one coarse row.
struct RowGroup {
  int64 first;
  int64 end;
};

__device__ inline RowGroup groupOf(const int64* firstRows, int64 matrix, int64 coarseLocal, int stride) {
  const int64 first = firstRows[matrix] + coarseLocal * stride;
  const int64 end = first + stride;
  return {first, end < firstRows[matrix + 1] ? end : firstRows[matrix + 1]};
}

}  // namespace

// Launch: ceil(sites / 256) blocks of 256. flags [8·blocks] words, blockFlagged [blocks].
extern "C" __global__ void __launch_bounds__(BLOCK_SITES) flag_coarse_sites(
    const int64* __restrict__ rowPointers, const int* __restrict__ columns, const int64* __restrict__ firstRows,
    int64 rows, int64 sites, int batch, int stride, unsigned* flags, int64* blockFlagged) {
  const int64 row = rowOfSite(rowPointers, rows, sites);
  const int64 site = (int64)blockIdx.x * BLOCK_SITES + threadIdx.x;
  bool flagged = false;
  if (site < sites) {
    const int column = columns[site] / stride;
    flagged = site == rowPointers[row] || columns[site - 1] / stride != column;
    const int64 matrix = lastNotAbove(firstRows, 0, batch, row);
    const RowGroup group = groupOf(firstRows, matrix, (row - firstRows[matrix]) / stride, stride);
    for (int64 above = group.first; flagged && above < row; above++) {
      const int64 end = rowPointers[above + 1];
      const int64 at = firstAtLeast(columns, rowPointers[above], end, 1, (int64)column * stride);
      flagged = at == end || columns[at] / stride != column;
    }
  }
  const unsigned word = __ballot_sync(FULL_WARP, flagged);
  if ((threadIdx.x & 31) == 0) {
    flags[(int64)blockIdx.x * (BLOCK_SITES / 32) + threadIdx.x / 32] = word;
  }
  int64 total;
  blockExclusiveSum<BLOCK_SITES / 32>(flagged ? 1 : 0, total);
  if (threadIdx.x == 0) {
    blockFlagged[blockIdx.x] = total;
  }
}

// Coarse row pointers [coarseRows + 1] and site offsets [batch + 1]: both are ranks of fine sites. Launch:
// ceil((coarseRows + batch + 2) / 256) blocks of 256. coarseFirstRows [batch + 1].
extern "C" __global__ void __launch_bounds__(256) coarse_bounds(
    const int64* __restrict__ rowPointers, const int64* __restrict__ siteOffsets, const int64* __restrict__ firstRows,
    const int64* __restrict__ coarseFirstRows, int64 coarseRows, int batch, int stride,
    const unsigned* __restrict__ flags, const int64* __restrict__ firstFlagged, int64* coarseRowPointers,
    int64* coarseSiteOffsets) {
  const int64 i = (int64)blockIdx.x * 256 + threadIdx.x;
  if (i < coarseRows) {
    const int64 matrix = lastNotAbove(coarseFirstRows, 0, batch, i);
    const RowGroup group = groupOf(firstRows, matrix, i - coarseFirstRows[matrix], stride);
    coarseRowPointers[i] = rankOf(flags, firstFlagged, rowPointers[group.first]);
  } else if (i == coarseRows) {
    coarseRowPointers[i] = rankOf(flags, firstFlagged, siteOffsets[batch]);
  } else if (i <= coarseRows + 1 + batch) {
    const int64 b = i - coarseRows - 1;
    coarseSiteOffsets[b] = rankOf(flags, firstFlagged, siteOffsets[b]);
  }
}

// Launch: ceil(sites / 256) blocks of 256. Each flagged fine site writes its coarse column.
extern "C" __global__ void __launch_bounds__(BLOCK_SITES) coarse_columns(
    const int64* __restrict__ rowPointers, const int* __restrict__ columns, const int64* __restrict__ firstRows,
    int64 rows, int64 sites, int batch, int stride, const unsigned* __restrict__ flags,
    const int64* __restrict__ firstFlagged, int* coarseColumns) {
  const int64 row = rowOfSite(rowPointers, rows, sites);
  const int64 site = (int64)blockIdx.x * BLOCK_SITES + threadIdx.x;
  if (site >= sites || (flags[site / 32] >> (site & 31) & 1) == 0) {
    return;
  }
  const int column = columns[site] / stride;
  const int64 matrix = lastNotAbove(firstRows, 0, batch, row);
  const RowGroup group = groupOf(firstRows, matrix, (row - firstRows[matrix]) / stride, stride);
  int64 place = rankOf(flags, firstFlagged, rowPointers[group.first]);
  for (int64 other = group.first; other < group.end; other++) {
    const int64 start = rowPointers[other];
    const int64 at =
        other == row ? site : firstAtLeast(columns, start, rowPointers[other + 1], 1, (int64)column * stride);
    place += rankOf(flags, firstFlagged, at) - rankOf(flags, firstFlagged, start);
  }
  coarseColumns[place] = column;
}

// --- Order of processing ----------------------------------------------------------------------------------------
// A tile of outputs has to run every offset that one of its sites has. Sites sorted by mask make tiles nearly pure
// (executed over valid work for 3x3: 1.03, against 1.1 for a band and 6.9 for a graph in natural order). The sort is
// a stable counting sort inside windows of 65,536 sites, so that a window's features stay in the L2.

namespace {

constexpr int SORT_THREADS = 1024;
constexpr int SORT_CHUNK = 8192;                           // sites of one block
constexpr int SORT_CHUNKS = 8;                             // blocks of one window
constexpr int SORT_BINS = 512;                             // masks of up to 9 offsets
constexpr int SORT_ROUNDS = SORT_CHUNK / SORT_THREADS;     // a warp owns 256 consecutive sites
constexpr int SORT_WARPS = SORT_THREADS / 32;

}  // namespace

// counts [windows, 512, 8]: sites of each mask in each chunk. Launch: ceil(sites / 8192) blocks of 1024. A window's
// chunks past the last site must be zero beforehand.
extern "C" __global__ void __launch_bounds__(SORT_THREADS) count_masks(
    const int* __restrict__ masks, int64 sites, int* counts) {
  __shared__ int histogram[SORT_BINS];
  for (int bin = threadIdx.x; bin < SORT_BINS; bin += SORT_THREADS) {
    histogram[bin] = 0;
  }
  __syncthreads();
  for (int round = 0; round < SORT_ROUNDS; round++) {
    const int64 site = (int64)blockIdx.x * SORT_CHUNK + round * SORT_THREADS + threadIdx.x;
    const int bin = site < sites ? masks[site] : -1;
    const unsigned peers = __match_any_sync(FULL_WARP, bin);
    if (bin >= 0 && (threadIdx.x & 31) == __ffs(peers) - 1) {
      atomicAdd(&histogram[bin], __popc(peers));  // integers: any order gives the same sum
    }
  }
  __syncthreads();
  const int64 window = blockIdx.x / SORT_CHUNKS;
  const int chunk = blockIdx.x % SORT_CHUNKS;
  for (int bin = threadIdx.x; bin < SORT_BINS; bin += SORT_THREADS) {
    counts[(window * SORT_BINS + bin) * SORT_CHUNKS + chunk] = histogram[bin];
  }
}

// order [sites]: the sites of each window by ascending mask, then ascending site. Launch: as count_masks.
extern "C" __global__ void __launch_bounds__(SORT_THREADS) sort_by_mask(
    const int* __restrict__ masks, const int* __restrict__ counts, int64 sites, int* order) {
  __shared__ unsigned short before[SORT_WARPS][SORT_BINS];  // sites of the bin in this chunk's earlier warps
  __shared__ int starts[SORT_BINS];                         // place of this chunk's first site of the bin
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int64 window = blockIdx.x / SORT_CHUNKS;
  const int chunk = blockIdx.x % SORT_CHUNKS;

  // Exclusive sum over the window's 4,096 counts, in (bin, chunk) order, four a thread.
  const int* windowCounts = counts + window * SORT_BINS * SORT_CHUNKS;
  const int4 four = reinterpret_cast<const int4*>(windowCounts)[threadIdx.x];
  int64 total;
  const int start = (int)blockExclusiveSum<SORT_WARPS>(four.x + four.y + four.z + four.w, total);
  const int wanted = chunk - (threadIdx.x & 1) * 4;  // this chunk's place among the thread's four, if there
  if (wanted >= 0 && wanted < 4) {
    starts[threadIdx.x / 2] =
        start + (wanted > 0 ? four.x : 0) + (wanted > 1 ? four.y : 0) + (wanted > 2 ? four.z : 0);
  }
  for (int bin = lane; bin < SORT_BINS; bin += 32) {
    before[warp][bin] = 0;
  }
  __syncwarp();
  const int64 first = (int64)blockIdx.x * SORT_CHUNK + warp * 32 * SORT_ROUNDS + lane;
  int bins[SORT_ROUNDS];
#pragma unroll
  for (int round = 0; round < SORT_ROUNDS; round++) {
    const int64 site = first + round * 32;
    bins[round] = site < sites ? masks[site] : -1;
    const unsigned peers = __match_any_sync(FULL_WARP, bins[round]);
    if (bins[round] >= 0 && lane == __ffs(peers) - 1) {
      before[warp][bins[round]] += __popc(peers);
    }
    __syncwarp();
  }
  __syncthreads();
  for (int bin = threadIdx.x; bin < SORT_BINS; bin += SORT_THREADS) {
    int sum = 0;
    for (int w = 0; w < SORT_WARPS; w++) {
      const int count = before[w][bin];
      before[w][bin] = (unsigned short)sum;
      sum += count;
    }
  }
  __syncthreads();
  int* windowOrder = order + window * SORT_CHUNK * SORT_CHUNKS;
#pragma unroll
  for (int round = 0; round < SORT_ROUNDS; round++) {
    const int bin = bins[round];
    const unsigned peers = __match_any_sync(FULL_WARP, bin);
    int place = 0;
    if (bin >= 0) {
      place = starts[bin] + before[warp][bin] + __popc(peers & ((1u << lane) - 1));
      windowOrder[place] = (int)(first + round * 32);
    }
    __syncwarp();
    if (bin >= 0 && lane == __ffs(peers) - 1) {
      before[warp][bin] += __popc(peers);
    }
    __syncwarp();
  }
}
