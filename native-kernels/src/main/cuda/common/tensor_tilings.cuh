// The geometries of tensor_convolution.cuh, and the entries that a family has of each.
// TensorConvolutionKernels.java states the same geometry and chooses by shapes.
//
// On sm_90a a tile is 256 outputs where the arithmetic counts (weights pass once for more outputs)
// and 128 where memory does (three blocks a multiprocessor); elsewhere 128, in less than 99 KB.
#pragma once

#include "bfloat16.cuh"

#include "implicit_gemm.cuh"
#include "tensor_convolution.cuh"

namespace autosparse {

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
constexpr int kNarrowResident = 3;
template <typename T, int kPacks, int kColumns>
using WideTiling = TensorTiling<T, kPacks, kColumns, 2, 2, kPacks == 8 && kColumns == 128 ? 384 : 320,
                                kColumns == 128 ? 208 : 0>;
#else
constexpr int kNarrowResident = 2;
template <typename T, int kPacks, int kColumns>
using WideTiling = TensorTiling<T, kPacks, kColumns, kColumns == 128 ? 2 : 1,
                                kColumns == 128 ? 1 : 2, 192, 0>;
#endif
template <typename T, int kPacks, int kColumns>
using NarrowTiling = TensorTiling<T, kPacks, kColumns, 1, 2, 192, 0>;

// Channel counts and alignments of any kind, more offsets: fp32 multiply-adds of rounded weights.
template <typename T>
using AnyTiling = GemmTiling<float, 128, 32, 8, 4, 4, 2, false, T>;

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
  TENSOR_CONVOLUTION(type, 4, 32, NarrowTiling, kNarrowResident)                                   \
  TENSOR_CONVOLUTION(type, 4, 8, NarrowTiling, kNarrowResident)                                    \
  TENSOR_CONVOLUTION(type, 2, 32, NarrowTiling, kNarrowResident)                                   \
  TENSOR_CONVOLUTION(type, 2, 8, NarrowTiling, kNarrowResident)                                    \
  extern "C" __global__ void __launch_bounds__(AnyTiling<type>::kThreads, 2) convolution_any(      \
      const type* x, const float* weights, const int64* pointers, const int* masks,                \
      const int* inputs, const int* order, int64 outputs, int offsets, int fan_in, int fan_out,    \
      int relu, type* y) {                                                                         \
    implicit_gemm<AnyTiling<type>>(x, weights, pointers, masks, inputs, order, outputs, offsets,   \
                                   fan_in, fan_out, relu != 0, y);                                 \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      stage_weights(const float* weight, int offsets, int fan_in, int fan_out, int turned,         \
                    int mirrored, int packs, int columns, type* staged) {                          \
    autosparse::stage_weights<type>(                                                               \
        {weight, offsets, fan_in, fan_out, turned != 0, mirrored != 0}, packs, columns, staged);   \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      round_weights(const float* weight, int offsets, int fan_in, int fan_out, int turned,         \
                    int mirrored, float* rounded) {                                                \
    autosparse::round_weights<type>(                                                               \
        {weight, offsets, fan_in, fan_out, turned != 0, mirrored != 0}, rounded);                  \
  }
