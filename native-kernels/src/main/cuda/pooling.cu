// Global average pooling over the sites of each matrix, and the gradient that enters a ReLU read by
// it. Contract: autosparse.engine.operators.PoolingOperators.
//
// Average: each matrix is cut into a fixed number of slices; a block sums a slice of 128 channels, a
// second launch adds the slices in a fixed order, in double.
// Backward: a thread keeps its channels' share of the pool's gradient while it stays in one matrix.
// Launch:  256 threads. sum_slices (slices · matrices, ceil(C / 128)); average_slices
//          (matrices, ceil(C / 32)); relu_average_backward (ceil(N / block_sites), ceil(C / 128)).
// Shared:  4 KB, 2 KB, none.
// Bytes:   average 4·N·C; backward 12·N·C, of the last layer 8·N·C.
// FLOPs:   1 an element; 2.
// Bound:   device memory.
//
// Measured (H100 80GB HBM3, medians of device time, N = 999,979, C = 128; floor: bytes at 3.0 TB/s):
// average .199 ms (floor .171), backward .541 (.512).

#include "common/packed_rows.cuh"
#include "common/segments.cuh"

namespace autosparse {

// partials [matrices, slices, channels].
template <typename T>
__device__ __forceinline__ void sum_slices(const T* __restrict__ x,
                                           const int64* __restrict__ offsets, int slices,
                                           int channels, float* __restrict__ partials) {
  constexpr int kSize = PackedRows<T>::kSize;
  constexpr int kUnroll = 8;
  __shared__ float row_sums[256][kSize + 1];  // one more, for the banks
  const PackedRows<T> layout(channels);
  const bool aligned = channels % kSize == 0 && is_packed(x);
  const int left = channels - layout.channel;
  const int64 matrix = blockIdx.x / slices;
  const int slice = blockIdx.x % slices;
  const int64 start = offsets[matrix];
  const int64 sites = offsets[matrix + 1] - start;
  const int64 end = start + slice_start(sites, slices, slice + 1);
  float sum[kSize] = {};
  if (left > 0) {
#pragma unroll kUnroll
    for (int64 site = start + slice_start(sites, slices, slice) + layout.row; site < end;
         site += layout.rows) {
      const Pack<T> pack = load_row_pack(x + site * channels + layout.channel, left, aligned);
#pragma unroll
      for (int j = 0; j < kSize; j++) {
        sum[j] += to_float(pack.element[j]);
      }
    }
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
    float* target = partials + static_cast<int64>(blockIdx.x) * channels + layout.channel;
#pragma unroll
    for (int j = 0; j < kSize; j++) {
      if (j < left) {
        target[j] = sum[j];
      }
    }
  }
}

// dz = y > 0 ? d_next + d_pooled[matrix] / sites of the matrix : 0; d_next may be null, or dz.
template <typename T>
__device__ __forceinline__ void relu_average_backward(const T* y, const T* d_next,
                                                      const float* __restrict__ d_pooled,
                                                      const int64* __restrict__ offsets,
                                                      int64 sites, int matrices, int channels,
                                                      int block_sites, T* dz) {
  constexpr int kSize = PackedRows<T>::kSize;
  constexpr int kUnroll = 4;  // dz may be d_next, so the loads are written before the stores
  const PackedRows<T> layout(channels);
  const int left = channels - layout.channel;
  if (left <= 0) {
    return;
  }
  const bool aligned =
      channels % kSize == 0 && is_packed(y) && is_packed(dz) && is_packed(d_next);
  const int64 first = static_cast<int64>(blockIdx.x) * block_sites;
  const int64 end = first + block_sites < sites ? first + block_sites : sites;
  int64 share_end = first;  // of the matrix whose share is held
  float share[kSize] = {};
  for (int64 from = first + layout.row; from < end; from += kUnroll * layout.rows) {
    Pack<T> out[kUnroll];
    Pack<T> next[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; u++) {
      const int64 site = from + u * layout.rows;
      const int64 at = site * channels + layout.channel;
      const int here = site < end ? left : 0;
      out[u] = load_row_pack(y + at, here, aligned);
      if (d_next != nullptr) {
        next[u] = load_row_pack(d_next + at, here, aligned);
      }
    }
#pragma unroll
    for (int u = 0; u < kUnroll; u++) {
      const int64 site = from + u * layout.rows;
      if (site >= end) {
        break;
      }
      if (site >= share_end) {
        const int64 matrix = segment_of(offsets, 0, matrices - 1, site);
        share_end = offsets[matrix + 1];
        const float count = static_cast<float>(share_end - offsets[matrix]);
#pragma unroll
        for (int j = 0; j < kSize; j++) {
          share[j] =
              j < left ? d_pooled[matrix * channels + layout.channel + j] / count : 0.0f;
        }
      }
      float d[kSize];
#pragma unroll
      for (int j = 0; j < kSize; j++) {
        const float all = d_next != nullptr ? to_float(next[u].element[j]) + share[j] : share[j];
        d[j] = to_float(out[u].element[j]) > 0 ? all : 0.0f;
      }
      store_row_pack(dz + site * channels + layout.channel, left, aligned, d);
    }
  }
}

}  // namespace autosparse

using namespace autosparse;

#define POOLING(suffix, type)                                                                      \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      sum_slices_##suffix(const type* x, const int64* offsets, int slices, int channels,           \
                          float* partials) {                                                       \
    sum_slices<type>(x, offsets, slices, channels, partials);                                      \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256) relu_average_backward_##suffix(                \
      const type* y, const type* d_next, const float* d_pooled, const int64* offsets, int64 sites, \
      int matrices, int channels, int block_sites, type* dz) {                                     \
    relu_average_backward<type>(y, d_next, d_pooled, offsets, sites, matrices, channels,           \
                                block_sites, dz);                                                  \
  }

POOLING(f32, float)
POOLING(bf16, bf16)

// y[b, c] = sum of b's slices / sites of b: a block owns 32 channels, its 32 warps every 32nd slice.
extern "C" __global__ void __launch_bounds__(1024)
    average_slices_f32(const float* __restrict__ partials, const int64* __restrict__ offsets,
                       int slices, int channels, float* y) {
  constexpr int kWarps = 32;
  __shared__ double warp_sums[kWarps][32];
  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
  const int64 matrix = blockIdx.x;
  const int c = blockIdx.y * 32 + lane;
  double sum = 0;
  if (c < channels) {
#pragma unroll 8
    for (int slice = warp; slice < slices; slice += kWarps) {
      sum += partials[(matrix * slices + slice) * channels + c];
    }
  }
  warp_sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && c < channels) {
    for (int w = 1; w < kWarps; w++) {
      sum += warp_sums[w][lane];
    }
    const int64 sites = offsets[matrix + 1] - offsets[matrix];
    y[matrix * channels + c] = static_cast<float>(sum / static_cast<double>(sites > 0 ? sites : 1));
  }
}
