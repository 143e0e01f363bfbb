// Sparse convolution in fp32: forward and dgrad (common/implicit_gemm.cuh), wgrad (common/weight_gradient.cuh) and the
// first layer on constant input (common/ones_convolution.cuh). Each entry is one geometry of its template; the launcher
// chooses by channel counts. Entries named _any take channel counts and alignments of any kind.
#include "common/implicit_gemm.cuh"
#include "common/ones_convolution.cuh"
#include "common/weight_gradient.cuh"

using namespace autosparse;

#define IMPLICIT_GEMM(name, geometry, blocks)                                                                        \
  extern "C" __global__ void __launch_bounds__(geometry::THREADS, blocks)                                            \
      name(const float* x, const float* weight, const int64* pointers, const int* masks, const int* inputs,          \
           const int* order, int64 outputs, int offsets, int fanIn, int fanOut, int relu, float* y) {                \
    implicitGemm<geometry>(x, weight, pointers, masks, inputs, order, outputs, offsets, fanIn, fanOut, relu != 0, y); \
  }

//                     TM   TN  KC MR NR stages
typedef Tiling<128, 128, 16, 8, 8, 2, true> Wide;
typedef Tiling<128, 64, 16, 8, 4, 2, true> Middle;
typedef Tiling<256, 32, 16, 8, 4, 2, true> Narrow;
typedef Tiling<256, 32, 8, 8, 4, 2, true> NarrowShallow;
typedef Tiling<256, 8, 16, 4, 4, 2, true> Slim;
typedef Tiling<256, 8, 8, 4, 4, 2, true> SlimShallow;
typedef Tiling<128, 32, 8, 4, 4, 2, false> Any;

IMPLICIT_GEMM(convolution_128, Wide, 2)
IMPLICIT_GEMM(convolution_64, Middle, 2)
IMPLICIT_GEMM(convolution_32, Narrow, 2)
IMPLICIT_GEMM(convolution_32_shallow, NarrowShallow, 2)
IMPLICIT_GEMM(convolution_8, Slim, 4)
IMPLICIT_GEMM(convolution_8_shallow, SlimShallow, 4)
IMPLICIT_GEMM(convolution_any, Any, 2)

#define WEIGHT_GRADIENT(name, geometry)                                                                           \
  extern "C" __global__ void __launch_bounds__(geometry::THREADS, 2)                                              \
      name(const float* x, const float* dz, const int64* pointers, const int* masks, const int* inputs,           \
           int64 outputs, int fanIn, int fanOut, float* partials) {                                               \
    weightGradient<geometry>(x, dz, pointers, masks, inputs, outputs, fanIn, fanOut, partials);                   \
  }

//                      TI   TJ NR pairs stages
typedef GradientTiling<128, 128, 8, 16, 2, true> Gradient128x128;
typedef GradientTiling<128, 32, 4, 32, 2, true> Gradient128x32;
typedef GradientTiling<32, 128, 8, 32, 2, true> Gradient32x128;
typedef GradientTiling<32, 32, 4, 64, 2, true> Gradient32x32;
typedef GradientTiling<32, 32, 4, 64, 2, false> GradientAny;

WEIGHT_GRADIENT(weight_gradient_128_128, Gradient128x128)
WEIGHT_GRADIENT(weight_gradient_128_32, Gradient128x32)
WEIGHT_GRADIENT(weight_gradient_32_128, Gradient32x128)
WEIGHT_GRADIENT(weight_gradient_32_32, Gradient32x32)
WEIGHT_GRADIENT(weight_gradient_any, GradientAny)

// total[e] += partials[0][e] + … + partials[slices-1][e], in that order in four interleaved sums. Launch:
// ceil(elements / 256) blocks of 256.
extern "C" __global__ void __launch_bounds__(256)
    sum_partials(const float* __restrict__ partials, int slices, int64 elements, float* total) {
  const int64 e = (int64)blockIdx.x * 256 + threadIdx.x;
  if (e >= elements) {
    return;
  }
  float sums[4] = {0, 0, 0, 0};
  int slice = 0;
  for (; slice + 4 <= slices; slice += 4) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      sums[i] += partials[(slice + i) * elements + e];
    }
  }
  for (; slice < slices; slice++) {
    sums[0] += partials[slice * elements + e];
  }
  total[e] += (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// turned[k, o, i] = weight[k', i, o], k' being the mirrored offset of a submanifold kernel, else k itself. Launch:
// ceil(elements / 256) blocks of 256.
extern "C" __global__ void __launch_bounds__(256)
    turn_weights(const float* __restrict__ weight, int offsets, int fanIn, int fanOut, int mirrored, float* turned) {
  const int64 e = (int64)blockIdx.x * 256 + threadIdx.x;
  if (e >= (int64)offsets * fanIn * fanOut) {
    return;
  }
  const int i = (int)(e % fanIn);
  const int o = (int)(e / fanIn % fanOut);
  const int k = (int)(e / fanIn / fanOut);
  turned[e] = weight[((int64)(mirrored ? offsets - 1 - k : k) * fanIn + i) * fanOut + o];
}

// masks [sites], weight [offsets, fanOut], y [sites, fanOut]; vector: fanOut is a multiple of 4 and y aligned to 16
// bytes. Launch: (ceil(sites / 2048), ceil(fanOut / 32)) blocks of 256.
extern "C" __global__ void __launch_bounds__(256)
    ones_forward(const int* masks, const float* weight, int64 sites, int offsets, int fanOut, int relu, int vector,
                 float* y) {
  onesForward(masks, weight, sites, offsets, fanOut, relu != 0, vector != 0, y);
}

extern "C" __global__ void __launch_bounds__(256)
    ones_backward_9(const int* masks, const float* dz, int64 sites, int offsets, int fanOut, float* partials) {
  onesBackward<9>(masks, dz, sites, offsets, fanOut, partials);
}

extern "C" __global__ void __launch_bounds__(256)
    ones_backward_25(const int* masks, const float* dz, int64 sites, int offsets, int fanOut, float* partials) {
  onesBackward<25>(masks, dz, sites, offsets, fanOut, partials);
}
