// Sites of coarser levels, neighbour maps and neighbourhood masks, on the device from sorted CSR.
// Contract: autosparse.engine.operators.SparsePatternOperators.
//
// One thread a site throughout: a count, a prefix sum over blocks of 256 sites by the block that is
// done last, a fill. Results are integers that depend on the pattern alone.
// Launch:  256 threads, one block 256 sites; sorting 1024 threads, one block 8,192 sites.
// Shared:  fill_neighbors 1,024·K bytes dynamic; sorting 35 KB; else less than 1 KB.
// Bytes:   neighbour map of N sites, R rows, K = s² offsets, P pairs: count 4·N + 8·R read and
//          4·N·(1 + s) written, fill 4·N·(1 + s) read and 8·N + 4·P written; order 8·N read, 4·N
//          written.
// Bound:   chains of dependent loads (row, row pointers, binary search), not bytes.
//
// Measured (H100 80GB HBM3, medians of device time, 3x3 dilation 1; floor: bytes at 3.0 TB/s):
//   band, 999,979 sites: count .038, scan .009, fill .027, order .019 ms; together .093 (floor .018)
//   R-MAT, 913,895:      count .046, scan .011, fill .014, order .025 ms; together .096 (floor .008)
//   masks 5x5: .056 and .070; downsample by 2: flags .026, columns .042.
// Tried: kernel rows searched one after the other, and all again to fill: count .052, fill .065.

#include "common/mask_order.cuh"
#include "common/sites.cuh"
#include "common/types.cuh"

namespace autosparse {

// --- Sums over blocks -------------------------------------------------------------------------

// Blocks of the grid at work that are done; 0 between grids, which follow one another on one stream.
__device__ unsigned blocks_done;

// Called by all blocks of a grid when each has written its own of values [count] with its first
// thread: the last to come makes values[i] the sum of those before i, and values[count] that of all.
__device__ __forceinline__ void sum_over_blocks(int64* values, int count) {
  constexpr int kItems = 16;  // a thread: a million sites' blocks in one round
  __shared__ bool last;
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicInc(&blocks_done, gridDim.x - 1) == gridDim.x - 1;  // back to 0 with the last
    __threadfence();
  }
  __syncthreads();
  if (!last) {
    return;
  }
  int64 carried = 0;
  for (int from = 0; from < count; from += kBlockSites * kItems) {
    const int at = from + static_cast<int>(threadIdx.x) * kItems;
    const int end = at + kItems < count ? at + kItems : count;
    int sum = 0;  // a site has 25 neighbours at most
#pragma unroll 2
    for (int i = at; i < end; i++) {
      sum += static_cast<int>(__ldcg(values + i));
    }
    int total;
    int64 before = carried + block_exclusive_sum<kBlockSites / 32>(sum, total);
    // Read again: what a thread keeps here, each thread of every other block would keep room for.
#pragma unroll 2
    for (int i = at; i < end; i++) {
      const int64 value = __ldcg(values + i);
      values[i] = before;
      before += value;
    }
    carried += total;
  }
  if (threadIdx.x == 0) {
    values[count] = carried;
  }
}

// --- Neighbours -------------------------------------------------------------------------------

// Two levels and the kernel between them. Forward, output (r, c) reads the inputs at r·s + dr·d and
// c·s + dc·d. Transposed, input (r, c) is read by the outputs (r', c') with r'·s = r − dr·d and
// c'·s = c − dc·d, and is searched the same way.
struct Search {
  const int64* input_rows;  // [input rows + 1], of the sites searched among
  const int* input_columns;
  const int64* output_rows;  // [output rows + 1], of the sites whose neighbours are found
  const int* output_columns;
  const int64* input_first_rows;   // [B+1]
  const int64* output_first_rows;  // [B+1]
  int64 rows;                      // output rows
  int64 sites;                     // output sites
  int batch;
  int dilation;
  int stride;
};

// Column, in units of the finer level, at which the first tap of a site's neighbourhood lies.
template <int kSize, bool kTransposed>
__device__ __forceinline__ int64 first_column(const Search& s, int64 site) {
  return (kTransposed ? int64(1) : int64(s.stride)) * s.output_columns[site] -
         int64(kSize / 2) * s.dilation;
}

template <int kSize, bool kTransposed>
__device__ __forceinline__ int offset_of(int row, int tap) {
  return row + kSize * (kTransposed ? kSize - 1 - tap : tap);
}

// masks[site]; starts[r, site], the first input of kernel row r at or past the first tap, unless
// null; into block_pairs [blocks + 1], unless null, the neighbours of the blocks before each.
template <int kSize, bool kTransposed>
__device__ __forceinline__ void count_neighbors(const Search& s, int* masks, int* starts,
                                                int64* block_pairs) {
  const int64 row = row_of_site(s.output_rows, s.rows, s.sites);
  const int64 site = site_of_thread();
  int mask = 0;
  if (site < s.sites) {
    const int64 matrix = segment_of(s.output_first_rows, 0, s.batch - 1, row);
    const int64 base = s.input_first_rows[matrix];
    const int64 input_rows = s.input_first_rows[matrix + 1] - base;
    const int64 input_scale = kTransposed ? s.stride : 1;
    const int64 local = (row - s.output_first_rows[matrix]) * (kTransposed ? 1 : s.stride);
    const int64 least = first_column<kSize, kTransposed>(s, site);

    // The kernel's rows are searched in step, so that their loads are under way together.
    int at[kSize];
    int end[kSize];
    int high[kSize];
    bool more = false;
#pragma unroll
    for (int r = 0; r < kSize; r++) {
      const int64 offset = int64(r - kSize / 2) * s.dilation;
      const int64 scaled = kTransposed ? local - offset : local + offset;
      const int64 input_row = !kTransposed || scaled < 0 ? scaled : scaled / input_scale;
      const bool exists =
          scaled >= 0 && input_row * input_scale == scaled && input_row < input_rows;
      at[r] = exists ? static_cast<int>(s.input_rows[base + input_row]) : 0;
      end[r] = exists ? static_cast<int>(s.input_rows[base + input_row + 1]) : 0;
      high[r] = end[r];
      more |= at[r] < end[r];
    }
    while (more) {
      more = false;
#pragma unroll
      for (int r = 0; r < kSize; r++) {
        if (at[r] < high[r]) {
          const int middle = at[r] + (high[r] - at[r]) / 2;
          if (s.input_columns[middle] * input_scale < least) {
            at[r] = middle + 1;
          } else {
            high[r] = middle;
          }
          more |= at[r] < high[r];
        }
      }
    }
#pragma unroll
    for (int r = 0; r < kSize; r++) {
      if (starts != nullptr) {
        starts[r * s.sites + site] = at[r];
      }
      if (s.dilation == 1) {  // the taps are adjacent columns, so the neighbours adjacent inputs
#pragma unroll
        for (int i = 0; i < kSize; i++) {
          if (at[r] + i < end[r]) {
            const int64 tap = s.input_columns[at[r] + i] * input_scale - least;
            mask |= tap < kSize ? 1 << offset_of<kSize, kTransposed>(r, static_cast<int>(tap)) : 0;
          }
        }
      } else {
        int64 target = least;
        for (int tap = 0; at[r] < end[r] && tap < kSize;) {
          const int64 value = s.input_columns[at[r]] * input_scale;
          mask |= value == target ? 1 << offset_of<kSize, kTransposed>(r, tap) : 0;
          at[r] += value <= target ? 1 : 0;
          if (value >= target) {
            tap++;
            target += s.dilation;
          }
        }
      }
    }
    masks[site] = mask;
  }
  if (block_pairs != nullptr) {
    int total;
    block_exclusive_sum<kBlockSites / 32>(__popc(mask), total);
    if (threadIdx.x == 0) {
      block_pairs[blockIdx.x] = total;
    }
    sum_over_blocks(block_pairs, blocks_of(s.sites));
  }
}

// pointers [sites + 1] and inputs [first_pairs[blocks]] from masks and starts. A block's pairs are
// adjacent, so they leave through shared memory in one coalesced run.
template <int kSize, bool kTransposed>
__device__ __forceinline__ void fill_neighbors(const Search& s, const int* __restrict__ masks,
                                               const int* __restrict__ starts,
                                               const int64* __restrict__ first_pairs,
                                               int64* pointers, int* inputs) {
  extern __shared__ int staged[];  // [256·K]
  const int64 site = site_of_thread();
  const int mask = site < s.sites ? masks[site] : 0;
  int total;
  const int before = block_exclusive_sum<kBlockSites / 32>(__popc(mask), total);
  const int64 base = first_pairs[blockIdx.x];
  if (site < s.sites) {
    pointers[site] = base + before;
    if (site == s.sites - 1) {
      pointers[s.sites] = base + total;
    }
    const int64 input_scale = kTransposed ? s.stride : 1;
    const int64 least = s.dilation == 1 ? 0 : first_column<kSize, kTransposed>(s, site);
#pragma unroll
    for (int r = 0; r < kSize; r++) {
      int at = starts[r * s.sites + site];
#pragma unroll
      for (int tap = 0; tap < kSize; tap++) {
        const int k = offset_of<kSize, kTransposed>(r, tap);
        if (mask >> k & 1) {
          if (s.dilation != 1) {
            const int64 target = least + int64(tap) * s.dilation;
            while (s.input_columns[at] * input_scale < target) {
              at++;
            }
          }
          staged[before + __popc(mask & ((1 << k) - 1))] = at++;
        }
      }
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < total; i += kBlockSites) {
    inputs[base + i] = staged[i];
  }
}

// --- Downsampling -----------------------------------------------------------------------------
// A coarse site exists for each distinct floor(coordinate / stride). The first fine site in the
// lowest fine row stands for it and is flagged. A coarse site's number is the number of flagged
// sites that precede it: those of its group of fine rows with a smaller coarse column, and all of
// the groups before. With the flags' prefix sums each is a rank query at a binary search's result,
// so that long rows are as parallel as short ones.

// Number of flagged sites before `site`, from their number before each block of 256.
__device__ __forceinline__ int64 rank_of(const unsigned* __restrict__ flags,
                                         const int64* __restrict__ first_flagged, int64 site) {
  int64 rank = first_flagged[site / kBlockSites];
  const int64 word = site / 32;
  for (int64 w = site / kBlockSites * (kBlockSites / 32); w < word; w++) {
    rank += __popc(flags[w]);
  }
  const int bits = static_cast<int>(site & 31);
  return bits == 0 ? rank : rank + __popc(flags[word] & ((1u << bits) - 1));
}

// Fine rows of one coarse row.
struct RowGroup {
  int64 first;
  int64 end;
};

__device__ __forceinline__ RowGroup group_of(const int64* first_rows, int64 matrix, int64 coarse,
                                             int stride) {
  const int64 first = first_rows[matrix] + coarse * stride;
  const int64 end = first + stride;
  return {first, end < first_rows[matrix + 1] ? end : first_rows[matrix + 1]};
}

}  // namespace autosparse

using namespace autosparse;

#define SEARCH_ENTRIES(suffix, size, transposed)                                                   \
  extern "C" __global__ void __launch_bounds__(kBlockSites) count_neighbors_##suffix(              \
      const int64* input_rows, const int* input_columns, const int64* output_rows,                 \
      const int* output_columns, const int64* input_first_rows, const int64* output_first_rows,    \
      int64 rows, int64 sites, int batch, int dilation, int stride, int* masks, int* starts,       \
      int64* block_pairs) {                                                                        \
    const Search search = {input_rows,       input_columns,     output_rows, output_columns,       \
                           input_first_rows, output_first_rows, rows,        sites,                \
                           batch,            dilation,          stride};                           \
    count_neighbors<size, transposed>(search, masks, starts, block_pairs);                         \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(kBlockSites) fill_neighbors_##suffix(               \
      const int* input_columns, const int* output_columns, int64 sites, int dilation, int stride,  \
      const int* masks, const int* starts, const int64* first_pairs, int64* pointers,              \
      int* inputs) {                                                                               \
    const Search search = {nullptr, input_columns, nullptr, output_columns, nullptr, nullptr,      \
                           0,       sites,         0,       dilation,       stride};               \
    fill_neighbors<size, transposed>(search, masks, starts, first_pairs, pointers, inputs);        \
  }

SEARCH_ENTRIES(1, 1, false)
SEARCH_ENTRIES(3, 3, false)
SEARCH_ENTRIES(5, 5, false)
SEARCH_ENTRIES(1_transposed, 1, true)
SEARCH_ENTRIES(3_transposed, 3, true)
SEARCH_ENTRIES(5_transposed, 5, true)

// flags [8·blocks] words; block_flagged [blocks + 1], the flagged sites of the blocks before each.
extern "C" __global__ void __launch_bounds__(kBlockSites)
    flag_coarse_sites(const int64* __restrict__ row_pointers, const int* __restrict__ columns,
                      const int64* __restrict__ first_rows, int64 rows, int64 sites, int batch,
                      int stride, unsigned* flags, int64* block_flagged) {
  const int64 row = row_of_site(row_pointers, rows, sites);
  const int64 site = site_of_thread();
  bool flagged = false;
  if (site < sites) {
    const int column = columns[site] / stride;
    flagged = site == row_pointers[row] || columns[site - 1] / stride != column;
    const int64 matrix = segment_of(first_rows, 0, batch - 1, row);
    const RowGroup group = group_of(first_rows, matrix, (row - first_rows[matrix]) / stride, stride);
    for (int64 above = group.first; flagged && above < row; above++) {
      const int end = static_cast<int>(row_pointers[above + 1]);
      const int at = first_at_least(columns, static_cast<int>(row_pointers[above]), end,
                                    static_cast<int64>(column) * stride);
      flagged = at == end || columns[at] / stride != column;
    }
  }
  const unsigned word = __ballot_sync(kFullWarp, flagged);
  if ((threadIdx.x & 31) == 0 && blockIdx.x < blocks_of(sites)) {
    flags[static_cast<int64>(blockIdx.x) * (kBlockSites / 32) + threadIdx.x / 32] = word;
  }
  int total;
  block_exclusive_sum<kBlockSites / 32>(flagged ? 1 : 0, total);
  if (threadIdx.x == 0) {
    block_flagged[blockIdx.x] = total;
  }
  sum_over_blocks(block_flagged, blocks_of(sites));
}

// Row pointers [coarse_rows + 1] and site offsets [batch + 1] of the coarse level: ranks of fine
// sites, a thread each.
extern "C" __global__ void __launch_bounds__(256)
    coarse_bounds(const int64* __restrict__ row_pointers, const int64* __restrict__ site_offsets,
                  const int64* __restrict__ first_rows, const int64* __restrict__ coarse_first_rows,
                  int64 coarse_rows, int batch, int stride, const unsigned* __restrict__ flags,
                  const int64* __restrict__ first_flagged, int64* coarse_row_pointers,
                  int64* coarse_site_offsets) {
  const int64 i = grid_thread();
  if (i < coarse_rows) {
    const int64 matrix = segment_of(coarse_first_rows, 0, batch - 1, i);
    const RowGroup group = group_of(first_rows, matrix, i - coarse_first_rows[matrix], stride);
    coarse_row_pointers[i] = rank_of(flags, first_flagged, row_pointers[group.first]);
  } else if (i == coarse_rows) {
    coarse_row_pointers[i] = rank_of(flags, first_flagged, site_offsets[batch]);
  } else if (i <= coarse_rows + 1 + batch) {
    const int64 b = i - coarse_rows - 1;
    coarse_site_offsets[b] = rank_of(flags, first_flagged, site_offsets[b]);
  }
}

// Each flagged fine site writes its coarse column.
extern "C" __global__ void __launch_bounds__(kBlockSites)
    coarse_columns(const int64* __restrict__ row_pointers, const int* __restrict__ columns,
                   const int64* __restrict__ first_rows, int64 rows, int64 sites, int batch,
                   int stride, const unsigned* __restrict__ flags,
                   const int64* __restrict__ first_flagged, int* coarse_columns) {
  const int64 row = row_of_site(row_pointers, rows, sites);
  const int64 site = site_of_thread();
  if (site >= sites || (flags[site / 32] >> (site & 31) & 1) == 0) {
    return;
  }
  const int column = columns[site] / stride;
  const int64 matrix = segment_of(first_rows, 0, batch - 1, row);
  const RowGroup group = group_of(first_rows, matrix, (row - first_rows[matrix]) / stride, stride);
  int64 place = rank_of(flags, first_flagged, row_pointers[group.first]);
  for (int64 other = group.first; other < group.end; other++) {
    const int64 start = row_pointers[other];
    const int64 at = other == row ? site
                                  : first_at_least(columns, static_cast<int>(start),
                                                   static_cast<int>(row_pointers[other + 1]),
                                                   static_cast<int64>(column) * stride);
    place += rank_of(flags, first_flagged, at) - rank_of(flags, first_flagged, start);
  }
  coarse_columns[place] = column;
}

extern "C" __global__ void __launch_bounds__(kSortThreads)
    count_masks(const int* masks, int64 sites, int* counts) {
  count_masks_of_chunk(masks, sites, counts);
}

extern "C" __global__ void __launch_bounds__(kSortThreads)
    sort_by_mask(const int* masks, const int* counts, int64 sites, int* order) {
  sort_chunk_by_mask(masks, counts, sites, order);
}
