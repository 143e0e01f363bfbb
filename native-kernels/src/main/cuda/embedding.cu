// Rows of a table by index, and the gradient of the table.
//
// The gradient needs, for each table row, the rows of dy that used it, in ascending order: the
// indices are sorted, stably, together with their positions, by least significant digits of 8 bits
// (as many passes as the table's size has bytes: one for 255 rows). Then S blocks own a table row;
// each finds its run of the sorted indices by bisection and adds its S-th part, and a second kernel
// adds the S sums in order. No float atomic; counts are integers, so their order does not matter.
//   gather    bytes 8·C + 4 a row; gradient  bytes 4·C + 28 a row, 8·C a table row
// Bound: memory. An index outside the table gives NaN forward, which no training survives unseen,
// and adds to nothing backward.
#include "common/rows.cuh"

namespace autosparse {
namespace {

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * WARP;
constexpr int DIGITS = 256;
constexpr int KEYS_PER_LANE = 8;
constexpr int KEYS_PER_WARP = KEYS_PER_LANE * WARP;
constexpr int KEYS_PER_BLOCK = WARPS * KEYS_PER_WARP;

template <typename T>
__device__ __forceinline__ void gather(
    const T* table, const int* index, T* y, long long rows, int tableRows, int columns) {
  int perRow = (columns + 3) / 4;
  bool vectored = columns % 4 == 0;
  long long groups = rows * perRow;
  long long step = (long long)gridDim.x * THREADS;
  for (long long e = (long long)blockIdx.x * THREADS + threadIdx.x; e < groups; e += step) {
    long long row = e / perRow;
    int c = 4 * (int)(e - row * perRow);
    int from = index[row];
    float4 values = make_float4(NAN, NAN, NAN, NAN);
    if ((unsigned)from < (unsigned)tableRows) {
      values = load4Partly(table + (long long)from * columns, c, columns, vectored);
    }
    store4Partly(y + row * columns, c, columns, vectored, values);
  }
}

// The key of an element; indices outside the table sort behind it.
__device__ __forceinline__ int keyOf(const int* keys, int at, int tableRows) {
  int key = keys[at];
  return (unsigned)key < (unsigned)tableRows ? key : tableRows;
}

// Calls work(at, key, digit, peers) for the warp's keys in order; lanes past the end have digit 256.
template <typename Work>
__device__ __forceinline__ void forEachKey(
    const int* keys, int count, int tableRows, int shift, Work work) {
  int lane = threadIdx.x % WARP;
  long long first = (long long)blockIdx.x * KEYS_PER_BLOCK + threadIdx.x / WARP * KEYS_PER_WARP;
  for (int i = 0; i < KEYS_PER_LANE; i++) {
    long long at = first + i * WARP + lane;
    int key = at < count ? keyOf(keys, (int)at, tableRows) : 0;
    int digit = at < count ? (key >> shift) & (DIGITS - 1) : DIGITS;
    unsigned peers = __match_any_sync(ALL_LANES, digit);
    work((int)at, key, digit, peers, lane);
  }
}

__device__ __forceinline__ void countDigits(
    const int* keys, int count, int tableRows, int shift, int (*counts)[DIGITS]) {
  for (int i = threadIdx.x; i < WARPS * DIGITS; i += THREADS) counts[i / DIGITS][i % DIGITS] = 0;
  __syncthreads();
  int* mine = counts[threadIdx.x / WARP];
  forEachKey(
      keys, count, tableRows, shift, [&](int, int, int digit, unsigned peers, int lane) {
        if (digit < DIGITS && lane == __ffs(peers) - 1) mine[digit] += __popc(peers);
        __syncwarp();
      });
  __syncthreads();
}

// First position of the sorted keys whose key is not below `key`.
__device__ __forceinline__ int lowerBound(const int* keys, int count, int key) {
  int low = 0;
  int high = count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (keys[middle] < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace
}  // namespace autosparse

// table [tableRows, columns], index [rows], y [rows, columns]; any grid, 256 threads.
extern "C" __global__ void __launch_bounds__(256) embedding_gather(
    const float* table, const int* index, float* y, long long rows, int tableRows, int columns) {
  autosparse::gather(table, index, y, rows, tableRows, columns);
}

// counts [256, blocks]: keys with a digit in a block's 2,048 keys. Grid: blocks; 256 threads.
extern "C" __global__ void __launch_bounds__(256) embedding_sort_count(
    const int* keys, int count, int tableRows, int shift, int* counts) {
  using namespace autosparse;
  __shared__ int warpCounts[WARPS][DIGITS];
  countDigits(keys, count, tableRows, shift, warpCounts);
  int sum = 0;
#pragma unroll
  for (int w = 0; w < WARPS; w++) sum += warpCounts[w][threadIdx.x];
  counts[(long long)threadIdx.x * gridDim.x + blockIdx.x] = sum;
}

// counts [size] becomes its sums up to, not including, each element. One block of 1,024 threads.
extern "C" __global__ void __launch_bounds__(1024) embedding_sort_scan(int* counts, int size) {
  using namespace autosparse;
  __shared__ int ends[WARP];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int before = 0;
  for (int base = 0; base < size; base += 1024) {
    int at = base + threadIdx.x;
    int own = at < size ? counts[at] : 0;
    int sum = own;
#pragma unroll
    for (int distance = 1; distance < WARP; distance *= 2) {
      int other = __shfl_up_sync(ALL_LANES, sum, distance);
      if (lane >= distance) sum += other;
    }
    if (lane == WARP - 1) ends[warp] = sum;
    __syncthreads();
    int warpsBefore = 0;
    int all = 0;
    for (int w = 0; w < WARP; w++) {
      if (w < warp) warpsBefore += ends[w];
      all += ends[w];
    }
    if (at < size) counts[at] = before + warpsBefore + sum - own;
    before += all;
    __syncthreads();
  }
}

// Moves keys and positions behind each other by one digit; positions null: 0, 1, 2, …
// Grid: blocks as in the count; 256 threads.
extern "C" __global__ void __launch_bounds__(256) embedding_sort_scatter(
    const int* keys,
    const int* positions,
    int count,
    int tableRows,
    int shift,
    const int* starts,
    int* sortedKeys,
    int* sortedPositions) {
  using namespace autosparse;
  __shared__ int next[WARPS][DIGITS];
  countDigits(keys, count, tableRows, shift, next);
  int start = starts[(long long)threadIdx.x * gridDim.x + blockIdx.x];
#pragma unroll
  for (int w = 0; w < WARPS; w++) {
    int size = next[w][threadIdx.x];
    next[w][threadIdx.x] = start;
    start += size;
  }
  __syncthreads();
  int* mine = next[threadIdx.x / WARP];
  forEachKey(
      keys, count, tableRows, shift, [&](int at, int key, int digit, unsigned peers, int lane) {
        if (digit < DIGITS) {
          int to = mine[digit] + __popc(peers & ((1u << lane) - 1));
          sortedKeys[to] = key;
          sortedPositions[to] = positions == nullptr ? at : positions[at];
        }
        __syncwarp();
        if (digit < DIGITS && lane == __ffs(peers) - 1) mine[digit] += __popc(peers);
        __syncwarp();
      });
}

// partials [tableRows, slices, columns]: sums of dy over one of the equal parts of a row's run.
// Within it warp w adds its eighth in order, and the warps are added in order.
// Grid: (tableRows, slices); 256 threads.
extern "C" __global__ void __launch_bounds__(256) embedding_sum_runs(
    const int* sortedKeys,
    const int* sortedPositions,
    int count,
    const float* dy,
    int columns,
    float* partials) {
  using namespace autosparse;
  __shared__ float sums[WARPS][WARP];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int start = lowerBound(sortedKeys, count, blockIdx.x);
  long long length = lowerBound(sortedKeys, count, blockIdx.x + 1) - start;
  long long parts = (long long)gridDim.y * WARPS;
  long long part = (long long)blockIdx.y * WARPS + warp;
  int from = start + (int)(length * part / parts);
  int to = start + (int)(length * (part + 1) / parts);
  float* target = partials + ((long long)blockIdx.x * gridDim.y + blockIdx.y) * columns;
  for (int base = 0; base < columns; base += WARP) {
    int c = base + lane;
    float sum = 0;
    if (c < columns) {
#pragma unroll 4
      for (int p = from; p < to; p++) {
        sum += widen(dy[(long long)sortedPositions[p] * columns + c]);
      }
    }
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && c < columns) {
      float total = 0;
#pragma unroll
      for (int w = 0; w < WARPS; w++) total += sums[w][lane];
      target[c] = total;
    }
    __syncthreads();
  }
}

// dTable [tableRows, columns] += the sums over partials' slices, in order. Any grid, 256 threads.
extern "C" __global__ void __launch_bounds__(256) embedding_add_slices(
    const float* partials, int tableRows, int slices, int columns, float* dTable) {
  long long elements = (long long)tableRows * columns;
  long long step = (long long)gridDim.x * 256;
  for (long long e = blockIdx.x * 256LL + threadIdx.x; e < elements; e += step) {
    long long row = e / columns;
    const float* source = partials + row * slices * columns + (e - row * columns);
    float sum = 0;
#pragma unroll 4
    for (int s = 0; s < slices; s++) sum += source[(long long)s * columns];
    dTable[e] += sum;
  }
}
