// Global average pooling over the sites of each matrix, and the gradient that enters a ReLU read by it.
//
// Average: each matrix is cut into a fixed number of slices; a block sums one slice of 128 channels, a second kernel
// adds the slices in their order, in double. Bytes: 4·N·C read once; bound by memory.
// Backward: elementwise over [N, C]; a thread keeps its channels' share of the pool's gradient while it stays in one
// matrix. Bytes: 12·N·C (8·N·C for the last layer); bound by memory.
#include "common/rows.cuh"

using namespace autosparse;

namespace {

constexpr int CHANNELS = 128;  // of one block, 4 a lane

__device__ inline float4 load4(const float* source, int channels, bool vector) {
  if (vector) {
    return *reinterpret_cast<const float4*>(source);
  }
  float values[4];
  for (int j = 0; j < 4; j++) {
    values[j] = j < channels ? source[j] : 0.0f;
  }
  return make_float4(values[0], values[1], values[2], values[3]);
}

__device__ inline void store4(float* target, float4 value, int channels, bool vector) {
  if (vector) {
    *reinterpret_cast<float4*>(target) = value;
    return;
  }
  const float values[4] = {value.x, value.y, value.z, value.w};
  for (int j = 0; j < 4; j++) {
    if (j < channels) {
      target[j] = values[j];
    }
  }
}

// How a block of 256 threads lies over rows and channels: as many lanes as there are quads of channels, up to 32.
struct Layout {
  int quads;   // lanes along the channels: a power of two
  int row;     // this thread's row among those that the block reads at once
  int rows;    // rows that the block reads at once
  int channel; // first of this thread's four
};

__device__ inline Layout layout(int channels) {
  Layout l;
  l.quads = 1;
  while (l.quads < 32 && l.quads * 4 < channels) {
    l.quads *= 2;
  }
  l.row = threadIdx.x / l.quads;
  l.rows = blockDim.x / l.quads;
  l.channel = blockIdx.y * CHANNELS + threadIdx.x % l.quads * 4;
  return l;
}

}  // namespace

// partials [matrices, slices, channels]. vector: channels is a multiple of 4 and x aligned to 16 bytes. Launch:
// (slices · matrices, ceil(channels / 128)) blocks of 256.
extern "C" __global__ void __launch_bounds__(256)
    sum_slices(const float* __restrict__ x, const int64* __restrict__ offsets, int slices, int channels, int vector,
               float* partials) {
  __shared__ float4 rowSums[256];
  const Layout l = layout(channels);
  const int64 matrix = blockIdx.x / slices;
  const int slice = blockIdx.x % slices;
  const int64 sites = offsets[matrix + 1] - offsets[matrix];
  const int64 first = offsets[matrix] + sites * slice / slices;
  const int64 end = offsets[matrix] + sites * (slice + 1) / slices;
  float4 sum = {0, 0, 0, 0};
  if (l.channel < channels) {
#pragma unroll 4
    for (int64 site = first + l.row; site < end; site += l.rows) {
      const float4 v = load4(x + site * channels + l.channel, channels - l.channel, vector);
      sum = make_float4(sum.x + v.x, sum.y + v.y, sum.z + v.z, sum.w + v.w);
    }
  }
  rowSums[threadIdx.x] = sum;
  for (int half = l.rows / 2; half > 0; half /= 2) {
    __syncthreads();
    if (l.row < half) {
      const float4 other = rowSums[threadIdx.x + half * l.quads];
      sum = make_float4(sum.x + other.x, sum.y + other.y, sum.z + other.z, sum.w + other.w);
      rowSums[threadIdx.x] = sum;
    }
  }
  if (l.row == 0 && l.channel < channels) {
    store4(partials + (int64)blockIdx.x * channels + l.channel, sum, channels - l.channel, vector);
  }
}

// y[b, c] = sum of its slices / sites of b. Launch: ceil(matrices · channels / 256) blocks of 256.
extern "C" __global__ void __launch_bounds__(256)
    average_slices(const float* __restrict__ partials, const int64* __restrict__ offsets, int slices, int matrices,
                   int channels, float* y) {
  const int64 i = (int64)blockIdx.x * 256 + threadIdx.x;
  if (i >= (int64)matrices * channels) {
    return;
  }
  const int64 matrix = i / channels;
  const int c = (int)(i % channels);
  double sum = 0;
  for (int slice = 0; slice < slices; slice++) {
    sum += partials[(matrix * slices + slice) * channels + c];
  }
  const int64 sites = offsets[matrix + 1] - offsets[matrix];
  y[i] = (float)(sum / (double)(sites > 0 ? sites : 1));
}

// dz = y > 0 ? dNext + dPooled[matrix] / sites of the matrix : 0; dNext may be null or dz itself. vector: channels is a
// multiple of 4 and all four aligned to 16 bytes. Launch: (ceil(sites / blockSites), ceil(channels / 128)) blocks of 256.
extern "C" __global__ void __launch_bounds__(256)
    relu_average_backward(const float* y, const float* dNext, const float* __restrict__ dPooled,
                          const int64* __restrict__ offsets, int64 sites, int matrices, int channels, int blockSites,
                          int vector, float* dz) {
  const Layout l = layout(channels);
  const int64 first = (int64)blockIdx.x * blockSites;
  const int64 end = first + blockSites < sites ? first + blockSites : sites;
  if (l.channel >= channels) {
    return;
  }
  const int left = channels - l.channel;
  int64 matrixEnd = first;  // of the matrix whose share is held
  float4 share = {0, 0, 0, 0};
  for (int64 site = first + l.row; site < end; site += l.rows) {
    if (site >= matrixEnd) {
      const int64 matrix = lastNotAbove(offsets, 0, matrices, site);
      matrixEnd = offsets[matrix + 1];
      const float count = (float)(matrixEnd - offsets[matrix]);
      const float4 d = load4(dPooled + matrix * channels + l.channel, left, vector);
      share = make_float4(d.x / count, d.y / count, d.z / count, d.w / count);
    }
    const int64 at = site * channels + l.channel;
    const float4 out = load4(y + at, left, vector);
    float4 d = share;
    if (dNext != nullptr) {
      const float4 next = load4(dNext + at, left, vector);
      d = make_float4(next.x + d.x, next.y + d.y, next.z + d.z, next.w + d.w);
    }
    d = make_float4(out.x > 0 ? d.x : 0, out.y > 0 ? d.y : 0, out.z > 0 ? d.z : 0, out.w > 0 ? d.w : 0);
    store4(dz + at, d, left, vector);
  }
}
