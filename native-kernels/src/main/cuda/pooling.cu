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

#include "common/quads.cuh"
#include "common/segments.cuh"
#include "common/types.cuh"

using namespace autosparse;

// partials [matrices, slices, channels].
extern "C" __global__ void __launch_bounds__(256)
    sum_slices_f32(const float* __restrict__ x, const int64* __restrict__ offsets, int slices,
                   int channels, float* partials) {
  __shared__ float4 row_sums[256];
  const QuadLayout layout = quad_layout(channels);
  const bool aligned = channels % 4 == 0 && is_packed(x);
  const int left = channels - layout.channel;
  const int64 matrix = blockIdx.x / slices;
  const int slice = blockIdx.x % slices;
  const int64 start = offsets[matrix];
  const int64 sites = offsets[matrix + 1] - start;
  const int64 end = start + slice_start(sites, slices, slice + 1);
  float4 sum = make_float4(0, 0, 0, 0);
  if (left > 0) {
#pragma unroll 8
    for (int64 site = start + slice_start(sites, slices, slice) + layout.row; site < end;
         site += layout.rows) {
      sum = sum + load_quad(x + site * channels + layout.channel, left, aligned);
    }
  }
  row_sums[threadIdx.x] = sum;
  for (int half = layout.rows / 2; half > 0; half /= 2) {
    __syncthreads();
    if (layout.row < half) {
      sum = sum + row_sums[threadIdx.x + half * layout.lanes];
      row_sums[threadIdx.x] = sum;
    }
  }
  if (layout.row == 0) {
    float* target = partials + static_cast<int64>(blockIdx.x) * channels + layout.channel;
    store_quad<false>(target, sum, left);
  }
}

// y[b, c] = sum of b's slices / sites of b: a block owns 32 channels, its eight warps every eighth
// slice.
extern "C" __global__ void __launch_bounds__(256)
    average_slices_f32(const float* __restrict__ partials, const int64* __restrict__ offsets,
                       int slices, int channels, float* y) {
  __shared__ double warp_sums[8][32];
  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
  const int64 matrix = blockIdx.x;
  const int c = blockIdx.y * 32 + lane;
  double sum = 0;
  if (c < channels) {
#pragma unroll 8
    for (int slice = warp; slice < slices; slice += 8) {
      sum += partials[(matrix * slices + slice) * channels + c];
    }
  }
  warp_sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && c < channels) {
    for (int w = 1; w < 8; w++) {
      sum += warp_sums[w][lane];
    }
    const int64 sites = offsets[matrix + 1] - offsets[matrix];
    y[matrix * channels + c] = static_cast<float>(sum / static_cast<double>(sites > 0 ? sites : 1));
  }
}

// dz = y > 0 ? d_next + d_pooled[matrix] / sites of the matrix : 0; d_next may be null, or dz.
extern "C" __global__ void __launch_bounds__(256)
    relu_average_backward_f32(const float* y, const float* d_next,
                              const float* __restrict__ d_pooled,
                              const int64* __restrict__ offsets, int64 sites, int matrices,
                              int channels, int block_sites, float* dz) {
  const QuadLayout layout = quad_layout(channels);
  const int left = channels - layout.channel;
  if (left <= 0) {
    return;
  }
  const bool aligned = channels % 4 == 0 && is_packed(y) && is_packed(dz) && is_packed(d_pooled) &&
                       is_packed(d_next);
  const int64 first = static_cast<int64>(blockIdx.x) * block_sites;
  const int64 end = first + block_sites < sites ? first + block_sites : sites;
  int64 share_end = first;  // of the matrix whose share is held
  float4 share = make_float4(0, 0, 0, 0);
  for (int64 site = first + layout.row; site < end; site += layout.rows) {
    if (site >= share_end) {
      const int64 matrix = segment_of(offsets, 0, matrices - 1, site);
      share_end = offsets[matrix + 1];
      const float count = static_cast<float>(share_end - offsets[matrix]);
      const float4 d = load_quad(d_pooled + matrix * channels + layout.channel, left, aligned);
      share = make_float4(d.x / count, d.y / count, d.z / count, d.w / count);
    }
    const int64 at = site * channels + layout.channel;
    const float4 out = load_quad(y + at, left, aligned);
    float4 d = share;
    if (d_next != nullptr) {
      d = load_quad(d_next + at, left, aligned) + d;
    }
    d = make_float4(out.x > 0 ? d.x : 0, out.y > 0 ? d.y : 0, out.z > 0 ? d.z : 0,
                    out.w > 0 ? d.w : 0);
    if (aligned) {
      store_quad<true>(dz + at, d, left);
    } else {
      store_quad<false>(dz + at, d, left);
    }
  }
}
