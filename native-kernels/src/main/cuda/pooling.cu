// Global averages and sums over the sites of each matrix, and the gradient that enters a ReLU read by
// such a pool; features in fp32 or bf16, averages and gradients of pools in fp32. Contract:
// autosparse.engine.operators.PoolingOperators.
//
// Average: each matrix is cut into a fixed number of slices; a block sums a slice, 16 bytes of a row
// a thread, a second launch adds the slices in a fixed order. A sum is added to what is there, by the
// same launches. All in double, which costs no time where memory is waited for: however a matrix is
// cut, by slices or into strips, its averages come out with the same bits, and so do a head's ReLUs.
// Backward: a thread keeps its channels' share of the pool's gradient while it stays in one matrix.
// Launch:  256 threads, those that join slices 1024. P = 128 channels in fp32, 256 in bf16: sum_slices
//          (slices · matrices, ceil(C / P)); average_slices and
//          add_slices (matrices, ceil(C / 32)); average_of_sum (ceil(matrices · C / 256));
//          relu_pool_backward (ceil(N / block_sites), ceil(C / P)).
// Shared:  18 KB at most, 8 KB, none.
// Bytes:   of a feature b: average b·N·C; backward 3·b·N·C, of the last layer 2·b·N·C.
// FLOPs:   1 an element; 2.
// Bound:   device memory.
//
// Measured (medians of device time, N = 999,979, C = 128; floor: bytes at the same run's copy):
//   fp32, H100 80GB HBM3, 3.0 TB/s, before bf16: average .199 ms (floor .171), backward .541 (.512).
//   bf16, H200, 4.2 TB/s:      average .079 (.061), backward .187 (.183), of the last layer .129 (.122).
//   bf16, H200, C = 32:        average .032 (.015), backward .051 (.046), of the last layer .036 (.030).
// Since sums are in double (bf16, H200, 2026-11-30): average of 200,000 sites, C = 32, .0226 (.0032);
//   towers of C = 128 take what they took: 3.12 ms on nemspmm1_16x4_0, 32.0 after 31.8 on a band of 10M.
// Average by slices of 792: .080, 528: .089, 1,584: .087; its second launch is about .007 of it.
// Backward, tried: 512 sites a block .193; two rows a thread at a time .192, four .221.

#include "common/packed_rows.cuh"
#include "common/segments.cuh"

namespace autosparse {

// This thread's sums over the rows [from, end), every layout.rows-th.
template <bool kAligned, typename T>
__device__ __forceinline__ void sum_rows(const T* __restrict__ x, const PackedRows<T>& layout,
                                         int64 from, int64 end, int channels,
                                         double (&sum)[PackedRows<T>::kSize]) {
  const int left = channels - layout.channel;
#pragma unroll(kAligned ? 8 : 1)
  for (int64 site = from + layout.row; site < end; site += layout.rows) {
    const Pack<T> pack = load_row_pack<kAligned>(x + site * channels + layout.channel, left);
#pragma unroll
    for (int j = 0; j < PackedRows<T>::kSize; j++) {
      sum[j] += static_cast<double>(to_float(pack.element[j]));
    }
  }
}

// partials [matrices, slices, channels].
template <typename T>
__device__ __forceinline__ void sum_slices(const T* __restrict__ x,
                                           const int64* __restrict__ offsets, int slices,
                                           int channels, double* __restrict__ partials) {
  constexpr int kSize = PackedRows<T>::kSize;
  __shared__ double row_sums[256][kSize + 1];  // one more, for the banks
  const PackedRows<T> layout(channels);
  const int left = channels - layout.channel;
  const int64 matrix = blockIdx.x / slices;
  const int slice = blockIdx.x % slices;
  const int64 start = offsets[matrix];
  const int64 sites = offsets[matrix + 1] - start;
  const int64 from = start + slice_start(sites, slices, slice);
  const int64 end = start + slice_start(sites, slices, slice + 1);
  double sum[kSize] = {};
  if (channels % kSize == 0 && is_packed(x)) {
    if (left > 0) {
      sum_rows<true>(x, layout, from, end, channels, sum);
    }
  } else {
    sum_rows<false>(x, layout, from, end, channels, sum);
  }
#pragma unroll
  for (int j = 0; j < kSize; j++) {
    row_sums[threadIdx.x][j] = sum[j];
  }
  for (int half = layout.rows / 2; half > 0; half /= 2) {
    __syncthreads();
    if (layout.row < half) {
#pragma unroll
      for (int j = 0; j < kSize; j++) {
        sum[j] += row_sums[threadIdx.x + half * layout.lanes][j];
        row_sums[threadIdx.x][j] = sum[j];
      }
    }
  }
  if (layout.row == 0) {
    double* target = partials + static_cast<int64>(blockIdx.x) * channels + layout.channel;
#pragma unroll
    for (int j = 0; j < kSize; j++) {
      if (j < left) {
        target[j] = sum[j];
      }
    }
  }
}

constexpr int64 kNoEnd = int64(1) << 62;

// The matrix that a thread's site is in; sites before the first and behind the last are in none.
struct PooledMatrix {
  int64 end;            // its sites' end
  const float* pooled;  // its gradient
  float scale;          // 1 / its sites, 1 of a sum; 0 in none

  __device__ __forceinline__ void find(const float* __restrict__ d_pooled,
                                       const int64* __restrict__ offsets, int matrices,
                                       int channels, bool averaged, int64 site) {
    if (site < offsets[0] || site >= offsets[matrices]) {
      end = site < offsets[0] ? offsets[0] : kNoEnd;
      pooled = d_pooled;
      scale = 0.0f;
      return;
    }
    const int64 matrix = segment_of(offsets, 0, matrices - 1, site);
    end = offsets[matrix + 1];
    pooled = d_pooled + matrix * channels;
    scale = averaged ? 1.0f / static_cast<float>(end - offsets[matrix]) : 1.0f;
  }

  __device__ __forceinline__ float share(int channel) const {
    return scale > 0.0f ? pooled[channel] * scale : 0.0f;
  }
};

// dz = y > 0 ? d_next + d_pooled[matrix] / sites of the matrix : 0, undivided where the pool is a sum;
// d_next may be null, or dz.
template <typename T>
__device__ __forceinline__ void relu_pool_backward(const T* y, const T* d_next,
                                                   const float* __restrict__ d_pooled,
                                                   const int64* __restrict__ offsets, int64 sites,
                                                   int matrices, int channels, bool averaged,
                                                   int block_sites, T* dz) {
  constexpr int kSize = PackedRows<T>::kSize;
  const PackedRows<T> layout(channels);
  const int64 first = static_cast<int64>(blockIdx.x) * block_sites;
  const int64 end = first + block_sites < sites ? first + block_sites : sites;
  if (layout.channel >= channels) {
    return;
  }
  PooledMatrix matrix;
  matrix.end = first;
  if (channels % kSize != 0 || !is_packed(y) || !is_packed(dz) || !is_packed(d_next)) {
    const int past = layout.channel + kSize < channels ? layout.channel + kSize : channels;
    for (int64 site = first + layout.row; site < end; site += layout.rows) {
      if (site >= matrix.end) {
        matrix.find(d_pooled, offsets, matrices, channels, averaged, site);
      }
#pragma unroll 1
      for (int c = layout.channel; c < past; c++) {
        const int64 at = site * channels + c;
        const float next = d_next != nullptr ? to_float(d_next[at]) : 0.0f;
        const float all = next + matrix.share(c);
        dz[at] = from_float<T>(to_float(y[at]) > 0 ? all : 0.0f);
      }
    }
    return;
  }
  float share[kSize] = {};  // of the matrix
#pragma unroll 1  // many warps hide the loads better than many loads a warp
  for (int64 site = first + layout.row; site < end; site += layout.rows) {
    const int64 at = site * channels + layout.channel;
    const Pack<T> out = load_pack(y + at);
    const Pack<T> next = d_next != nullptr ? load_pack(d_next + at) : Pack<T>{};
    if (site >= matrix.end) {
      matrix.find(d_pooled, offsets, matrices, channels, averaged, site);
#pragma unroll
      for (int j = 0; j < kSize; j++) {
        share[j] = matrix.share(layout.channel + j);
      }
    }
    Pack<T> d;
#pragma unroll
    for (int j = 0; j < kSize; j++) {
      const float all = to_float(next.element[j]) + share[j];
      d.element[j] = from_float<T>(to_float(out.element[j]) > 0 ? all : 0.0f);
    }
    store_pack(dz + at, d);
  }
}

}  // namespace autosparse

using namespace autosparse;

#define POOLING(suffix, type)                                                                      \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      sum_slices_##suffix(const type* x, const int64* offsets, int slices, int channels,           \
                          double* partials) {                                                      \
    sum_slices<type>(x, offsets, slices, channels, partials);                                      \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256, 8) relu_pool_backward_##suffix(                \
      const type* y, const type* d_next, const float* d_pooled, const int64* offsets, int64 sites, \
      int matrices, int channels, int averaged, int block_sites, type* dz) {                       \
    relu_pool_backward<type>(y, d_next, d_pooled, offsets, sites, matrices, channels,              \
                             averaged != 0, block_sites, dz);                                      \
  }

POOLING(f32, float)
POOLING(bf16, bf16)

// The sum of one matrix' slices for one channel, in the first of a block's 32 warps: a block owns 32
// channels, its warps every 32nd slice.
static __device__ __forceinline__ double sum_of_slices(const double* __restrict__ partials,
                                                       int slices, int channels, int64 matrix,
                                                       int c) {
  constexpr int kWarps = 32;
  __shared__ double warp_sums[kWarps][32];
  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
  double sum = 0;
  if (c < channels) {
#pragma unroll 8
    for (int slice = warp; slice < slices; slice += kWarps) {
      sum += partials[(matrix * slices + slice) * channels + c];
    }
  }
  warp_sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0) {
    for (int w = 1; w < kWarps; w++) {
      sum += warp_sums[w][lane];
    }
  }
  return sum;
}

static __device__ __forceinline__ float average(double sum, int64 sites) {
  return static_cast<float>(sum / static_cast<double>(sites > 0 ? sites : 1));
}

// y[b, c] = sum of b's slices / sites of b.
extern "C" __global__ void __launch_bounds__(1024)
    average_slices_f32(const double* __restrict__ partials, const int64* __restrict__ offsets,
                       int slices, int channels, float* y) {
  const int64 matrix = blockIdx.x;
  const int c = blockIdx.y * 32 + (threadIdx.x & 31);
  const double sum = sum_of_slices(partials, slices, channels, matrix, c);
  if (threadIdx.x < 32 && c < channels) {
    y[matrix * channels + c] = average(sum, offsets[matrix + 1] - offsets[matrix]);
  }
}

// y[b, c] += sum of b's slices; `offsets` are not read.
extern "C" __global__ void __launch_bounds__(1024)
    add_slices_f64(const double* __restrict__ partials, const int64*, int slices, int channels,
                   double* y) {
  const int64 matrix = blockIdx.x;
  const int c = blockIdx.y * 32 + (threadIdx.x & 31);
  const double sum = sum_of_slices(partials, slices, channels, matrix, c);
  if (threadIdx.x < 32 && c < channels) {
    y[matrix * channels + c] += sum;
  }
}

// y[b, c] = sum[b, c] / sites[b]; a thread an element.
extern "C" __global__ void __launch_bounds__(256)
    average_of_sum_f32(const double* __restrict__ sum, const int64* __restrict__ sites,
                       int64 matrices, int channels, float* y) {
  const int64 i = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < matrices * channels) {
    y[i] = average(sum[i], sites[i / channels]);
  }
}
