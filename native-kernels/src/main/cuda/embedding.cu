// Rows of a table by index, and the gradient of the table.
//
// The gradient adds, for each table row, the rows of dy that used it, in ascending order. Small
// tables (up to 512 rows): a warp owns a table row and a slice of 256 indices and adds the rows of
// dy whose index matches; the comparisons cost less than a sort's six launches. Larger tables: the
// indices are sorted, stably, together with their positions, by least significant digits of 8 bits
// (as many passes as the table's size has bytes); a table row's run of the sorted indices is cut
// into S parts, one to eight warps add a part. A last kernel adds the slices or parts in order. No
// float atomic; counts are integers, so their order does not matter.
//   gather    bytes 8·C + 4 a row; gradient  bytes 4·C + 28 a row, 8·C a table row; in bfloat16 half
//   of those by C, the sums being float until the table's gradient is stored
//
// Measured on an H100 80GB HBM3 (copy 2.95 TB/s), L2 flushed, median of 20, an empty launch 3.0 us:
//   9216 rows of a table of 64 x 128   gather 6.2 us, gradient 16 us (by a sort: 50 us)
//   2^20 rows of 70000 x 64            gather 142 us, gradient 811 us
// On an H200, bf16, between events: 9216 rows of a table of 321 x 256, gather 6.9 us, gradient 32 us.
// Bound: memory and, for few rows, launches. An index outside the table gives NaN forward, which no training survives unseen,
// and adds to nothing backward.
#include "common/bfloat16.cuh"
#include "common/rows.cuh"

namespace autosparse {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kSlice = 256;
constexpr int kDigits = 256;
constexpr int kKeysPerLane = 8;
constexpr int kKeysPerWarp = kKeysPerLane * kWarp;
constexpr int kKeysPerBlock = kWarps * kKeysPerWarp;

template <typename T>
__device__ __forceinline__ void gather(const T* table, const int* index, T* y, int64 rows,
                                       int table_rows, int columns) {
  int per_row = (columns + 3) / 4;
  bool vectored = columns % 4 == 0;
  int64 groups = rows * per_row;
  int64 step = static_cast<int64>(gridDim.x) * kThreads;
  for (int64 e = static_cast<int64>(blockIdx.x) * kThreads + threadIdx.x; e < groups; e += step) {
    int64 row = e / per_row;
    int c = 4 * static_cast<int>(e - row * per_row);
    int from = index[row];
    float4 values = make_float4(NAN, NAN, NAN, NAN);
    if ((unsigned)from < (unsigned)table_rows) {
      values = load4_partly(table + static_cast<int64>(from) * columns, c, columns, vectored);
    }
    store4_partly(y + row * columns, c, columns, vectored, values);
  }
}

// The key of an element; indices outside the table sort behind it.
__device__ __forceinline__ int key_of(const int* keys, int at, int table_rows) {
  int key = keys[at];
  return (unsigned)key < (unsigned)table_rows ? key : table_rows;
}

// Calls work(at, key, digit, peers) for the warp's keys in order; lanes past the end have digit
// 256.
template <typename Work>
__device__ __forceinline__ void for_each_key(const int* keys, int count, int table_rows, int shift,
                                             Work work) {
  int lane = threadIdx.x % kWarp;
  int64 first = static_cast<int64>(blockIdx.x) * kKeysPerBlock + threadIdx.x / kWarp * kKeysPerWarp;
#pragma unroll 2
  for (int i = 0; i < kKeysPerLane; i++) {
    int64 at = first + i * kWarp + lane;
    int key = at < count ? key_of(keys, static_cast<int>(at), table_rows) : 0;
    int digit = at < count ? (key >> shift) & (kDigits - 1) : kDigits;
    unsigned peers = __match_any_sync(kAllLanes, digit);
    work(static_cast<int>(at), key, digit, peers, lane);
  }
}

__device__ __forceinline__ void count_digits(const int* keys, int count, int table_rows, int shift,
                                             int (*counts)[kDigits]) {
  for (int i = threadIdx.x; i < kWarps * kDigits; i += kThreads)
    counts[i / kDigits][i % kDigits] = 0;
  __syncthreads();
  int* mine = counts[threadIdx.x / kWarp];
  for_each_key(keys, count, table_rows, shift, [&](int, int, int digit, unsigned peers, int lane) {
    if (digit < kDigits && lane == __ffs(peers) - 1) mine[digit] += __popc(peers);
    __syncwarp();
  });
  __syncthreads();
}

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// partials [table_rows, slices, columns]: sums of dy over the slice's rows whose index is the table
// row, in order; four rows are loaded at a time. Grid: (table_rows / 8, slices); 256 threads.
template <typename T>
__device__ __forceinline__ void add_matches(const int* index, const T* dy, int rows,
                                            int table_rows, int columns, float* partials) {
  constexpr int kPerLane = 4;
  constexpr int kAtOnce = 4;
  const int lane = threadIdx.x % kWarp;
  const int row = blockIdx.x * kWarps + threadIdx.x / kWarp;
  if (row >= table_rows) return;
  const int64 first = static_cast<int64>(blockIdx.y) * kSlice;
  const int64 end = min(first + kSlice, static_cast<int64>(rows));
  float* target = partials + (static_cast<int64>(row) * gridDim.y + blockIdx.y) * columns;
  for (int base = 0; base < columns; base += kPerLane * kWarp) {
    float sums[kPerLane] = {};
    for (int64 n = first; n < end; n += kWarp) {
      unsigned matches = __ballot_sync(kAllLanes, n + lane < end && index[n + lane] == row);
      while (matches != 0) {
        float values[kAtOnce][kPerLane];
#pragma unroll
        for (int m = 0; m < kAtOnce; m++) {
          const bool any = matches != 0;
          const T* source = dy + (n + (any ? __ffs(matches) - 1 : 0)) * columns + base + lane;
          matches &= matches - 1;
#pragma unroll
          for (int k = 0; k < kPerLane; k++) {
            values[m][k] = any && base + lane + k * kWarp < columns ? to_float(source[k * kWarp]) : 0.0f;
          }
        }
#pragma unroll
        for (int m = 0; m < kAtOnce; m++) {
#pragma unroll
          for (int k = 0; k < kPerLane; k++) sums[k] += values[m][k];
        }
      }
    }
#pragma unroll
    for (int k = 0; k < kPerLane; k++) {
      const int c = base + lane + k * kWarp;
      if (c < columns) target[c] = sums[k];
    }
  }
}

// counts [256, blocks]: keys with a digit in a block's 2,048 keys. Grid: blocks; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    sort_count(const int* keys, int count, int table_rows, int shift, int* counts) {
  __shared__ int warp_counts[kWarps][kDigits];
  count_digits(keys, count, table_rows, shift, warp_counts);
  int sum = 0;
#pragma unroll
  for (int w = 0; w < kWarps; w++) sum += warp_counts[w][threadIdx.x];
  counts[static_cast<int64>(threadIdx.x) * gridDim.x + blockIdx.x] = sum;
}

// counts [size] becomes its sums up to, not including, each element. One block of 1,024 threads.
extern "C" __global__ void __launch_bounds__(1024) sort_scan(int* counts, int size) {
  __shared__ int ends[kWarp];
  int lane = threadIdx.x % kWarp;
  int warp = threadIdx.x / kWarp;
  int before = 0;
  for (int base = 0; base < size; base += 1024) {
    int at = base + threadIdx.x;
    int own = at < size ? counts[at] : 0;
    int sum = own;
#pragma unroll
    for (int distance = 1; distance < kWarp; distance *= 2) {
      int other = __shfl_up_sync(kAllLanes, sum, distance);
      if (lane >= distance) sum += other;
    }
    if (lane == kWarp - 1) ends[warp] = sum;
    __syncthreads();
    int warps_before = 0;
    int all = 0;
    for (int w = 0; w < kWarp; w++) {
      if (w < warp) warps_before += ends[w];
      all += ends[w];
    }
    if (at < size) counts[at] = before + warps_before + sum - own;
    before += all;
    __syncthreads();
  }
}

// Moves keys and positions behind each other by one digit; positions null: 0, 1, 2, …
// Grid: blocks as in the count; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    sort_scatter(const int* keys, const int* positions, int count, int table_rows, int shift,
                 const int* starts, int* sorted_keys, int* sorted_positions) {
  __shared__ int next[kWarps][kDigits];
  count_digits(keys, count, table_rows, shift, next);
  int start = starts[static_cast<int64>(threadIdx.x) * gridDim.x + blockIdx.x];
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    int size = next[w][threadIdx.x];
    next[w][threadIdx.x] = start;
    start += size;
  }
  __syncthreads();
  int* mine = next[threadIdx.x / kWarp];
  for_each_key(keys, count, table_rows, shift,
               [&](int at, int key, int digit, unsigned peers, int lane) {
                 if (digit < kDigits) {
                   int to = mine[digit] + __popc(peers & ((1u << lane) - 1));
                   sorted_keys[to] = key;
                   sorted_positions[to] = positions == nullptr ? at : positions[at];
                 }
                 __syncwarp();
                 if (digit < kDigits && lane == __ffs(peers) - 1) mine[digit] += __popc(peers);
                 __syncwarp();
               });
}

// starts [table_rows + 1]: where each key's run of the sorted keys begins, then where the last
// ends. Grid: (count + 1) / 256; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    find_runs(const int* sorted_keys, int count, int table_rows, int* starts) {
  const int at = blockIdx.x * kThreads + threadIdx.x;
  if (at > count) return;
  const int first = at == 0 ? 0 : sorted_keys[at - 1] + 1;
  const int last = at == count ? table_rows : sorted_keys[at];
  for (int key = first; key <= last; key++) starts[key] = at;
}

// partials [table_rows, slices, columns]: sums of dy over one of the equal parts of a row's run.
// `warps` warps (a divisor of 8) share a part: each adds its own in order, and their sums are added
// in order. Grid: (table_rows · warps / 8, slices, columns / 32), since the longest run of a skewed
// index is what the launch waits for; 256 threads.
template <typename T>
__device__ __forceinline__ void sum_runs(const int* starts, const int* sorted_positions,
                                         const T* dy, int table_rows, int columns, int warps,
                                         float* partials) {
  __shared__ float sums[kWarps][kWarp];
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int row = blockIdx.x * (kWarps / warps) + warp / warps;
  int from = 0;
  int to = 0;
  if (row < table_rows) {
    const int start = starts[row];
    const int64 length = starts[row + 1] - start;
    const int64 parts = static_cast<int64>(gridDim.y) * warps;
    const int64 part = static_cast<int64>(blockIdx.y) * warps + warp % warps;
    from = start + static_cast<int>(length * part / parts);
    to = start + static_cast<int>(length * (part + 1) / parts);
  }
  const int c = blockIdx.z * kWarp + lane;
  float sum = 0;
  if (c < columns) {
#pragma unroll 8
    for (int p = from; p < to; p++) {
      sum += to_float(dy[static_cast<int64>(sorted_positions[p]) * columns + c]);
    }
  }
  if (warps > 1) {
    sums[warp][lane] = sum;
    __syncthreads();
    sum = 0;
    for (int w = 0; w < warps; w++) sum += sums[warp / warps * warps + w][lane];
  }
  if (warp % warps == 0 && row < table_rows && c < columns) {
    partials[(static_cast<int64>(row) * gridDim.y + blockIdx.y) * columns + c] = sum;
  }
}

// d_table [table_rows, columns] += the sums over partials' slices, in order. Any grid, 256 threads.
template <typename T>
__device__ __forceinline__ void add_slices(const float* partials, int table_rows, int slices,
                                           int columns, T* d_table) {
  int64 elements = static_cast<int64>(table_rows) * columns;
  int64 step = static_cast<int64>(gridDim.x) * 256;
  for (int64 e = blockIdx.x * 256LL + threadIdx.x; e < elements; e += step) {
    int64 row = e / columns;
    const float* source = partials + row * slices * columns + (e - row * columns);
    float sum = 0;
#pragma unroll 4
    for (int s = 0; s < slices; s++) sum += source[static_cast<int64>(s) * columns];
    d_table[e] = from_float<T>(to_float(d_table[e]) + sum);
  }
}

// One set of entries for each storage type of rows and table: table [table_rows, columns], index
// [rows], y and dy [rows, columns].
#define EMBEDDING_KERNELS(T, SUFFIX)                                                            \
  extern "C" __global__ void __launch_bounds__(256)                                             \
      gather_##SUFFIX(const T* table, const int* index, T* y, int64 rows, int table_rows,       \
                      int columns) {                                                            \
    gather(table, index, y, rows, table_rows, columns);                                         \
  }                                                                                             \
  extern "C" __global__ void __launch_bounds__(256)                                             \
      add_matches_##SUFFIX(const int* index, const T* dy, int rows, int table_rows,             \
                           int columns, float* partials) {                                      \
    add_matches(index, dy, rows, table_rows, columns, partials);                                \
  }                                                                                             \
  extern "C" __global__ void __launch_bounds__(256)                                             \
      sum_runs_##SUFFIX(const int* starts, const int* sorted_positions, const T* dy,            \
                        int table_rows, int columns, int warps, float* partials) {              \
    sum_runs(starts, sorted_positions, dy, table_rows, columns, warps, partials);               \
  }                                                                                             \
  extern "C" __global__ void __launch_bounds__(256)                                             \
      add_slices_##SUFFIX(const float* partials, int table_rows, int slices, int columns,       \
                          T* d_table) {                                                         \
    add_slices(partials, table_rows, slices, columns, d_table);                                 \
  }

EMBEDDING_KERNELS(float, f32)
EMBEDDING_KERNELS(bf16, bf16)
