// The geometries of tensor_convolution.cuh, and the entries that a family has of each.
// TensorConvolution.java states the same geometry and chooses by shapes.
//
// On sm_90a a tile is 256 outputs where the arithmetic counts (weights pass once for more outputs)
// and 128 where memory does (three blocks a multiprocessor); elsewhere 128, in less than 99 KB.
#pragma once

#include "tensor_convolution.cuh"

namespace autosparse {

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
template <typename T, int kPacks, int kColumns>
using WideTiling = TensorTiling<T, kPacks, kColumns, 2, 2, kPacks == 8 && kColumns == 128 ? 384 : 320,
                                kColumns == 128 ? 216 : 0>;
#else
template <typename T, int kPacks, int kColumns>
using WideTiling = TensorTiling<T, kPacks, kColumns, 1, 2, 192, 0>;
#endif
template <typename T, int kPacks, int kColumns>
using NarrowTiling = TensorTiling<T, kPacks, kColumns, 1, 2, 192, 0>;

}  // namespace autosparse

#define TENSOR_CONVOLUTION(type, packs, columns, tiling, blocks)                                   \
  extern "C" __global__ void __launch_bounds__((tiling<type, packs, columns>::kThreads), blocks)   \
      convolution_##columns##_packs_##packs(                                                       \
          const type* x, const type* weights, const int64* pointers, const int* masks,             \
          const int* inputs, const int* order, int64 outputs, int offsets, int fan_in,             \
          int fan_out, int relu, int stages, int weight_stages, type* y) {                         \
    tensor_convolution<tiling<type, packs, columns>>(x, weights, pointers, masks, inputs, order,   \
                                                     outputs, offsets, fan_in, fan_out, relu != 0, \
                                                     stages, weight_stages, y);                    \
  }

#define TENSOR_CONVOLUTIONS(type)                                                                  \
  TENSOR_CONVOLUTION(type, 8, 128, WideTiling, 1)                                                  \
  TENSOR_CONVOLUTION(type, 8, 64, WideTiling, 1)                                                   \
  TENSOR_CONVOLUTION(type, 8, 32, WideTiling, 1)                                                   \
  TENSOR_CONVOLUTION(type, 8, 8, WideTiling, 1)                                                    \
  TENSOR_CONVOLUTION(type, 4, 128, WideTiling, 1)                                                  \
  TENSOR_CONVOLUTION(type, 4, 64, WideTiling, 1)                                                   \
  TENSOR_CONVOLUTION(type, 4, 32, NarrowTiling, 3)                                                 \
  TENSOR_CONVOLUTION(type, 4, 8, NarrowTiling, 3)                                                  \
  TENSOR_CONVOLUTION(type, 2, 32, NarrowTiling, 3)                                                 \
  TENSOR_CONVOLUTION(type, 2, 8, NarrowTiling, 3)                                                  \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      stage_weights(const float* weight, int offsets, int fan_in, int fan_out, int turned,         \
                    int mirrored, int packs, int columns, type* staged) {                          \
    autosparse::stage_weights<type>(weight, offsets, fan_in, fan_out, turned != 0, mirrored != 0,  \
                                    packs, columns, staged);                                       \
  }
